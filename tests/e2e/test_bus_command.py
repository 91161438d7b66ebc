"""`muptane bus run`: noise, traces, who is alone on a bus, and what it does not take."""

import time
from pathlib import Path

import can
import pytest
from foreign import Running, heard
from kinds import EVERY_KIND, classic, facts
from test_joined_bus import run, words

from muptane.bench.join.plugin import MuptaneBus


def test_a_noisy_bus_destroys_frames_and_loses_none(tmp_path: Path) -> None:
    trace = tmp_path / "noise.log"
    noisy = ("--bit-errors", "0.001", "--seed", "3", "--trace", str(trace))
    with Running("--port", "0", *noisy, noun="bus") as running:
        with (
            MuptaneBus(running.channel) as one,
            MuptaneBus(running.channel, receive_errors=True) as other,
        ):
            for number in range(100):
                one.send(classic(0x100 + number, bytes(8)), timeout=5)
            got = heard(other, 0.2)
        assert running.end() == 0
    errors = [message for message in got if message.is_error_frame]
    frames = [message.arbitration_id for message in got if not message.is_error_frame]
    assert frames == list(range(0x100, 0x100 + 100))
    assert 3 < len(errors) < 40
    assert f"{len(errors)} frames destroyed" in running.printed
    lines = trace.read_text().splitlines()
    assert len(lines) == 100 + len(errors)


@pytest.mark.parametrize("suffix", [".log", ".asc", ".blf"])
def test_a_trace_holds_what_passed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"trace{suffix}"
    options = ("--data-bitrate", "2000000", "--trace", str(path))
    with Running("--port", "0", *options, noun="bus") as running:
        with MuptaneBus(running.channel), MuptaneBus(running.channel) as one:
            for message in EVERY_KIND:
                one.send(message)
            one.flush_tx_buffer()
        assert running.end() == 0
    with can.LogReader(path) as reader:
        read = list(reader)
    for message in read:
        if message.is_remote_frame and suffix == ".log":
            message.dlc = 5  # python-can does not write it there
    assert [facts(message) for message in read] == [facts(message) for message in EVERY_KIND]
    times = [message.timestamp for message in read]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--trace", "x.pcap"), "a trace is .log, .asc, .blf, by its name"),
        (("--trace", "/nowhere/x.log"), "choose another file"),
        (("--bit-errors", "1.5"), "rate 1.5 is 0 to less than 1"),
        (("--data-bitrate", "100000"), "--data-bitrate 100000 is below --bitrate 500000"),
        (("--slcan", "70000"), "a port is 0 to 65535"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: tuple[str, ...], why: str) -> None:
    done = run("bus", "run", "--port", "0", *arguments)
    assert done.returncode == 2
    assert why in words(done.stderr)


def test_the_clock_of_an_idle_bus_goes_on() -> None:
    """Nothing is late after silence, and the first frame is told like all others."""
    with Running("--port", "0", "--socketcand", "0", noun="bus") as running:
        time.sleep(3)
        at = {"host": "127.0.0.1", "port": running.port("socketcand")}
        with can.Bus(interface="socketcand", channel="can0", **at) as theirs:
            time.sleep(0.1)
            with MuptaneBus(running.channel) as one:
                one.send(classic(0x123))
                [got] = heard(theirs, 0.3)
        assert running.end() == 0
    assert got.timestamp - 1_767_225_600 > 3
    assert "stood still" not in running.printed


def test_who_leaves_alone_is_not_waited_for() -> None:
    """Nobody acknowledges: its frame is tried for a second, and given up."""
    with Running("--port", "0", noun="bus") as running:
        with MuptaneBus(running.channel, send_timeout_s=0.1) as one:
            one.send(classic(0x123))
        time.sleep(3)
        with MuptaneBus(running.channel) as one, MuptaneBus(running.channel) as other:
            one.send(classic(0x124))
            assert [message.arbitration_id for message in heard(other, 0.2)] == [0x124]
