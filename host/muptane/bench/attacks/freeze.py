"""Nothing new for the victim: valid old files played again, files and time withheld, stop-early.

Rules: E-02, E-04, E-05, E-51, E-52, E-53, E-86, E-87, V-71.3, V-72.4, V-73.7, V-74.5, T-15, T-28.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import ACCEPTED, INSTALLS, attack, everywhere, fully
from muptane.bench.attacks.places import AT_THE_WIRE, MIRROR
from muptane.bench.attacks.stage import Stage
from muptane.bench.liar import LiveRole
from muptane.oem.enrolment import NewEcu
from muptane.oem.keys import Signer
from uptane import ids
from uptane.errors import BelowThreshold, Expired, NoFreshTime, Withheld, WrongVehicle

STRANGER = "MUPTANE0STRANGER1"
ALL_ROLES = (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def stranger(stage: Stage, role: int, directed: bool) -> bytes:
    """The Director's file of a role for another vehicle of the same maker, which has had eight
    rounds of directions; `directed`: an ECU of it is to install an image."""
    office = stage.office
    raw = office.answer(STRANGER, ids.DIRECTOR, ids.KIND_METADATA, role, 0)
    if raw is None:
        public = Signer.from_seed(b"stranger").key.public
        ecu = NewEcu(
            ecu=900, public=public, hardware=stage.victim.hardware, verification=ids.PRIMARY
        )
        office.register_vehicle(STRANGER, [ecu])
        if directed:
            office.assign(STRANGER, ecu.ecu, stage.number)
        for _ in range(8):
            office.director.welcome(STRANGER, office.now())
        stage.look()
        raw = office.answer(STRANGER, ids.DIRECTOR, ids.KIND_METADATA, role, 0)
    if raw is None:
        raise ValueError(f"role {role} is not of a Director")
    return raw


def held_snapshot(stage: Stage) -> object:
    """How a Timestamp names the Snapshot of the Image repository that the ECU has."""
    live = LiveRole(ids.TIMESTAMP, stage.image.last[ids.TIMESTAMP], stage.image.identity)
    return live.fields[ids.KEY_SNAPSHOT]


@attack(ids=("E-04", "V-72.4", "V-74.5"), expected=everywhere(Expired), power=AT_THE_WIRE)
def frozen_for_days(stage: Stage) -> None:
    """hide updates for ever by replaying what was valid two days ago"""
    stage.later(2)
    stage.director.freeze(*ALL_ROLES)


@attack(
    ids=("E-04", "V-75.4"),
    expected=everywhere(ACCEPTED),
    power=AT_THE_WIRE,
    limit="until the Director's files expire, a day, old directions look like no news",
)
def frozen_for_hours(stage: Stage) -> None:
    """hide an update for as long as the Director's files are valid"""
    stage.director.freeze(*ALL_ROLES)


@attack(ids=("E-04", "V-72.4"), expected=fully(Expired), power=MIRROR)
def mirror_frozen_for_days(stage: Stage) -> None:
    """hide a release behind files of the Image repository that are valid no more"""
    stage.later(2)
    stage.redirect()
    stage.image.freeze(*ALL_ROLES)


@attack(ids=("E-02",), expected=everywhere(Withheld), power=AT_THE_WIRE)
def everything_withheld(stage: Stage) -> None:
    """keep every file from the ECU"""
    stage.withheld |= {ids.KIND_METADATA, ids.KIND_IMAGE, ids.KIND_TIME}


@attack(ids=("E-02", "E-06", "T-35"), expected=everywhere(Withheld), power=AT_THE_WIRE)
def image_withheld(stage: Stage) -> None:
    """let an ECU know of an update, and keep the image from it"""
    stage.informed()
    stage.withheld.add(ids.KIND_IMAGE)


@attack(ids=("E-05", "T-28", "V-56"), expected=everywhere(NoFreshTime), power=AT_THE_WIRE)
def time_withheld(stage: Stage) -> None:
    """have an ECU judge new directions by an old time"""
    stage.withheld.add(ids.KIND_TIME)


@attack(ids=("E-05", "T-28"), expected=everywhere(BelowThreshold), power=AT_THE_WIRE)
def time_altered(stage: Stage) -> None:
    """move the clock of an ECU by changing an attestation on its way"""

    def altered(nonces: object) -> bytes:
        raw = stage.attest(nonces)  # type: ignore[arg-type]
        return raw[:-1] + bytes((raw[-1] ^ 1,))

    stage.time = altered


@attack(ids=("E-51", "E-52", "T-18", "V-80"), expected=everywhere(WrongVehicle), power=AT_THE_WIRE)
def directions_of_another_vehicle(stage: Stage) -> None:
    """replay another vehicle's directions, whose versions are higher"""
    for role in ALL_ROLES:
        stage.director.serve(role, stranger(stage, role, directed=True))


@attack(ids=("E-51", "V-10", "V-80"), expected=everywhere(WrongVehicle), power=AT_THE_WIRE)
def empty_directions_of_another_vehicle(stage: Stage) -> None:
    """replay another vehicle's directions that name no image"""
    for role in ALL_ROLES:
        stage.director.serve(role, stranger(stage, role, directed=False))


@attack(ids=("E-87", "V-74"), expected=everywhere(Withheld), power=AT_THE_WIRE)
def targets_withheld(stage: Stage) -> None:
    """break a cycle off between Snapshot and Targets"""
    stage.director.withhold(ids.TARGETS)


@attack(ids=("E-87", "T-17", "V-75.4"), expected=everywhere(INSTALLS), power=AT_THE_WIRE)
def update_after_dropped_targets(stage: Stage) -> None:
    """leave an ECU with a new Snapshot and old directions, so that the next cycle is no news"""
    stage.director.withhold(ids.TARGETS)
    stage.feed()
    stage.director.served.clear()


@attack(
    ids=("E-86", "T-15", "T-16"),
    expected=fully(Expired),
    power=MIRROR,
    keys=("image.timestamp",),
)
def stored_snapshot_outlives_its_expiry(stage: Stage) -> None:
    """keep an ECU on an old Snapshot of the Image repository by a Timestamp that still names it"""
    stage.later(8)
    stage.redirect()
    stage.image.freeze(ids.SNAPSHOT, ids.TARGETS)
    stage.image.timestamp.fields[ids.KEY_SNAPSHOT] = held_snapshot(stage)
    stage.image.timestamp.expires = stage.office.now() + 86400
    stage.image.serve(ids.TIMESTAMP)
