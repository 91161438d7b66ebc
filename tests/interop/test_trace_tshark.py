"""A whole flash sequence by udsoncan over can-isotp, its trace read by tshark."""

import random
import shutil
import subprocess
from pathlib import Path

import can
import pytest
from foreign import Running, attach, update
from test_foreign_stack import DOOR, IMAGE_BYTES, director, wait_for_release

from muptane.bench.join.plugin import MuptaneBus

TSHARK = shutil.which("tshark") or "tshark"
DECODE = ("-d", "can.subdissector,iso15765", "-d", "iso15765.subdissector,uds")
BLOCK_BYTES = 1024  # of image in one request of a partial Secondary
EXPECTED = {"0x10", "0x31", "0x34", "0x35", "0x36", "0x37", "0x22"}


def fields(
    trace: Path, *names: str, where: str, decode: tuple[str, ...] = DECODE
) -> list[list[str]]:
    """tshark's columns of the frames that a display filter lets through."""
    columns = [part for name in names for part in ("-e", name)]
    done = subprocess.run(
        [TSHARK, "-r", str(trace), *decode, "-Y", where, "-T", "fields", *columns],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The BLF of a vehicle whose door takes release 2 from udsoncan."""
    folder = tmp_path_factory.mktemp("trace")
    path, image = folder / "flash.blf", folder / "door.bin"
    image.write_bytes(random.Random(20).randbytes(IMAGE_BYTES))
    options = ("--port", "0", "--nodes", "cpython", "--trace", str(path))
    with Running(*options) as vehicle:
        with MuptaneBus(vehicle.channel, name="onlooker") as onlooker:
            find = director(image, onlooker)
            with attach(vehicle.channel, DOOR) as client:
                moved = update(client, find)
        assert max(moved.values()) >= IMAGE_BYTES
        with attach(vehicle.channel, DOOR) as client:
            assert wait_for_release(client, 2)
        assert vehicle.end() == 0
    return path


@pytest.fixture(scope="module")
def diagnostic(trace: Path) -> Path:
    """Its diagnostic frames alone: tshark takes every frame for ISO-TP, or none."""
    path = trace.with_name("diagnostic.blf")
    with can.LogReader(trace) as reader, can.Logger(path) as writer:
        for message in reader:
            if message.arbitration_id in range(0x7E0, 0x7F0):
                writer.on_message_received(message)
    return path


def test_no_packet_is_malformed(trace: Path, diagnostic: Path) -> None:
    assert len(fields(trace, "frame.number", where="can")) > 2000
    assert len(fields(diagnostic, "frame.number", where="iso15765")) > 2000
    for path in (trace, diagnostic):
        decode = DECODE if path is diagnostic else ()
        where = "_ws.malformed or _ws.expert.severity == error"
        assert fields(path, "frame.number", "can.id", where=where, decode=decode) == []


def test_tshark_sees_the_flash_sequence_that_was_played(diagnostic: Path) -> None:
    """Every service of it, the whole image in its blocks, their counters without a gap."""
    seen = fields(diagnostic, "uds.sid", where=f"uds && can.id == {DOOR.request}")
    assert {row[0] for row in seen} >= EXPECTED
    where = f"uds.sid == 0x36 && uds.reply == 0 && can.id == {DOOR.request}"
    rows = fields(diagnostic, "uds.td.block_sequence_counter", where=where)
    counters = [int(row[0], 0) for row in rows]
    blocks = longest_run(counters)
    assert blocks * BLOCK_BYTES >= IMAGE_BYTES > (blocks - 1) * BLOCK_BYTES
    where = f"uds.err.code && can.id == {DOOR.response}"
    refused = fields(diagnostic, "uds.err.code", where=where)
    assert {row[0] for row in refused} <= {"0x78"}


def longest_run(counters: list[int]) -> int:
    """The largest number of blocks of one file: 1, 2, 3, ..."""
    longest = run = 0
    for counter in counters:
        run = run + 1 if counter == run + 1 else 1
        longest = max(longest, run)
    return longest
