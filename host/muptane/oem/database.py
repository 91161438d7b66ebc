"""Where the inventory is: SQLite or PostgreSQL by URL, at a schema that is known here.

A new database is made at the newest schema; one of another is left as it is and refused, an older
one with the command that migrates it (`muptane.oem.migrating`). Triggers keep every row as it was
written, whoever connects. SQLite writes ahead and waits for the disk at each commit (synchronous
FULL), PostgreSQL does so by itself. It does NOT know what the tables are for.
Rules: R-17, R-32, E-90.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from muptane.oem.errors import Overtaken, WrongSchema
from muptane.oem.prepared import Prepared

IN_MEMORY = "sqlite://"
VERSION_TABLE = "alembic_version"
REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
)  # muptane/oem/migrations/versions, oldest first
HEAD = REVISIONS[-1]
# PRAGMA user_version, for programs that know nothing of revisions: they expect 7 and refuse 8.
FIRST_SQLITE, NOW_SQLITE = 7, 8
CACHE_KB = 32_768  # of SQLite's pages, for each connection
REFUSAL = "the inventory is append only"
MIGRATE = "muptane migrating up URL"


class Work:
    """One transaction. What is added is written when somebody asks for a `session`, which may have
    to see it, or with the commit. In PostgreSQL a request is two messages there and back: what it
    reads, and what it writes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._session: Session | None = None
        self._added: list[tuple[Prepared, Sequence[Mapping[str, Any]]]] = []
        self._pipes = ExitStack()
        connection.begin()
        self._pipe()

    @property
    def session(self) -> Session:
        """For who asks by objects; what it adds has to be flushed."""
        if self._session is None:
            self._write()
            self._pipes.close()  # SQLAlchemy looks at results before they are there
            self._session = Session(self.connection)
        self._write()
        return self._session

    def read(self, statement: Prepared, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows of a query, which does not see what was added last."""
        return statement.read(self.connection, values)

    def add(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert `rows` in this transaction, at last when it is committed."""
        if rows:
            self._added.append((statement, rows))

    def commit(self) -> None:
        if self._session is not None:
            self._pipe()
        self._write()
        if self._piped():
            self.connection.connection.cursor().execute("COMMIT")  # with what is written
            self._pipes.close()
        self.connection.commit()

    def close(self) -> None:
        """What was not committed did not happen, and nobody asks why it would have failed."""
        with suppress(self.connection.dialect.loaded_dbapi.Error):
            self._pipes.close()
        if self._session is not None:
            self._session.close()

    def _piped(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def _pipe(self) -> None:
        """Send from now on without waiting for each answer."""
        driven: Any = self.connection.connection.driver_connection
        if self._piped():
            self._pipes.enter_context(driven.pipeline())

    def _write(self) -> None:
        added, self._added = self._added, []
        for statement, rows in added:
            statement.write(self.connection, rows)


@contextmanager
def work(engine: Engine) -> Iterator[Work]:
    """A transaction; what was not committed when it ends did not happen. Refuses with Overtaken
    what another transaction made impossible, at the latest when it is committed. What else the
    database refuses is SQLAlchemy's DBAPIError, whoever ran the statement."""
    driver: Any = engine.dialect.loaded_dbapi
    with engine.connect() as connection:
        made = Work(connection)
        try:
            yield made
        except (IntegrityError, driver.IntegrityError) as fault:
            raise Overtaken("another request of this vehicle was quicker") from fault
        except driver.Error as fault:
            raise DBAPIError.instance(None, None, fault, driver.Error) from fault
        finally:
            made.close()


def open_database(url: str, tables: MetaData) -> Engine:
    """An engine for the database at `url`, which is made if there is none.

    Refuses with WrongSchema what is no inventory, or one of another schema.
    """
    engine = connect(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
            if found is None:
                _make(connection, tables)
                connection.commit()
            elif found != HEAD:
                raise WrongSchema(_other_schema(found))
    except WrongSchema:
        engine.dispose()
        raise
    except DBAPIError as fault:
        engine.dispose()
        raise WrongSchema(f"no inventory can be opened there: {fault.orig}") from fault
    return engine


def connect(url: str) -> Engine:
    """An engine that looks after foreign keys and durability; nothing is opened yet. Refuses with
    WrongSchema a URL of no database, or of one that nothing here can drive."""
    shared = {"poolclass": StaticPool} if url == IN_MEMORY else {}
    try:
        engine = create_engine(_driven(url), **shared)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as fault:
        raise WrongSchema(
            f"{fault}: give sqlite:///FILE or postgresql://USER@HOST/NAME (which needs psycopg)"
        ) from fault
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _settle)
    return engine


def revision(connection: Connection) -> str | None:
    """Of the schema that is there; None: nothing is. Refuses with WrongSchema foreign tables."""
    named = set(inspect(connection).get_table_names())
    if VERSION_TABLE in named:
        found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        if found is not None:
            return str(found)
        named.remove(VERSION_TABLE)
    if not named:
        return None
    if connection.dialect.name == "sqlite":  # before there were revisions
        counted = connection.scalar(text("PRAGMA user_version"))
        if counted == FIRST_SQLITE:
            return REVISIONS[0]
        raise WrongSchema(f"the inventory has schema {counted}, from before {FIRST_SQLITE}")
    raise WrongSchema(f"there are tables already, and no inventory: {', '.join(sorted(named))}")


def guards(dialect: str, table: str) -> Iterator[str]:
    """Statements that keep every change away from the rows of `table` (our own words, not
    input)."""
    if dialect == "sqlite":
        for act in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    yield (
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    yield (
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )


def unguards(dialect: str, table: str) -> Iterator[str]:
    """The reverse of `guards`, for a migration that has to fill a new column."""
    if dialect == "sqlite":
        yield from (f"DROP TRIGGER IF EXISTS {table}_{act}" for act in ("update", "delete"))
    else:
        yield f"DROP TRIGGER IF EXISTS {table}_fixed ON {table}"


def guarded(connection: Connection, table: str) -> bool:
    """Are the triggers of `guards` there, and awake?"""
    if connection.dialect.name == "sqlite":
        query, wanted = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'", 2
        query += " AND tbl_name = :table"
    else:
        query, wanted = "SELECT count(*) FROM pg_trigger WHERE tgname = :table || '_fixed'", 1
        query += " AND tgenabled = 'O'"
    return bool(connection.scalar(text(query), {"table": table}) == wanted)


def _driven(url: str) -> str:
    """`postgresql:` alone would mean psycopg2."""
    kind, colon, rest = url.partition(":")
    return f"postgresql+psycopg:{rest}" if kind == "postgresql" and colon else url


def _settle(connection: Any, _: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")


def _make(connection: Connection, tables: MetaData) -> None:
    """Everything at once, as the migrations would make it (a test compares the two)."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        connection.execute(text("BEGIN IMMEDIATE"))
        connection.execute(text(f"PRAGMA user_version = {NOW_SQLITE}"))
    tables.create_all(connection)
    for table in tables.tables:
        for statement in guards(dialect, table):
            connection.execute(text(statement))
    connection.execute(
        text(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL,"
            f" CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
    )
    insert = text(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES (:head)")
    connection.execute(insert, {"head": HEAD})


def _other_schema(found: str) -> str:
    if found in REVISIONS:
        return f"the inventory has schema {found}, this program {HEAD}: migrate it ({MIGRATE})"
    return f"the inventory has schema {found}, of a newer program than this one ({HEAD})"
