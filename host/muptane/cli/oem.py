"""`muptane oem`: a back office in a folder.

This module only gathers the acts; each group has a file of its own beside it (`serving`).
"""

from __future__ import annotations

import typer

from muptane.cli import serving

app = typer.Typer(help="a back office in a folder", no_args_is_help=True)


@app.callback()
def oem() -> None:
    """A back office in a folder."""


app.add_typer(serving.app)
