"""The Director's online keys are stolen and an evil image is offered (E-32).

The thief is on the vehicle's bus and speaks to a Secondary as a Primary would. He signs fresh
Director Timestamp, Snapshot and Targets, in which a release that the Image repository does list
has the length and hash of his own image; everything else he relays as it is, the time included.
A full Secondary holds the Director's entry against the Image repository, whose keys he has not
got. A partial Secondary knows the Director alone, and installs.
Rules: E-32, E-70, V-34, V-75, V-78.
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256
from typing import Any

from muptane.bench.attacks.attack import INSTALLS, Attack, Outcome
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.plan import EcuPlan
from muptane.bench.vehicle import Vehicle
from muptane.oem.metadata import Role, Snapshot, Timestamp, sign_by
from muptane.oem.office import Office
from muptane.oem.targets import Entry, Targets
from uptane import ids
from uptane.errors import ImagesDiffer, PeerRefused
from uptane.uds.codes import DID_IMAGE
from uptane.uds.feeding import Held

ATTACK = Attack(
    name="director_key_stolen",
    ids=("E-32",),
    aim="run an image of the attacker's own on an ECU",
    power="the Director's Timestamp, Snapshot and Targets keys, and a place on the vehicle's bus",
    limit=(
        "a partial Secondary checks the Director alone, so whoever holds the Director's online "
        "keys decides what it runs; give full verification to every ECU that can do harm"
    ),
    expected={"full": ImagesDiffer, "partial": INSTALLS},
)
A_DAY_S = 86400
AHEAD = 1000  # versions that the thief skips, so that his files are the newest
TRIAL_S = 3.0


class Thief(OfficeSource):
    """An office's files, but for the Director's online roles and the image."""

    def __init__(self, office: Office, vin: str, ecu: EcuPlan, number: int, evil: bytes) -> None:
        super().__init__(office, vin, lambda carried: None)
        self._evil = evil
        self._forged = forge(office, vin, ecu, number, evil)

    def find(self, file: bytes, detail: object, offset: int) -> Generator[Any, Any, Held | None]:
        repository, kind, number = file[0], file[1], int.from_bytes(file[2:], "big")
        if kind == ids.KIND_IMAGE:
            return Held(self._evil, offset)
        if repository == ids.DIRECTOR and kind == ids.KIND_METADATA and number in self._forged:
            return Held(self._forged[number], offset)
        return (yield from super().find(file, detail, offset))

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        """Reports end here: the Director hears nothing."""
        return
        yield


def forge(office: Office, vin: str, ecu: EcuPlan, number: int, evil: bytes) -> dict[int, bytes]:
    """Director files under the stolen keys: {role: file}."""
    genuine = office.images.images[number]
    entry = Entry(
        length=len(evil),
        hashes={ids.ALG_SHA256: sha256(evil).digest()},
        hardware=genuine.hardware,
        release=genuine.release,
        ecus=(ecu.number,),
    )
    expires = office.now() + A_DAY_S
    targets = Targets(version=AHEAD, expires=expires, images={number: entry}, vehicle=vin)
    snapshot = Snapshot(version=AHEAD, expires=expires, versions={ids.TARGETS: AHEAD})
    timestamp = Timestamp.of(AHEAD, expires, snapshot)
    return {
        ids.TARGETS: _signed(office, targets),
        ids.SNAPSHOT: _signed(office, snapshot),
        ids.TIMESTAMP: _signed(office, timestamp),
    }


def _signed(office: Office, role: Role) -> bytes:
    authority = office.director.authority
    return sign_by(role, authority.holders[role.type].ready(), authority.identity)


def play(vehicle: Vehicle, office: Office, name: str, number: int, evil: bytes) -> Outcome:
    """Offer `evil` as image `number`, which the Image repository lists, to a Secondary."""
    ecu = vehicle.ecus[name].plan
    station = vehicle.station(name)
    thief = Thief(office, vehicle.plan.vin, ecu, number, evil)
    observed: int | str
    try:
        station.run(feed(station, thief))
        vehicle.run(TRIAL_S)
        runs_evil = station.read(DID_IMAGE)[-32:] == sha256(evil).digest()
        observed = INSTALLS if runs_evil else "nothing"
    except PeerRefused as refusal:
        observed = refusal.args[0]
    verdict = ATTACK.verdict(ecu.verification)
    return Outcome(ATTACK.name, name, ecu.verification, verdict, observed)
