"""Two slots for images: one is confirmed, the other is filled, checked where it lies, and tried.

What is running is never erased. How a trial goes is in `trials`, whose methods these slots have.
It does NOT decide whether an image may be installed (uptane.meta does), nor start one.
Rules: V-58, V-62, V-64, V-66, V-90, E-20, E-21, E-78, E-79.
"""

from uptane.errors import (
    NothingStaged,
    TooLarge,
    TooMuch,
    Unwanted,
    WrongHash,
    WrongLength,
)
from uptane.store.area import digest_of
from uptane.store.boot import EMPTY, ERASING, STAGED, TRIAL, WRITING, Installed
from uptane.store.trials import Trials

if False:  # for the type checker
    from storage import Buffer, Hashing, Work
    from uptane.store.area import Area
    from uptane.store.records import Records


class Slots(Trials):
    """`areas` and `records` as Trials has them."""

    def __init__(self, areas: "list[Area]", records: "Records") -> None:
        super().__init__(areas, records)
        self._area = areas[0]  # being filled, with `_wanted`, up to `_at`
        self._wanted: Installed | None = None
        self._at = -1
        self._unit = bytearray(0)  # the last bytes of `_at`, not yet a whole program unit
        self._held = 0

    # --- filling the spare slot -----------------------------------------------------------------

    def begin(self, wanted: Installed, made: int = -1) -> "Work[None]":
        """Make the spare slot ready for that image, a block at a time; the same image again is
        taken up where a cut or reset left it: see resume_offset(). `made`: what whoever makes
        the image knows of that, whole blocks; -1: nothing, what lies there says it.

        Refusals: TooLarge (nothing was touched), Unwanted (a trial is under way), FlashFault."""
        length = wanted.length
        state = self._load()
        spare = state.spare()
        if state.phase == TRIAL or spare == self._running:
            raise Unwanted
        area = self.areas[spare]
        if length > area.size:
            raise TooLarge
        self._at = -1
        at = 0
        known = state.other is not None and state.other.packed() == wanted.packed()
        if known and state.phase == STAGED:
            at = length
        elif known and state.phase == WRITING:
            at = yield from area.reopen(length, made)
        else:
            state.other = wanted
            state.phase = ERASING
            self._store(state, True)
            yield from area.clear(length)
            state.phase = WRITING
            self._store(state)
        self._area = area
        self._wanted = wanted
        self._unit = bytearray(area.program_bytes)
        self._held = 0
        self._at = at

    def resume_offset(self) -> int:
        """Where write() goes on. Unwanted before begin(), or after a write that failed."""
        if self._at < 0:
            raise Unwanted
        return self._at

    def write(self, offset: int, data: "Buffer") -> None:
        """Take the next bytes of the image, in order. Refusals: Unwanted (nothing begun, or not
        the next bytes), TooMuch (more than announced), FlashFault (begin again)."""
        if self._wanted is None or self._at < 0 or offset != self._at:
            raise Unwanted
        end = offset + len(data)
        if end > self._wanted.length:
            raise TooMuch
        self._at = -1
        self._program(offset - self._held, memoryview(data))
        if end == self._wanted.length and self._held:
            while self._held < len(self._unit):
                self._unit[self._held] = 0xFF
                self._held += 1
            self._area.program(end // len(self._unit) * len(self._unit), self._unit)
            self._held = 0
        self._at = end

    def finish(self, suite: "Hashing") -> "Work[None]":
        """Hash what is in flash, not what flew by (E-78), and mark it staged.

        Refusals: NothingStaged (nothing begun), WrongLength (go on writing), WrongHash (the slot
        is given up)."""
        if self._wanted is None or self._at < 0:
            raise NothingStaged
        if self._at != self._wanted.length:
            raise WrongLength
        length = self._wanted.length
        digest = yield from digest_of(self._area.read_into, length, suite.sha256())
        state = self._load()
        if digest != self._wanted.digest:
            self.give_up()
            raise WrongHash
        if state.phase != STAGED:
            state.phase = STAGED
            self._store(state, True)

    def give_up(self) -> None:
        """What was written is not that image: the slot holds nothing."""
        self._wanted = None
        self._at = -1
        state = self._load()
        state.phase = EMPTY
        state.other = None
        self._store(state, True)

    # --- inside ---------------------------------------------------------------------------------

    def _program(self, at: int, view: memoryview) -> None:
        """Program whole units, the first of which starts at `at`; hold back what is left."""
        unit = len(self._unit)
        if self._held:
            n = min(unit - self._held, len(view))
            self._unit[self._held : self._held + n] = view[:n]
            self._held += n
            view = view[n:]
            if self._held < unit:
                return
            self._area.program(at, self._unit)
            at += unit
        whole = len(view) // unit * unit
        if whole:
            self._area.program(at, view[:whole])
        self._held = len(view) - whole
        self._unit[: self._held] = view[whole:]
