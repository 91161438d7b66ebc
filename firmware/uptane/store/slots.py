"""Two slots for images: one is confirmed, the other is filled, checked where it lies, and tried.

What is running is never erased. A trial is counted in flash before it runs; unless it is
confirmed within TRIAL_BOOTS_MAX boots, the confirmed image is back. The release counter moves in
the same commit that confirms and never goes down; boot and revert neither ask it nor move it.
It does NOT decide whether an image may be installed (uptane.meta does), nor start one.
Rules: V-58, V-62, V-64, V-66, V-67, V-88, V-90, T-21, T-42, E-20, E-21, E-78, E-79.
"""

import struct

from uptane.errors import (
    FlashFault,
    NothingStaged,
    RottenImage,
    TooLarge,
    TooMuch,
    Unwanted,
    WrongHash,
    WrongLength,
)
from uptane.ids import (
    BOOT_CONFIRMED,
    BOOT_REVERTED,
    BOOT_TRIAL,
    RECORD_BOOT,
    RECORD_RELEASE,
)
from uptane.store.area import digest_of
from uptane.store.boot import EMPTY, ERASING, STAGED, TRIAL, WRITING, Installed, State, choose

if False:  # for the type checker
    from storage import Buffer, Hashing, Work
    from uptane.store.area import Area
    from uptane.store.records import Records


class Slots:
    """`areas`: the two slots, each its own; `records`, mounted, hold the state."""

    def __init__(self, areas: "list[Area]", records: "Records") -> None:
        self.areas = areas
        self._records = records
        self._running: int | None = None  # what boot() said
        self.rotten = 0  # the refusal that check() ended with
        self._area = areas[0]  # being filled, with `_wanted`, up to `_at`
        self._wanted: Installed | None = None
        self._at = -1
        self._unit = bytearray(0)  # the last bytes of `_at`, not yet a whole program unit
        self._held = 0

    # --- what runs ------------------------------------------------------------------------------

    def boot(self) -> "tuple[int | None, bool]":
        """Call once at every reset: (slot to run, on trial?). A trial boot is counted in flash
        first; one too many ends the trial. Rotten."""
        state = self._load()
        slot = choose(state)
        on_trial = state.phase == TRIAL and slot != state.slot
        try:
            if on_trial:
                state.boots += 1
                self._store(state)
            elif state.phase == TRIAL:
                self._drop(state)
        except FlashFault:  # what cannot be counted is not tried
            slot = state.slot
            on_trial = False
        self._running = slot
        return slot, on_trial

    def check(self, suite: "Hashing") -> "Work[None]":
        """After boot(): hash the image that is to run, as it lies; flash rots. If it is no longer
        the one that was verified, `rotten` is the number of RottenImage."""
        image = self.installed()
        if image is not None and self._running is not None:
            area = self.areas[self._running]
            digest = yield from digest_of(area.read_into, image.length, suite.sha256())
            if digest != image.digest:
                self.rotten = RottenImage.number

    def running(self) -> "int | None":
        """The slot that boot() chose; before it was called, the one that it would choose."""
        return choose(self._load()) if self._running is None else self._running

    def installed(self) -> "Installed | None":
        """The image in the running slot. None: an ECU without any."""
        state = self._load()
        slot = self.running()
        if slot is not None and slot == state.slot:
            return state.confirmed
        return None if slot is None else state.other

    def boot_state(self) -> int:
        """BOOT_... for the version report."""
        state = self._load()
        if state.phase == TRIAL and state.boots:
            return BOOT_TRIAL
        return BOOT_REVERTED if state.reverted else BOOT_CONFIRMED

    def reported(self) -> None:
        """A version report that says BOOT_REVERTED was delivered."""
        state = self._load()
        if state.reverted:
            state.reverted = 0
            self._store(state)

    def release(self) -> int:
        """The release counter below which nothing may be installed (T-21); 0 if there is none.
        Rotten."""
        raw = self._records.read(RECORD_RELEASE)
        if raw is None:
            return 0
        counter: int = struct.unpack("<I", raw)[0]
        return counter

    # --- what changes it ------------------------------------------------------------------------

    def provision(self, number: int, length: int, digest: bytes, release: int) -> None:
        """The image that the factory put into slot 0 is confirmed. TooLarge."""
        if length > self.areas[0].size:
            raise TooLarge
        state = State(None)
        state.slot = 0
        state.confirmed = Installed(number, length, digest, release)
        self._store_confirmed(state)

    def staged(self) -> "Installed | None":
        """The image that is complete, verified in its slot, and not yet tried."""
        state = self._load()
        return state.other if state.phase == STAGED else None

    def start_trial(self) -> None:
        """From the next boot on, try what is staged. NothingStaged."""
        state = self._load()
        if state.phase != STAGED:
            raise NothingStaged
        state.phase = TRIAL
        state.boots = 0
        self._store(state)

    def confirm(self) -> None:
        """What runs on trial is the image from now on, with its release counter. NothingStaged
        if nothing runs on trial."""
        state = self._load()
        if state.phase != TRIAL or state.other is None or self._running != state.spare():
            raise NothingStaged
        state.slot = state.spare()
        state.confirmed, state.other = state.other, state.confirmed
        state.phase = EMPTY
        self._store_confirmed(state)

    def revert(self) -> bool:
        """End an unconfirmed trial: the next boot runs the confirmed image. False if there was
        no trial; a confirmed image stays whatever is asked."""
        state = self._load()
        if state.phase != TRIAL:
            return False
        self._drop(state)
        return True

    # --- filling the spare slot -----------------------------------------------------------------

    def begin(self, number: int, length: int, digest: bytes, release: int) -> "Work[None]":
        """Make the spare slot ready for that image, a block at a time; the same image again is
        taken up where a cut or reset left it. See resume_offset().

        Refusals: TooLarge (nothing was touched), Unwanted (a trial is under way), FlashFault."""
        wanted = Installed(number, length, digest, release)
        state = self._load()
        spare = state.spare()
        if state.phase == TRIAL or spare == self._running:
            raise Unwanted
        area = self.areas[spare]
        if length > area.size:
            raise TooLarge
        blocks = (length + area.block_bytes - 1) // area.block_bytes
        self._at = -1
        at = 0
        known = state.other is not None and state.other.packed() == wanted.packed()
        if known and state.phase == STAGED:
            at = length
        elif known and state.phase == WRITING:
            at = yield from self._find_end(area, blocks)
        else:
            state.other = wanted
            state.phase = ERASING
            self._store(state)
            for block in range(blocks):
                area.erase(block)
                yield
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
            self._wanted = None
            state.phase = EMPTY
            state.other = None
            self._store(state)
            raise WrongHash
        if state.phase != STAGED:
            state.phase = STAGED
            self._store(state)

    # --- inside ---------------------------------------------------------------------------------

    def _find_end(self, area: "Area", blocks: int) -> "Work[int]":
        """The start of the last block that holds anything; a cut may have torn its last unit, so
        it is erased."""
        block = blocks - 1
        while block > 0 and area.blank(block * area.block_bytes, area.block_bytes):
            block -= 1
            yield
        if block >= 0:
            area.erase(block)
            yield
        return max(block, 0) * area.block_bytes

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

    def _drop(self, state: State) -> None:
        state.phase = EMPTY
        state.reverted = 1
        self._store(state)

    def _store_confirmed(self, state: State) -> None:
        confirmed = state.confirmed
        counter = max(self.release(), confirmed.release if confirmed else 0)
        self._records.commit(
            {RECORD_BOOT: state.packed(), RECORD_RELEASE: struct.pack("<I", counter)}
        )

    def _store(self, state: State) -> None:
        self._records.commit({RECORD_BOOT: state.packed()})

    def _load(self) -> State:
        return State(self._records.read(RECORD_BOOT))
