"""An older inventory becomes one of today, in one transaction: all of it, or nothing.

People run this, never a service: opening an inventory changes none. A copy of the database taken
before is worth more than a downgrade, so there is none.
Rules: R-17, R-32, R-42, E-90.
"""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from muptane.oem.database import HEAD, REVISIONS, connect, revision
from muptane.oem.errors import WrongSchema

SCRIPTS = "muptane.oem:migrations"


def configuration(connection: Connection) -> Config:
    """Alembic's, without a file."""
    made = Config()
    made.set_main_option("script_location", SCRIPTS)
    made.attributes["connection"] = connection
    return made


def migrate(url: str, to: str = HEAD) -> tuple[str | None, str]:
    """Bring the inventory at `url` to revision `to`; returns the revision before (None: nothing
    was there) and after. Where it is there already, nothing happens.

    Refuses with WrongSchema a newer database, what is no inventory, and what does not migrate.
    """
    engine = connect(url)
    try:
        with engine.connect() as connection:
            before = revision(connection)
            if before is not None and before not in REVISIONS:
                raise WrongSchema(f"the inventory has schema {before}, of a newer program")
            if before is not None and before >= to:
                return before, before
            connection.rollback()
            _migrate(connection, before, to)
            connection.commit()
    except DBAPIError as fault:
        raise WrongSchema(f"nothing was migrated: {fault.orig}") from fault
    finally:
        engine.dispose()
    return before, to


def _migrate(connection: Connection, before: str | None, to: str) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # tables are made anew there, under the rows that name them
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    alembic = configuration(connection)
    if before == REVISIONS[0]:
        command.stamp(alembic, before)
    command.upgrade(alembic, to)
    if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise WrongSchema("nothing was migrated: the inventory has rows that name missing ones")
