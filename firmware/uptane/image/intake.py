"""How an image comes into the spare slot of an ECU that patches or decrypts.

What travels flows through stages into the slot: decrypted, then applied to the old image, each
only if the entry says so, and nothing is ever held whole. All that can be refused without the
first byte is refused before a block is erased: a form this ECU has no use for, a wrap that does
not open, another base. The image is then hashed where it lies, like any other. An ECU that does
neither has `uptane.steps` alone.
Rules: V-13, V-64, V-65, S-26, S-29, S-30, E-79, E-80, E-81.
"""

from uptane.errors import NotARecipient, UnsupportedDelta, WrongBase
from uptane.image.parcel import Parcel
from uptane.store.boot import Installed

if False:  # for the type checker
    from errand import Sink, Work
    from uptane.image.decryption import Decrypting
    from uptane.image.patching import Patching
    from uptane.main import Ecu
    from uptane.meta.targets import Entry
    from uptane.meta.wants import Want


class Opening:
    """A sink that decrypts, in place, what the next one takes."""

    def __init__(self, decrypting: "Decrypting", sink: "Sink") -> None:
        self._decrypting = decrypting
        self._sink = sink

    def write(self, offset: int, data: memoryview) -> "Work[None] | None":
        self._decrypting.decrypt(offset, data)
        return self._sink.write(offset, data)


def opener(ecu: "Ecu", parcel: Parcel) -> "Work[Decrypting | None]":
    """The stage that decrypts; None: it comes in the clear."""
    if parcel.encryption is None:
        return None
    secrecy = ecu.board.secrecy
    if secrecy is None:
        raise NotARecipient
    # Imported here, because who only patches has no room for it.
    from uptane.image.decryption import Decrypting, content_key

    content = parcel.content
    key = yield from content_key(secrecy, ecu.identity, content, parcel.encryption, parcel.kind)
    return Decrypting(secrecy, key, content)


class Intake:
    """`ecu`: uptane.main.Ecu; its board says whether it patches (`deltas`) and decrypts
    (`secrecy`). It holds nothing of a transfer, which may be broken off at any time: the window
    of a delta that stayed behind is what the next cycle's signatures lack."""

    def __init__(self, ecu: "Ecu") -> None:
        self._ecu = ecu

    def begin(self, entry: "Entry") -> "Work[tuple[Want, Patching | None]]":
        """Make the spare slot ready for an image, however it travels; returns the want for it,
        whose offset says how much is there already, and what `finish` has to be given.

        Refusals, before anything is erased: those of Parcel; UnsupportedDelta, WrongBase;
        NotARecipient, BadEnvelope, BadKey, BadWrap; TooLarge, Unwanted. FlashFault."""
        slots = self._ecu.slots
        parcel = Parcel(entry, self._ecu.identity.ecu)
        if parcel.head is not None:  # it takes what is made for a spare slot, and no pieces
            raise UnsupportedDelta
        decrypting = yield from opener(self._ecu, parcel)
        patching = self._patching_of(parcel)
        wanted = Installed(entry.number, entry.length, entry.digest, entry.release)
        yield from slots.begin(wanted, -1 if patching is None else patching.made)
        made = slots.resume_offset()
        want = parcel.want(slots)
        want.offset = made
        if made == entry.length:
            patching = None
            want.offset = want.cap
        elif patching is not None:
            want.sink = patching
            want.offset = patching.begin(made)
        if decrypting is not None and want.sink is not None:
            want.sink = Opening(decrypting, want.sink)
        return want, patching

    def finish(self, patching: "Patching | None") -> "Work[None]":
        """All of it has come: see whether it is the image. Truncated; refusals of
        Slots.finish."""
        if patching is not None:
            patching.finish()
        yield from self._ecu.slots.finish(self._ecu.suite)

    def _patching_of(self, parcel: Parcel) -> "Patching | None":
        """The stage that makes an image of a delta; None: it comes whole."""
        plan = parcel.plan
        if plan is None:
            return None
        ecu = self._ecu
        if not ecu.board.deltas or plan.layout is not None:
            raise UnsupportedDelta
        if ecu.slots.base() != parcel.base:
            raise WrongBase
        from uptane.image.patching import Patching  # here, because who only decrypts has no room

        return Patching(ecu.slots, ecu.records, plan)
