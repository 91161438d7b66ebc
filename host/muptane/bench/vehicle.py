"""A running vehicle: a world, a bus, one node for each ECU of the plan, provisioned and powered.

`build` makes it from a plan and a back office: every ECU gets an identity, keys from the
vehicle's seed, the repositories' metadata, and its first image, written into the flash that it
will boot from by the device's own store. Then the ECUs are on their own: everything else goes
over the bus.

It does not feed the vehicle (`muptane.bench.feeder`) and does not attack it.
Rules: V-02, V-22, V-23, V-24.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from boards.unix import layout
from boards.unix.nor import Nor, part_of
from muptane.bench import chips, firmware
from muptane.bench import records as host
from muptane.bench.can.bus import Bus
from muptane.bench.factory import FirstImage, Plant, Supply
from muptane.bench.interpreters import CPythonNode, Interpreter, MicroPythonProcess
from muptane.bench.nodes import Node
from muptane.bench.plan import BadVehicle, EcuPlan, VehiclePlan, fd_lack
from muptane.bench.settings import heap_bytes, place_of, regions_of, settings_of
from muptane.bench.station import Station
from muptane.bench.world import S, World
from muptane.boards import BoardSpec, load_board
from uptane.store.area import Area
from uptane.store.regions import Regions

Nodes = Literal["micropython", "cpython"]
BOOT_MS = 50


class Ecu:
    """One ECU of a vehicle: its plan, its node, its flash file and its heap."""

    def __init__(self, plan: EcuPlan, node: Node, flash: Path, heap_bytes: int) -> None:
        self.plan = plan
        self.node = node
        self.flash = flash
        self.heap_bytes = heap_bytes


class Vehicle:
    """`nodes` chooses the interpreter; `folder` keeps the flash files and the last words.
    `change` may alter the figures of each ECU's board (muptane.bench.settings) before it is
    built: a faster chip, a slower flash."""

    def __init__(
        self,
        plan: VehiclePlan,
        world: World,
        folder: Path,
        nodes: Nodes,
        change: Callable[[dict[str, Any]], None] = lambda settings: None,
    ) -> None:
        self.plan = plan
        self._change = change
        self.world = world
        self.nodes = nodes
        self.folder = folder
        self.bus = self.wire()
        self.ecus: dict[str, Ecu] = {}
        self._stations: dict[str, Station] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for index, ecu in enumerate(plan.ecu):
            self.ecus[ecu.name] = self._make(index, ecu)

    def _make(self, index: int, plan: EcuPlan) -> Ecu:
        spec = load_board(plan.board)
        self._check(plan, spec)
        rates = self.plan.bus.bitrate, self.plan.bus.data_bitrate
        settings = settings_of(spec, self.folder / f"{plan.name}.flash", *rates)
        settings["name"] = plan.name
        settings["seed"] = self.plan.seed * 1000 + index
        level = "primary" if plan.role == "primary" else plan.verification
        settings["heap_bytes"] = heap_bytes(spec, level)
        settings["deltas"], settings["decrypts"] = plan.deltas, plan.decrypts
        if plan.in_place:
            settings["slots"] = [place_of(spec)]
        settings["regions"] = regions_of(spec, plan.regions)
        if plan.p256:  # the figure is also what builds its suite with ES256
            settings["costs"]["p256_verify"] = spec.costs.p256_verify
        self._change(settings)
        port = self.bus.port(plan.name, settings["tx_queue"])
        port.fifo = bool(self.plan.bus.data_bitrate)
        heap = 0
        if self.nodes == "micropython":
            heap = firmware.heap_for_code(self._traits(plan)) + settings["heap_bytes"]
        interpreter = self._interpreter(plan, settings, heap)
        node = Node(self.world, index, port, interpreter, settings["rx_queue"])
        node.boot_ns = BOOT_MS * S // 1000
        return Ecu(plan, node, Path(settings["flash"]["path"]), heap)

    def _check(self, plan: EcuPlan, spec: BoardSpec) -> None:
        """Can that board be this ECU? BadVehicle."""
        level = "primary" if plan.role == "primary" else plan.verification
        role = getattr(spec.roles, level)
        if not role.holds:
            raise BadVehicle(f"{plan.name}: {plan.board} cannot be {level}: {role.why}")
        has = spec.flash.map.regions
        for region in plan.regions:
            if region not in has:
                there = ", ".join(has) or "the application alone"
                raise BadVehicle(f"{plan.name}: {plan.board} has no {region} region; has {there}")
        if lack := spec.records_lack(level, plan.deltas, len(plan.regions)):
            raise BadVehicle(f"{plan.name}: {plan.board} has no room for that: {lack}")
        if lack := fd_lack(self.plan, plan, spec):
            raise BadVehicle(f"{plan.name}: {lack}")
        bitrate = self.plan.bus.bitrate
        if spec.port != "unix" and bitrate not in spec.can.bitrates:
            rates = ", ".join(map(str, spec.can.bitrates))
            raise BadVehicle(f"{plan.name}: {plan.board} does not run at {bitrate}; use {rates}")

    def _interpreter(self, plan: EcuPlan, settings: dict[str, Any], heap: int) -> Interpreter:
        words = self.folder / f"{plan.name}.words"
        words.touch()
        path = (self.folder / f"{plan.name}.json").absolute()
        path.write_text(json.dumps(settings))
        if self.nodes == "cpython":
            return CPythonNode(lambda node: chips.live(self.chip(settings), settings, words))
        start = ("-m", "boards.unix.boot", self._traits(plan), str(path))
        return self.process(plan.name, firmware.micropython(heap, *start), words)

    def _traits(self, plan: EcuPlan) -> str:
        return ",".join(plan.traits() + self.plan.bus.traits())

    # --- the factory -------------------------------------------------------------------------

    def provision(self, supply: Supply, first: Mapping[str, FirstImage]) -> None:
        """Write every ECU's flash: identity, trusted metadata, time, first image."""
        for name in self.ecus:
            self.provision_ecu(name, supply, first[name])

    def provision_ecu(self, name: str, supply: Supply, first: FirstImage) -> None:
        """Write one ECU's flash, whatever was in it."""
        ecu = self.ecus[name]
        settings = self.settings(name)
        ecu.flash.write_bytes(b"")
        with ecu.flash.open("r+b", buffering=0) as file:
            nor = part_of(file, settings["flash"], lambda us: None)
            Plant(self.plan, ecu.plan, supply).write(settings, nor, first)

    # --- power -------------------------------------------------------------------------------

    def power_on(self) -> None:
        for ecu in self.ecus.values():
            ecu.node.power_on()

    def power_off(self) -> None:
        for ecu in self.ecus.values():
            ecu.node.power_off()

    def __enter__(self) -> Vehicle:
        self.power_on()
        return self

    def __exit__(self, *trace: object) -> None:
        self.power_off()

    def run(self, seconds: float) -> None:
        """Let the vehicle be for that many virtual seconds."""
        end_ns = self.world.now_ns + int(seconds * S)
        self.world.at(end_ns, lambda: None)
        self.world.run(lambda: self.world.now_ns >= end_ns, seconds + 1)

    def station(self, name: str) -> Station:
        """The tester on the bus that talks to the ECU of that name; there is one for each."""
        if name not in self._stations:
            plan = self.ecus[name].plan
            link = (plan.request, plan.response)
            self._stations[name] = Station(self.world, self.bus, f"tester-{name}", link)
        return self._stations[name]

    def records(self, name: str) -> host.Records:
        """The records in an ECU's flash, read as it lies, by a reader that is not the ECU's; not
        while the ECU writes."""
        settings, nor = self._flash(name)
        area = layout.area(settings, nor, "records")
        flash = bytearray(area.size)
        nor.peek(area.address, flash)
        records = host.Records(host.Part(flash, area.block_bytes, area.program_bytes))
        records.mount()
        return records

    def slot(self, name: str, number: int) -> Area:
        """A slot in an ECU's flash, read as it lies; not while the ECU writes."""
        settings, nor = self._flash(name)
        return layout.area(settings, nor, "slots", min(number, len(settings["slots"]) - 1))

    def holds(self, name: str) -> dict[int, bytes]:
        """{REGION_...: bytes} that an ECU of several regions would boot, read as it lies."""
        settings, nor = self._flash(name)
        regions = layout.regions(settings, nor)
        held: Any = self.records(name)  # it reads as the ECU's own does
        slots = Regions(layout.areas(settings, nor, "slots"), regions, held)
        found = {}
        for region, _ in slots.contents():
            area, length = slots.place(region)
            found[region] = area.read(0, length)
        return found

    def settings(self, name: str) -> dict[str, Any]:
        """The figures of an ECU's board (muptane.bench.settings), as it was built."""
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return found

    def _flash(self, name: str) -> tuple[dict[str, Any], Nor]:
        settings = self.settings(name)
        return settings, part_of(BytesIO(self.content(name)), settings["flash"], lambda us: None)

    # --- what another kind of vehicle may do otherwise ----------------------------------------

    def wire(self) -> Bus:
        """The bus that its ECUs are on."""
        return Bus(self.world, self.plan.bus.bitrate, self.plan.bus.data_bitrate)

    def chip(self, settings: dict[str, Any]) -> chips.Chip:
        """The chip that an ECU lives on inside CPython, one for each life."""
        return chips.Chip(settings)

    def process(self, name: str, command: list[str], words: Path) -> MicroPythonProcess:
        """The process that is an ECU."""
        return MicroPythonProcess(command, firmware.compiled(), words)

    def content(self, name: str) -> bytes:
        """What an ECU's flash holds; not while the ECU writes."""
        return self.ecus[name].flash.read_bytes()

    def last_words(self, name: str) -> str:
        """What the ECU printed when it crashed, if it did."""
        return (self.folder / f"{name}.words").read_text(errors="replace")
