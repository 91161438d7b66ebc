"""Our Primary serves a Secondary whose UDS server nobody here wrote: python-uds-server.

The door stays off, and the server has its place on the bus, with the report that the door itself
has signed. Stock udsoncan feeds the Primary; what the Primary then brings to the foreign server,
over its own UDS client, is what the Director made, byte for byte.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cbor2
import isotp
import pytest
from foreign import PARAMETERS, Running, attach, bring, status, upload
from test_foreign_stack import DOOR, SEDAN
from uds_server import MemoryRegionDefinition, RoutineDefinition, UdsServer
from uds_server.transport import IsoTpTransport
from udsoncan import MemoryLocation
from udsoncan.client import Client

from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.maker import Maker
from muptane.bench.world import S, World
from uptane import ids
from uptane.uds.codes import RID_ANSWER, RID_CYCLE, RID_INSTALL, RID_WANTS

GATEWAY = SEDAN.ecu[0]
TIME = bytes((ids.DIRECTOR, ids.KIND_TIME))
METADATA = bytes((ids.DIRECTOR, ids.KIND_METADATA))
TAKEN, ABSENT = b"\2", b"\0"
FILE, NOTHING = 1, 0  # what a status record of RID_WANTS begins with
CAP = 4096
REGION_BYTES = 1 << 16  # a file number is an address; files of one kind lie in one region


class ForeignDoor:
    """What a Secondary does in a cycle, as callbacks of python-uds-server: it offers its report,
    and then wants each of `wanted` once: {file number: detail}. Keeps the files that came."""

    def __init__(self, offered: bytes, report: bytes, wanted: dict[bytes, Any]) -> None:
        self.files: dict[bytes, bytearray] = {}
        self.cycles = 0
        self.answers: list[bytes] = []
        self._offered = offered
        self._report = report
        self._details = wanted
        self._next: list[bytes] = []
        self._place = (0, bytearray())  # where what is coming began, and what has come

    @contextmanager
    def on(self, channel: str) -> Iterator[None]:
        with MuptaneBus(channel, name="python-uds-server") as bus:
            address = isotp.Address(txid=DOOR.response, rxid=DOOR.request)
            stack = isotp.CanStack(bus, address=address, params=PARAMETERS)
            server = UdsServer(
                transport=IsoTpTransport(stack),
                routines=[
                    RoutineDefinition(RID_CYCLE, start_callback=self._begin),
                    RoutineDefinition(RID_WANTS, start_callback=self._want),
                    RoutineDefinition(RID_ANSWER, start_callback=self._answered),
                    RoutineDefinition(RID_INSTALL, start_callback=lambda record: b""),
                ],
                memory_regions=self._regions(),
                max_transfer_block_length=1026,
            )
            server.start()
            yield
            server.stop()

    def _regions(self) -> list[MemoryRegionDefinition]:
        kinds = {file[:2] + bytes(4) for file in (self._offered, *self._details)}
        return [
            MemoryRegionDefinition(
                int.from_bytes(kind, "big"),
                REGION_BYTES,
                read_callback=self._read,
                write_callback=self._written,
            )
            for kind in kinds
        ]

    def _begin(self, record: bytes) -> bytes:
        self.cycles += 1
        self._next = [self._offered, *self._details]
        return b""

    def _want(self, record: bytes) -> bytes:
        if not self._next:
            return bytes((NOTHING,))
        file = self._next.pop(0)
        detail, cap = self._details.get(file), CAP
        if file == self._offered:
            cap = len(self._report)
        return bytes((FILE,)) + cbor2.dumps([file, detail, 0, cap, 0], canonical=True)

    def _answered(self, record: bytes) -> bytes:
        self.answers.append(record)
        return b""

    def _read(self, address: int, length: int) -> bytes:
        at = address - int.from_bytes(self._offered, "big")
        return self._report[at : at + length]

    def _written(self, address: int, raw: bytes) -> None:
        begun, held = self._place
        if address != begun + len(held):  # another file
            self._place = begun, held = address, bytearray()
            self.files[address.to_bytes(6, "big")] = held
        held += raw


def own_report(client: Client) -> tuple[bytes, bytes, dict[bytes, Any]]:
    """What the genuine door offers: number and bytes of its report; and what it wants next."""
    client.change_session(2)
    status(client, RID_CYCLE)
    offered, _, _, length, _ = cbor2.loads(status(client, RID_WANTS)[1:])
    report = upload(client, MemoryLocation(int.from_bytes(offered, "big"), length))
    status(client, RID_ANSWER, offered + TAKEN)
    wanted: dict[bytes, Any] = {}
    while (answer := status(client, RID_WANTS))[0] == FILE:
        file, detail = cbor2.loads(answer[1:])[:2]
        wanted[file] = detail
        status(client, RID_ANSWER, file + ABSENT)
    return offered, report, wanted


@pytest.fixture(scope="module")
def door() -> ForeignDoor:
    with Running("--port", "0", "--nodes", "cpython") as vehicle:
        with attach(vehicle.channel, DOOR) as client:
            return ForeignDoor(*own_report(client))


def maker_of(onlooker: MuptaneBus) -> Maker:
    """The maker of the running vehicle, once more: the same keys, what it sent the vehicle out
    with, and, at the time of its bus, release 2 of the door."""
    world = World(seed=SEDAN.seed)
    maker = Maker(SEDAN, world)
    maker.enrol()
    for ecu in SEDAN.ecu:
        maker.release(ecu, 1)
        maker.assign(ecu, 1)
    frame = onlooker.recv(5)
    assert frame is not None
    world.now_ns = int((frame.timestamp - world.epoch_s) * S)
    maker.release(DOOR, 2)
    maker.assign(DOOR, 2)
    maker.office.director.welcome(SEDAN.vin, maker.office.now())
    return maker


def test_our_primary_serves_a_foreign_server(door: ForeignDoor) -> None:
    """V-50, S-37: time and the Director's metadata arrive as they were made."""
    served: dict[bytes, bytes | None] = {}
    with Running("--port", "0", "--nodes", "cpython", "--without", "door") as vehicle:
        assert "stays off" in vehicle.printed
        with MuptaneBus(vehicle.channel) as onlooker, door.on(vehicle.channel):
            office = maker_of(onlooker).office

            def find(file: bytes, detail: Any) -> bytes | None:
                number = int.from_bytes(file[2:], "big")
                served[file] = office.answer(SEDAN.vin, file[0], file[1], number, detail)
                return served[file]

            with attach(vehicle.channel, GATEWAY) as client:
                _, last = bring(client, find)
    assert last == bytes((NOTHING,))
    assert door.cycles == 1
    assert [answer[6:] for answer in door.answers] == [TAKEN, ABSENT]  # its report; no new root
    assert {file[:2] for file in door.files} == {TIME, METADATA}
    for file, raw in door.files.items():
        assert bytes(raw) in [one for one in served.values() if one], file.hex()
