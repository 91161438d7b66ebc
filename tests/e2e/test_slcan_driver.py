"""The device's slcan driver over a socket, on the bus that the broker's slcan door leads to.

Both sides were written here, so the door is also held against python-can's slcan (test_doors), and
the driver against lines as LAWICEL's manual has them (tests/device/test_can_slcan).
"""

import select
import socket
import time
from collections.abc import Callable, Iterator

import can
import pytest
from foreign import Running, heard
from kinds import EVERY_KIND

from muptane.bench.join.plugin import MuptaneBus
from uptane.port.can_slcan import EXTENDED, CanSlcan

DATA = [one for one in EVERY_KIND if not one.is_remote_frame]
ALL = [(0, 0), (EXTENDED, EXTENDED)]


class Line:
    """A socket as the driver wants its stream."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def any(self) -> int:
        return len(select.select([self.connection], [], [], 0)[0])

    def readinto(self, into: bytearray) -> int | None:
        return self.connection.recv_into(into)

    def write(self, out: bytes | bytearray | memoryview) -> int | None:
        return self.connection.send(out)


@pytest.fixture(scope="module")
def bus() -> Iterator[Running]:
    rates = ("--bitrate", "500000", "--data-bitrate", "2000000")
    with Running("--port", "0", "--slcan", "0", *rates, noun="bus") as running:
        yield running


@pytest.fixture(params=[0, 2_000_000], ids=["classic", "fd"])
def driver(bus: Running, request: pytest.FixtureRequest) -> Iterator[CanSlcan]:
    with socket.create_connection(("127.0.0.1", bus.port("slcan")), 5) as connection:
        driver = CanSlcan(Line(connection), 500_000, request.param)
        driver.set_filters(ALL)
        time.sleep(0.1)  # the door has taken the line that opens it
        yield driver


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def marked(message: can.Message) -> int:
    """The identifier as the driver has it."""
    return message.arbitration_id | (EXTENDED if message.is_extended_id else 0)


def test_what_the_driver_sends_is_on_the_bus_in_order(bus: Running, driver: CanSlcan) -> None:
    """Frames of one identifier, that is; of several the door sends the first by arbitration."""
    fd = driver.frame_bytes == 64
    lengths = [0, 1, 7, 8, 12, 20, 24, 32, 48, 64] if fd else [0, 1, 7, 8]
    sent: dict[int, list[bytes]] = {}
    with MuptaneBus(bus.channel, fd=True) as other:
        for length in lengths:
            for can_id in (0x7E8, EXTENDED | 0x18DAF110, EXTENDED | 0x1FFFFFFF, 0):
                data = bytes(range(length))
                while not driver.send(can_id, data):
                    pass
                sent.setdefault(can_id, []).append(data)
        until(lambda: not driver.unsent())
        messages = heard(other, 0.3)
    got: dict[int, list[bytes]] = {}
    for message in messages:
        got.setdefault(marked(message), []).append(bytes(message.data))
        assert (message.is_fd, message.bitrate_switch) == (fd, fd)
    assert got == sent
    assert driver.receive() is None
    assert (driver.garbled, driver.refusals) == (0, 0)


def test_what_is_on_the_bus_comes_in_in_order(bus: Running, driver: CanSlcan) -> None:
    fd = driver.frame_bytes == 64
    messages = [one for one in DATA if fd or not one.is_fd]
    got: list[tuple[int, bytes]] = []

    def arrived() -> bool:
        while frame := driver.receive():
            got.append((frame[0], bytes(frame[1])))
        return len(got) >= len(messages)

    with MuptaneBus(bus.channel, fd=True) as other:
        for message in messages:
            other.send(message)
        until(arrived)
    assert got == [(marked(one), bytes(one.data)) for one in messages]
    assert driver.garbled == 0
    assert driver.state() == 1


def test_frames_that_a_classic_driver_cannot_hold_do_not_disturb_it(bus: Running) -> None:
    with (
        socket.create_connection(("127.0.0.1", bus.port("slcan")), 5) as connection,
        MuptaneBus(bus.channel, fd=True) as other,
    ):
        driver = CanSlcan(Line(connection), 500_000)
        driver.set_filters(ALL)
        time.sleep(0.1)
        other.send(can.Message(arbitration_id=1, is_fd=True, data=bytes(64)))
        other.send(can.Message(arbitration_id=2, is_extended_id=False, data=b"short"))
        until(lambda: driver.ready(1))
        frame = driver.receive()
        assert frame is not None
        assert (frame[0], bytes(frame[1])) == (2, b"short")


def test_a_wrong_rate_is_answered_with_a_bell(bus: Running) -> None:
    with socket.create_connection(("127.0.0.1", bus.port("slcan")), 5) as connection:
        driver = CanSlcan(Line(connection), 125_000)
        until(lambda: bool(driver.receive() or driver.refusals))
        assert driver.refusals == 1
