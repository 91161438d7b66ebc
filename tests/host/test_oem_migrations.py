"""The inventory's schema: what the models say is what the migrations make, with data in it."""

import pytest
import sqlalchemy.exc
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import execute, server, url, with_postgres
from oem_vehicle import BRAKE, NOW, Vehicle
from typer.testing import CliRunner

from muptane.cli.migrating import app
from muptane.oem.database import HEAD, IN_MEMORY, REVISIONS, connect
from muptane.oem.director import Director
from muptane.oem.errors import WrongSchema
from muptane.oem.inventory import TABLES, Inventory
from muptane.oem.migrating import configuration, migrate
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.privileges import APPENDED, confine

__all__ = ["server", "url"]

ROWS = (  # of a database of the first revision: a vehicle that sent two, and was answered
    "INSERT INTO vehicles (id, registered_s) VALUES ('VIN1', 1), ('VIN2', 1)",
    'INSERT INTO ecus (id, vehicle_id, kid, "primary", verification, hardware, deltas, decrypts,'
    " regions) VALUES (1, 'VIN1', '1', true, 2, 10, false, true, '[]'),"
    " (2, 'VIN1', '2', false, 1, 20, false, true, '[]'),"
    " (3, 'VIN2', '3', true, 2, 10, false, true, '[]')",
    "INSERT INTO manifests (id, vehicle_id, received_s, counter, raw) VALUES"
    " (1, 'VIN1', 5, 1, 'a'), (2, 'VIN1', 6, 7, 'b'), (3, 'VIN2', 6, 7, 'c')",
    "INSERT INTO reports (id, manifest_id, ecu_id, counter, image, release, sha256, boot, attacks,"
    " regions) VALUES (1, 1, 2, 1, 9, 1, 'd', 0, '[]', '[]')",
    "INSERT INTO decisions (id, vehicle_id, manifest_id, made_s, targets_version, directions,"
    " withheld) VALUES (1, 'VIN1', 2, 6, 1, '[]', '[]')",
    "INSERT INTO role_files (vehicle_id, role, version, raw) VALUES ('VIN1', 3, 1, 'e')",
)


def differences(url):
    engine = connect(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), TABLES)
    engine.dispose()
    return found


def shape(url):
    """Every index, trigger and kind of table, however it came about."""
    if url.startswith("sqlite"):
        rows = execute(url, "SELECT type, name, sql FROM sqlite_master")
        return {(kind, name, "WITHOUT ROWID" in (sql or "")) for kind, name, sql in rows}
    rows = execute(
        url, "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    return {tuple(row) for row in rows} | {
        tuple(row) for row in execute(url, "SELECT tablename, indexname FROM pg_indexes")
    }


def test_the_migrations_make_what_the_models_say(url, tmp_path):
    """R-17: by its steps or at once, a database comes out the same."""
    assert migrate(url) == (None, HEAD)
    assert differences(url) == []
    by_steps = shape(url)
    again = f"sqlite:///{tmp_path / 'again.sqlite'}"
    if not url.startswith("sqlite"):
        again = url
        execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    Inventory(again).close()
    assert differences(again) == []
    assert {row for row in shape(again) if "autoindex" not in row[1]} == {
        row for row in by_steps if "autoindex" not in row[1]
    }


def test_the_code_knows_every_revision():
    """R-17."""
    with connect(IN_MEMORY).connect() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        assert [one.revision for one in scripts.walk_revisions()] == list(reversed(REVISIONS))


def test_an_older_database_is_refused_until_it_is_migrated_and_keeps_its_rows(url):
    """R-13, R-17, R-42: what was received is counted for the Primary that sent it."""
    migrate(url, REVISIONS[0])
    execute(url, *ROWS)
    with pytest.raises(WrongSchema, match="migrate it"):
        Inventory(url)
    assert execute(url, "SELECT count(*) FROM manifests") == [(3,)]
    assert migrate(url) == (REVISIONS[0], HEAD)
    assert differences(url) == []
    found = execute(url, "SELECT vehicle_id, primary_id, counter FROM manifests ORDER BY id")
    assert found == [("VIN1", 1, 1), ("VIN1", 1, 7), ("VIN2", 3, 7)]
    for table in ("reports", "decisions", "role_files"):
        assert execute(url, f"SELECT count(*) FROM {table}") == [(1,)]
    for table in ("manifests", "role_files", "replacements"):
        with pytest.raises(sqlalchemy.exc.IntegrityError, match="append only"):
            execute(url, f"DELETE FROM {table} WHERE 1 = 1", *_touch(table))
    Inventory(url).close()
    assert migrate(url) == (HEAD, HEAD)


def _touch(table):
    """SQLite's triggers are for rows, so an empty table needs one."""
    if table != "replacements":
        return ()
    row = f"INSERT INTO {table} (ecu_id, successor_id, made_s) VALUES (2, 3, 1)"
    return (row, f"DELETE FROM {table} WHERE 1 = 1")


def test_a_file_from_before_there_were_revisions_is_the_first(tmp_path):
    """R-17: PRAGMA user_version was all that it had; some have the tables of contracts already."""
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    migrate(url, REVISIONS[0])
    engine = connect(url)
    TABLES.create_all(engine, [TABLES.tables[name] for name in ("delegations", "contracts")])
    engine.dispose()
    execute(url, "DROP TABLE alembic_version", "PRAGMA user_version = 7")
    with pytest.raises(WrongSchema, match="migrate it"):
        Inventory(url)
    assert migrate(url) == (REVISIONS[0], HEAD)
    assert differences(url) == [] and execute(url, "PRAGMA user_version") == [(8,)]


def test_a_migration_that_fails_changes_nothing(url):
    """R-32: a vehicle without a Primary has nobody that its messages could be counted for."""
    migrate(url, REVISIONS[0])
    execute(url, "INSERT INTO vehicles (id, registered_s) VALUES ('VIN1', 1)",
            "INSERT INTO manifests (id, vehicle_id, received_s, counter, raw)"
            " VALUES (1, 'VIN1', 5, 1, 'a')")  # fmt: skip
    before = shape(url)
    with pytest.raises(WrongSchema, match="nothing was migrated"):
        migrate(url)
    assert shape(url) == before
    with pytest.raises(WrongSchema, match="has schema 0001"):
        Inventory(url)


def test_a_newer_database_is_refused(url):
    """R-17: what a newer program wrote is not for this one to read."""
    Inventory(url).close()
    execute(url, "UPDATE alembic_version SET version_num = '0999'")
    for act in (Inventory, migrate):
        with pytest.raises(WrongSchema, match="newer"):
            act(url)


def test_what_is_no_inventory_is_refused(url, tmp_path):
    execute(url, "CREATE TABLE strangers (id INTEGER)")
    with pytest.raises(WrongSchema):
        Inventory(url)
    for wrong in ("nonsense", "oracle://x", f"sqlite:///{tmp_path}/no/such/folder/x"):
        with pytest.raises(WrongSchema):
            Inventory(wrong)
    torn = tmp_path / "torn.sqlite"
    torn.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(WrongSchema):
        Inventory(f"sqlite:///{torn}")


def test_the_command_migrates_and_says_what_it_did(tmp_path):
    url = f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    migrate(url, REVISIONS[0])
    run = CliRunner().invoke
    assert run(app, ["up", url]).stdout == f"schema 0001 -> {HEAD}\n"
    assert run(app, ["up", url]).stdout == f"schema {HEAD}, as it was\n"
    refused = run(app, ["up", "sqlite:////no/such/folder/x"])
    assert refused.exit_code == 1 and "nothing was migrated" in refused.stderr
    refused = run(app, ["confine", url, "director"])
    assert refused.exit_code == 1 and "only PostgreSQL" in refused.stderr


@with_postgres
def test_the_role_of_a_service_can_append_and_nothing_else(server):
    """R-32, E-75, E-90: no row changes, and no vehicle, ECU, image or wish is added."""
    url = server
    execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public",
            "DROP ROLE IF EXISTS director", "CREATE ROLE director LOGIN")  # fmt: skip
    office = Office.create(lambda: NOW, Premises(database=url), seed=b"service")
    vehicle = Vehicle()
    office.register_vehicle(vehicle.vin, vehicle.new())
    office.release_image(7, b"brake 2", [20], 2)
    office.assign(vehicle.vin, BRAKE, 7)
    for wrong in ("nobody_of_ours", "owner"):
        with pytest.raises(WrongSchema, match=wrong):
            confine(url, wrong)
    confine(url, "director")
    office.close()
    service = url.replace("owner@", "director@")
    inventory = Inventory(service)
    holders = office.director.authority.holders.values()
    director = Director.open(inventory, [one for held in holders for one in held.signers])
    raw = vehicle.manifest(director.identity)
    assert director.receive_manifest(vehicle.vin, raw, NOW).directions == {BRAKE: 7}
    inventory.close()
    for table in sorted(TABLES.tables):
        acts = [f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE", f"DROP TABLE {table} CASCADE",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL"]  # fmt: skip
        if table not in APPENDED:
            acts.append(f"INSERT INTO {table} DEFAULT VALUES")
        for act in acts:
            with pytest.raises(sqlalchemy.exc.ProgrammingError, match=r"denied|must be owner"):
                execute(service, act)
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="append only"):
        execute(url, "TRUNCATE manifests CASCADE")  # its owner does not do it by mistake either
