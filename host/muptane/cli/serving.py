"""`muptane oem serve` and `muptane oem token`: the office over HTTP, and who may ask it.

`serve` runs until Ctrl-C or SIGTERM: exit code 0. `token` prints a new token of a vehicle, once,
and nothing else on the standard output. A wrong argument, a wrong passphrase, a port in use or a
certificate that cannot be read ends with a sentence and exit code 2.
"""

from __future__ import annotations

import signal
import ssl
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from muptane.oem import fleet
from muptane.oem.errors import Exposed, OemRefusal
from muptane.oem.office import Premises
from muptane.oem.web.access import Tokens
from muptane.oem.web.app import Api
from muptane.oem.web.desk import Desk
from muptane.oem.web.server import Address, Server, tls

INVENTORY = "inventory.sqlite"  # what every office in a folder has

app = typer.Typer()

FolderArgument = Annotated[Path, typer.Argument(help="the folder of the office")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        envvar="MUPTANE_PASSPHRASE",
        prompt="Passphrase of the keys",
        hide_input=True,
        help="opens the keys; better asked for, or in the environment, than said here",
    ),
]


@app.command()
def serve(
    folder: FolderArgument,
    passphrase: PassphraseOption,
    host: Annotated[str, typer.Option(help="the address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = 8443,
    tls_cert: Annotated[
        Path | None, typer.Option(help="the server's certificate and its chain, PEM")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="the key of that certificate, PEM")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="who signs certificates of vehicles, PEM")
    ] = None,
) -> None:
    """Serve public files to everybody, and each vehicle its own part."""
    console = Console(highlight=False, soft_wrap=True)
    context = _context(tls_cert, tls_key, client_ca)
    _check_folder(folder)
    try:
        desk = Desk(Premises(folder, passphrase.encode()), lambda: int(time.time()))
    except OemRefusal as refusal:
        raise typer.BadParameter(f"{folder}: {refusal}") from refusal
    try:
        server = Server(Api(desk, Tokens(folder)), Address(host, port), context)
    except Exposed as refusal:
        raise typer.BadParameter(str(refusal)) from refusal
    except OSError as error:
        raise typer.BadParameter(f"{host}:{port}: {error.strerror}; choose another") from error
    console.print(f"[bold]{escape(str(folder))}[/] is served at {server.url}/v1/")
    console.print("Ctrl-C ends it.")
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn ends in good order, then raises again
        signal.signal(number, lambda caught, frame: server.stop())
    try:
        server.run()
    finally:
        desk.close()


@app.command()
def token(
    folder: FolderArgument,
    vin: Annotated[str, typer.Argument(help="a vehicle of the office's inventory")],
    revoke: Annotated[
        bool, typer.Option("--revoke", help="end the token that it has, and make none")
    ] = False,
) -> None:
    """Make a token with which a vehicle shows who it is; the one before ends."""
    _check_folder(folder)
    inventory = Premises(folder).inventory()
    tokens = Tokens(folder)
    try:
        with inventory.begin() as session:
            fleet.ecus_of(session, vin)
        if revoke:
            tokens.revoke(vin, int(time.time()))
        else:
            typer.echo(tokens.make(vin, int(time.time())))
    except OemRefusal as refusal:
        raise typer.BadParameter(f"{refusal}; register it first") from refusal
    finally:
        tokens.close()
        inventory.close()


def _check_folder(folder: Path) -> None:
    if not (folder / INVENTORY).is_file():
        raise typer.BadParameter(f"{folder} has no {INVENTORY}: no office stands there")


def _context(
    certificate: Path | None, key: Path | None, client_ca: Path | None
) -> ssl.SSLContext | None:
    """The server's side of TLS, or None for HTTP. BadParameter."""
    if certificate is None or key is None:
        if (certificate, key, client_ca) != (None, None, None):
            raise typer.BadParameter("--tls-cert and --tls-key go together, and with --client-ca")
        return None
    try:
        return tls(certificate, key, client_ca)
    except OSError as error:
        files = ", ".join(str(file) for file in (certificate, key, client_ca) if file)
        raise typer.BadParameter(f"{files}: {error.strerror or error}") from error
