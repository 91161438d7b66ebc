"""The new image in the spare slot, out of the old one that runs and a delta as it comes.

Whenever the new image fills whole erase blocks, where the delta goes on is stored, so after a cut
or a reset neither is begun anew. A delta is not authentic before it has come whole, so one that
is refused half way takes its checkpoint and the slot with it: what has led there may be a lie. It
does NOT choose the slot, nor decide whether what was made is the image: `store.slots` does.
Rules: S-26, S-29, V-30, E-79, E-81.
"""

from uptane.errors import FlashFault, Refusal, Rotten, Unwanted, WrongFile
from uptane.ids import RECORD_CHECKPOINT
from uptane.image.delta import Patch

if False:  # for the type checker
    from collections.abc import Callable

    from storage import Buffer, Work
    from uptane.image.plan import Plan
    from uptane.store.records import Records
    from uptane.store.slots import Slots

SAVE_BYTES = 16384  # of the new image at least, between two checkpoints


def advance(
    patch: Patch, view: memoryview, step_bytes: int, save: "Callable[[], object]"
) -> "Work[None]":
    """Apply the next bytes of a delta, `save` whenever so many bytes more are made. Refusals:
    those of Patch.take."""
    while True:
        stop = patch.made // step_bytes * step_bytes + step_bytes
        used = yield from patch.take(view, stop)
        if patch.made < stop or patch.made == patch.length:
            return
        save()
        view = view[used:]


class Patching:
    """A sink for the delta that `plan` describes. Where it was left is read at once; the slot has
    to be made ready (`Slots.begin`) to go on at `made`, and `begin` called with what it says."""

    def __init__(self, slots: "Slots", records: "Records", plan: "Plan") -> None:
        self._slots = slots
        self._records = records
        self._plan = plan
        self._area = slots.areas[slots.running() or 0]
        block_bytes = slots.areas[0].block_bytes
        self._step_bytes = (SAVE_BYTES + block_bytes - 1) // block_bytes * block_bytes
        self._patch = Patch(plan, self._area.read_into, self._write)
        self.made = 0
        try:
            raw = records.read(RECORD_CHECKPOINT)
            if raw is not None:
                self._patch.restore(raw)
                self.made = self._patch.made
        except (Rotten, WrongFile):  # of another delta, or no more: this one begins at its start
            self._patch = Patch(plan, self._area.read_into, self._write)

    def begin(self, made: int) -> int:
        """So much of the image is in the slot; returns where in the delta to go on."""
        if made != self._patch.made:
            self._patch = Patch(self._plan, self._area.read_into, self._write)
        return self._patch.position

    def write(self, offset: int, data: "Buffer") -> "Work[None]":
        """The next bytes of the delta. Unwanted if they are not the next ones; refusals of
        Patch.take and Slots.write, after which all begins anew."""
        if offset != self._patch.position:
            raise Unwanted
        try:
            yield from advance(self._patch, memoryview(data), self._step_bytes, self._save)
        except FlashFault:
            raise
        except Refusal:
            self._slots.give_up()
            raise

    def finish(self) -> None:
        """The whole delta was written. Truncated."""
        try:
            self._patch.finish()
        except Refusal:
            self._slots.give_up()
            raise

    def _write(self, view: memoryview) -> "Work[None]":
        self._slots.write(self._patch.made, view)
        yield

    def _save(self) -> None:
        self._records.commit({RECORD_CHECKPOINT: bytes(self._patch.checkpoint())})
