"""`muptane vehicle update`: a vehicle that runs takes a release, from this computer, over its bus.

The vehicle is one of a plan, made by its maker (`muptane.bench.maker`): that of `muptane vehicle
run`, or real boards provisioned from the same plan. Both are made of the plan's seed, so this
command is the maker once more, and its keys are the ones that the vehicle trusts.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import can
import typer
from rich.console import Console

from muptane.bench import plan
from muptane.bench.join.outside import BadBus, settings_of
from muptane.bench.maker import Maker, image_number
from muptane.bench.tester import Failed, Tester, attached
from muptane.bench.world import S, World
from muptane.cli.demo import SEDAN
from muptane.oem.check import read_manifest, read_report
from muptane.oem.errors import OemRefusal
from uptane import ids
from uptane.uds.codes import DID_IMAGE

KINDS = {
    ids.KIND_METADATA: "metadata",
    ids.KIND_IMAGE: "image",
    ids.KIND_TIME: "time",
    ids.KIND_DELTA: "delta",
    ids.KIND_MAP: "map",
    ids.KIND_REPORT: "report",
}
CYCLES = 2  # the second reports what the first installed
RESET_S = 30.0  # until an ECU that installs answers again
LOOK_S = 0.5


class Bench:
    """The maker of a vehicle, whose clock is a little ahead of what the vehicle reports."""

    def __init__(self, planned: plan.VehiclePlan, release: int) -> None:
        self._world = World(seed=planned.seed)
        self._maker = Maker(planned, self._world)
        self._vin = planned.vin
        self._since_s = time.monotonic()
        self._maker.enrol()
        for ecu in planned.ecu:
            self._maker.release(ecu, 1)
            if release != 1:
                self._maker.release(ecu, release)
            self._maker.assign(ecu, release)

    def find(self, file: bytes, detail: Any) -> bytes | None:
        """The file of that number, or None; a report is taken. OemRefusal."""
        self._move(time.monotonic() - self._since_s)
        self._since_s = time.monotonic()
        if file[1] == ids.KIND_REPORT:
            vehicle, _ = read_manifest(detail)
            said = max(read_report(raw)[0].time for raw in vehicle.reports)
            self._move(max(said + 1 - self._world.seconds(), 0))
            self._maker.office.accept_manifest(self._vin, detail)
            return None
        number = int.from_bytes(file[2:], "big")
        return self._maker.alliance.answer(self._vin, file[0], file[1], number, detail)

    def _move(self, seconds: float) -> None:
        self._world.now_ns += int(seconds * S)


def update(
    outside: Annotated[
        str,
        typer.Option("--bus", help="the vehicle's bus: interface=NAME,channel=CHANNEL,..."),
    ],
    file: Annotated[Path, typer.Argument(help="the vehicle that runs")] = SEDAN,
    release: Annotated[int, typer.Option(min=1, max=1000, help="what its ECUs shall run")] = 2,
) -> None:
    """Let a vehicle that runs take a release, over any bus of python-can, in real time: by
    udsoncan and can-isotp, through its Primary."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        planned = plan.load(file)
        settings: dict[str, Any] = settings_of(outside)
        bench = Bench(planned, release)
        with can.Bus(**settings) as bus:
            good = _update(console, bus, planned, bench, release)
    except (plan.BadVehicle, BadBus) as error:
        raise typer.BadParameter(str(error)) from error
    except (can.CanError, OSError, ValueError, ImportError) as error:
        raise typer.BadParameter(f"--bus {outside}: {error}; is it there, and free?") from error
    except (Failed, OemRefusal) as failed:
        console.print(f"[red]{failed}[/]")
        raise typer.Exit(1) from failed
    if not good:
        raise typer.Exit(1)


def _update(
    console: Console, bus: can.BusABC, planned: plan.VehiclePlan, bench: Bench, release: int
) -> bool:
    """Cycles of the Primary, then what each ECU runs; True if that is the release. Failed."""
    primary = planned.primary()
    for _ in range(CYCLES):
        complaints: list[Exception] = []
        link = primary.request, primary.response
        with attached(bus, link, complaints.append) as client:
            tester = Tester(client, link, complaints)
            if tester.bring(bench.find, lambda file, size: _tell(console, file, size)):
                tester.install()
            else:
                tester.leave()
        _wait_for(bus, link, image_number(primary, release))
    good = True
    for ecu in planned.ecu:
        runs = _wait_for(bus, (ecu.request, ecu.response), image_number(ecu, release))
        wanted = runs == image_number(ecu, release)
        good &= wanted
        console.print(f"{ecu.name:<10}image {runs}{'' if wanted else ', not what was wanted'}")
    return good


def _wait_for(bus: can.BusABC, link: tuple[int, int], image: int) -> int:
    """The image that an ECU runs, as soon as it is that one; else after RESET_S. Failed."""
    end_s = time.monotonic() + RESET_S
    while True:
        complaints: list[Exception] = []
        with attached(bus, link, complaints.append) as client:
            client.set_config("p2_timeout", LOOK_S)  # what it asks of an ECU that boots is lost
            try:
                runs = int.from_bytes(Tester(client, link, complaints).read(DID_IMAGE)[:4], "big")
                if runs == image or time.monotonic() > end_s:
                    return runs
            except Failed:
                if time.monotonic() > end_s:
                    raise
        time.sleep(LOOK_S / 5)


def _tell(console: Console, file: bytes, size: int | None) -> None:
    number = int.from_bytes(file[2:], "big")
    what = KINDS.get(file[1], f"kind {file[1]}")
    console.print(f"  {what:<9}{file[0]}/{number:<6}{'absent' if size is None else f'{size} B'}")
