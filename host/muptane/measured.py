"""docs/measured.md: figures that commands wrote, each command in a section of its own.

A section stands between two markers with its name; whoever writes it replaces what is between
them and leaves the rest of the document as it was. A new section goes to the end. It does not
know what the figures mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "measured.md"


def write_section(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Make `text` (Markdown, heading included) the section `name` of the document."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    old = document.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    new, replaced = pattern.subn(lambda found: section, old)
    if not replaced:
        new = f"{old.rstrip()}\n\n{section}\n"
    document.write_text(new, encoding="utf-8")


def rows_of(name: str, columns: int, document: Path = DOCUMENT) -> list[list[str]]:
    """The rows under the head of the section's table, as they stand there; none if it has none."""
    section = re.search(
        f"<!-- begin {re.escape(name)} -->(.*?)<!-- end", document.read_text("utf-8"), re.DOTALL
    )
    lines = (section[1] if section else "").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return [row for row in rows[2:] if len(row) == columns]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if isinstance(cell, str) else "---:" for cell in (rows[0] if rows else heads)]
    lines = [heads, marks, *[[_cell(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
