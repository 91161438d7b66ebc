"""ECUs can be replaced, and a request touches fewer pages.

A manifest is counted for the Primary that sent it, because a new Primary counts from one (R-42).
Indexes that a unique constraint has in it are gone, and SQLite keeps role files in their key.
Rules: R-13, R-17, R-32, R-42, E-90.
"""

import sqlalchemy as sa
from alembic import op

from muptane.oem.database import NOW_SQLITE, guards, unguards

revision = "0002"
down_revision = "0001"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAMES = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}  # of what has none in old SQLite files


def upgrade() -> None:
    """In one transaction, whatever is there."""
    for table in ("bundles", "reports"):
        column = "ecu_id" if table == "reports" else "vehicle_id"
        op.drop_index(f"ix_{table}_{column}", table)
    _count_by_primary()
    op.create_table(
        "replacements",
        sa.Column("ecu_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("successor_id", WHOLE, nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["ecu_id"], ["ecus.id"], name="fk_replacements_ecu_id"),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["ecus.id"], name="fk_replacements_successor_id"
        ),
        sa.PrimaryKeyConstraint("ecu_id", name="pk_replacements"),
        sa.UniqueConstraint("successor_id", name="uq_replacements_successor_id"),
    )
    _guard("replacements")
    if op.get_context().dialect.name == "sqlite":
        _move_role_files()
        op.execute(f"PRAGMA user_version = {NOW_SQLITE}")


def _count_by_primary() -> None:
    """A vehicle had one Primary so far, so each manifest was its."""
    for statement in unguards(op.get_context().dialect.name, "manifests"):
        op.execute(statement)
    op.drop_index("ix_manifests_vehicle_id", "manifests")
    with op.batch_alter_table("manifests") as table:
        table.add_column(sa.Column("primary_id", WHOLE, nullable=True))
    op.execute(
        'UPDATE manifests SET primary_id = (SELECT ecus.id FROM ecus WHERE ecus."primary"'
        " AND ecus.vehicle_id = manifests.vehicle_id)"
    )
    with op.batch_alter_table("manifests", naming_convention=NAMES) as table:
        table.alter_column("primary_id", existing_type=WHOLE, nullable=False)
        table.drop_constraint("uq_manifests_vehicle_id_counter", type_="unique")
        table.create_unique_constraint(
            "uq_manifests_vehicle_id_primary_id_counter", ["vehicle_id", "primary_id", "counter"]
        )
        table.create_foreign_key("fk_manifests_primary_id", "ecus", ["primary_id"], ["id"])
    _guard("manifests")


def _move_role_files() -> None:
    op.create_table(
        "role_files_moved",
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("role", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_role_files_vehicle_id"),
        sa.PrimaryKeyConstraint("vehicle_id", "role", "version", name="pk_role_files"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO role_files_moved SELECT vehicle_id, role, version, raw FROM role_files"
    )
    op.drop_table("role_files")
    op.rename_table("role_files_moved", "role_files")
    _guard("role_files")


def _guard(table: str) -> None:
    for statement in guards(op.get_context().dialect.name, table):
        op.execute(statement)
