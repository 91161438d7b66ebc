"""What an attack must leave as it was: the trusted state of ECUs, and of the back office.

Of an ECU, as it lies in flash: every trusted metadata file, the release counter, the attested
time and its key, the high-water mark, the identity, which slot is confirmed, the bytes of its
image, and whether another is on trial. Left out are logs (refusals noted), the counter of reports,
and what lies in the other slot, which any update may overwrite and nothing boots before it was
verified. Time counts as unchanged if it moved forward, and not beyond the true time: every cycle
attests it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

import cbor2
from sqlalchemy import func, select

from muptane.bench.vehicle import Vehicle
from muptane.oem.inventory import Assignment, DecisionMade, Ecu, ReportReceived
from muptane.oem.office import Office
from uptane import ids
from uptane.errors import NotProvisioned
from uptane.store.boot import TRIAL, State

LEFT_OUT = (
    ids.RECORD_ATTACKS,
    ids.RECORD_COUNTER,
    ids.RECORD_BOOT,
    ids.RECORD_TIME,
    ids.RECORD_DEPOT,
)
Picture = Mapping[str, object]


def state_of_vehicle(vehicle: Vehicle) -> Picture:
    """{"ECU part": value} of every ECU; not while one of them writes."""
    return {
        f"{name} {part}": value for name in vehicle.ecus for part, value in _ecu(vehicle, name)
    }


def _ecu(vehicle: Vehicle, name: str) -> Iterator[tuple[str, object]]:
    records = vehicle.records(name)
    for number in records.numbers():
        if number not in LEFT_OUT:
            yield f"record {number:#06x}", records.read(number)
    raw_time = records.read(ids.RECORD_TIME)
    seconds, kid = (0, b"") if raw_time is None else cbor2.loads(raw_time)
    yield "time", seconds
    yield "time key", kid
    boot = State(records.read(ids.RECORD_BOOT))
    image = boot.confirmed
    if image is None or boot.slot is None:
        raise NotProvisioned  # then the ECU does not start
    yield "confirmed", (boot.slot, image.number, image.length, image.digest, image.release)
    yield "confirmed bytes", sha256(vehicle.slot(name, boot.slot).read(0, image.length)).digest()
    yield "on trial", boot.phase >= TRIAL


def state_of_office(office: Office) -> Picture:
    """What the back office knows and directs; oddities are a log and left out."""
    with office.inventory.begin() as session:
        state: dict[str, object] = {
            "keys": sorted((ecu.id, ecu.public) for ecu in session.scalars(select(Ecu))),
            "wishes": session.scalar(select(func.max(Assignment.id))),
            "decisions": session.scalar(select(func.max(DecisionMade.id))),
            "reports": session.scalar(select(func.max(ReportReceived.id))),
        }
    for name, part in (("director", office.director), ("image", office.images)):
        state[f"{name} roots"] = part.authority.roots
    state["images"] = {number: entry.hashes for number, entry in office.images.images.items()}
    return state


def changes(before: Picture, after: Picture, now: int) -> list[str]:
    """The parts that differ. `now`: the true time, in seconds since 1970."""
    found = []
    for part in sorted(before.keys() | after.keys()):
        old, new = before.get(part), after.get(part)
        if part.endswith(" time") and isinstance(old, int) and isinstance(new, int):
            if not old <= new <= now:
                found.append(part)
        elif old != new:
            found.append(part)
    return found
