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
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Protocol

from boards.unix import layout
from boards.unix.nor import Nor, part_of
from muptane.bench import chips, firmware
from muptane.bench import records as host
from muptane.bench.bus import Bus
from muptane.bench.interpreters import CPythonNode, Interpreter, MicroPythonProcess
from muptane.bench.nodes import Node
from muptane.bench.plan import BadVehicle, EcuPlan, VehiclePlan
from muptane.bench.settings import heap_bytes, place_of, settings_of
from muptane.bench.station import Station
from muptane.bench.world import S, World
from muptane.boards import BoardSpec, load_board
from uptane import cbor, ids
from uptane.store.area import Area
from uptane.store.records import Records
from uptane.store.slots import Slots

Nodes = Literal["micropython", "cpython"]
BOOT_MS = 50


@dataclass(frozen=True)
class FirstImage:
    """What an ECU leaves the factory with."""

    number: int
    release: int
    content: bytes


class Supply(Protocol):
    """What provisioning needs of a back office (muptane.bench.provisioning)."""

    def identity(self, repository: int) -> bytes: ...
    def metadata(self, vin: str, repository: int) -> Mapping[int, bytes]: ...
    def map(self) -> bytes | None: ...
    def time(self) -> tuple[int, bytes]: ...


def seed_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The seed of an ECU's signing key: 32 bytes that the vehicle's seed decides."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}".encode()).digest()


def decryption_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The X25519 secret of an ECU, which nothing derives from its signing key (T-43)."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}/decryption".encode()).digest()


def symmetric_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The one key of an ECU that has no other."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}/symmetric".encode()).digest()


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
        self.bus = Bus(world, plan.bus.bitrate)
        self.ecus: dict[str, Ecu] = {}
        self._stations: dict[str, Station] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for index, ecu in enumerate(plan.ecu):
            self.ecus[ecu.name] = self._make(index, ecu)

    def _make(self, index: int, plan: EcuPlan) -> Ecu:
        spec = load_board(plan.board)
        self._check(plan, spec)
        settings = settings_of(spec, self.folder / f"{plan.name}.flash", self.plan.bus.bitrate)
        settings["name"] = plan.name
        settings["seed"] = self.plan.seed * 1000 + index
        level = "primary" if plan.role == "primary" else plan.verification
        settings["heap_bytes"] = heap_bytes(spec, level)
        settings["deltas"], settings["decrypts"] = plan.deltas, plan.decrypts
        if plan.in_place:
            settings["slots"] = [place_of(spec)]
        if plan.p256:  # the figure is also what builds its suite with ES256
            settings["costs"]["p256_verify"] = spec.costs.p256_verify
        self._change(settings)
        port = self.bus.port(plan.name, settings["tx_queue"])
        heap = 0
        if self.nodes == "micropython":
            heap = firmware.heap_for_code(plan.traits()) + settings["heap_bytes"]
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
        if lack := spec.records_lack(level, plan.deltas):
            raise BadVehicle(f"{plan.name}: {plan.board} has no room to patch: {lack}")
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
        command = firmware.micropython(heap, "-m", "boards.unix.boot", plan.traits(), str(path))
        return self.process(plan.name, command, words)

    # --- the factory -------------------------------------------------------------------------

    def provision(self, supply: Supply, first: Mapping[str, FirstImage]) -> None:
        """Write every ECU's flash: identity, trusted metadata, time, first image."""
        for name in self.ecus:
            self.provision_ecu(name, supply, first[name])

    def provision_ecu(self, name: str, supply: Supply, first: FirstImage) -> None:
        """Write one ECU's flash, whatever was in it."""
        ecu = self.ecus[name]
        settings = json.loads((self.folder / f"{name}.json").read_text())
        ecu.flash.write_bytes(b"")
        with ecu.flash.open("r+b", buffering=0) as file:
            self._provision(ecu.plan, settings, file, supply, first)

    def _provision(
        self,
        plan: EcuPlan,
        settings: dict[str, Any],
        file: Any,
        supply: Supply,
        first: FirstImage,
    ) -> None:
        nor = part_of(file, settings["flash"], lambda us: None)
        records = Records(layout.area(settings, nor, "records"))
        records.mount()
        slot_areas = layout.areas(settings, nor, "slots")
        content = first.content + b"\xff" * (-len(first.content) % slot_areas[0].program_bytes)
        slot_areas[0].program(0, content)
        changes: dict[int, bytes | None] = {
            ids.RECORD_IDENTITY: self._identity(plan, supply),
            ids.RECORD_TIME: cbor.dumps(list(supply.time())),
        }
        repositories = [ids.DIRECTOR]
        if plan.level() != ids.PARTIAL:
            repositories += [ids.IMAGE, *(one.number for one in self.plan.repository)]
            chart = supply.map()
            if chart is not None:
                changes[ids.RECORD_MAP] = chart
        for repository in repositories:
            for role, raw in supply.metadata(self.plan.vin, repository).items():
                if plan.level() == ids.PARTIAL and role not in (ids.ROOT, ids.TARGETS):
                    continue
                record = ids.RECORD_METADATA + 0x100 * (repository - ids.DIRECTOR) + role
                changes[record] = raw
        records.commit(changes)
        digest = sha256(first.content).digest()
        slots = Slots(slot_areas * 2 if len(slot_areas) == 1 else slot_areas, records)
        slots.provision(first.number, len(first.content), digest, first.release)

    def _identity(self, plan: EcuPlan, supply: Supply) -> bytes:
        identity: dict[int, object] = {
            ids.IDENTITY_ECU: plan.number,
            ids.IDENTITY_HARDWARE: plan.hardware,
            ids.IDENTITY_VEHICLE: self.plan.vin,
            ids.IDENTITY_VERIFICATION: plan.level(),
            ids.IDENTITY_DIRECTOR: supply.identity(ids.DIRECTOR),
            ids.IDENTITY_LINK: [plan.request, plan.response],
        }
        if plan.key == "symmetric":
            identity[ids.IDENTITY_SYMMETRIC] = symmetric_of(self.plan, plan)
        else:
            identity[ids.IDENTITY_SEED] = seed_of(self.plan, plan)
        if plan.decrypts and plan.key != "symmetric":
            identity[ids.IDENTITY_DECRYPTION] = decryption_of(self.plan, plan)
        if plan.level() != ids.PARTIAL:
            identity[ids.IDENTITY_IMAGE] = supply.identity(ids.IMAGE)
        if plan.level() == ids.PRIMARY:
            identity[ids.IDENTITY_SECONDARIES] = [
                [ecu.number, ecu.level(), ecu.request, ecu.response]
                for ecu in self.plan.secondaries()
            ]
        return cbor.dumps(identity)

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

    def _flash(self, name: str) -> tuple[dict[str, Any], Nor]:
        settings: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return settings, part_of(BytesIO(self.content(name)), settings["flash"], lambda us: None)

    # --- what another kind of vehicle may do otherwise ----------------------------------------

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
