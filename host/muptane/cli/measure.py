"""`muptane measure`: the promises, measured by a command, as rows with unit and target.

Each command prints its rows, writes them as JSON when asked, and ends with exit code 1 if one
misses its target.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from muptane.bench.figures import Figure, code_figures, heap_figures, metadata_figures

app = typer.Typer(help="measure what muptane promises", no_args_is_help=True)
JsonFile = Annotated[Path | None, typer.Option("--json", help="write the rows to this file")]


@app.command()
def metadata(json_file: JsonFile = None) -> None:
    """Bytes of the whole two-repository bundle: 1 ECU updated, 7 images listed, threshold 1."""
    _show(metadata_figures(), json_file)


@app.command()
def code(json_file: JsonFile = None) -> None:
    """Bytes of .mpy that each role imports."""
    _show(code_figures(), json_file)


@app.command()
def heap(json_file: JsonFile = None) -> None:
    """Smallest heap above code for each role, by trying; takes a minute or two."""
    _show(heap_figures(), json_file)


def _show(figures: Sequence[Figure], json_file: Path | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    rows: list[dict[str, Any]] = [figure.row() for figure in figures]
    for row in rows:
        target = "" if row["target"] is None else f"target {row['target']}"
        mark = "" if row["target"] is None else ("ok" if row["ok"] else "MISSED")
        console.print(f"{row['name']:<28}{row['value']:>8} {row['unit']:<8}{target:<16}{mark}")
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2) + "\n")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)
