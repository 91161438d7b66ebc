"""`muptane migrating`: an inventory of an older program becomes one of today (R-17, R-32).

For the person who runs the database; services only open it, and refuse one of another schema.
Exit code 1: nothing was done, and the sentence says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from muptane.oem import migrating, privileges
from muptane.oem.errors import WrongSchema

app = typer.Typer(help="look after the inventory's database", no_args_is_help=True)
Url = Annotated[str, typer.Argument(help="sqlite:///FILE or postgresql://USER@HOST/NAME")]


@app.command()
def up(url: Url) -> None:
    """Bring an inventory to the schema of this program, or make a new one. Copy it before."""
    with _told():
        before, after = migrating.migrate(url)
        print(f"schema {after}, as it was" if before == after else f"schema {before} -> {after}")


@app.command()
def confine(url: Url, role: Annotated[str, typer.Argument(help="of the service")]) -> None:
    """Leave to a role of PostgreSQL what the automatic service needs, and no more."""
    with _told():
        privileges.confine(url, role)
        print(f"{role} may read everything, and append to {', '.join(privileges.APPENDED)}")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except WrongSchema as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from refusal
