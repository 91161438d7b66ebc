"""The one place for an image that an ECU without a spare slot has: what is new overwrites it.

The boot record is that of two slots, only that both lie in the same place: the *other* image is
the one that comes in over the confirmed one. From the first stroke until the new one is whole
nothing runs (`rotten`), and if its trial fails nothing does either: the ECU answers, and first of
all the confirmed image has to come back (`lost`). It does NOT know from where.
Rules: V-58, V-62, V-67, S-29, T-32, E-79.
"""

from uptane.errors import Overwritten, TooLarge, Unwanted
from uptane.ids import BOOT_REWRITING, RECORD_BOOT, RECORD_CHECKPOINT
from uptane.store.boot import EMPTY, ERASING, STAGED, TRIAL, WRITING, Installed, State
from uptane.store.slots import Slots

if False:  # for the type checker
    from storage import Buffer, Hashing, Work
    from uptane.store.area import Area
    from uptane.store.records import Records


class Sole(Slots):
    """`area` is the place, `records` as Trials has them."""

    def __init__(self, area: "Area", records: "Records") -> None:
        super().__init__([area, area], records)

    # --- what runs ------------------------------------------------------------------------------

    def check(self, suite: "Hashing") -> "Work[None]":
        """As Trials.check, but what was being overwritten has not rotted: `rotten` is then the
        number of Overwritten."""
        yield from super().check(suite)
        if self.rotten and self._load().phase in (ERASING, WRITING, STAGED):
            self.rotten = Overwritten.number

    def boot_state(self) -> int:
        return BOOT_REWRITING if self.rotten else super().boot_state()

    def lost(self) -> bool:
        """Is the confirmed image to come back before anything else?"""
        state = self._load()
        return self.rotten > 0 and (state.phase == EMPTY or _comes_back(state))

    # --- overwriting it -------------------------------------------------------------------------

    def is_staged(self, wanted: Installed) -> bool:
        """Is that image whole, and verified?"""
        state = self._load()
        return state.phase == STAGED and _is(state.other, wanted)

    def is_coming(self, wanted: Installed) -> bool:
        """Was that image begun, and not given up?"""
        state = self._load()
        return state.phase == WRITING and _is(state.other, wanted)

    def check_room(self, wanted: Installed) -> None:
        """May that image overwrite what is here? TooLarge; Unwanted: a trial is under way."""
        if wanted.length > self.areas[0].size:
            raise TooLarge
        if self._load().phase >= TRIAL:
            raise Unwanted

    def begin(self, wanted: Installed, made: int = -1) -> "Work[None]":
        for _ in super().begin(wanted, made):
            self.rotten = Overwritten.number
            yield

    def overwrite(self, wanted: Installed, checkpoint: "Buffer") -> None:
        """The next stroke is the first of somebody who makes that image where the confirmed one
        lies, and can go on from the checkpoint."""
        state = self._load()
        state.other = wanted
        state.phase = WRITING
        self._records.commit({RECORD_BOOT: state.packed(), RECORD_CHECKPOINT: bytes(checkpoint)})
        self.rotten = Overwritten.number

    def adopt(self, wanted: Installed) -> None:
        """What lies there is said to be all of that image: see `finish`."""
        self._wanted = wanted
        self._at = wanted.length

    def finish(self, suite: "Hashing") -> "Work[None]":
        """As Slots.finish; the confirmed image, if it came back, is no trial and runs."""
        yield from super().finish(suite)
        state = self._load()
        if _comes_back(state):
            state.phase = EMPTY
            state.other = None
            self._store(state)
            self.rotten = 0

    # --- inside ---------------------------------------------------------------------------------

    def _drop(self, state: State, why: int) -> None:
        """The confirmed image is no longer there: it has to come back, from its first block on."""
        state.phase = ERASING
        state.other = state.confirmed
        state.reverted = why
        self._store(state)


def _comes_back(state: State) -> bool:
    return state.confirmed is not None and _is(state.other, state.confirmed)


def _is(image: "Installed | None", wanted: Installed) -> bool:
    return image is not None and image.packed() == wanted.packed()
