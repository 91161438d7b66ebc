"""A feeder and tester in real time: udsoncan over can-isotp, on any bus of python-can.

It brings an ECU what it wants, over a diagnostic stack that nobody here wrote, so that a real
board on a real adapter takes an update from this computer, and our device's stack always also
talks to somebody else's. It decides nothing and holds no key: `find` knows the files. Whatever
fails names its layer, the identifiers, and what to try next.

It does not do virtual time (`muptane.bench.station`) and runs one conversation at a time.
Rules: V-32, S-37, S-38.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import can
import cbor2
import isotp
import udsoncan
from udsoncan import exceptions as uds
from udsoncan.client import Client
from udsoncan.connections import PythonIsoTpConnection

from muptane.identifiers import EXTENDED, EXTENDED_MAX, spelled
from muptane.refusals import explain
from uptane import ids
from uptane.uds.codes import (
    ANSWER_ABSENT,
    ANSWER_TAKEN,
    RID_ANSWER,
    RID_CYCLE,
    RID_INSTALL,
    RID_WANTS,
    SESSION_DEFAULT,
    SESSION_PROGRAMMING,
    WANTS_FILE,
    WANTS_INSTALL,
    WANTS_LATER,
    WANTS_REFUSED,
)

# ISO-TP as a tester sets it: whole messages, as fast as the receiver likes.
PARAMETERS = {"blocking_send": True, "blocksize": 0, "stmin": 0, "tx_padding": 0xCC}
LOCAL_REPORT = bytes((ids.LOCAL, ids.KIND_REPORT))
ANSWER_S = 5
PENDING_S = 10
PATIENCE_S = 300.0  # of an ECU that says later

Find = Callable[[bytes, Any], bytes | None]
Told = Callable[[bytes, int | None], None]


# What they log is told as Failed, once.
LOGGER = "muptane.tester"
for name in (LOGGER, "isotp"):
    logging.getLogger(name).addHandler(logging.NullHandler())


class Failed(Exception):
    """It did not work; the message says in which layer, and what to try next."""


class Raw(udsoncan.DidCodec):
    """A data identifier as its bytes, however many."""

    def encode(self, *value: Any) -> bytes:
        return bytes(value[0])

    def decode(self, raw: bytes) -> bytes:
        return bytes(raw)

    def __len__(self) -> int:
        raise udsoncan.DidCodec.ReadAllRemainingData


def configuration(**changes: Any) -> Any:
    """udsoncan's own, but for patience (P2 would measure how busy this computer is), and with
    file numbers of six bytes for addresses."""
    config: dict[str, Any] = dict(udsoncan.configs.default_client_config)
    config |= {
        "logger_name": LOGGER,
        "use_server_timing": False,
        "p2_timeout": ANSWER_S,
        "p2_star_timeout": PENDING_S,
        "request_timeout": None,
        "data_identifiers": {"default": Raw()},
        "server_address_format": 48,
        "server_memorysize_format": 32,
    }
    return config | changes


@contextmanager
def attached(
    bus: can.BusABC, link: tuple[int, int], complain: Callable[[Exception], None], **changes: Any
) -> Iterator[Client]:
    """udsoncan's client of the ECU that hears and answers under `link`. `complain` is told what
    can-isotp has to say; `changes`: parameters of can-isotp."""
    wide = link[0] & EXTENDED
    mode = isotp.AddressingMode.Normal_29bits if wide else isotp.AddressingMode.Normal_11bits
    tx_id, rx_id = (can_id & EXTENDED_MAX for can_id in link)
    address = isotp.Address(mode, txid=tx_id, rxid=rx_id)
    params = PARAMETERS | changes
    stack = isotp.CanStack(bus, address=address, error_handler=complain, params=params)
    with Client(PythonIsoTpConnection(stack), config=configuration()) as client:
        yield client


class Tester:
    """A conversation with one ECU. All of it raises Failed."""

    def __init__(self, client: Client, link: tuple[int, int], complaints: list[Exception]) -> None:
        self._client = client
        self._link = f"requests {spelled(link[0])}, responses {spelled(link[1])}"
        self._complaints = complaints

    def read(self, did: int) -> bytes:
        """ReadDataByIdentifier."""
        with self._named(f"reading {did:04X}"):
            value: bytes = self._client.read_data_by_identifier_first(did)
            return value

    def bring(self, find: Find, told: Told = lambda file, size: None) -> bool:
        """A cycle of the ECU: everything that it wants, out of `find(file number, detail)`, which
        is also given the report, as its detail. `told(file number, bytes or None)` hears of each.
        True: it has verified an image, to be installed."""
        with self._named("a cycle"):
            self._client.change_session(SESSION_PROGRAMMING)
            status(self._client, RID_CYCLE)
            end_s = time.monotonic() + PATIENCE_S
            while True:
                answer = status(self._client, RID_WANTS)
                if answer[0] == WANTS_LATER:
                    time.sleep(int.from_bytes(answer[1:3], "big") / 1000)
                    if time.monotonic() > end_s:
                        raise Failed(f"the ECU has said later for {PATIENCE_S:.0f} s: reset it")
                elif answer[0] == WANTS_FILE:
                    told(*serve(self._client, answer[1:], find))
                elif answer[0] == WANTS_REFUSED:
                    raise Failed(f"the ECU refused: {explain(answer[1])}")
                else:
                    return answer[0] == WANTS_INSTALL

    def install(self) -> None:
        """Try what was verified; the ECU resets after it has answered."""
        with self._named("the installation"):
            status(self._client, RID_INSTALL)

    def leave(self) -> None:
        """Back to the default session: the application may run again."""
        with self._named("leaving"):
            self._client.change_session(SESSION_DEFAULT)

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Say of whatever fails here which layer it was."""
        del self._complaints[:]
        try:
            yield
        except uds.NegativeResponseException as error:
            name = error.response.code_name
            why = f"UDS: {what}: the ECU answered {name} ({error.response.code:02X})"
            raise Failed(f"{why}; {self._link}") from error
        except uds.TimeoutException as error:
            said = "; ".join(str(one) for one in self._complaints)
            layer = f"ISO-TP: {said}" if said else "nothing came"
            raise Failed(
                f"{what}: no answer in time: {layer}; {self._link}: is the ECU on, is the bit "
                "rate the bus's, do the identifiers stand in the vehicle's file?"
            ) from error
        except (uds.InvalidResponseException, uds.UnexpectedResponseException) as error:
            raise Failed(f"UDS: {what}: {error}; {self._link}") from error
        except (can.CanError, OSError) as error:
            raise Failed(f"bus: {what}: {error}; is the adapter still there?") from error


def status(client: Client, routine: int, record: bytes = b"") -> bytes:
    """Start a routine; returns its status record. What udsoncan raises."""
    response: Any = client.start_routine(routine, record or None)
    return bytes(response.service_data.routine_status_record)


def serve(client: Client, raw_want: bytes, find: Find) -> tuple[bytes, int | None]:
    """Bring what is wanted; returns its file number, and its bytes, None if it is absent."""
    file, detail, offset, cap, form = cbor2.loads(raw_want)[:5]
    place = udsoncan.MemoryLocation(int.from_bytes(file, "big"), cap)
    if file[:2] == LOCAL_REPORT:
        report = upload(client, place)
        find(file, report)
        status(client, RID_ANSWER, file + bytes((ANSWER_TAKEN,)))
        return file, len(report)
    raw = find(file, detail)
    if raw is None or offset >= len(raw):
        status(client, RID_ANSWER, file + bytes((ANSWER_ABSENT,)))
        return file, None
    download(client, file, raw[offset:], form)
    return file, len(raw)


def download(client: Client, file: bytes, raw: bytes, form: int = 0) -> None:
    """RequestDownload, TransferData, RequestTransferExit."""
    place = udsoncan.MemoryLocation(int.from_bytes(file, "big"), len(raw))
    kind = udsoncan.DataFormatIdentifier(form >> 4, form & 15)
    opened: Any = client.request_download(place, kind)
    room = opened.service_data.max_length - 2
    for index, at in enumerate(range(0, len(raw), room)):
        client.transfer_data((index + 1) & 0xFF, raw[at : at + room])
    client.request_transfer_exit()


def upload(client: Client, place: udsoncan.MemoryLocation) -> bytes:
    """RequestUpload, TransferData, RequestTransferExit."""
    client.request_upload(place)
    raw = b""
    while len(raw) < place.memorysize:
        counter = len(raw) // 256 + 1
        moved: Any = client.transfer_data(counter & 0xFF)
        raw += moved.service_data.parameter_records
    client.request_transfer_exit()
    return raw
