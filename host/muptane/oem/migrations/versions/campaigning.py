"""Campaigns, and the vehicles that every campaign begins with.

Rules: R-17, R-32, S-16, S-17, E-90.
"""

import sqlalchemy as sa
from alembic import op

from muptane.oem.database import guards

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Four tables more, and what keeps their rows as they are."""
    _make_reserved()
    _make_campaigns()
    _make_campaign_steps()
    _make_campaign_members()
    for table in ("reserved", "campaigns", "campaign_steps", "campaign_members"):
        for statement in guards(op.get_context().dialect.name, table):
            op.execute(statement)


def _make_reserved() -> None:
    op.create_table(
        "reserved",
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("reserved_s", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_reserved_vehicle_id"),
        sa.PrimaryKeyConstraint("vehicle_id", name="pk_reserved"),
    )


def _make_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("waves", sa.JSON(), nullable=False),
        sa.Column("enough", WHOLE, nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("sample", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("name", name="uq_campaigns_name"),
    )


def _make_campaign_steps() -> None:
    op.create_table(
        "campaign_steps",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("campaign_id", WHOLE, nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("wave", WHOLE, nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_steps_campaign_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_steps"),
    )
    op.create_index("ix_campaign_steps_campaign_id", "campaign_steps", ["campaign_id"])


def _make_campaign_members() -> None:
    op.create_table(
        "campaign_members",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("campaign_id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("wave", WHOLE, nullable=False),
        sa.Column("joined_s", WHOLE, nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.String(), nullable=False),
        sa.Column("first_report", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_members_campaign_id"
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name="fk_campaign_members_vehicle_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_members"),
        sa.UniqueConstraint(
            "campaign_id", "vehicle_id", name="uq_campaign_members_campaign_id_vehicle_id"
        ),
    )
    op.create_index("ix_campaign_members_vehicle_id", "campaign_members", ["vehicle_id"])
