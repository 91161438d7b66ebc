"""`muptane client` and servers that take their time, or are in trouble."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tuf_customer import opened
from tuf_shop import Shop

from muptane.tufjson.client import Client
from muptane.tufjson.connections import Opener
from muptane.tufjson.fetch import Budget, Patience, Unreachable, fetch
from uptane import errors
from uptane.ids import IMAGE

Answer = Callable[[socket.socket], None]
HEAD = b"HTTP/1.0 200 OK\r\n"


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The address of a server that treats one connection so, until whoever asked leaves."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                try:
                    answer(connection)
                except OSError:
                    pass  # it has left

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/file"
        thread.join()


def is_left(connection: socket.socket, within_s: float) -> bool:
    """Wait for whoever asked to go away."""
    connection.settimeout(within_s)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


def drip(connection: socket.socket, begin: bytes, drop: bytes) -> None:
    connection.sendall(begin)
    for _ in range(1000):
        connection.sendall(drop)
        if is_left(connection, 0.02):
            return


DRIPS = {
    "status": (b"", b"H"),
    "one header": (HEAD, b"X"),
    "headers": (HEAD, b"X: y\r\n"),
    "body": (HEAD + b"\r\n", b"X"),
    "chunks": (HEAD.replace(b".0", b".1") + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nX\r\n"),
}


@pytest.mark.parametrize("what", DRIPS)
def test_a_file_has_its_time_and_no_more(what: str) -> None:
    """E-03: wherever in an answer the bytes trickle; each comes long before a wait is too long."""
    begun = time.monotonic()
    with answering(lambda connection: drip(connection, *DRIPS[what])) as address:
        with pytest.raises(Unreachable):
            fetch(address, 1_000_000, Opener(quiet_s=5, until=begun + 0.4))
        assert 0.3 < time.monotonic() - begun < 5


def silent(connection: socket.socket) -> None:
    is_left(connection, 20)


def test_a_server_that_says_nothing_is_left() -> None:
    """E-03: long before the time of the file is over."""
    begun = time.monotonic()
    with answering(silent) as address:
        with pytest.raises(Unreachable, match="timed out"):
            fetch(address, 1000, Opener(quiet_s=0.2, until=begun + 100))
        assert time.monotonic() - begun < 5


def test_what_is_not_http_is_not_opened(tmp_path: Path) -> None:
    """E-03: for it has no such bounds."""
    (tmp_path / "file").write_bytes(b"here")
    with pytest.raises(Unreachable, match="unknown url type"):
        fetch((tmp_path / "file").as_uri(), 1000, Opener(1, time.monotonic() + 1))


class Holding(dict[str, bytes]):
    """Serves every file at once, but for one, which it holds back until `given_up`."""

    def __init__(self, files: dict[str, bytes], held: str) -> None:
        super().__init__(files)
        self._held = held
        self.given_up = threading.Event()

    def get(self, name: str, otherwise: object = None) -> bytes | None:  # type: ignore[override]
        if name == self._held:
            self.given_up.wait(20)
        return super().get(name)


def test_a_refresh_has_its_time_and_no_more(tmp_path: Path) -> None:
    """E-03, T-23: long before the time of a file is over; the next one goes on from there."""
    shop = Shop()
    first = shop.raws["1.root.json"]
    for _ in range(5):
        shop.publish("root")
    shop.raws = Holding(shop.raws, "4.root.json")
    with opened(tmp_path, shop=shop) as (shop, customer):
        customer.begin(first)
        client = Client(customer.metadata, {IMAGE: f"{customer.address}/metadata"},
                        patience=Patience(quiet_s=100, file_s=100, refresh_s=2))  # fmt: skip
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            client.refresh()
        assert 1.9 < time.monotonic() - begun < 15
        assert customer.has("root") == 3
        shop.raws.given_up.set()
        customer.refresh()
        assert customer.has("root") == 6


def test_a_refresh_whose_time_is_over_asks_for_no_further_file() -> None:
    """E-03: and says so."""
    with pytest.raises(Unreachable, match="given up after 0 s"):
        Budget(Patience(refresh_s=0)).for_file()


def status(connection: socket.socket, code: int) -> None:
    connection.sendall(b"HTTP/1.0 %d Some\r\nContent-Length: 0\r\n\r\n" % code)


@pytest.mark.parametrize("code", [400, 401, 410, 429, 500, 503])
def test_a_server_in_trouble_has_not_said_that_there_is_no_file(code: int) -> None:
    """E-02, V-71: only 404 and 403 end a chain of Roots."""
    with answering(lambda connection: status(connection, code)) as address:
        with pytest.raises(Unreachable, match=str(code)):
            fetch(address, 1000, Opener(5, time.monotonic() + 5))


@pytest.mark.parametrize("code", [403, 404])
def test_a_file_may_be_absent(code: int) -> None:
    """V-71"""
    with answering(lambda connection: status(connection, code)) as address:
        assert fetch(address, 1000, Opener(5, time.monotonic() + 5)) is None


def test_a_chain_of_roots_does_not_end_where_the_server_is_in_trouble(tmp_path: Path) -> None:
    """E-02, V-71: an old set is not taken for the newest because of a 500; it is refused."""
    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        shop.publish("root")
        shop.trouble = 500
        with pytest.raises(Unreachable, match="500"):
            customer.refresh()
        assert customer.has("root") == 1
        shop.trouble = 0
        customer.refresh()
        assert customer.has("root") == 2
        shop.raws.pop("timestamp.json")
        customer.refuses(errors.Withheld)
