"""The figures of the back office, in fleets small enough for a test."""

from dataclasses import replace
from pathlib import Path

import pytest
from databases import execute, with_postgres
from sqlalchemy import select

from muptane.bench.crowd import Crowd
from muptane.bench.postgres import postgres
from muptane.bench.scale import Extent, oem_figures
from muptane.oem.inventory import TABLES, RoleFile
from uptane import ids

SIZE, REAL = 12, 4


@pytest.fixture
def crowd(tmp_path):
    made = Crowd.fill(tmp_path / "office", f"sqlite:///{tmp_path / 'fleet'}", SIZE, REAL)
    yield made
    made.close()


def test_a_copied_vehicle_has_the_rows_of_a_real_one(crowd):
    """R-17: as many of each kind as the first, and nobody else's."""
    with crowd.office.inventory.begin() as session:
        for name, of_each in (("vehicles", 1), ("ecus", 3), ("assignments", 3), ("manifests", 1),
                              ("reports", 3), ("decisions", 2), ("role_files", 6)):  # fmt: skip
            rows = session.execute(select(TABLES.tables[name])).all()
            assert len(rows) == SIZE * of_each, name
        files = session.scalars(select(RoleFile.raw).where(RoleFile.role == ids.TARGETS)).all()
        assert len(set(files)) == 2  # signed for the first, copied for the others
        assert session.connection().exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_the_real_vehicles_are_spread_and_are_answered(crowd):
    """R-34: what is measured verifies real signatures, and signs."""
    assert [vehicle.vin[-2:] for vehicle in crowd.vehicles] == ["00", "03", "06", "09"]
    identity, director = crowd.office.director.identity, crowd.office.director
    for vehicle in crowd.vehicles:
        crowd.request(vehicle, vehicle.send(identity))
        targets = director.authority.verify(director.read(vehicle.vin, ids.TARGETS, 0), 3)
        assert targets.vehicle == vehicle.vin and sorted(targets.images) == [1001, 2002, 3001]
    assert director.oddities() == []


SMALL = Extent(sqlite=(2, 4), postgres=(2, 4), rounds=1, requests=10, served=20)
NAMES = ["sqlite_2", "sqlite_4", "postgres_2", "postgres_4", "sqlite_flat", "postgres_flat"]


def test_without_postgresql_its_rows_say_so_and_miss_their_targets():
    """R-17: no number is made up."""
    said = []
    figures = oem_figures(said.append, replace(SMALL, places=()))
    assert [one.name for one in figures] == [*NAMES, "memory"]
    for one in figures:
        of_server = one.name.startswith("postgres")
        assert (one.value is None) == of_server, one
        assert not (of_server and one.met())
    assert any("run scripts/postgres" in line for line in said)


@with_postgres
def test_every_figure_is_there_where_postgresql_is():
    """R-17."""
    figures = {one.name: one for one in oem_figures(lambda line: None, SMALL)}
    assert list(figures) == [*NAMES, "memory"]
    assert all(figures[name].value > 1 for name in NAMES[:4])  # dearer than its signatures alone
    assert figures["memory"].value >= 0


@with_postgres
def test_a_server_is_gone_with_everything_it_kept():
    with postgres() as url:
        folder = Path(url.partition("host=")[2].partition("&")[0])
        assert execute(url, "SHOW fsync") == [("on",)]
        assert execute(url, "SHOW synchronous_commit") == [("on",)]
        assert execute(url, "SHOW listen_addresses") == [("",)]
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
