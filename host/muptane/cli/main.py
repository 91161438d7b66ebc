"""`muptane`: Uptane for microcontrollers, and the bench around them.

This module only gathers the nouns; each has a file of its own beside it, with a Typer called
`app`, and is imported when somebody says it: the bench takes two seconds to import, and `client`
is run by suites hundreds of times.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

NOUNS = (
    "attack", "backup", "bus", "client", "demo", "faults", "gc", "measure", "migrating", "oem",
    "supplier", "vehicle",
)  # fmt: skip


class Nouns(TyperGroup):
    """The commands, each from its module."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """All nouns."""
        return list(NOUNS)

    # click is typer's affair, so its Command has no name here
    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of a noun."""
        if cmd_name not in NOUNS:
            return None
        command = get_command(import_module(f"muptane.cli.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Nouns,
    name="muptane",
    help="Uptane for microcontrollers: ECUs that update over CAN, and the bench around them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def muptane() -> None:
    """Uptane for microcontrollers: ECUs that update over CAN, and the bench around them."""
