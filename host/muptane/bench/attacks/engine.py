"""Plays attacks: each against a vehicle of its own that has just taken an honest update.

The vehicle is built and updated once, then switched off: the ground. For each attack the process
forks, the child copies the flash, switches its vehicle on and plays, and what it saw comes back
through a pipe. So no attack sees another, and a long list costs one honest update for each way in
which images travel: an attack says which it is about, and no ground is built before one needs it.
Two children run at a time, or as many as there are cores.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import fields
from multiprocessing.connection import Connection
from pathlib import Path

from muptane.bench.attacks.attack import BACKOFFICE, Attack, Outcome
from muptane.bench.attacks.stage import Stage, newest_files
from muptane.bench.attacks.update import victim_of
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.maker import Maker
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import World
from uptane import ids
from uptane.algorithms import FORM_CHAINED, FORM_DELTA, FORM_ENCRYPTED

SETTLE_S = 3.0
BROADCAST = 0x7D0  # where a vehicle has no identifier for it
REST_BYTES = 3000  # behind an application, that there is more than one piece of it

Part = tuple[Attack, str]


class Broken(Exception):
    """An attack could not be played; the message is what the child said."""


def travelling(plan: VehiclePlan, form: int) -> VehiclePlan:
    """The same vehicle, whose ECUs take images that travel so, and no others; in pieces only
    Secondaries do, which have no spare slot then."""
    has = {"deltas": bool(form & FORM_DELTA), "decrypts": bool(form & FORM_ENCRYPTED)}
    lone = {**has, "in_place": bool(form & FORM_CHAINED)}
    ecus = [ecu.model_copy(update=has if ecu is plan.primary() else lone) for ecu in plan.ecu]
    return plan.model_copy(update={"ecu": ecus})


class Ground:
    """A vehicle that has taken an honest update, and is off; its images travel in this `form`.
    `folder` keeps its flash, and a folder for each attack."""

    def __init__(self, plan: VehiclePlan, nodes: Nodes, folder: Path, form: int) -> None:
        self.plan = plan = travelling(plan, form)
        self.nodes = nodes
        self.folder = folder
        self.world = World(seed=plan.seed)
        self.maker = Maker(
            plan,
            self.world,
            confidential=bool(form & FORM_ENCRYPTED),
            rest_bytes=REST_BYTES if form & FORM_CHAINED else 0,
        )
        self._vehicle = Vehicle(plan, self.world, folder / "ground", nodes)
        self.maker.provision(self._vehicle)
        self._past = self._files()
        with self._vehicle as vehicle:
            vehicle.run(0.5)
            for ecu in plan.ecu:
                self.maker.release(ecu, 2)
                self.maker.assign(ecu, 2)
            station = vehicle.station(plan.primary().name)
            for _ in range(2):  # the second reports what the first installed
                source = OfficeSource(self.maker.alliance, plan.vin, lambda carried: None)
                station.run(feed(station, source), 3600)
                vehicle.run(SETTLE_S)

    def _files(self) -> dict[int, dict[int, bytes]]:
        office = self.maker.office
        return {
            repository: newest_files(office, self.plan.vin, repository)
            for repository in (ids.DIRECTOR, ids.IMAGE)
        }

    def vehicle(self, name: str) -> Vehicle:
        """The same vehicle once more, with flash of its own; off."""
        copy = Vehicle(self.plan, self.world, self.folder / name, self.nodes)
        for ecu, original in self._vehicle.ecus.items():
            shutil.copyfile(original.flash, copy.ecus[ecu].flash)
        return copy

    def play(self, attack: Attack, verification: str) -> Outcome:
        """Play one attack here and now: once in a process."""
        victim = victim_of(self.plan, verification)
        with self.vehicle(f"{attack.name}-{verification}-{os.getpid()}") as vehicle:
            vehicle.run(0.5)
            stage = Stage(self.maker, vehicle, attack, victim, self._past)
            said = attack.play(stage)
            if said is None and verification != BACKOFFICE:
                stage.feed()
            observed = stage.observed() if said is None else said
            found = tuple(stage.changes())
            recovers = stage.recovers()
            told = () if recovers else tuple(stage.told())
            return Outcome(attack, verification, observed, not found, recovers, found, told)


class Grounds:
    """One vehicle, on a ground for each form in which its images travel, by broadcast or not."""

    def __init__(self, plan: VehiclePlan, nodes: Nodes, folder: Path) -> None:
        self._plan = plan
        self._nodes = nodes
        self._folder = folder
        self._grounds: dict[tuple[int, int], Ground] = {}

    def of(self, attack: Attack) -> Ground:
        """The ground of an attack; built now if it is the first that is asked of it."""
        bus = self._plan.bus
        shared = bus.broadcast or BROADCAST if attack.broadcast else 0
        key = attack.form, shared
        if key not in self._grounds:
            plan = self._plan.model_copy(
                update={"bus": bus.model_copy(update={"broadcast": shared})}
            )
            folder = self._folder / f"form-{attack.form:02x}-{shared:03x}"
            self._grounds[key] = Ground(plan, self._nodes, folder, attack.form)
        return self._grounds[key]

    def play_all(self, parts: Iterable[Part], jobs: int = 0) -> Iterator[Outcome]:
        """Play each in a child of its own; outcomes in the order of `parts`. Broken."""
        waiting = list(parts)
        running: list[Child] = []
        jobs = jobs or os.cpu_count() or 1
        for part in waiting[:jobs]:
            running.append(self._begin(part))
        del waiting[:jobs]
        while running:
            # The oldest first: outcomes stay in order, and one that waits costs a core little.
            yield running.pop(0).outcome()
            if waiting:
                running.append(self._begin(waiting.pop(0)))

    def _begin(self, part: Part) -> Child:
        return Child(self.of(part[0]), part)


class Child:
    """One attack in a process of its own, forked here and now."""

    def __init__(self, ground: Ground, part: Part) -> None:
        self._part = part
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe(duplex=False)
        self._process = fork.Process(target=self._play, args=(ground, theirs))
        self._process.start()
        theirs.close()

    def _play(self, ground: Ground, pipe: Connection) -> None:
        attack, verification = self._part
        outcome = ground.play(attack, verification)
        pipe.send(tuple(getattr(outcome, field.name) for field in fields(Outcome)[2:]))

    def outcome(self) -> Outcome:
        """What the child saw; Broken if it died, which it has explained by then."""
        attack, verification = self._part
        try:
            seen = self._pipe.recv()
        except EOFError as end:
            why = f"{attack.name} against {verification} could not be played: see above"
            raise Broken(why) from end
        finally:
            self._process.join()
            self._pipe.close()
        return Outcome(attack, verification, *seen)
