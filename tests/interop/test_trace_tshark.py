"""A whole flash sequence by udsoncan over can-isotp: tshark reads its trace, and odxtools decodes
every message of it with the PDX of the ECU."""

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import can
import odxtools
import pytest
from foreign import Running, attach, update
from test_foreign_stack import DOOR, IMAGE_BYTES, director, wait_for_release

from muptane.bench.join.plugin import MuptaneBus
from muptane.odx import write_pdx

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


def messages(trace: Path, can_id: int) -> list[bytes]:
    """The ISO-TP messages of one identifier, put together from their frames (ISO 15765-2)."""
    found, held, length = [], b"", 0
    with can.LogReader(trace) as reader:
        for frame in reader:
            data = bytes(frame.data)
            if frame.arbitration_id != can_id:
                continue
            if data[0] >> 4 == 0:
                found.append(data[1 : 1 + data[0]])
            elif data[0] >> 4 == 1:
                held, length = data[2:], (data[0] & 0xF) << 8 | data[1]
            elif data[0] >> 4 == 2:
                held += data[1:]
                if len(held) >= length:
                    found.append(held[:length])
    return found


def test_odxtools_decodes_every_message_with_our_pdx(diagnostic: Path, tmp_path: Path) -> None:
    write_pdx(tmp_path / "door.pdx", "door", "")
    database = odxtools.load_pdx_file(str(tmp_path / "door.pdx"))
    door = database.ecus["door"]
    requests = messages(diagnostic, DOOR.request)
    assert len(requests) > 40
    decoded = [door.decode(request) for request in requests]
    assert all(len(one) == 1 for one in decoded)
    again = [bytes(one[0].coding_object.encode(**_values(one[0]))) for one in decoded]
    assert again == requests
    names = {one[0].service.short_name for one in decoded}
    assert names >= {"session_control", "begin_cycle", "ask_wants", "request_download", "install"}
    blocks = [one[0].param_dict for one in decoded if one[0].service.short_name == "transfer_data"]
    assert sum(len(block["block"]) for block in blocks) >= IMAGE_BYTES
    for response in messages(diagnostic, DOOR.response):
        assert door.decode(response), response.hex()


def _values(message: Any) -> dict[str, Any]:
    """What a message says, without what it always says."""
    return {
        name: value
        for name, value in message.param_dict.items()
        if name not in ("service_id", "control", "routine", "identifier")
        and name != "address_and_length_format"
    }
