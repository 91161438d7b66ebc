"""`muptane`: Uptane for microcontrollers, and the bench around them.

This module only gathers the nouns; each has a file of its own beside it.
"""

from __future__ import annotations

import typer

from muptane.cli import attack, demo, measure, vehicle

app = typer.Typer(
    name="muptane",
    help="Uptane for microcontrollers: ECUs that update over CAN, and the bench around them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.run)
app.add_typer(attack.app, name="attack")
app.add_typer(measure.app, name="measure")
app.add_typer(vehicle.app, name="vehicle")
