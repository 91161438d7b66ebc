"""`muptane gc`: remove from an office what nobody can need any more, and say why.

It only shows what `muptane.oem.garbage` does. A refusal ends with a sentence and exit code 1, a
wrong argument with a sentence and 2.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from muptane.cli.backup import InventoryOption, refusing, standing_at
from muptane.oem import garbage
from muptane.oem.inventory import Inventory
from muptane.oem.storage import DirectoryStore

app = typer.Typer()


@app.command("gc")
def run(
    folder: Annotated[
        Path, typer.Argument(help="the office's folder; nothing publishes there now")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would go, and remove nothing")
    ] = False,
    inventory: InventoryOption = "",
) -> None:
    """Remove metadata that is superseded and has expired, and images that no vehicle runs or is to
    install and nothing lists."""
    console = Console(highlight=False, soft_wrap=True)
    place = standing_at(folder, inventory)
    store, now = DirectoryStore(folder / "images"), int(time.time())
    with refusing(console):
        opened = Inventory(place.inventory)
        try:
            if dry_run:
                with opened.begin() as session:
                    found = garbage.find(store, session, now)
            else:
                found = garbage.remove(store, opened, now)
        finally:
            opened.close()
    for one in found:
        console.print(f"  {escape(one.what):<24} {escape(one.why)}")
    verb = "could be removed" if dry_run else "were removed"
    total = sum(one.bytes for one in found)
    console.print(f"{len(found):,} things of {total:,} bytes {verb}.")
