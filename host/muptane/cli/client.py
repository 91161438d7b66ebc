"""`muptane client`: the verifier as a black box, driven as the published suites of TUF clients do.

Exit code 0: done; 1: refused, or a repository cannot be reached; 2: it was called wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from muptane.bench import firmware
from muptane.tufjson.client import Client, Ecu
from muptane.tufjson.fetch import Unreachable
from muptane.tufjson.images import Unwritable
from muptane.tufjson.pipe import Silent
from muptane.tufjson.sentences import say
from uptane.errors import Refusal
from uptane.ids import DIRECTOR, IMAGE

app = typer.Typer(no_args_is_help=True)


@dataclass
class Told:
    """The options that stand before the command."""

    client: Client
    ecu: Ecu | None
    metadata_url: str
    target: tuple[str, str, Path] | None
    director_root: Path | None


@app.callback()
def options(
    context: typer.Context,
    metadata_dir: Annotated[Path, typer.Option(help="where trusted metadata is kept")],
    metadata_url: Annotated[str, typer.Option(help="where the repository has its metadata")] = "",
    director_url: Annotated[
        str, typer.Option(help="where the Director has its metadata: full Uptane verification")
    ] = "",
    director_root: Annotated[
        Path | None, typer.Option(help="init: the Director's trusted Root")
    ] = None,
    target_name: Annotated[str, typer.Option(help="download: the path of the target")] = "",
    target_base_url: Annotated[str, typer.Option(help="download: where the targets are")] = "",
    target_dir: Annotated[Path | None, typer.Option(help="download: where it goes")] = None,
    ecu: Annotated[
        str, typer.Option(help="the ECU that asks the Director; if not said, any that it names")
    ] = "",
    hardware: Annotated[str, typer.Option(help="the hardware id of that ECU")] = "",
    vehicle: Annotated[
        str, typer.Option(help="the vehicle id that the Director has to name")
    ] = "",
    nodes: Annotated[
        str, typer.Option(help="cpython, or micropython: which interpreter decides")
    ] = "cpython",
) -> None:
    """A TUF client, and an Uptane client of two JSON repositories, on the device's decisions.

    Exit code 0: done; 1: refused, or a repository cannot be reached or a file not be written, with
    one sentence on stderr; 2: called wrongly.
    """
    if nodes not in ("cpython", "micropython"):
        raise typer.BadParameter(f"--nodes is micropython or cpython, not {nodes!r}")
    if nodes == "micropython" and not firmware.available():
        raise typer.BadParameter("there is no MicroPython wheel for this machine")
    if ecu and not hardware:
        raise typer.BadParameter("--ecu needs --hardware")
    for said in (target_name, target_base_url, ecu, hardware, vehicle):
        if not _is_text(said):
            raise typer.BadParameter(f"{said!r} is no text in UTF-8")
    addresses = {IMAGE: metadata_url}
    asked = None
    if director_url or director_root is not None:
        addresses[DIRECTOR] = director_url
        asked = Ecu(ecu or None, hardware or None, vehicle or None)
    target = None
    if target_name and target_base_url and target_dir is not None:
        target = (target_name, target_base_url, target_dir)
    client = Client(metadata_dir, addresses, nodes)
    context.obj = Told(client, asked, metadata_url, target, director_root)


@app.command()
def init(
    context: typer.Context, root: Annotated[Path, typer.Argument(help="the trusted Root")]
) -> None:
    """Begin to trust a Root (with --director-root: and a Director's); nothing is fetched."""
    told: Told = context.obj
    if told.ecu is not None and told.director_root is None:
        raise typer.BadParameter("say --director-root: the Director's trusted Root")
    with Verdict(told.ecu is not None):
        told.client.begin(root, told.director_root)


@app.command()
def refresh(context: typer.Context) -> None:
    """Bring the trusted metadata to its newest."""
    told = _online(context)
    with Verdict(told.ecu is not None):
        told.client.refresh(None, told.ecu)


@app.command()
def download(context: typer.Context) -> None:
    """Refresh, then bring a target and verify it."""
    told = _online(context)
    if told.target is None:
        raise typer.BadParameter("say --target-name, --target-base-url and --target-dir")
    with Verdict(told.ecu is not None):
        told.client.download(*told.target, told.ecu)


class Verdict:
    """Ends the program with 1 and a sentence if what is within it is refused."""

    def __init__(self, is_uptane: bool) -> None:
        self._is_uptane = is_uptane

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refusal):
            typer.echo(say(error, self._is_uptane), err=True)
            raise typer.Exit(1) from error
        if isinstance(error, OSError) and error.strerror:
            typer.echo(f"{error.filename or 'a file'}: {error.strerror}", err=True)
            raise typer.Exit(1) from error
        if isinstance(error, Unreachable | Unwritable | Silent):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error


def _is_text(said: str) -> bool:
    try:
        said.encode()
    except UnicodeEncodeError:
        return False
    return True


def _online(context: typer.Context) -> Told:
    told: Told = context.obj
    if not told.metadata_url:
        raise typer.BadParameter("say --metadata-url")
    return told
