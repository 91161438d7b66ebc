"""How an image comes into the only place there is for one, over the image that runs.

What travels comes in pieces, each known to be good before it is used (`image.chain`), is decrypted
if it is encrypted, and written; a delta is applied to the image that it overwrites. Where that was
is stored before anything is lost, so a cut costs some pieces that come again; and nothing is lost
before the first piece is here. Before the first stroke the way back is stored, too: how the
confirmed image would come from the Primary, which is to have it by then. An image that is broken
already has nothing to lose, so into its place a whole one may come without a chain. It does NOT
decide what is to be installed, nor when to go back: `uptane.lone` does.
Rules: V-13, V-58, V-62, V-64, V-65, S-26, S-29, S-30, T-32, E-79, E-80, E-81.
"""

import struct

from uptane.errors import (
    FlashFault,
    NotChained,
    Refusal,
    Rotten,
    UnsupportedDelta,
    WrongBase,
    WrongFile,
)
from uptane.ids import (
    ALG_SHA256,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_CHECKPOINT,
    RECORD_RECOVERY,
)
from uptane.image.chain import Chain
from uptane.image.intake import Opening, opener
from uptane.image.parcel import Parcel, recovered
from uptane.limits import DIGEST_BYTES
from uptane.meta.targets import Entry
from uptane.store.boot import Installed

if False:  # for the type checker
    from errand import Work
    from uptane.image.in_place import InPlace
    from uptane.main import Ecu
    from uptane.meta.wants import Want
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


class Rewriting:
    """`ecu`: uptane.main.Ecu, whose `slots` are a Sole. It is the sink of what it begins, behind
    the stages that check and decrypt."""

    def __init__(self, ecu: "Ecu") -> None:
        self._ecu = ecu
        self.sole: Sole = ecu.slots  # type: ignore[assignment]
        block_bytes = self.sole.areas[0].block_bytes
        self._step_bytes = (SAVE_BYTES + block_bytes - 1) // block_bytes * block_bytes
        self._wanted: Installed | None = None
        self._tag = b""
        self._chain: Chain | None = None
        self._delta: InPlace | None = None
        self._going = False  # is the place made ready, or stored that the delta was begun?

    def begin(self, entry: "Entry") -> "Work[Want]":
        """Make the place ready for an image, however it travels; returns the want for it, whose
        offset says how much need not come again.

        Refusals, before anything is erased: those of Parcel; NotChained; UnsupportedDelta,
        WrongBase; NotARecipient, BadEnvelope, BadKey, BadWrap; TooLarge, Unwanted. FlashFault."""
        sole = self.sole
        parcel = Parcel(entry, self._ecu.identity.ecu)
        if parcel.head is None and (parcel.plan is not None or not sole.rotten):
            raise NotChained
        wanted = self._ecu.installed()
        if not is_of(entry, wanted):
            wanted = Installed(entry.number, entry.length, entry.digest, entry.release)
        want = parcel.want(self)
        self._wanted, self._tag = wanted, parcel.digest[:TAG_BYTES]
        self._chain = self._delta = None
        if sole.is_staged(wanted):
            sole.adopt(wanted)
            want.offset = want.cap
            return want
        sole.check_room(wanted)
        decrypting = yield from opener(self._ecu, parcel)
        self._keep_way_back(parcel)
        lead = self._lead(wanted)
        if parcel.plan is None:
            want.offset = yield from self._begin_whole(wanted, lead)
        else:
            want.offset = yield from self._begin_delta(parcel, lead)
        if decrypting is not None:
            want.sink = Opening(decrypting, self)
        if parcel.head is not None and want.sink is not None:
            length = parcel.content.length
            want.sink = self._chain = Chain(want.sink, self._ecu.suite, length, parcel.head)
            if want.offset:
                known = lead and lead[:TAG_BYTES] == self._tag
                link = lead[TAG_BYTES:LEAD_BYTES] if lead and known else None
                self._chain.go_on(want.offset, link)
            want.offset = self._chain.offset
        return want

    def write(self, offset: int, data: memoryview) -> "Work[None]":
        """The next bytes of the image or of the delta. Refusals of Slots.write and InPlace.write;
        after one of the latter, nothing is left of either image."""
        delta = self._delta
        if delta is None:
            if not self._going and self._wanted is not None:
                self._going = True
                if self.sole.is_coming(self._wanted):  # in another way, of which nothing is of use
                    self.sole.give_up()
                yield from self.sole.begin(self._wanted)
            self.sole.write(offset, data)
            if self._chain is not None:
                self._save_written(offset, offset + len(data))
            return
        try:
            yield from delta.write(data)
        except FlashFault:
            raise
        except Refusal:
            if self._going:
                self.sole.give_up()
            raise

    def finish(self) -> "Work[None]":
        """All of it has come: see whether it is the image. Truncated; refusals of Slots.finish."""
        if self._delta is not None and self._wanted is not None:
            self._delta.end()
            self.sole.adopt(self._wanted)
            self._delta = None
        yield from self.sole.finish(self._ecu.suite)

    # --- the way back ---------------------------------------------------------------------------

    def way_back(self) -> Entry:
        """The confirmed image, as an entry told of it before it was overwritten; or, if none did,
        whole and in the clear."""
        image = self._ecu.installed()
        try:
            raw = self._ecu.records.read(RECORD_RECOVERY)
            entry = None if raw is None else recovered(raw)
            if entry is not None and is_of(entry, image):
                return entry
        except Refusal:
            pass
        value = {
            ENTRY_LENGTH: image.length,
            ENTRY_HASHES: {ALG_SHA256: image.digest},
            ENTRY_MATCH: {
                MATCH_HARDWARE: [self._ecu.identity.hardware],
                MATCH_RELEASE: image.release,
            },
        }
        return Entry(image.number, value, False)

    def _keep_way_back(self, parcel: Parcel) -> None:
        """Store how the image comes back that is about to be overwritten."""
        raw = parcel.recovery
        if raw is None or self.sole.rotten or not is_of(recovered(raw), self._ecu.installed()):
            return
        records = self._ecu.records
        try:
            known = records.read(RECORD_RECOVERY)
        except Rotten:
            known = None
        if known != raw:
            records.commit({RECORD_RECOVERY: raw})

    # --- where it goes on -----------------------------------------------------------------------

    def _lead(self, wanted: Installed) -> "bytes | None":
        """What was stored while that image came, or empty; None: it was not begun, or how it came
        cannot be read any more."""
        if not self.sole.is_coming(wanted):
            return None
        try:
            raw = self._ecu.records.read(RECORD_CHECKPOINT)
        except Rotten:
            return None
        return b"" if raw is None else raw

    def _begin_whole(self, wanted: Installed, lead: "bytes | None") -> "Work[int]":
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
        yield from self.sole.begin(wanted, made)
        return self.sole.resume_offset()

    def _begin_delta(self, parcel: Parcel, lead: "bytes | None") -> "Work[int]":
        """Returns the byte of the delta to go on with."""
        ecu, area, plan = self._ecu, self.sole.areas[0], parcel.plan
        if not ecu.board.deltas or plan is None:
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
            if self.sole.rotten or ecu.installed().digest != parcel.base:
                raise WrongBase
            hashing = ecu.suite.sha256()
            yield from verify_base(area.read_into, plan.old_length, parcel.base, hashing)
        self._delta = delta
        return delta.resume_offset()

    def _save_delta(self, raw: bytearray) -> None:
        """Called by the delta before it erases."""
        if self._delta is None or self._wanted is None:
            return
        self._fill(raw, self._delta.resume_offset())
        if self._going:
            self._ecu.records.commit({RECORD_CHECKPOINT: bytes(raw)})
        else:
            self.sole.overwrite(self._wanted, raw)
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
        raw[:TAG_BYTES] = self._tag
        if self._chain is not None:
            raw[TAG_BYTES:LEAD_BYTES] = self._chain.hash_at(at)


def is_of(entry: Entry, image: Installed) -> bool:
    """Is that the image that the entry tells of?"""
    return (entry.number, entry.digest) == (image.number, image.digest)
