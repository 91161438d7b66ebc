"""What the automatic service may do in PostgreSQL: read everything, and append what it must.

The triggers of the inventory keep every row as it is, whoever comes. Besides, the role that the
Director's service connects as can add no vehicle, ECU, image or wish: those are of people, who
connect as somebody else. SQLite knows no roles; its file has one owner.
Rules: R-31, R-32, E-75, E-90.
"""

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from muptane.oem.database import HEAD, connect, revision
from muptane.oem.errors import WrongSchema
from muptane.oem.inventory import (
    ContentKey,
    DecisionMade,
    ManifestReceived,
    Oddity,
    Parcel,
    ReportReceived,
    RoleFile,
)

APPENDED = tuple(
    table.__tablename__
    for table in (
        ManifestReceived,
        ReportReceived,
        DecisionMade,
        RoleFile,
        Oddity,
        Parcel,
        ContentKey,
    )
)


def confine(url: str, role: str) -> None:
    """Leave to `role`, which exists, what a service needs, and nothing else of the schema. `url`:
    the inventory's, for the owner of its tables. The same again changes nothing.

    Refuses with WrongSchema another database than PostgreSQL, a role that is not there or owns the
    tables, and an inventory that has to be migrated first.
    """
    engine = connect(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name != "postgresql":
                raise WrongSchema("only PostgreSQL knows roles: SQLite's file has one owner")
            if revision(connection) != HEAD:
                raise WrongSchema("there is no inventory of today: migrate it before")
            _confine(connection, role)
    except DBAPIError as fault:
        raise WrongSchema(f"nothing was confined: {fault.orig}") from fault
    finally:
        engine.dispose()


def _confine(connection: Connection, role: str) -> None:
    found = connection.execute(
        text("SELECT rolsuper OR rolname = current_user FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    ).scalar_one_or_none()
    if found is None:
        raise WrongSchema(f"there is no role {role}: CREATE ROLE {role} LOGIN")
    if found:
        raise WrongSchema(f"role {role} may do everything: give the service one of its own")
    name = connection.dialect.identifier_preparer.quote(role)
    schema = connection.dialect.identifier_preparer.quote(
        str(connection.scalar(text("SELECT current_schema()")))
    )
    for statement in (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {name}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM {name}",
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
        f"GRANT INSERT ON {', '.join(APPENDED)} TO {name}",
    ):
        connection.execute(text(statement))
