"""The device against a diagnostic stack that nobody here wrote: udsoncan over can-isotp.

In real time, over the python-can interface, from another process: what a user's own tester does.
"""

import random
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import can
import foreign
import isotp
import pytest
from foreign import Running, attach, update
from udsoncan.exceptions import NegativeResponseException, TimeoutException

from muptane.bench import plan
from muptane.bench.can.frames import frame_bits
from muptane.bench.firmware import ROOT
from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.maker import Maker, image_number
from muptane.bench.provisioning import register
from muptane.bench.world import S, World
from uptane import ids

SEDAN = plan.load(ROOT / "vehicles" / "sedan.toml")
DOOR = SEDAN.secondaries()[-1]
IMAGE_BYTES = 20 * 1024
DID_ECU, DID_VIN, DID_INTERPRETER, DID_IMAGE = 0xF18C, 0xF190, 0xFD00, 0xFD01


@pytest.fixture(scope="module")
def vehicle() -> Iterator[Running]:
    with Running("--port", "0", "--nodes", foreign.NODES) as running:
        yield running


def read(client: Any, did: int) -> bytes:
    value: bytes = client.read_data_by_identifier_first(did)
    return value


def refused(call: Any, *arguments: Any) -> int:
    """The code of the negative response that a call of udsoncan ends with."""
    with pytest.raises(NegativeResponseException) as caught:
        call(*arguments)
    code: int = caught.value.response.code
    return code


def test_udsoncan_opens_sessions_and_reads_identifiers(vehicle: Running) -> None:
    with attach(vehicle.channel, DOOR) as client:
        for session in (3, 2, 1):
            data = client.change_session(session).service_data
            assert data.session_echo == session
            assert data.p2_star_server_max == 5.0
        client.tester_present()
        client.set_config("p2_timeout", 0.3)  # so long it waits for a refusal that must not come
        with client.suppress_positive_response(wait_nrc=True):
            client.tester_present()
        client.set_config("p2_timeout", 5)
        assert read(client, DID_ECU) == (3).to_bytes(4, "big")
        assert read(client, DID_VIN) == SEDAN.vin.encode()
        assert read(client, DID_INTERPRETER).decode().startswith(foreign.NODES)
        assert read(client, DID_IMAGE)[:8] == (301).to_bytes(4, "big") + (1).to_bytes(4, "big")


def test_udsoncan_understands_every_refusal(vehicle: Running) -> None:
    with attach(vehicle.channel, DOOR) as client:
        client.change_session(1)
        assert refused(client.transfer_data, 1, b"x") == 0x7F
        assert refused(foreign.status, client, foreign.RID_WANTS) == 0x31
        assert refused(client.read_data_by_identifier_first, 0xF1AA) == 0x31
        assert refused(client.change_session, 0x44) == 0x12
        assert refused(client.request_seed, 1) == 0x7F
        assert refused(client.link_control, 3) == 0x11
        client.change_session(2)
        assert refused(client.transfer_data, 1, b"x") == 0x24
        assert refused(client.request_transfer_exit) == 0x24
        assert refused(foreign.status, client, 0xFF00) == 0x31
        assert refused(foreign.status, client, foreign.RID_INSTALL) == 0x22
        assert refused(foreign.download, client, b"\2\1" + bytes(4), b"unwanted") == 0x31


@pytest.mark.parametrize("gap_ms, block", [(0, 0), (0, 1), (20, 2), (5, 3)])
def test_the_device_keeps_to_the_flow_control_of_can_isotp(
    vehicle: Running, gap_ms: int, block: int
) -> None:
    """A response of 51 bytes: 7 consecutive frames, in blocks, never closer than STmin."""
    with (
        MuptaneBus(vehicle.channel, [{"can_id": DOOR.response, "can_mask": 0x7FF}]) as onlooker,
        attach(vehicle.channel, DOOR, stmin=gap_ms, blocksize=block) as client,
    ):
        assert len(read(client, DID_IMAGE)) == 44
        frames = foreign.heard(onlooker, 0.3)
    assert [frame.data[0] >> 4 for frame in frames] == [1] + [2] * 6
    for number, (before, after) in enumerate(pairwise(frames[1:]), 1):
        if block and number % block == 0:
            continue  # between two blocks it is flow control that says when
        length_s = frame_bits(DOOR.response, bytes(after.data)) / SEDAN.bus.bitrate
        gap_s = after.timestamp - before.timestamp - length_s
        assert gap_s >= gap_ms / 1000 - 1e-6


def test_a_message_that_is_too_long_is_refused_by_flow_control(vehicle: Running) -> None:
    complaints: list[Exception] = []
    address = isotp.Address(txid=DOOR.request, rxid=DOOR.response)
    with MuptaneBus(vehicle.channel) as bus:
        stack = isotp.CanStack(
            bus, address=address, error_handler=complaints.append, params=foreign.PARAMETERS
        )
        stack.start()
        with pytest.raises(isotp.BlockingSendFailure):
            stack.send(bytes(2000), send_timeout=5)
        stack.stop()
    assert [type(one) for one in complaints] == [isotp.OverflowError]
    with attach(vehicle.channel, DOOR) as client:
        assert read(client, DID_ECU)


def test_udsoncan_updates_a_partial_secondary(
    vehicle: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S-38, V-83, S-37: the door takes release 2, 20 KB, from a feeder that is none of ours."""
    file = tmp_path / "door.bin"
    file.write_bytes(random.Random(20).randbytes(IMAGE_BYTES))
    with MuptaneBus(vehicle.channel, name="onlooker") as onlooker:
        find = director(file, onlooker)
        with attach(vehicle.channel, DOOR) as client:
            foreign.heard(onlooker, 0)
            moved = update(client, find)
        frames = foreign.heard(onlooker, 0.2)
    assert max(moved.values()) >= IMAGE_BYTES
    assert {number[:2] for number in moved} == {
        bytes((ids.LOCAL, ids.KIND_REPORT)),
        bytes((ids.DIRECTOR, ids.KIND_TIME)),
        bytes((ids.DIRECTOR, ids.KIND_METADATA)),
        bytes((ids.IMAGE, ids.KIND_IMAGE)),
    }
    with capsys.disabled():
        print(f"\n{share(frames)}", end="")
    with attach(vehicle.channel, DOOR) as client:
        image = wait_for_release(client, 2)
    assert int.from_bytes(image[:4], "big") == image_number(DOOR, 2)


def director(file: Path, onlooker: MuptaneBus) -> Callable[[bytes, Any], bytes | None]:
    """The maker of the running vehicle, once more: the same keys, the time of its bus. Its
    Director wants release 2, the content of `file`, on the door."""
    world = World(seed=SEDAN.seed)
    maker = Maker(SEDAN, world, {DOOR.name: file})
    register(maker.office, SEDAN)
    frame = onlooker.recv(5)
    assert frame is not None
    world.now_ns = int((frame.timestamp - world.epoch_s) * S)
    maker.release(DOOR, 2)
    maker.assign(DOOR, 2)
    maker.office.director.welcome(SEDAN.vin, maker.office.now())

    def find(wanted: bytes, detail: Any) -> bytes | None:
        number = int.from_bytes(wanted[2:], "big")
        return maker.office.answer(SEDAN.vin, wanted[0], wanted[1], number, detail)

    return find


def share(frames: list[can.Message]) -> str:
    """How the largest download on the bus went: its goodput, and the share of the time in which
    its frames held the bus."""
    mine = [one for one in frames if one.arbitration_id in (DOOR.request, DOOR.response)]
    starts = [at for at, one in enumerate(mine) if one.data[2:4] == b"\x36\x01"]
    ends = [at for at, one in enumerate(mine) if one.data[:2] == b"\x01\x77"]
    spans = [(at, min(end for end in ends if end > at)) for at in starts]
    begin, end = max(spans, key=lambda span: span[1] - span[0])
    part = mine[begin : end + 1]
    bits = [frame_bits(one.arbitration_id, bytes(one.data)) for one in part]
    busy_s = sum(bits) / SEDAN.bus.bitrate
    all_s = part[-1].timestamp - part[0].timestamp + bits[0] / SEDAN.bus.bitrate
    return (
        f"udsoncan: {IMAGE_BYTES} bytes, first 0x36 to 0x77, in {all_s:.3f} s of bus time: "
        f"{IMAGE_BYTES / all_s / 1000:.1f} kB/s, its frames on the wire {busy_s / all_s:.0%} of it"
    )


def test_can_isotp_talks_to_can_isotp_at_the_speed_of_the_wire(
    vehicle: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """20 KB from one program to another, beside the vehicle: a report, for it is wall time."""
    message = random.Random(21).randbytes(4095)
    limit = len(message) / wire_s(message, 0x600)
    with MuptaneBus(vehicle.channel) as one, MuptaneBus(vehicle.channel) as other:
        address = isotp.Address(txid=0x600, rxid=0x608)
        back = isotp.Address(txid=0x608, rxid=0x600)
        sender = isotp.CanStack(one, address=address, params=foreign.PARAMETERS)
        receiver = isotp.CanStack(other, address=back, params=foreign.PARAMETERS)
        sender.start()
        receiver.start()
        begun = time.perf_counter()
        for _ in range(5):
            sender.send(message, send_timeout=5)
            assert receiver.recv(block=True, timeout=5) == message
        goodput = 5 * len(message) / (time.perf_counter() - begun)
        sender.stop()
        receiver.stop()
    with capsys.disabled():
        print(
            f"\ncan-isotp to can-isotp: {5 * len(message)} bytes at {goodput / 1000:.1f} kB/s, "
            f"{goodput / limit:.0%} of the wire limit of {limit / 1000:.1f} kB/s",
            end="",
        )


def wire_s(message: bytes, can_id: int) -> float:
    """Seconds that the frames of a message take, back to back: FF, one FC, CFs."""
    first = bytes((0x10 | len(message) >> 8, len(message) & 0xFF)) + message[:6]
    bits = frame_bits(can_id, first) + frame_bits(can_id + 8, b"\x30\0\0".ljust(8, b"\xcc"))
    for index, at in enumerate(range(6, len(message), 7)):
        head = bytes((0x20 | (index + 1) & 15,))
        bits += frame_bits(can_id, (head + message[at : at + 7]).ljust(8, b"\xcc"))
    return bits / SEDAN.bus.bitrate


def wait_for_release(client: Any, release: int) -> bytes:
    """Ask the ECU, while it boots its trial, until it says that it runs this release."""
    client.set_configs({"p2_timeout": 1})
    for _ in range(20):
        try:
            image = read(client, DID_IMAGE)
        except TimeoutException:
            continue
        if int.from_bytes(image[4:8], "big") == release:
            return image
    raise AssertionError(f"the ECU does not run release {release}")
