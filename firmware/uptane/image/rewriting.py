"""How an image comes into the only place there is for one, over the image that runs.

What travels comes in pieces, each known to be good before it is used (`image.chain`), is decrypted
if it is encrypted, and written; a delta is applied to the image that it overwrites
(`image.rewrite`). Before the first stroke the way back is stored: how the confirmed image would
come from the Primary, which is to have it by then. An image that is broken already has nothing to
lose, so into its place a whole one may come without a chain. It does NOT decide what is to be
installed, nor when to go back: `uptane.lone` does.
Rules: V-13, V-58, V-62, V-64, V-65, S-26, S-29, S-30, T-32, E-79, E-80, E-81.
"""

from uptane.errors import NotChained, Refusal, Rotten
from uptane.ids import (
    ALG_SHA256,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_RECOVERY,
)
from uptane.image.chain import Chain
from uptane.image.intake import Opening, opener
from uptane.image.parcel import Parcel, recovered
from uptane.image.rewrite import Rewrite
from uptane.meta.targets import Entry
from uptane.store.boot import Installed

if False:  # for the type checker
    from errand import Work
    from uptane.main import Ecu
    from uptane.meta.wants import Want
    from uptane.store.sole import Sole


class Rewriting:
    """`ecu`: uptane.main.Ecu, whose `slots` are a Sole. It holds nothing of a transfer, which may
    be broken off at any time."""

    def __init__(self, ecu: "Ecu") -> None:
        self._ecu = ecu
        self.sole: Sole = ecu.slots  # type: ignore[assignment]

    def begin(self, entry: Entry) -> "Work[tuple[Want, Rewrite]]":
        """Make the place ready for an image, however it travels; returns the want for it, whose
        offset says how much need not come again, and what `finish` has to be given.

        Refusals, before anything is erased: those of Parcel; NotChained; UnsupportedDelta,
        WrongBase; NotARecipient, BadEnvelope, BadKey, BadWrap; TooLarge, Unwanted. FlashFault."""
        ecu, sole = self._ecu, self.sole
        parcel = Parcel(entry, ecu.identity.ecu)
        if parcel.head is None and (parcel.plan is not None or not sole.rotten):
            raise NotChained
        wanted = ecu.installed()
        if not is_of(entry, wanted):
            wanted = Installed(entry.number, entry.length, entry.digest, entry.release)
        rewrite = Rewrite(ecu, sole, wanted, parcel)
        want = parcel.want(rewrite)
        if sole.is_staged(wanted):
            sole.adopt(wanted)
            want.offset = want.cap
            return want, rewrite
        sole.check_room(wanted)
        decrypting = yield from opener(ecu, parcel)
        self._keep_way_back(parcel)
        want.offset = yield from rewrite.begin()
        if decrypting is not None:
            want.sink = Opening(decrypting, rewrite)
        if parcel.head is not None and want.sink is not None:
            chain = Chain(want.sink, ecu.suite, parcel.content.length, parcel.head)
            if want.offset:
                chain.go_on(want.offset, rewrite.link)
            rewrite.chain = want.sink = chain
            want.offset = chain.offset
        return want, rewrite

    def finish(self, rewrite: Rewrite) -> "Work[None]":
        """All of it has come: see whether it is the image. Truncated; refusals of Slots.finish."""
        rewrite.end()
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


def is_of(entry: Entry, image: Installed) -> bool:
    """Is that the image that the entry tells of?"""
    return (entry.number, entry.digest) == (image.number, image.digest)
