"""What came of all cases of one fault in one flow on one geometry, and which cases are chosen.

The rows of `muptane faults run` and of docs/measured.md, and the objects of its JSON, are made of
tallies. It plays nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random

from muptane.bench.faults.case import Case
from muptane.bench.faults.fault import FAULTS, Fault
from muptane.bench.faults.judge import RECOVERED, REFUSED, VERDICTS, Verdict

Cases = dict[tuple[str, int], list[Case]]  # by kind of moment, and which of them


@dataclass(frozen=True)
class Subject:
    """What is played: a flow on a geometry, by name, and how large the image at stake is."""

    flow: str
    geometry: str
    image_bytes: int


@dataclass
class Tally:
    """`strokes`: moments at which the fault can strike. `failed` are cases that may not be."""

    subject: Subject
    fault: str
    exhaustive: bool
    strokes: int
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))
    failed: list[tuple[Case, Verdict]] = field(default_factory=list)

    def add(self, case: Case, verdict: Verdict, count: int = 1) -> None:
        """`count` cases ended like that; a failure is told alone."""
        self.counts[verdict.verdict] += count
        good = (RECOVERED,) if FAULTS[case.fault].cuts else (RECOVERED, REFUSED)
        if verdict.verdict not in good:
            self.failed.append((case, verdict))

    def as_json(self) -> dict[str, object]:
        """`tried` counts those that ended well; whatever did not, ended the run as a failure."""
        return {
            "flow": self.subject.flow,
            "fault": self.fault,
            "geometry": self.subject.geometry,
            "image_bytes": self.subject.image_bytes,
            "exhaustive": self.exhaustive,
            "strokes": self.strokes,
            "tried": sum(self.counts.values()),
            **self.counts,
        }


@dataclass(frozen=True)
class Choice:
    """Which cases are played: all, `sample` of each fault by the seed, or `only` some."""

    faults: tuple[str, ...]
    sample: int = 0
    seed: int = 0
    only: tuple[Case, ...] = ()

    def cases(self, fault: Fault, moments: int) -> list[Case]:
        """The chosen cases of a fault that can strike at so many moments."""
        every = moments * fault.ways
        if self.only:
            return [case for case in self.only if case.fault == fault.name]
        numbers: Collection[int] = range(every)
        size = min([n for n in (self.sample, fault.sample_max) if n], default=every)
        if size < every:
            chance = Random(f"{self.seed}/{fault.name}")  # seeded, and no secret
            numbers = chance.sample(range(every), size)
        return sorted(Case(fault.name, n // fault.ways, n % fault.ways) for n in numbers)

    def tallies(
        self, subject: Subject, moments: Mapping[str, int]
    ) -> tuple[dict[str, Tally], Cases]:
        """An empty tally for each fault, by name, and its cases. `moments`: how many of each
        kind there are."""
        cases: Cases = {}
        tallies = {}
        for name in self.faults:
            fault = FAULTS[name]
            total = moments[fault.moments]
            chosen = self.cases(fault, total)
            for case in chosen:
                cases.setdefault((fault.moments, case.at), []).append(case)
            tallies[name] = Tally(subject, name, len(chosen) == total * fault.ways, total)
        return tallies, cases
