"""What the commands of car maker and supplier share: passphrases, refusals, files to write.

A passphrase comes from a file, from MUPTANE_PASSPHRASE, or is asked for: never from the command
line, which every user of the computer may read. A refusal is printed as what, why, what next, and
ends the command with exit code 1; a wrong argument with 2. It knows nothing of either noun.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from muptane.oem.errors import OemRefusal
from muptane.oem.keystore import Cost
from muptane.oem.next_steps import Steps, explain
from muptane.oem.storage import Disk

PASSPHRASE = "MUPTANE_PASSPHRASE"
PASSPHRASE_BYTES_MAX = 1024

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        exists=True,
        dir_okay=False,
        help=f"its first line opens the keys; else {PASSPHRASE}, else it is asked for",
    ),
]
CostOption = Annotated[
    str,
    typer.Option(
        "--guessing",
        help="what a guess of the passphrase costs: high (a second, 256 MB) or low (to try out)",
    ),
]


def passphrase(file: Path | None, new: bool) -> bytes:
    """Of a key store; a `new` one that is typed is typed twice."""
    if file is not None:
        with file.open("rb") as opened:
            found = opened.read(PASSPHRASE_BYTES_MAX).split(b"\n")[0].rstrip(b"\r")
    else:
        said = os.environ.get(PASSPHRASE)
        if said is None:
            said = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
        found = str(said).encode()
    if not found:
        raise typer.BadParameter("the passphrase is empty; keys on a disk need one")
    return found


def cost_of(said: str) -> Cost:
    """BadParameter."""
    costs = {"high": Cost(), "low": Cost.cheap()}
    if said not in costs:
        raise typer.BadParameter(f"--guessing {said}: say high or low")
    return costs[said]


@contextmanager
def refusing(steps: Steps) -> Iterator[None]:
    """A refusal of the back office, or of the disk, ends the command here. `steps`: what to do
    next, for the side that is at work."""
    try:
        yield
    except OemRefusal as refusal:
        typer.echo(f"Refused: {explain(refusal, steps)}", err=True)
        sys.exit(1)
    except OSError as fault:
        what = fault.strerror or str(fault)
        typer.echo(f"The disk: {fault.filename or 'a file'}: {what}", err=True)
        sys.exit(1)


def write_new(path: Path, content: bytes) -> None:
    """A file that was not there. BadParameter."""
    if path.exists():
        raise typer.BadParameter(f"{path} is there already; remove it, or say another name")
    replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    disk, draft = Disk(), path.with_name(path.name + ".draft")
    disk.write(draft, content)
    disk.replace(draft, path)
