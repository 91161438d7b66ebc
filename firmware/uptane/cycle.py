"""The one mechanism of an update: a generator that works, wants, commits and waits.

A cycle (`uptane.secondary`, `uptane.primary`) is written from top to bottom and yields
  None      after a slice of computing: step it again at once;
  a Want    for a file: whoever serves this ECU brings it, and `answer` goes back in;
  a Commit  of records that must be stored all at once or not at all;
  a time    in milliseconds until which it waits for frames.
A refusal, also of a store that cannot commit, ends it; its number is kept for the version report.
`Cycle` drives the generator and decides nothing; UDS shows its state to the feeder
(`uptane.uds.services`).
A want whose file comes too slowly ends it, too (`uptane.pace`).
Rules: V-32, V-35, V-36, T-17, T-49.
"""

from uptane.errors import Refusal, SlowRetrieval
from uptane.meta.wants import Commit, Want
from uptane.pace import PART_MS

CALM_MS = 5

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any

    from errand import Cycle as Task
    from shapes import Ticking
    from uptane.pace import Pace
    from uptane.store.records import Records


class Cycle:
    """`records` stores commits, `clock` gives ticks_ms(), `on_refusal(number)` is told of the
    refusal that ended a cycle. `tidy` is called between two files: a small heap falls to pieces
    if garbage is collected only when it is full. `pace` measures how the files of wants come."""

    def __init__(
        self,
        records: "Records",
        clock: "Ticking",
        on_refusal: "Callable[[int], None]",
        tidy: "Callable[[], None]",
        pace: "Pace",
    ) -> None:
        self.pace = pace
        self._records = records
        self._tidy = tidy
        self.clock = clock
        self._on_refusal = on_refusal
        self._task: "Task[None] | None" = None
        self._value: "Any" = None
        self._slow_by_ms = 0  # it was found too slow, and is over by then; 0: it was not
        self.until_ms = 0  # asleep till then, unless a frame comes
        self.want: "Want | None" = None
        self.completed = False  # the last cycle ran to its end, and nothing was done to it since
        self.refusal = 0  # number of the refusal that ended the last cycle, 0: none

    def begin(self, task: "Task[None]") -> None:
        """Start a cycle; one that still runs is dropped (nothing of it was committed)."""
        self.stop()
        self._task = task
        self.refusal = 0
        self.pace.start()

    def stop(self) -> None:
        if self._task is not None:
            self._task.close()
        self._task = self._value = self.want = None
        self.until_ms = self._slow_by_ms = 0
        self.completed = False

    def running(self) -> bool:
        return self._task is not None

    def computing(self) -> bool:
        """True while `step` has something to do now."""
        return (
            self._task is not None and self.want is None and self.until_ms <= self.clock.ticks_ms()
        )

    def stalled(self) -> bool:
        """Is a file on its way whose end has not come?"""
        return self.want is not None and self.pace.begun

    def due_ms(self, now_ms: int) -> "int | None":
        """When `step` has something to do that no frame brings."""
        if self._task is None:
            return None
        if self.want is None:
            return self.until_ms
        return now_ms + (CALM_MS if self._slow_by_ms else PART_MS)

    def moved(self, count: int) -> None:
        """So many bytes of the open want's file have come or gone."""
        self.pace.took(count, self.clock.ticks_ms())

    def answer(self, value: object) -> None:
        """What came for the open want: bytes, True for a file that went to its sink or was
        taken, or None: absent."""
        self._value = value
        self.want = None
        self._slow_by_ms = 0

    def step(self, calm: bool = True) -> None:
        """One slice; with a want open, a look at its pace. That may end in a commit, during which
        frames are lost, so it waits, if not for long, until it is `calm`: no frame came."""
        if self.want is not None:
            now_ms = self.clock.ticks_ms()
            if not self._slow_by_ms and self.pace.is_slow(now_ms):
                self._slow_by_ms = now_ms + PART_MS
            if self._slow_by_ms and (calm or now_ms >= self._slow_by_ms):
                self._refuse(SlowRetrieval.number)
        task = self._task
        if task is None or not self.computing():
            return
        value = self._value
        self._value = None
        try:
            said = task.send(value)
            if isinstance(said, Commit):
                self._records.commit(said.changes)
        except StopIteration:
            self._task = None
            self.completed = True
            return
        except Refusal as refusal:
            self._refuse(refusal.number)
            return
        self.until_ms = 0
        if isinstance(said, Want):
            self._tidy()
            self.pace.open(self.clock.ticks_ms())
            self.want = said
        elif said is not None and not isinstance(said, Commit):
            self.until_ms = said

    def _refuse(self, number: int) -> None:
        self.stop()
        self.refusal = number
        self._on_refusal(number)
