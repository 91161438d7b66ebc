"""Images may ask something of the rest of their vehicle.

Rules: R-14, R-17, R-32, S-14, E-90.
"""

import sqlalchemy as sa
from alembic import op

from muptane.oem.database import guards

revision = "0004"
down_revision = "0003"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table more, and what keeps its rows as they are."""
    op.create_table(
        "demands",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("image", WHOLE, nullable=False),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.Column("hardware", WHOLE, nullable=False),
        sa.Column("lowest", WHOLE, nullable=False),
        sa.Column("highest", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name="fk_demands_image"),
        sa.PrimaryKeyConstraint("id", name="pk_demands"),
    )
    op.create_index("ix_demands_image", "demands", ["image"])
    for statement in guards(op.get_context().dialect.name, "demands"):
        op.execute(statement)
