"""The steps that the cycles of a Primary and of a Secondary have in common.

Each is a part of a cycle (`uptane.cycle` says what a cycle yields). `ecu` is uptane.main.Ecu.
Rules: V-46, V-56, V-61, V-64, V-66, V-81, S-25.
"""

from uptane.errors import NoRegion, Refusal, Withheld
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_REPORT, KIND_TIME, LOCAL
from uptane.limits import TIME_BYTES_MAX
from uptane.meta.wants import Want
from uptane.store.boot import Installed

if False:  # for the type checker
    from typing import Any

    from errand import Cycle
    from uptane.main import Ecu
    from uptane.meta.targets import Entry


def offer(number: int, raw: bytes) -> Want:
    """A want that offers a file instead of asking for one: fetch it and pass it on."""
    want = Want(LOCAL, KIND_REPORT, number, None, len(raw))
    want.offer = raw
    return want


def attested(ecu: "Ecu", nonces: "list[bytes]") -> "Cycle[bytes | None]":
    """Ask for the time under these nonces and accept it if it is good. A bad or missing
    attestation is noted and the cycle goes on without new time (V-81). Returns what came."""
    raw = yield Want(DIRECTOR, KIND_TIME, 0, nonces, TIME_BYTES_MAX)
    if raw is None:
        return None
    try:
        yield from ecu.trust.accept_time(raw, nonces)
    except Refusal as refusal:
        ecu.note(refusal.number)
    return raw


def fetch(ecu: "Ecu", entry: "Entry") -> "Cycle[None]":
    """Bring the image into the spare slot and verify it there, as it lies in flash."""
    if ecu.board.region_areas:
        from uptane.image.scope import choose  # here, because most ECUs have one region

        choose(ecu.slots, entry)
    elif entry.regions is not None:
        raise NoRegion
    work: Any = None  # of the intake, gone with this cycle
    if ecu.intake is not None:
        want, work = yield from ecu.intake.begin(entry)
    else:
        slots = ecu.slots
        wanted = Installed(entry.number, entry.length, entry.digest, entry.release)
        yield from slots.begin(wanted)
        want = Want(IMAGE, KIND_IMAGE, entry.number, entry.digest, entry.length)
        want.sink = slots
        want.offset = slots.resume_offset()
    while want.offset < want.cap:  # whoever brings it may have no more than a part at a time
        if (yield want) is None:
            raise Withheld
    yield from ecu.slots.finish(ecu.suite) if ecu.intake is None else ecu.intake.finish(work)
    ecu.verified = True
