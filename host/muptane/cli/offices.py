"""Where the office is that a command works on, and how it is opened.

`looking` opens the inventory, which needs no keys; `at_work` the whole office, on which one
command at a time works. A folder that is no office, or in use, is a wrong argument.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from muptane.cli import asking
from muptane.oem.inventory import Inventory
from muptane.oem.office import Office
from muptane.oem.premises import Premises

OfficeOption = Annotated[
    Path,
    typer.Option("--office", envvar="MUPTANE_OFFICE", file_okay=False, help="that `init` made"),
]
HERE = Path(".")


def now() -> int:
    return int(time.time())


def check(folder: Path) -> None:
    if not (folder / "keys").is_dir():
        raise typer.BadParameter(
            f"{folder} is not an office; say --office, or make one with `muptane oem init`"
        )


@contextmanager
def looking(folder: Path) -> Iterator[Inventory]:
    """To look at: it needs no keys."""
    check(folder)
    inventory = Premises(folder).inventory()
    try:
        yield inventory
    finally:
        inventory.close()


@contextmanager
def at_work(folder: Path, passphrase_file: Path | None) -> Iterator[Office]:
    """The office, which nobody else works on meanwhile. BadParameter."""
    check(folder)
    secret = asking.passphrase(passphrase_file, new=False)
    with (folder / "office.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise typer.BadParameter(
                f"another command works on {folder}; wait until it has ended"
            ) from fault
        office = Office.open(now, Premises(folder, secret))
        try:
            yield office
        finally:
            office.close()
