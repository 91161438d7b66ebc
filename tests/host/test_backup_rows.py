"""Rows out of one database into another, and how little changes from one backup to the next."""

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select

from muptane.oem.backup.rows import load, pieces, read_piece, reading, tables
from muptane.oem.errors import BackupDamaged, NotEmpty
from muptane.oem.fields import sha256
from muptane.oem.inventory import Base, Oddity, Vehicle

VEHICLES = Vehicle.__table__


def filled(rows, table=VEHICLES, url="sqlite://"):
    """A connection to a database with these rows."""
    engine = create_engine(url)
    connection = engine.connect()
    Base.metadata.create_all(connection)
    if rows:
        connection.execute(insert(table), rows)
    return connection


def cut(rows, table=VEHICLES):
    with filled(rows, table) as connection:
        return list(pieces(connection, table))


def vehicles(names):
    return [{"id": name, "registered_s": number} for number, name in enumerate(names)]


def test_one_row_more_changes_one_piece():
    """S-18: whatever its key, as an inventory of many vehicles grows."""
    names = [f"VIN{n:05}" for n in range(4000)]
    before = set(map(sha256, cut(vehicles(names))))
    assert 5 < len(before) < 60
    for name in ("VIN00000x", "VIN02000x", "VIN09999"):
        rows = [*vehicles(names), {"id": name, "registered_s": 1}]
        now = set(map(sha256, cut(rows)))
        assert len(now - before) <= 2 and len(before - now) <= 1


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
oddities = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 2**63 - 1),
            "vehicle_id": texts,
            "seen_s": st.integers(-(2**63), 2**63 - 1),
            "sentence": texts,
            "raw": st.binary(max_size=50),
        }
    ),
    unique_by=lambda row: row["id"],
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(oddities)
def test_rows_come_out_as_they_went_in(rows):
    """R-17, S-19: whatever a stranger claimed."""
    table = Oddity.__table__
    cuts = cut(rows, table)
    with filled([]) as connection:
        load(connection, lambda one: [read_piece(raw, one) for raw in cuts if one is table])
        found = [dict(row._mapping) for row in connection.execute(select(table))]
        assert found == sorted(rows, key=lambda row: row["id"])
        assert list(pieces(connection, table)) == cuts
        with pytest.raises(NotEmpty) if rows else pytest.raises(BackupDamaged):
            load(connection, lambda one: [read_piece(b"\x80", one)])


def test_a_piece_of_another_table_is_refused():
    """S-19."""
    (raw,) = cut(vehicles(["VIN1"]))
    with pytest.raises(BackupDamaged, match="not a piece of table oddities"):
        read_piece(raw, Oddity.__table__)


@pytest.fixture
def postgresql(tmp_path):
    """The URL of a PostgreSQL that runs for this test."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("no PostgreSQL on this machine")
    owner = (
        [] if os.geteuid() else ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    )
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root")
    data = tmp_path / "postgresql"
    data.mkdir()
    if owner:
        for folder in (data, *list(tmp_path.parents)[:3], tmp_path):
            folder.chmod(0o755)
        shutil.chown(data, "nobody", "nogroup")
        data.chmod(0o700)
    run(*owner, "initdb", "-D", data, "-U", "muptane", "-A", "trust", "--no-sync")
    flags = f"-c listen_addresses= -c unix_socket_directories={data} -c fsync=off"
    run(*owner, "pg_ctl", "-D", data, "-o", flags, "-l", data / "log", "-w", "start")
    yield f"postgresql+psycopg://muptane@/postgres?host={data}"
    run(*owner, "pg_ctl", "-D", data, "-m", "immediate", "stop")


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)


def test_an_inventory_moves_from_sqlite_to_postgresql_and_back(kept, postgresql):
    """R-17, S-19: the same rows, and the next one is numbered after them."""
    sqlite = f"sqlite:///{kept.folder / 'inventory.sqlite'}"
    with reading(sqlite) as connection:
        before = {table: sorted(pieces(connection, table)) for table in tables()}
    engine = create_engine(postgresql)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        load(connection, lambda table: (read_piece(raw, table) for raw in before[table]))
    with engine.begin() as connection:
        row = {"vehicle_id": "x", "seen_s": 1, "sentence": "next", "raw": b""}
        for _ in range(2):
            connection.execute(insert(Oddity.__table__), row)
    with reading(postgresql) as connection:
        with engine.begin() as other:  # what is written meanwhile is of another moment
            other.execute(insert(VEHICLES), {"id": "LATER", "registered_s": 1})
        for table in tables():
            if table is not Oddity.__table__:
                assert sorted(pieces(connection, table)) == before[table]
    engine.dispose()
