"""What boots: the confirmed image, or another one on trial, and how a trial ends.

A trial is counted in flash before it runs; unless it is confirmed within TRIAL_BOOTS_MAX boots,
the confirmed image is back. The release counter moves in the same commit that confirms and never
goes down; boot and revert neither ask it nor move it. A trial may be one of a bundle: then trials
of an image are counted, and where the bundle is confirmed together, an image that was seen
healthy is held until somebody says commit or rollback (`settle`).
It does NOT decide whether an image may be installed (uptane.meta does), nor fill a slot.
Rules: V-67, V-88, S-43, S-44, S-45, T-21, T-42, E-79.
"""

import struct

from uptane.errors import (
    FlashFault,
    NoRegion,
    NothingStaged,
    NotProvisioned,
    RottenImage,
    TooLarge,
)
from uptane.ids import (
    BOOT_HELD,
    BOOT_REVERTED,
    BOOT_TRIAL,
    BOOT_UNDONE,
    RECORD_BOOT,
    RECORD_CHECKPOINT,
    RECORD_RELEASE,
    REGION_APPLICATION,
)
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.store.area import digest_of
from uptane.store.boot import EMPTY, HELD, STAGED, TRIAL, Installed, State, choose

if False:  # for the type checker
    from errand import Bundle, Changes
    from storage import Hashing, Work
    from uptane.store.area import Area
    from uptane.store.records import Records


class Trials:
    """`areas`: the two slots, each its own; `records`, mounted, hold the state."""

    def __init__(self, areas: "list[Area]", records: "Records") -> None:
        self.areas = areas
        self._records = records
        self._running: int | None = None  # what boot() said
        self.rotten = 0  # the refusal that check() ended with

    # --- what runs ------------------------------------------------------------------------------

    def boot(self) -> "tuple[int | None, bool]":
        """Call once at every reset: (slot to run, on trial?). A trial boot is counted in flash
        first; one too many ends the trial. Rotten."""
        state = self._load()
        slot = choose(state)
        on_trial = state.phase >= TRIAL and slot != state.slot
        try:
            if on_trial:
                state.boots += 1
                self._store(state)
            elif state.phase >= TRIAL:
                self._drop(state, BOOT_REVERTED)
        except FlashFault:  # what cannot be counted is not tried
            slot = state.slot
            on_trial = False
        self._running = slot
        return slot, on_trial

    def check(self, suite: "Hashing") -> "Work[None]":
        """After boot(): hash the image that is to run, as it lies; flash rots. If it is no longer
        the one that was verified, `rotten` is the number of RottenImage, and a trial is over."""
        if (yield from self._is_intact(suite)):
            return
        self.rotten = RottenImage.number
        state = self._load()
        if self._running != state.slot:
            self._drop(state, BOOT_REVERTED)

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

    def place(self, region: int) -> "tuple[Area, int]":
        """Where that region of what runs lies, and the bytes that it holds. NoRegion;
        NotProvisioned without an image."""
        image, slot = self.installed(), self.running()
        if image is None or slot is None:
            raise NotProvisioned
        if region != REGION_APPLICATION:
            raise NoRegion
        return self.areas[slot], image.length

    def boot_state(self) -> int:
        """BOOT_... for the version report. BOOT_HELD: it outlasts two more resets."""
        state = self._load()
        runs = self._running == state.spare()
        if state.phase == HELD and runs and state.boots < TRIAL_BOOTS_MAX - 1:
            return BOOT_HELD
        if state.phase == HELD or (state.phase == TRIAL and state.boots):
            return BOOT_TRIAL
        return state.reverted

    def reported(self) -> None:
        """A version report that says BOOT_REVERTED or BOOT_UNDONE was delivered."""
        state = self._load()
        if state.reverted:
            state.reverted = 0
            self._store(state)

    def tried(self) -> "list[int]":
        """[number of the bundle, image, how many trials it had in that bundle] of the last trial;
        empty, if that was of no bundle."""
        state = self._load()
        return [state.bundle, state.tried, state.trials] if state.bundle else []

    def base(self) -> bytes:
        """SHA-256 of what a delta is made from: the image that runs. NotProvisioned."""
        image = self.installed()
        if image is None:
            raise NotProvisioned
        return image.digest

    def contents(self) -> "list[list[int]]":
        """[[REGION_..., image], ...] of what runs; empty where there is one region."""
        return []

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

    def start_trial(self, bundle: "Bundle | None" = None) -> None:
        """From the next boot on, try what is staged, as one of `bundle`. NothingStaged."""
        state = self._load()
        if state.phase != STAGED or state.other is None:
            raise NothingStaged
        number, together, _ = bundle or (0, 0, 0)
        tried = state.other.number
        same = number and state.bundle == number and state.tried == tried
        state.trials = state.trials + 1 if same else 1
        state.bundle = number
        state.together = together
        state.tried = tried
        state.phase = TRIAL
        state.boots = 0
        self._store(state)

    def hold(self) -> bool:
        """What runs on trial was seen healthy: let it wait for `settle`. False if its bundle is
        not confirmed together: then nobody else has a say, and it may be confirmed."""
        state = self._load()
        if state.together and state.phase == TRIAL:
            state.phase = HELD
            state.boots = 0
            self._store(state)
        return state.phase == HELD

    def settle(self, bundle: int, commit: bool) -> bool:
        """The word of whoever leads a bundle that is confirmed together. Commit: what is held for
        it is confirmed. Else: what is not confirmed of it is given up; it runs until the reset.
        Return whether it is so now, by this word or before it."""
        state = self._load()
        if state.bundle != bundle:
            return not commit
        if state.phase < TRIAL:
            image = state.confirmed
            return (image is not None and image.number == state.tried) == commit
        runs = self._running == state.spare()
        if not state.together or (commit and not (state.phase == HELD and runs)):
            return False
        if commit:
            self.confirm()
        else:
            self._drop(state, BOOT_UNDONE)
        return True

    def confirm(self, also: "Changes | None" = None) -> None:
        """What runs on trial is the image from now on, with its release counter; `also` is stored
        in the same commit. NothingStaged if nothing runs on trial."""
        state = self._load()
        if state.phase < TRIAL or state.other is None or self._running != state.spare():
            raise NothingStaged
        state.slot = state.spare()
        state.confirmed, state.other = state.other, state.confirmed
        state.phase = EMPTY
        self._store_confirmed(state, also)

    def revert(self) -> bool:
        """End an unconfirmed trial of an image that is not to blame: the next boot runs the
        confirmed image. False if there was no trial; a confirmed image stays whatever is asked."""
        state = self._load()
        if state.phase < TRIAL:
            return False
        self._drop(state, BOOT_UNDONE)
        return True

    # --- inside ---------------------------------------------------------------------------------

    def _is_intact(self, suite: "Hashing") -> "Work[bool]":
        """Is what runs as it was when it was verified?"""
        image = self.installed()
        if image is None or self._running is None:
            return True
        area = self.areas[self._running]
        return image.digest == (yield from digest_of(area.read_into, image.length, suite.sha256()))

    def _drop(self, state: State, why: int) -> None:
        state.phase = EMPTY
        state.reverted = why
        self._store(state)

    def _store_confirmed(self, state: State, also: "Changes | None" = None) -> None:
        confirmed = state.confirmed
        counter = max(self.release(), confirmed.release if confirmed else 0)
        changes = dict(also or {})
        changes[RECORD_BOOT] = state.packed()
        changes[RECORD_RELEASE] = struct.pack("<I", counter)
        self._records.commit(changes)

    def _store(self, state: State, anew: bool = False) -> None:
        """`anew`: where something that makes an image would go on, it does not any more."""
        changes: "Changes" = {RECORD_BOOT: state.packed()}
        if anew:
            changes[RECORD_CHECKPOINT] = None
        self._records.commit(changes)

    def _load(self) -> State:
        return State(self._records.read(RECORD_BOOT))
