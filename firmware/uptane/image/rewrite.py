"""One transfer into the only place there is for an image: what is written, and where it goes on.

Nothing is lost before the first byte of what overwrites it is here, and where that goes on is
stored before anything is lost: so a cut costs some pieces that come again. It does NOT check what
comes, nor decrypt it: the stages in front of it do (`image.rewriting`).
Rules: V-58, V-62, S-26, S-29, T-32, E-79, E-81.
"""

import struct

from uptane.errors import FlashFault, Refusal, Rotten, UnsupportedDelta, WrongBase, WrongFile
from uptane.ids import RECORD_CHECKPOINT
from uptane.limits import DIGEST_BYTES

if False:  # for the type checker
    from storage import Work
    from uptane.image.chain import Chain
    from uptane.image.in_place import InPlace
    from uptane.image.parcel import Parcel
    from uptane.image.plan import Plan
    from uptane.main import Ecu
    from uptane.store.boot import Installed
    from uptane.store.sole import Sole

SAVE_BYTES = 16384  # of a whole image at least, between two checkpoints
# What is stored: the first bytes of the SHA-256 of what travels and the hash of the piece to go on
# with; then what InPlace says, or of a whole image how much is written. Where nothing is stored, a
# whole image was begun: what is not blank of it is written.
TAG_BYTES = 8
LEAD_BYTES = TAG_BYTES + DIGEST_BYTES
WHOLE = 2  # beside in_place.MOVING and MAKING
WRITTEN = "<BI"
WRITTEN_BYTES = 5


class Rewrite:
    """The sink for `wanted`, as `parcel` says that it comes. `chain` is the stage in front of it
    whose hashes are stored, or None; `link` the one that was, of the piece to go on with."""

    def __init__(self, ecu: "Ecu", sole: "Sole", wanted: "Installed", parcel: "Parcel") -> None:
        self._ecu = ecu
        self._sole = sole
        self._wanted = wanted
        self._parcel = parcel
        block_bytes = sole.areas[0].block_bytes
        self._step_bytes = (SAVE_BYTES + block_bytes - 1) // block_bytes * block_bytes
        self.chain: Chain | None = None
        self.link: bytes | None = None
        self._delta: InPlace | None = None
        self._going = False  # is the place made ready, or stored that the delta was begun?

    def begin(self) -> "Work[int]":
        """Find where to go on; returns that byte of the image or of the delta. Refusals, before
        anything is erased: UnsupportedDelta, WrongBase. FlashFault."""
        lead = self._lead()
        if lead and lead[:TAG_BYTES] == self._parcel.digest[:TAG_BYTES]:
            self.link = lead[TAG_BYTES:LEAD_BYTES]
        plan = self._parcel.plan
        if plan is None:
            return (yield from self._begin_whole(lead))
        return (yield from self._begin_delta(plan, lead))

    def write(self, offset: int, data: memoryview) -> "Work[None]":
        """The next bytes of the image or of the delta. Refusals of Slots.write and InPlace.write;
        after one of the latter, nothing is left of either image."""
        delta, sole = self._delta, self._sole
        if delta is None:
            if not self._going:
                self._going = True
                if sole.is_coming(self._wanted):  # in another way, of which nothing is of use
                    sole.give_up()
                yield from sole.begin(self._wanted)
            sole.write(offset, data)
            if self.chain is not None:
                self._save_written(offset, offset + len(data))
            return
        try:
            yield from delta.write(data)
        except FlashFault:
            raise
        except Refusal:
            if self._going:
                sole.give_up()
            raise

    def end(self) -> None:
        """All of it has come: what was made of a delta is in the place. Truncated."""
        if self._delta is not None:
            self._delta.end()
            self._sole.adopt(self._wanted)

    # --- where it goes on -----------------------------------------------------------------------

    def _lead(self) -> "bytes | None":
        """What was stored while that image came, or empty; None: it was not begun, or how it came
        cannot be read any more."""
        if not self._sole.is_coming(self._wanted):
            return None
        try:
            raw = self._ecu.records.read(RECORD_CHECKPOINT)
        except Rotten:
            return None
        return b"" if raw is None else raw

    def _begin_whole(self, lead: "bytes | None") -> "Work[int]":
        """Returns the byte of the image to go on with; the place is made ready with its first
        byte, or now if it was begun already."""
        made = -1
        self._going = lead is not None
        if lead:
            self._going = lead[LEAD_BYTES] == WHOLE and len(lead) == LEAD_BYTES + WRITTEN_BYTES
            if self._going:
                _, made = struct.unpack(WRITTEN, lead[LEAD_BYTES:])
        if not self._going:
            return 0
        yield from self._sole.begin(self._wanted, made)
        return self._sole.resume_offset()

    def _begin_delta(self, plan: "Plan", lead: "bytes | None") -> "Work[int]":
        """Returns the byte of the delta to go on with."""
        ecu, area, base = self._ecu, self._sole.areas[0], self._parcel.base
        if not ecu.board.deltas:
            raise UnsupportedDelta
        from uptane.image.in_place import InPlace  # here, because not all of them apply deltas
        from uptane.image.plan import verify_base  # here for the same reason

        delta = InPlace(area, plan, self._save_delta, LEAD_BYTES)
        self._going = False
        try:
            if lead:
                delta.restore(memoryview(lead)[LEAD_BYTES:])
                self._going = True
        except (Rotten, WrongFile):
            pass
        if not self._going:
            if self._sole.rotten or ecu.installed().digest != base:
                raise WrongBase
            hashing = ecu.suite.sha256()
            yield from verify_base(area.read_into, plan.old_length, base, hashing)
        self._delta = delta
        return delta.resume_offset()

    def _save_delta(self, raw: bytearray) -> None:
        """Called by the delta before it erases."""
        if self._delta is None:
            return
        self._fill(raw, self._delta.resume_offset())
        if self._going:
            self._ecu.records.commit({RECORD_CHECKPOINT: bytes(raw)})
        else:
            self._sole.overwrite(self._wanted, raw)
            self._going = True

    def _save_written(self, before: int, after: int) -> None:
        """A whole image: whenever so many bytes more are written."""
        step = self._step_bytes
        made = after // step * step
        if made > before:
            raw = bytearray(LEAD_BYTES) + struct.pack(WRITTEN, WHOLE, made)
            self._fill(raw, made)
            self._ecu.records.commit({RECORD_CHECKPOINT: bytes(raw)})

    def _fill(self, raw: bytearray, at: int) -> None:
        """Say with which piece to go on at that byte of what comes out of the chain."""
        raw[:TAG_BYTES] = self._parcel.digest[:TAG_BYTES]
        if self.chain is not None:
            raw[TAG_BYTES:LEAD_BYTES] = self.chain.hash_at(at)
