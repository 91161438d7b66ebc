"""The server: a socket, TLS, and uvicorn with what it may hold.

It binds before it runs, so port 0 can be read back, and to 127.0.0.1 unless told otherwise;
without TLS it binds to nothing else, because tokens would travel in the clear. Client certificates
are asked for where a CA for them is named, and never required: the public part needs none. A list
of revoked certificates is not kept: a short life of them is the remedy.
Rules: R-05, R-32, R-33.
"""

import ipaddress
import math
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from muptane.oem.errors import Exposed
from muptane.oem.web.connection import PATIENT, Patience, impatient

CONNECTIONS_MAX = 512
HEAD_BYTES_MAX = 16 * 1024
GOODBYE_S = 3
BACKLOG = 128


class Address(NamedTuple):
    """Where to listen; port 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = 0


HERE = Address()


def tls(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate (PEM, with its chain). `client_ca`: who vouches for
    vehicles. OSError (ssl.SSLError too) if they cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class Server:
    """Serves `app` at an address until it is stopped. Refuses with Exposed; OSError."""

    def __init__(
        self,
        app: ASGIApp,
        address: Address = HERE,
        context: ssl.SSLContext | None = None,
        patience: Patience = PATIENT,
    ) -> None:
        if context is None and not is_loopback(address.host):
            raise Exposed(
                f"without TLS tokens would travel to {address.host} in the clear: "
                "give the server a certificate, or let it listen at 127.0.0.1"
            )
        self._socket = _listening(address)
        host = f"[{address.host}]" if ":" in address.host else address.host
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://{host}:{self.port}"
        made = uvicorn.Config(
            app,
            http=impatient(patience),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            timeout_keep_alive=math.ceil(patience.rest_s),
            timeout_graceful_shutdown=GOODBYE_S,
            ssl_context_factory=None if context is None else lambda config, default: context,
        )
        self._server = uvicorn.Server(made)

    def run(self) -> None:
        """Serve until `stop`; in the main thread, until Ctrl-C or SIGTERM too."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` end, from another thread too: what is under way has a moment left."""
        self._server.should_exit = True


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # with the protocol named, or asyncio sets no TCP_NODELAY and each answer waits 40 ms
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def is_loopback(host: str) -> bool:
    """Does nothing that is sent there leave this computer?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
