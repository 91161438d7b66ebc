"""The tables of docs/pouf.md, found by the heading of their first column.

Cells come without backquotes; a table that is split by prose is one if its headings are equal.
Not a test file.
"""

from pathlib import Path

POUF = (Path(__file__).parents[2] / "docs" / "pouf.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[dict[str, str]]:
    """Every row of the tables whose first column has this heading, by column heading."""
    found: list[dict[str, str]] = []
    columns: list[str] = []
    for line in POUF.splitlines():
        cells = _cells(line)
        if not cells:
            columns = []
        elif not columns:
            columns = cells
        elif columns[0] == heading and set("".join(cells)) - set("-: "):
            if len(cells) != len(columns):
                raise ValueError(f"docs/pouf.md: {line!r} has {len(cells)} cells")
            found.append(dict(zip(columns, cells, strict=True)))
    return found


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
