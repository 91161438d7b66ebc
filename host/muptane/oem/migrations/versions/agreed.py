"""The tables of contracts with suppliers.

Programs that knew no revisions made them when they opened a file, so they may be there already.
Rules: R-17, R-32, R-36, E-90.
"""

import sqlalchemy as sa
from alembic import op

from muptane.oem.database import guards

revision = "0003"
down_revision = "0002"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each that is not there yet, and what keeps its rows as they are."""
    known = set(sa.inspect(op.get_bind()).get_table_names())
    made = {
        "delegations": _make_delegations,
        "contracts": _make_contracts,
        "arrivals": _make_arrivals,
        "arrivals_ended": _make_arrivals_ended,
    }
    for table, make in made.items():
        if table not in known:
            make()
            for statement in guards(op.get_context().dialect.name, table):
                op.execute(statement)


def _make_delegations() -> None:
    op.create_table(
        "delegations",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delegations"),
    )


def _make_contracts() -> None:
    op.create_table(
        "contracts",
        sa.Column("role", WHOLE, autoincrement=False, nullable=False),
        sa.Column("delegation_id", WHOLE, nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delegation_id"], ["delegations.id"], name="fk_contracts_delegation_id"
        ),
        sa.PrimaryKeyConstraint("role", name="pk_contracts"),
    )


def _make_arrivals() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("arrived_s", WHOLE, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("role", WHOLE, nullable=True),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("verified", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
    )


def _make_arrivals_ended() -> None:
    op.create_table(
        "arrivals_ended",
        sa.Column("arrival_id", WHOLE, nullable=False),
        sa.Column("ended_s", WHOLE, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["arrival_id"], ["arrivals.id"], name="fk_arrivals_ended_arrival_id"
        ),
        sa.PrimaryKeyConstraint("arrival_id", name="pk_arrivals_ended"),
    )
