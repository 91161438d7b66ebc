"""Programs that join the virtual bus: what python-can promises its users, and what goes wrong.

The bus runs at 10 kbit/s, where a frame takes longer than a program takes to send the next, so
that who goes first is decided by the bus.
"""

import re
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import can
import foreign
import pytest
from foreign import MUPTANE, Running, heard

from muptane.bench.firmware import ROOT
from muptane.bench.join import wire
from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.join.wire import Record, Stream

OURS = [{"can_id": 0x600, "can_mask": 0x700, "extended": False}]


@pytest.fixture(scope="module")
def vehicle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    file = foreign.slow_sedan(tmp_path_factory.mktemp("slow"))
    with Running(str(file), "--port", "0", "--nodes", "cpython") as running:
        yield running


def frame(can_id: int, data: bytes = b"", extended: bool = False) -> can.Message:
    return can.Message(arbitration_id=can_id, data=data, is_extended_id=extended)


def stock(vehicle: Running, prefer: str) -> socket.socket:
    """A connection without python-can, on which `prefer` has been said."""
    connection = socket.create_connection(("127.0.0.1", int(vehicle.channel.split(":")[1])), 5)
    connection.sendall(bytes.fromhex(prefer))
    return connection


def answer(connection: socket.socket) -> Record:
    """The first record that the bus says."""
    stream = Stream()
    while raw := connection.recv(4096):
        for record in stream.feed(raw):
            return record
    raise AssertionError("the bus said nothing")


def test_two_programs_hear_each_other_and_the_vehicle(vehicle: Running) -> None:
    with MuptaneBus(vehicle.channel) as one, MuptaneBus(vehicle.channel) as other:
        assert one.bitrate == other.bitrate == 10_000
        assert "10000 bit/s" in one.channel_info
        sent = [
            frame(0x601, b"\1\2\3"),
            frame(0x18040DEF, b"12345678", extended=True),
            frame(0x602),
        ]
        for message in sent:
            one.send(message)
        got = [
            message
            for message in heard(other, 0.3)
            if message.arbitration_id in (0x601, 0x602, 0x18040DEF)
        ]
        assert [message.arbitration_id for message in got] == [0x601, 0x18040DEF, 0x602]
        assert [message.is_extended_id for message in got] == [False, True, False]
        assert [bytes(message.data) for message in got] == [b"\1\2\3", b"12345678", b""]
        assert got[0].timestamp < got[1].timestamp < got[2].timestamp
        assert not any(message.arbitration_id == 0x601 for message in heard(one, 0))
        other.send(frame(0x603))
        assert any(message.arbitration_id == 0x603 for message in heard(one, 0.2))
        assert any(message.arbitration_id < 0x600 for message in heard(one, 1.5))


def test_the_lower_identifier_goes_first(vehicle: Running) -> None:
    with (
        MuptaneBus(vehicle.channel) as one,
        MuptaneBus(vehicle.channel) as other,
        MuptaneBus(vehicle.channel, OURS) as onlooker,
    ):
        for can_id in (0x6A0, 0x6C0, 0x6B0):
            one.send(frame(can_id, bytes(8)))
        other.send(frame(0x610, bytes(8)))
        order = [message.arbitration_id for message in heard(onlooker, 0.3)]
    # One frame may have been on the wire before the others came.
    assert order in ([0x6A0, 0x610, 0x6B0, 0x6C0], [0x610, 0x6A0, 0x6B0, 0x6C0])


def test_a_full_mailbox_blocks_and_then_says_so(vehicle: Running) -> None:
    with MuptaneBus(vehicle.channel) as one, MuptaneBus(vehicle.channel, OURS) as onlooker:
        for number in range(3):
            one.send(frame(0x620 + number, bytes(8)), timeout=0)
        with pytest.raises(can.CanOperationError, match="6FF was not sent: all 3 mailboxes"):
            one.send(frame(0x6FF), timeout=0)
        with pytest.raises(can.CanOperationError, match="look at the bus load"):
            one.send(frame(0x6FF), timeout=0.001)
        one.send(frame(0x623, bytes(8)))  # waits for a mailbox, and gets one
        one.flush_tx_buffer()
        one.send(frame(0x624), timeout=0)
        got = [message.arbitration_id for message in heard(onlooker, 0.3)]
    assert got == [0x620, 0x621, 0x622, 0x623, 0x624]


def test_leaving_at_once_loses_nothing(vehicle: Running) -> None:
    with MuptaneBus(vehicle.channel, OURS) as onlooker:
        with MuptaneBus(vehicle.channel, receive_own_messages=True) as one:
            for number in range(3):
                one.send(frame(0x630 + number, bytes(8)))
        got = [message.arbitration_id for message in heard(onlooker, 0.2)]
        own = [message for message in heard_own(one) if not message.is_rx]
    assert got == [0x630, 0x631, 0x632]
    assert [message.arbitration_id for message in own] == got


def heard_own(bus: MuptaneBus) -> list[can.Message]:
    """What is left in the inbox of an interface that was shut down."""
    messages = []
    while True:
        try:
            message = bus.recv(0)
        except can.CanOperationError:
            return messages
        assert message is not None
        messages.append(message)


def test_filters_of_every_kind_hold(vehicle: Running) -> None:
    with MuptaneBus(vehicle.channel) as one, MuptaneBus(vehicle.channel) as other:
        other.set_filters(
            [
                {"can_id": 0x641, "can_mask": 0x7FF, "extended": False},
                {"can_id": 0x642, "can_mask": 0x1FFFFFFF, "extended": True},
                {"can_id": 0x643, "can_mask": 0x1FFFFFFF},
            ]
        )
        for can_id in (0x641, 0x642, 0x643):
            for extended in (False, True):
                one.send(frame(can_id, extended=extended))
        one.flush_tx_buffer()
        got = [(one.arbitration_id, one.is_extended_id) for one in heard(other, 0.2)]
    assert sorted(got) == [(0x641, False), (0x642, True), (0x643, False), (0x643, True)]


def test_what_the_bus_cannot_do_is_refused_with_a_sentence(vehicle: Running) -> None:
    with pytest.raises(can.CanInitializationError, match="leave fd=True out"):
        MuptaneBus(vehicle.channel, fd=True)
    with pytest.raises(can.CanInitializationError, match="bitrate is 10000 bit/s, not 500000"):
        MuptaneBus(vehicle.channel, bitrate=500_000)
    with pytest.raises(can.CanInitializationError, match="say HOST:PORT or unix:PATH"):
        MuptaneBus("vcan0")
    with pytest.raises(can.CanInitializationError, match="is `muptane vehicle run` running"):
        MuptaneBus("127.0.0.1:1")
    with MuptaneBus(vehicle.channel, bitrate=10_000) as bus:
        with pytest.raises(can.CanOperationError, match="an FD frame cannot be sent"):
            bus.send(can.Message(arbitration_id=1, is_fd=True))
        with pytest.raises(can.CanOperationError, match="an error frame cannot be sent"):
            bus.send(can.Message(arbitration_id=1, is_error_frame=True))


@pytest.mark.parametrize(
    "said, why",
    [
        (Record(wire.SEND, 1, 0x600), "the first record is not HELLO"),
        (Record(wire.HELLO, data=b"GET / HTTP/1.1"), "does not begin with muptane2"),
        (Record(99), "not HELLO"),
    ],
)
def test_a_stranger_is_told_why_and_put_out(vehicle: Running, said: Record, why: str) -> None:
    with stock(vehicle, said.packed().hex()) as connection:
        refused = answer(connection)
        assert refused.kind == wire.REFUSED
        assert why in refused.data.decode()
        assert connection.recv(16) == b""


@pytest.mark.parametrize(
    "said, why",
    [
        (Record(wire.SEND, 1, 0x800), "0x800 is too large"),
        (Record(wire.SEND, 1, 0x600, data=bytes(9)), "8 at most"),
        (Record(wire.FILTER, data=b"odd"), "not whole pairs"),
        (Record(wire.HELLO, data=wire.MAGIC), "a second HELLO"),
    ],
)
def test_a_member_that_breaks_the_protocol_is_put_out(
    vehicle: Running, said: Record, why: str
) -> None:
    hello = Record(wire.HELLO, data=wire.MAGIC + b"raw")
    with stock(vehicle, (hello.packed() + said.packed()).hex()) as connection:
        stream = Stream()
        records: list[Record] = []
        while raw := connection.recv(4096):
            records += stream.feed(raw)
    assert records[0].kind == wire.WELCOME
    assert (records[0].number, records[0].id) == (3, 10_000)
    assert records[-1].kind == wire.REFUSED
    assert why in records[-1].data.decode()


def test_more_frames_than_mailboxes_fail_one_by_one(vehicle: Running) -> None:
    hello = Record(wire.HELLO, data=wire.MAGIC + b"raw").packed()
    sends = b"".join(Record(wire.SEND, n, 0x650 + n, data=bytes(8)).packed() for n in range(5))
    quiet = Record(wire.FILTER).packed()
    with stock(vehicle, (hello + quiet + sends).hex()) as connection:
        stream = Stream()
        records: list[Record] = []
        while len(records) < 6:
            records += stream.feed(connection.recv(4096))
    said = [(record.kind, record.number) for record in records[1:]]
    assert said == [(wire.FAILED, 3), (wire.FAILED, 4)] + [(wire.SENT, n) for n in range(3)]


def test_the_entry_point_names_the_interface() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["can.interface"]["muptane"].partition(":")
    assert getattr(import_module(module), name) is MuptaneBus


def test_a_port_in_use_is_a_sentence(vehicle: Running) -> None:
    port = vehicle.channel.split(":")[1]
    done = run("vehicle", "run", "--port", port, "--nodes", "cpython")
    assert done.returncode == 2
    assert f"127.0.0.1:{port} is in use" in words(done.stderr)
    assert "--port 0" in words(done.stderr)


def test_ctrl_c_and_time_end_a_vehicle_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    running = Running("--unix", str(path), "--nodes", "cpython")
    with MuptaneBus(running.channel) as bus:
        assert bus.recv(3) is not None
        assert running.end() == 0
        with pytest.raises(can.CanOperationError, match="was closed; join the bus again"):
            heard(bus, 1)
    assert "bus load" in running.printed
    assert not path.exists()
    done = run("vehicle", "run", "--port", "0", "--nodes", "cpython", "--seconds", "0.5")
    assert done.returncode == 0
    assert "0.5 s, " in done.stdout


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MUPTANE, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def words(text: str) -> str:
    """What typer says, without its box."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())
