"""Doors of the bus: other people's protocols, by other people's clients where pip has one.

A bus without a vehicle runs in real time; everybody on it hears everybody, in whatever language.
"""

import socket
import time
from collections.abc import Iterator

import can
import pytest
from foreign import Running, heard
from kinds import EVERY_KIND, facts

from muptane.bench.join.plugin import MuptaneBus

HI = b"< hi >"


@pytest.fixture(scope="module")
def bus() -> Iterator[Running]:
    doors = ("--socketcand", "0", "--slcan", "0", "--cannelloni", "0")
    fast = ("--bitrate", "500000", "--data-bitrate", "2000000")
    with Running("--port", "0", *doors, *fast, noun="bus") as running:
        yield running


CLASSIC_DATA = [one for one in EVERY_KIND if not one.is_fd and not one.is_remote_frame]


def talk(bus: Running, language: str, said: bytes, quiet_s: float = 0.15) -> bytes:
    """Connect without a client, say that, and take everything that comes until it is quiet."""
    with socket.create_connection(("127.0.0.1", bus.port(language)), 5) as connection:
        connection.settimeout(quiet_s)
        connection.sendall(said)
        return take(connection)


def take(connection: socket.socket) -> bytes:
    got = b""
    try:
        while raw := connection.recv(4096):
            got += raw
    except TimeoutError:
        pass
    return got


# --- frames of every kind -------------------------------------------------------------------


def test_the_python_can_interface_carries_every_kind_of_frame(bus: Running) -> None:
    with MuptaneBus(bus.channel) as one, MuptaneBus(bus.channel, fd=True) as other:
        assert (one.bitrate, one.data_bitrate) == (500_000, 2_000_000)
        assert one.protocol is can.CanProtocol.CAN_FD
        for message in EVERY_KIND:
            one.send(message)
        got = heard(other, 0.2)
    assert [facts(message) for message in got] == [facts(message) for message in EVERY_KIND]
    with MuptaneBus(bus.channel) as one:
        with pytest.raises(can.CanOperationError, match="9 bytes: an FD frame has 0 to 8, 12"):
            one.send(can.Message(arbitration_id=1, is_fd=True, data=bytes(9)))
        assert one.state is can.BusState.ACTIVE
        with pytest.raises(NotImplementedError, match="what its errors made of it"):
            one.state = can.BusState.PASSIVE


def test_slcan_carries_every_kind_of_frame_both_ways(bus: Running) -> None:
    url = f"socket://127.0.0.1:{bus.port('slcan')}"
    with (
        MuptaneBus(bus.channel) as ours,
        can.Bus(interface="slcan", channel=url, sleep_after_open=0.1, timeout=0.05) as theirs,
    ):
        for message in EVERY_KIND:
            theirs.send(message)
        assert [facts(one) for one in heard(ours, 0.3)] == [facts(one) for one in EVERY_KIND]
        for message in EVERY_KIND:
            ours.send(message)
        got = [one for one in heard(theirs, 0.5) if one.arbitration_id]
    assert [facts(one) for one in got] == [facts(one) for one in EVERY_KIND]


def test_socketcand_carries_classic_data_frames_both_ways(bus: Running) -> None:
    at = {"host": "127.0.0.1", "port": bus.port("socketcand")}
    with (
        MuptaneBus(bus.channel) as ours,
        can.Bus(interface="socketcand", channel="can0", **at) as theirs,
    ):
        for message in CLASSIC_DATA:
            theirs.send(message)
        assert [facts(one) for one in heard(ours, 0.3)] == [facts(one) for one in CLASSIC_DATA]
        for message in EVERY_KIND:  # what the protocol has no words for is left out
            ours.send(message)
        got = heard(theirs, 0.3)
    assert [facts(one) for one in got] == [facts(one) for one in CLASSIC_DATA]
    assert got[0].timestamp < got[1].timestamp < got[2].timestamp


def test_cannelloni_carries_every_kind_of_frame_both_ways(bus: Running) -> None:
    """As its authors' own: identifier, length, flags of FD, data."""
    frames = [
        "00000123 03 010203",
        "00000124 00",
        "40000125 05",
        "00000126 c0 01" + bytes(range(64)).hex(),
        "00000127 83 00 616263",
        "98da10f1 08 3132333435363738",
        "98da10f2 8c 01" + bytes(12).hex(),
    ]
    raw = b"".join(bytes.fromhex(one) for one in frames)
    with MuptaneBus(bus.channel) as ours:
        assert talk(bus, "cannelloni", b"CANNELLONIv1" + raw) == b"CANNELLONIv1"
        assert [facts(one) for one in heard(ours, 0.1)] == [facts(one) for one in EVERY_KIND]
        with socket.create_connection(("127.0.0.1", bus.port("cannelloni")), 5) as connection:
            connection.settimeout(0.15)
            for at in range(0, 12, 5):  # however it is cut
                connection.sendall(b"CANNELLONIv1"[at : at + 5])
            assert connection.recv(12) == b"CANNELLONIv1"
            time.sleep(0.05)
            for message in EVERY_KIND:
                ours.send(message)
            assert take(connection) == raw


# --- what is not understood -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"V\rN\rF\r", b"V1013\rN0001\rF00\r"),
        (b"S6\rC\r", b"\r\r"),
        (b"S4\r", b"\a"),  # another rate than the bus has
        (b"Y2\rY5\rY0\r", b"\r\a\r"),
        (b"t1230\r", b"\a"),  # the channel is shut
        (b"O\rt1230\rT000001230\r", b"\rz\rZ\r"),
        (b"O\rO\r", b"\r\a"),
        (b"L\rt1230\r", b"\r\a"),
        (b"O\rC\rt1230\r", b"\r\r\a"),
        (b"O\rt80001\r", b"\r\a"),  # an identifier of more than 11 bits
        (b"O\rt123100112\r", b"\r\a"),  # more data than it says
        (b"O\rtxyz0\rt12\rq\r", b"\r\a\a\a"),
        (b"O\rr1239\r", b"\r\a"),
        (b"\r\n\rV\r\n", b"V1013\r"),
    ],
)
def test_slcan_answers_as_the_device_does(bus: Running, said: bytes, answer: bytes) -> None:
    with MuptaneBus(bus.channel):  # somebody acknowledges
        assert talk(bus, "slcan", said, 0.1) == answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"< echo >", HI + b"< echo >"),
        (b"< open can0 >< rawmode >", HI + b"< ok >< ok >"),
        (b"< rawmode >", HI + b"< error open a bus first: < open can0 > >"),
        (b"< open >", HI + b"< error open one bus, once: < open can0 > >"),
        (b"< open a >< open b >", HI + b"< ok >< error open one bus, once: < open can0 > >"),
        (b"GET / HTTP/1.1 >", HI + b"< error a command stands between < and > >"),
        (b"x" * 300, HI + b"< error no > within 256 bytes >"),
        (
            b"< open a >< bcmmode >",
            HI + b"< ok >< error bcmmode is not known: open, rawmode, send and echo are >",
        ),
        (
            b"< open a >< send 123 2 1 >",
            HI + b"< ok >< error send says 2 bytes, and has 1 >",
        ),
        (
            b"< open a >< send 123 x >",
            HI + b"< ok >< error send takes an identifier, a length and its bytes, "
            b"in hexadecimal >",
        ),
        (
            b"< open a >< send 800 0 >",
            HI + b"< ok >< error identifier 0x800 is too large; bit 31 marks one of 29 bits >",
        ),
    ],
)
def test_socketcand_says_what_it_does_not_understand(
    bus: Running, said: bytes, answer: bytes
) -> None:
    assert talk(bus, "socketcand", said, 0.1) == answer


@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\n", b"CANNELLONIv1\0\0\1\x23\x41", b"CANNELLONIv1\x20\0\0\1\0"],
)
def test_who_speaks_no_cannelloni_is_put_out(bus: Running, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", bus.port("cannelloni")), 5) as connection:
        connection.settimeout(2)
        connection.sendall(said)
        assert connection.recv(100) == b"CANNELLONIv1"
        assert connection.recv(100) == b""


# --- back-pressure ---------------------------------------------------------------


def test_a_patient_program_may_send_as_fast_as_it_likes(bus: Running) -> None:
    """Nothing is lost and nothing runs ahead: its connection is read as its frames leave."""
    count = 600
    text = "".join(
        f"< send 155 8 {number >> 8:x} {number & 255:x} 0 0 0 0 0 0 >" for number in range(count)
    )
    with MuptaneBus(bus.channel) as ours:
        with socket.create_connection(("127.0.0.1", bus.port("socketcand")), 5) as connection:
            connection.sendall(b"< open a >" + text.encode())
            got = heard(ours, 0.4)
    numbers = [message.data[0] << 8 | message.data[1] for message in got]
    assert numbers == list(range(count))
    spent = got[-1].timestamp - got[0].timestamp
    assert spent > (count - 1) * 111 / 500_000  # no faster than the wire
