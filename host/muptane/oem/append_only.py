"""The one way to delete from the inventory: what was signed for a while, and was used up.

Triggers refuse every deletion (R-32). Whoever owns the database may lift those of two tables,
within a transaction; when it ends, however it ends, they stand again. An automatic service has no
such right, and needs none. It does NOT decide what may go: `garbage` does, of role files and
parcels, never of what a vehicle said or the OEM decided.
Rules: R-32, R-34, E-90.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from muptane.oem.inventory import Parcel, RoleFile

USED_UP = (RoleFile.__tablename__, Parcel.__tablename__)


@contextmanager
def deletable(session: Session) -> Iterator[None]:
    """Let rows of `USED_UP` be deleted in this transaction, which must not have begun. Nobody
    else writes meanwhile."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # sqlite3 begins by itself only at a change of rows, so the triggers would go at once
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        guards = [
            (name, sql)
            for table in USED_UP
            for name, sql in session.execute(
                text(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                    " AND tbl_name = :table AND sql LIKE '%BEFORE DELETE%'"
                ),
                {"table": table},
            )
        ]
        for name, _ in guards:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield
        session.flush()
        for _, sql in guards:
            connection.exec_driver_sql(sql)
        return
    for table in USED_UP:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    session.flush()
    for table in USED_UP:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
