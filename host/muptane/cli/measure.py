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
from muptane.bench.scale import Extent, oem_figures
from muptane.measured import table, write_section

BUS = """## Bus

Written by `make measure-bus`. *isotp*, *transfer*, *relay*: of the time that the exact bits of the
first, consecutive and flow control frames take back to back: a message of 4,095 bytes between two
emulated boards; an image of 65,536 bytes from a tester to the gateway, and from there to an ECU,
from the first TransferData to the response to RequestTransferExit, erased before, computing and
flash charged as of `unix`. *broadcast_8*: such an image on its way to eight ECUs, by its time to
one. *isotp_vs_can_isotp*: time of can-isotp by ours, on one modelled bus.
*allocations*, *frames_per_second*: the link alone, on the real MicroPython, both ends in one
process, by the wall clock. *update*: the whole of it in virtual seconds, and its critical path."""

OEM = """## Back office

Written by `make measure-oem`. *sqlite_N*, *postgres_N*: the time of one request in a fleet of N
vehicles, by the time that PyNaCl takes for its signatures alone. A request is a vehicle version
manifest of the sedan's three ECUs, one of which wants another image: four signatures verified, the
images decided on, three files signed, and all of it on the disk (SQLite: write-ahead log,
synchronous FULL; PostgreSQL: fsync, synchronous_commit on). The median of five rounds of 100, in
which databases and PyNaCl take turns, of 600 vehicles all over the fleet that really sign; no
network, one request after the other. *flat*: of the largest fleet by the smallest. *memory*: by
how much the peak of resident memory grows in a process that opens the inventory of 100,000
vehicles and answers 2,000 requests; up to 34 MB of it are SQLite's page cache."""

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
        _document("bus", BUS, figures)
    _end(figures, json_file)


@app.command()
def oem(
    json_file: JsonFile = None,
    document: Annotated[bool, typer.Option(help="write them into docs/measured.md")] = False,
) -> None:
    """What a request costs the back office, in fleets of 10 to 100,000 vehicles on SQLite and
    PostgreSQL, by what its signatures alone cost; takes some minutes."""
    figures = list(_told(oem_figures(lambda line: typer.echo(line, err=True), Extent())))
    if document:
        _document("oem", OEM, figures)
    _end(figures, json_file)


def _document(name: str, text: str, figures: Sequence[Figure]) -> None:
    rows = [(one.name, str(one.value), one.unit, one.bound()) for one in figures]
    write_section(name, f"{text}\n\n{table(('what', 'value', 'unit', 'target'), rows)}")


def _show(figures: Iterable[Figure], json_file: Path | None) -> None:
    _end(list(_told(figures)), json_file)


def _told(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Print each as it is found."""
    console = Console(highlight=False, soft_wrap=True)
    for one in figures:
        mark = "" if one.target is None else ("ok" if one.met() else "MISSED")
        value = "-" if one.value is None else one.value
        console.print(f"{one.name:<31}{value:>8} {one.unit:<6}{one.bound():<16}{mark}")
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
