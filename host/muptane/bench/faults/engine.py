"""Replays a flow with a fault at every moment at which one can strike.

The vehicle is built and made ready once: the snapshot. A process that is forked from it plays the
flow; before every stroke and after every frame it forks once more, a child for each case there,
in which the fault strikes and whose verdict comes back through a pipe. So a case costs what comes
after its fault, and none sees another. A first child counts the strokes, frames and bits, unless
it is known which cases are played.

With real MicroPython as nodes no process can be forked in the middle of a stroke: there each case
plays the flow from the snapshot's flash, and cuts are the only fault.
Rules: E-79.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from boards.unix.nor import Nor
from muptane.bench.can.frames import Frame
from muptane.bench.faults.bits import Bits
from muptane.bench.faults.case import Case
from muptane.bench.faults.fault import BITS, FAULTS, FRAMES, STROKES, Moment
from muptane.bench.faults.flow import Flow
from muptane.bench.faults.judge import BRICKED, RECOVERED, REFUSED, VERDICTS, Judge, Verdict
from muptane.bench.faults.site import Site, Struck
from muptane.bench.faults.tally import Cases, Choice, Subject, Tally
from uptane.errors import Refusal

FLIP = "flip"
CASE_S = 600  # of wall time; a case that takes longer hangs


class Broken(Exception):
    """A flow could not be played even without a fault; the message is what went wrong."""


class Ground:
    """A flow, and the vehicle that has settled: the snapshot from which everything is forked. It
    stays as it is, for the next flow."""

    def __init__(self, site: Site, flow: Flow) -> None:
        self.site = site
        self.flow = flow

    def play_all(self, choice: Choice, jobs: int) -> list[Tally]:
        """One tally for each fault of the choice. Broken."""
        moments: dict[str, int] = {STROKES: 0, FRAMES: 0, BITS: 0}
        if not choice.only:
            [moments] = lines_of(lambda write: Replay(self, {}, write, 1).play())
        geometry = self.site.geometry
        subject = Subject(self.flow.name, geometry.name, geometry.image_bytes)
        tallies, cases = choice.tallies(subject, moments)
        for line in lines_of(lambda write: Replay(self, cases, write, jobs).play()):
            if "fault" in line:
                count(tallies, line)
            else:
                moments = line
        for tally in tallies.values():
            tally.strokes = moments[FAULTS[tally.fault].moments]
        return list(tallies.values())


def count(tallies: dict[str, Tally], line: dict[str, Any]) -> None:
    """Enter what a child said of a case."""
    case = Case(line["fault"], line["at"], line["way"])
    tallies[case.fault].add(case, Verdict(line["verdict"], line["why"]), line["count"])


def lines_of(work: Callable[[Callable[[dict[str, Any]], None]], None]) -> Iterator[dict[str, Any]]:
    """Fork; let the child do `work`, which writes dictionaries; yield them as they come. The pipe
    is shared with whatever the child forks, so a line is written at once and is short."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        gc.freeze()  # what lives now need not be looked at, and its pages stay shared
        code = 1
        try:
            work(lambda line: _write(writer, line))
            code = 0
        finally:  # nothing may return from here
            if code:
                _write(writer, {"broken": traceback.format_exc()[-2000:]})
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        for raw in pipe:
            line = json.loads(raw)
            if "broken" in line:
                raise Broken(line["broken"])
            yield line
    os.waitpid(child, 0)


def _write(pipe: int, line: dict[str, Any]) -> None:
    os.write(pipe, json.dumps(line).encode() + b"\n")


class Replay:
    """The flow, played in a process of its own, which forks at each moment that has cases."""

    def __init__(
        self,
        ground: Ground,
        cases: Cases,
        write: Callable[[dict[str, Any]], None],
        jobs: int,
    ) -> None:
        self._site = ground.site
        self._flow = ground.flow
        self._cases = cases
        self._write = write
        self._jobs = jobs
        self._running: dict[int, Case] = {}
        self._at = {STROKES: 0, FRAMES: 0, BITS: 0}
        self._struck: tuple[Case, Judge, str] | None = None

    def play(self) -> None:
        self._flow.prepare(self._site)
        try:
            self._play()
        finally:
            if self._struck is not None:
                self._tell(self._struck[0], Verdict(BRICKED, traceback.format_exc()))
                os._exit(0)
        while self._running:
            self._reap()
        self._write(dict(self._at))

    def _play(self) -> None:
        site = self._site
        site.vehicle.on_stroke = self._stroke
        site.vehicle.bus.listeners.append(self._frame)
        try:
            self._flow.play(site)
        except (Struck, Refusal):
            if self._struck is None:
                raise
        if self._struck is None:
            self._rot()
        if self._struck is not None:
            self._end(*self._struck)

    def _rot(self) -> None:
        """The flow is over: every stored bit is a moment."""
        for ecu in self._site.plan.ecu:
            bits = Bits(self._site.vehicle, ecu.name)
            first = self._at[BITS]
            self._flip(bits, first)
            for at in sorted(at for kind, at in self._cases if kind == BITS):
                if first <= at < first + bits.count:
                    self._at[BITS] = at
                    place = bits.place(at - first)
                    self._moment(BITS, partial(Moment, bits.name, None, *place))
                    if self._struck is not None:
                        return
            self._at[BITS] = first + bits.count

    def _flip(self, bits: Bits, first: int) -> None:
        """Have children judge the flips of one ECU's bits, each a part of them."""
        chosen = [
            case
            for (kind, at), cases in self._cases.items()
            if kind == BITS and first <= at < first + bits.count
            for case in cases
            if case.fault == FLIP
        ]
        for part in range(self._jobs if chosen else 0):
            if self._forked(Case(FLIP, 0, part)):
                signal.alarm(0)
                counts = dict.fromkeys(VERDICTS, 0)
                for case in chosen[part :: self._jobs]:
                    verdict = bits.judge(case.at - first)
                    if verdict.verdict in (RECOVERED, REFUSED):
                        counts[verdict.verdict] += 1
                    else:
                        self._tell(case, verdict)
                for word, number in counts.items():
                    if number:
                        self._tell(Case(FLIP, 0, part), Verdict(word), number)
                os._exit(0)

    # --- moments -------------------------------------------------------------------------------

    def _stroke(self, name: str, nor: Nor, address: int, size: int, erase: bool) -> None:
        self._moment(STROKES, lambda: Moment(name, nor, address, size))

    def _frame(self, now_ns: int, sender: str, frame: Frame) -> None:
        self._moment(FRAMES, lambda: Moment(self._party(sender, frame)))

    def _party(self, sender: str, frame: Frame) -> str:
        """Whom a reset after that frame befalls: by turns its sender and its receiver, as far as
        they are ECUs."""
        plan = self._site.plan
        parties = [ecu.name for ecu in plan.ecu if ecu.name == sender]
        parties += [ecu.name for ecu in plan.ecu if ecu.request == frame.id]
        if not parties:
            return plan.primary().name
        return parties[self._at[FRAMES] % len(parties)]

    def _moment(self, kind: str, moment: Callable[[], Moment]) -> None:
        if self._struck is not None:
            return
        at = self._at[kind]
        for case in self._cases.get((kind, at), ()):
            if case.fault != FLIP and self._forked(case):
                here = moment()
                self._struck = case, Judge(self._site), here.name
                FAULTS[case.fault].strike(self._site, here, case.way, case.seed())
                return
        self._at[kind] = at + 1

    # --- processes -----------------------------------------------------------------------------

    def _forked(self, case: Case) -> bool:
        """Fork; True in the child, in which the fault is to strike."""
        while len(self._running) >= self._jobs:
            self._reap()
        child = os.fork()
        if child:
            self._running[child] = case
            return False
        self._running = {}
        signal.alarm(CASE_S)
        return True

    def _reap(self) -> None:
        child, status = os.wait()
        case = self._running.pop(child)
        if status:
            self._tell(case, Verdict(BRICKED, f"the case's process ended with status {status}"))

    def _end(self, case: Case, judge: Judge, name: str) -> None:
        """The end of a child: its verdict."""
        self._tell(case, case.aftermath(self._site, self._flow, judge, name))
        os._exit(0)

    def _tell(self, case: Case, verdict: Verdict, count: int = 1) -> None:
        said = {"fault": case.fault, "at": case.at, "way": case.way, "count": count}
        self._write({**said, "verdict": verdict.verdict, "why": verdict.why[-1500:]})
