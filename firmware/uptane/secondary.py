"""The Secondary's cycle: report, time, metadata, image, in the Standard's order (V-55).

Whoever serves its wants - normally the Primary - is not trusted: every file is verified here, by
full or by partial verification as provisioned. The cycle ends with an image verified in the
spare slot, or with nothing to do, or with a refusal; it never starts an image by itself.
Rules: V-30, V-31, V-34, V-55, V-56, V-57, V-60, V-63, V-64, V-66, V-68.
"""

from uptane.errors import Refusal, Withheld
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_REPORT, KIND_TIME, LOCAL, REPORT_ECU
from uptane.limits import TIME_BYTES_MAX
from uptane.meta.wants import Want
from uptane.trust import Chosen


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
        yield from ecu.trust.accept_time(raw)
    except Refusal as refusal:
        ecu.note(refusal.number)
    return raw


def fetch(ecu: "Ecu", chosen: Chosen) -> "Cycle[None]":
    """Bring the chosen image into the spare slot and verify it there, as it lies in flash."""
    slots = ecu.slots
    yield from slots.begin(chosen.number, chosen.length, chosen.digest, chosen.release)
    want = Want(IMAGE, KIND_IMAGE, chosen.number, chosen.digest, chosen.length)
    want.sink = slots
    want.offset = slots.resume_offset()
    if want.offset < chosen.length and (yield want) is None:
        raise Withheld
    yield from slots.finish(ecu.suite)
    ecu.verified = True


def cycle(ecu: "Ecu") -> "Cycle[None]":
    """One cycle of a Secondary; `ecu` is uptane.main.Ecu."""
    raw = yield from ecu.make_report()
    yield offer(REPORT_ECU, raw)
    yield from attested(ecu, [ecu.trust.nonce()])
    decision = yield from ecu.trust.check()
    ecu.decided(decision)
    entry = decision.entry(ecu.identity.ecu)
    if entry is not None:
        yield from fetch(ecu, Chosen(entry))
