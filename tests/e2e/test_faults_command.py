"""`muptane faults`: what it counts, writes and refuses."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from muptane.bench.faults.geometry import GEOMETRIES
from muptane.bench.firmware import ROOT
from muptane.cli.faults import merged
from muptane.cli.main import app


def muptane(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["faults", *arguments])


def test_the_command_counts_and_writes_json(tmp_path: Path) -> None:
    """E-79"""
    file = tmp_path / "faults.json"
    one = ("record_write", "--geometry", "spi_nor", "--fault", "cut", "--at", "4", "--way", "5")
    done = muptane("run", *one, "--json", str(file))
    assert done.exit_code == 0, done.output
    [row] = json.loads(file.read_text())
    assert row.pop("strokes") > 4
    assert row == {
        "flow": "record_write",
        "fault": "cut",
        "geometry": "spi_nor",
        "image_bytes": GEOMETRIES["spi_nor"].image_bytes,
        "exhaustive": False,
        "tried": 1,
        "recovered": 1,
        "refused": 0,
        "rolled_back": 0,
        "bricked": 0,
        "accepted_corruption": 0,
    }


def test_rows_of_other_flows_stay_as_they_are() -> None:
    """E-79"""
    kept = [
        ["revert", "esp32", "1", "1,200", "0", "0"],
        ["ab_install", "esp32", "2", "0", "0", "0"],
    ]
    found = merged(kept, {("ab_install", "esp32"): ("ab_install", "esp32", "3", 0, 0, 0)})
    assert found == [
        ("ab_install", "esp32", "3", 0, 0, 0),
        ("revert", "esp32", "1", 1200, 0, 0),
    ]


def test_the_command_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """E-79"""
    done = muptane("run", "ab_instal")
    assert done.exit_code == 2
    assert "ab_install" in done.output
    assert muptane("run", "all", "--geometry", "core_memory").exit_code == 2
    assert muptane("run", "all", "--fault", "cutt").exit_code == 2
    assert muptane("run", "all", "--fault", "worn", "--nodes", "micropython").exit_code == 2
    assert muptane("run", "all", "--at", "3").exit_code == 2
    assert muptane("run", "all", "--fault", "cut", "--at", "3", "--way", "8").exit_code == 2
    assert muptane("run", "all", "--vehicle", str(tmp_path / "none.toml")).exit_code == 2
    fleet = muptane("run", "all", "--vehicle", str(ROOT / "vehicles" / "fleet.toml"))
    assert fleet.exit_code == 2
    assert "[[repository]]" in fleet.output
    assert muptane("run", "all", "--json", str(tmp_path / "none" / "x.json")).exit_code == 2
    (tmp_path / "odd.json").write_text('[{"flow": 1}]')
    assert muptane("document", str(tmp_path / "odd.json")).exit_code == 2
