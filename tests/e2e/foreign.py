"""A running vehicle in a process of its own, and the tools of others that join its bus.

`Running` starts `muptane vehicle run` as a user does. `attach` is stock udsoncan over stock
can-isotp over the python-can interface; `update` is a feeder of a partial Secondary made of it
alone. Not a test file.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import can
import cbor2
import isotp
import udsoncan
from udsoncan.client import Client
from udsoncan.connections import PythonIsoTpConnection

from muptane.bench import firmware
from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.plan import EcuPlan
from uptane import ids

MUPTANE = [sys.executable, "-c", "from muptane.cli.main import app; app()"]
NODES = "micropython" if firmware.available() else "cpython"
RID_CYCLE, RID_WANTS, RID_ANSWER, RID_INSTALL = 0x0200, 0x0201, 0x0202, 0x0203
WANTS_FILE, WANTS_LATER, WANTS_REFUSED, WANTS_INSTALL = 1, 2, 3, 4
ABSENT, TAKEN = 0, 2
LOCAL_REPORT = bytes((ids.LOCAL, ids.KIND_REPORT))
# ISO-TP as a tester sets it: whole messages, as fast as the receiver likes.
PARAMETERS = {"blocking_send": True, "blocksize": 0, "stmin": 0, "tx_padding": 0xCC}


class Running:
    """A vehicle (or a `bus`) that runs in real time until the context ends; `channel` is where."""

    def __init__(self, *arguments: str, noun: str = "vehicle") -> None:
        self._process = subprocess.Popen(
            [*MUPTANE, noun, "run", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed = ""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed += line
            if line.startswith("Ctrl-C"):
                break
        found = re.search(r"can\.logger -i muptane -c (\S+)", self.printed)
        self.channel = found[1] if found else ""

    def port(self, language: str) -> int:
        """Where programs of another language join."""
        found = re.search(rf"{language}: .*?(?::|port=|-r )(\d+)", self.printed)
        assert found, self.printed
        return int(found[1])

    def __enter__(self) -> "Running":
        assert self.channel, self.printed
        return self

    def end(self) -> int:
        """Ctrl-C; returns the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Until it ends by itself; returns the exit code."""
        rest, _ = self._process.communicate(timeout=20)
        self.printed += rest
        return self._process.returncode

    def __exit__(self, *trace: object) -> None:
        if self._process.poll() is None:
            self.end()


class Raw(udsoncan.DidCodec):
    """A data identifier as its bytes, however many."""

    def encode(self, *value: Any) -> bytes:
        return bytes(value[0])

    def decode(self, raw: bytes) -> bytes:
        return bytes(raw)

    def __len__(self) -> int:
        raise udsoncan.DidCodec.ReadAllRemainingData


def configuration(**changes: Any) -> dict[str, Any]:
    """udsoncan's own, but for patience: P2 is held in virtual time, by the tests of the device;
    here it would measure how busy this computer is."""
    config: dict[str, Any] = dict(udsoncan.configs.default_client_config)
    config |= {
        "use_server_timing": False,
        "p2_timeout": 5,
        "p2_star_timeout": 10,
        "request_timeout": None,
        "data_identifiers": {"default": Raw()},
        "server_address_format": 48,
        "server_memorysize_format": 32,
    }
    return config | changes


@contextmanager
def attach(channel: str, ecu: EcuPlan, **parameters: Any) -> Iterator[Client]:
    """Stock udsoncan, on a bus of its own, that talks to `ecu`. What can-isotp complains about
    fails the test."""
    complaints: list[Exception] = []
    with MuptaneBus(channel, name=f"udsoncan-{ecu.name}") as bus:
        address = isotp.Address(
            isotp.AddressingMode.Normal_11bits, txid=ecu.request, rxid=ecu.response
        )
        stack = isotp.CanStack(
            bus, address=address, error_handler=complaints.append, params=PARAMETERS | parameters
        )
        with Client(PythonIsoTpConnection(stack), config=configuration()) as client:
            yield client
    assert not complaints


def status(client: Client, routine: int, record: bytes = b"") -> bytes:
    """Start a routine; returns its status record."""
    response = client.start_routine(routine, record or None)
    return bytes(response.service_data.routine_status_record)


def update(client: Client, find: Callable[[bytes, Any], bytes | None]) -> dict[bytes, int]:
    """A whole cycle of the ECU behind `client`, and the installation. Returns {file number: bytes
    moved, -1 if absent}."""
    moved, answer = bring(client, find)
    assert answer[0] == WANTS_INSTALL, f"the cycle ended with {answer.hex()}"
    status(client, RID_INSTALL)
    return moved


def bring(
    client: Client, find: Callable[[bytes, Any], bytes | None]
) -> tuple[dict[bytes, int], bytes]:
    """A cycle of the ECU behind `client`: everything that it wants, out of `find(file number,
    detail)`. Returns {file number: bytes moved, -1 if absent} and its last status."""
    moved: dict[bytes, int] = {}
    client.change_session(2)
    status(client, RID_CYCLE)
    while (answer := status(client, RID_WANTS))[0] in (WANTS_FILE, WANTS_LATER):
        if answer[0] == WANTS_LATER:
            continue
        file, detail, offset, cap, form = cbor2.loads(answer[1:])
        place = udsoncan.MemoryLocation(int.from_bytes(file, "big"), cap)
        if file[:2] == LOCAL_REPORT:
            moved[file] = len(upload(client, place))
            status(client, RID_ANSWER, file + bytes((TAKEN,)))
        elif (raw := find(file, detail)) is None:
            moved[file] = -1
            status(client, RID_ANSWER, file + bytes((ABSENT,)))
        else:
            download(client, file, raw[offset:], form)
            moved[file] = len(raw)
    return moved, answer


def download(client: Client, file: bytes, raw: bytes, form: int = 0) -> None:
    """RequestDownload, TransferData, RequestTransferExit."""
    place = udsoncan.MemoryLocation(int.from_bytes(file, "big"), len(raw))
    kind = udsoncan.DataFormatIdentifier(form >> 4, form & 15)
    room = client.request_download(place, kind).service_data.max_length - 2
    for index, at in enumerate(range(0, len(raw), room)):
        client.transfer_data((index + 1) & 0xFF, raw[at : at + room])
    client.request_transfer_exit()


def upload(client: Client, place: udsoncan.MemoryLocation) -> bytes:
    """RequestUpload, TransferData, RequestTransferExit."""
    client.request_upload(place)
    raw = b""
    while len(raw) < place.memorysize:
        counter = len(raw) // 256 + 1
        raw += client.transfer_data(counter).service_data.parameter_records
    client.request_transfer_exit()
    return raw


def slow_sedan(folder: Path) -> Path:
    """The sedan on a bus of 10 kbit/s, where a frame takes longer than a program."""
    text = (firmware.ROOT / "vehicles" / "sedan.toml").read_text()
    file = folder / "slow.toml"
    file.write_text(text.replace("bitrate = 500_000", "bitrate = 10_000"))
    return file


def heard(bus: can.BusABC, seconds: float) -> list[can.Message]:
    """What has come, and what comes within that time."""
    messages = []
    end = time.monotonic() + seconds
    while (message := bus.recv(max(end - time.monotonic(), 0))) is not None:
        messages.append(message)
    return messages
