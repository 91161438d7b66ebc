"""`muptane measure`: the promises, measured by a command, as rows with unit and target.

Each command prints its rows, writes them as JSON when asked, and ends with exit code 1 if one
misses its target.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from muptane.bench.bus_figures import bus_figures
from muptane.bench.figures import Figure, code_figures, heap_figures, metadata_figures
from muptane.measured import table, write_section

BUS = """## Bus

Written by `make measure-bus`. *isotp*, *transfer*, *relay*: of the time that the exact bits of the
first, consecutive and flow control frames take back to back: a message of 4,095 bytes between two
emulated boards; an image of 65,536 bytes from a tester to the gateway, and from there to an ECU,
from the first TransferData to the response to RequestTransferExit, erased before, computing and
flash charged as of `unix`. *isotp_vs_can_isotp*: time of can-isotp by ours, on one modelled bus.
*allocations*, *frames_per_second*: the link alone, on the real MicroPython, both ends in one
process, by the wall clock. *update*: the whole of it in virtual seconds, and its critical path."""

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


@app.command()
def bus(
    json_file: JsonFile = None,
    document: Annotated[bool, typer.Option(help="write them into docs/measured.md")] = False,
) -> None:
    """Shares of the wire's limit that ISO-TP and a transfer reach, and what they cost; takes a
    minute."""
    figures = list(_told(bus_figures()))
    if document:
        rows = [(one.name, str(one.value), one.unit, one.bound()) for one in figures]
        write_section("bus", f"{BUS}\n\n{table(('what', 'value', 'unit', 'target'), rows)}")
    _end(figures, json_file)


def _show(figures: Iterable[Figure], json_file: Path | None) -> None:
    _end(list(_told(figures)), json_file)


def _told(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Print each as it is found."""
    console = Console(highlight=False, soft_wrap=True)
    for one in figures:
        mark = "" if one.target is None else ("ok" if one.met() else "MISSED")
        console.print(f"{one.name:<31}{one.value:>8} {one.unit:<6}{one.bound():<16}{mark}")
        yield one


def _end(figures: Sequence[Figure], json_file: Path | None) -> None:
    """Write the rows, and end with exit code 1 if a target was missed."""
    if json_file is not None:
        try:
            json_file.write_text(json.dumps([one.row() for one in figures], indent=2) + "\n")
        except OSError as error:
            raise typer.BadParameter(str(error)) from error
    if not all(one.met() for one in figures):
        raise typer.Exit(1)
