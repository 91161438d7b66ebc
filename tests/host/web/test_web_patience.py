"""Clients that stall: the server is patient with each for a while, and there for all others."""

import select
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from served import CBOR, Shop, problem, running

from muptane.oem.fields import sha256
from muptane.oem.web.connection import Patience

HURRIED = Patience(head_s=0.3, stall_s=0.3, body_s=0.3, rest_s=1.0)
LARGE = bytes(24 * 1024 * 1024)  # more than sockets hold between two programs
WAIT_S = 20


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.office.release_image(8, LARGE, [20], 3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[Any]:
    with running(shop.folder, patience=HURRIED) as made:
        yield made


def called(server: Any, *sent: bytes) -> socket.socket:
    """A connection on which that was said; it hears for WAIT_S at most."""
    made = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
    for piece in sent:
        made.sendall(piece)
    return made


def heard(line: socket.socket) -> bytes:
    """Everything until the server hangs up."""
    said = b""
    while piece := line.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize(
    "sent",
    [
        (),
        (b"G",),
        (b"GET /v1/2/timestamp.cbor HTTP/1.1\r\nHost: x\r\nX-", b"y"),
        (b"GET /v1/2/timestamp.cbor HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1"),
    ],
)
def test_half_a_request_is_not_waited_for(server: Any, sent: tuple[bytes, ...]) -> None:
    """E-20: a first one or a second one on the same line."""
    with called(server, *sent) as line:
        said = heard(line)
    assert said.count(b"HTTP/1.1 200") == int(len(sent) == 2 and sent[0].endswith(b"\r\n\r\n"))


def test_a_body_that_does_not_come_is_not_waited_for(server: Any, shop: Shop) -> None:
    """E-20: and it is said why."""
    token = shop.token["VIN1"].encode()
    head = (
        b"POST /v1/vehicles/VIN1/manifest HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
        b"Content-Type: application/cbor\r\nAuthorization: Bearer " + token + b"\r\n\r\nabc"
    )
    with called(server, head) as line:
        said = heard(line)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"did not come within 0.3 s" in said
    assert shop.office.director.oddities() == []


def test_a_request_that_breaks_off_costs_nothing(server: Any, shop: Shop) -> None:
    """R-34: half a manifest is none."""
    head = b"POST /v1/vehicles/VIN1/manifest HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
    called(server, head + b"\r\nabc").close()
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/v1/2/timestamp.cbor").is_success
    assert shop.office.director.oddities() == []


def test_who_does_not_read_holds_up_nobody(server: Any, shop: Shop) -> None:
    """E-20: a dozen of them, until the server hangs up on each; others are served."""
    path = f"/v1/2/{sha256(LARGE).hex()}.8"
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    lines = [called(server, request) for _ in range(12)]
    poll = select.poll()
    for line in lines:
        poll.register(line, 0)  # tells of a hang-up only
    with httpx.Client(base_url=server.url, headers=shop.authority()) as client:
        done = client.post(
            "/v1/vehicles/VIN1/manifest", content=shop.signed(shop.vehicles[0]), headers=CBOR
        )
        assert done.status_code == 201
        assert client.get(path).content == LARGE
    while lines:
        gone = [number for number, _ in poll.poll(WAIT_S * 1000)]
        assert gone, "the server waits for ever"
        for line in [line for line in lines if line.fileno() in gone]:
            poll.unregister(line)
            line.close()
            lines.remove(line)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 this is TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_the_conversation(server: Any, sent: bytes) -> None:
    """E-60, E-19."""
    with called(server, sent) as line:
        said = heard(line)
    assert said.startswith(b"HTTP/1.1 4"), said[:60]


def test_problems_tell_no_more_than_they_must(server: Any) -> None:
    """R-32: not even what serves."""
    with httpx.Client(base_url=server.url) as client:
        found = client.get("/v1/2/nothing")
    problem(found, 404)
    assert "server" not in found.headers
