"""From a verified image to a confirmed one: what this ECU tries, how long it waits, what it says.

An image on trial is confirmed once it ran for the board's window; if its bundle is confirmed
together, it is held then, and either the word of the bundle's leader comes (`settle`) or
HELD_MS_MAX is over: in doubt the old image. An ECU that says BOOT_HELD promises to wait for
PROMISE_MS yet, so whoever hears it from all may decide. Whether the leader is honest nobody here
can tell: a commit confirms nothing but what this ECU has verified, tried and seen healthy for just
that bundle (E-23, S-39).

It does NOT verify anything, and does not reset the ECU: `watch` says when.
Rules: V-67, S-39, S-43, S-44, S-45, T-42, E-06, E-23.
"""

from uptane.errors import (
    BundleBroken,
    BundleUndone,
    Expired,
    NothingStaged,
    TrialFailed,
    TrialsSpent,
)
from uptane.ids import BOOT_HELD, BOOT_REVERTED, BOOT_TRIAL, BOOT_UNDONE
from uptane.limits import HELD_MS_MAX, PROMISE_MS

if False:  # for the type checker
    from collections.abc import Callable

    from errand import Bundle, Changes
    from uptane.meta.decision import Decision
    from uptane.meta.targets import Entry
    from uptane.store.slots import Slots


class Trial:
    """`slots` say what to boot: `slot`, which is `on` trial or not. `note(number)` is told of
    refusals."""

    def __init__(self, slots: "Slots", note: "Callable[[int], None]") -> None:
        self._slots = slots
        self._note = note
        self.slot, self.on = slots.boot()
        self._until_ms = 0  # held till then; 0: not held in this life
        self._over = False
        self._due = False  # from the next reset on, what is staged is tried
        self._before = 0  # directions expire then: seconds since 1970
        self._bundle: Bundle | None = None  # of those directions
        boot = slots.boot_state()
        if boot == BOOT_REVERTED:
            note(TrialFailed.number)
        elif boot == BOOT_UNDONE:
            note(BundleUndone.number)

    # --- before it ------------------------------------------------------------------------------

    def directed(self, decision: "Decision") -> None:
        """What this cycle verified is what counts."""
        self._before = decision.expires
        self._bundle = decision.bundle

    def wanted(self, entry: "Entry | None") -> "Entry | None":
        """That entry, unless its bundle allows no more trials of it (S-43, S-44)."""
        bundle = self._bundle
        if entry is not None and bundle is not None:
            tried = self._slots.tried()
            if tried[:2] == [bundle[0], entry.number] and tried[2] >= bundle[2]:
                self._note(TrialsSpent.number)
                return None
        return entry

    def choose(self, now: int) -> bool:
        """Try what is staged, from the reset on; False if the directions have expired (T-42)."""
        self._due = now < self._before
        if not self._due:
            self._note(Expired.number)
        return self._due

    def begin(self) -> None:
        """Called right before a reset."""
        if self._due:
            self._slots.start_trial(self._bundle)

    # --- during it ------------------------------------------------------------------------------

    def watch(self, steady: bool, now_ms: int) -> bool:
        """`steady`: what runs has run for long enough. Return whether to reset: the trial is over,
        and the other image is to boot."""
        if self.on and not self._until_ms:
            if steady:
                if self._slots.hold():
                    self._until_ms = now_ms + HELD_MS_MAX
                else:
                    self.confirm()
        elif self.on and now_ms >= self._until_ms and not self._over:
            self.give_up()
        return self._over

    def held(self) -> bool:
        return self.on and self._until_ms > 0

    def due_ms(self, soon_ms: int) -> int:
        """When to watch next; `soon_ms` as long as it is not held."""
        return self._until_ms or soon_ms

    def boot_state(self, now_ms: int) -> int:
        """BOOT_..., for reports and for whoever leads a bundle."""
        boot = self._slots.boot_state()
        if boot == BOOT_HELD and self._until_ms and self._until_ms - now_ms < PROMISE_MS:
            return BOOT_TRIAL
        return boot

    def settle(self, bundle: int, commit: bool) -> bool:
        """The word of a bundle's leader. False: it is otherwise here, and stays so."""
        if self._slots.settle(bundle, commit):
            if commit:
                self.on = False
            else:
                self._over = self.on and self._slots.boot_state() == BOOT_UNDONE
            return True
        late = not self.on and self._slots.tried()[:1] == [bundle]
        self._note(BundleBroken.number if late else NothingStaged.number)
        return False

    def confirm(self, also: "Changes | None" = None) -> None:
        self._slots.confirm(also)
        self.on = False

    def give_up(self) -> None:
        self._over = self._slots.revert()
