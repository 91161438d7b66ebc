"""Databases for the tests of the inventory: a file of SQLite, and a PostgreSQL if there is one.

Not a test file.
"""

import pytest
from sqlalchemy import text

from muptane.bench.postgres import NoPostgres, binaries, places, postgres
from muptane.oem.database import connect


def reason() -> str:
    """Why there is no PostgreSQL; empty: there is."""
    try:
        binaries(places())
    except NoPostgres as fault:
        return str(fault)
    return ""


with_postgres = pytest.mark.skipif(bool(reason()), reason=reason() or "there is one")
BOTH = [pytest.param("sqlite"), pytest.param("postgres", marks=with_postgres)]


@pytest.fixture(scope="session")
def server():
    """One server for all tests of a process."""
    with postgres() as url:
        yield url


@pytest.fixture(params=BOTH)
def url(request, tmp_path):
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    found = request.getfixturevalue("server")
    execute(found, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return found


def execute(url, *statements):
    """Run these in one transaction; returns the rows of the last."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            done = [connection.execute(text(statement)) for statement in statements]
            return done[-1].all() if done[-1].returns_rows else []
    finally:
        engine.dispose()
