"""The schema that there was before there were revisions (PRAGMA user_version 7 in SQLite).

It is written out, not taken from the models: those go on, and this stays what it was.
Rules: R-17, R-32, E-90.
"""

import sqlalchemy as sa
from alembic import op

from muptane.oem.database import guards

revision = "0001"
down_revision = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "vehicles",
    "ecus",
    "images",
    "root_files",
    "bundles",
    "assignments",
    "maps",
    "manifests",
    "reports",
    "decisions",
    "role_files",
    "oddities",
    "content_keys",
    "parcels",
)


def upgrade() -> None:
    """Every table, its indexes, and what keeps its rows as they are."""
    _make_vehicles()
    _make_wishes()
    _make_history()
    _make_answers()
    _make_parcels()
    for table in TABLES:
        for statement in guards(op.get_context().dialect.name, table):
            op.execute(statement)


def _make_vehicles() -> None:
    """The fleet, and what there is for it."""
    op.create_table(
        "vehicles",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("registered_s", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vehicles"),
    )
    op.create_table(
        "ecus",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=True),
        sa.Column("kid", sa.LargeBinary(), nullable=False),
        sa.Column("decryption", sa.LargeBinary(), nullable=True),
        sa.Column("primary", sa.Boolean(), nullable=False),
        sa.Column("verification", WHOLE, nullable=False),
        sa.Column("hardware", WHOLE, nullable=False),
        sa.Column("deltas", sa.Boolean(), nullable=False),
        sa.Column("place_bytes", WHOLE, nullable=True),
        sa.Column("block_bytes", WHOLE, nullable=True),
        sa.Column("decrypts", sa.Boolean(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_ecus_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ecus"),
        sa.UniqueConstraint("decryption", name="uq_ecus_decryption"),
        sa.UniqueConstraint("kid", name="uq_ecus_kid"),
        sa.UniqueConstraint("public", name="uq_ecus_public"),
    )
    op.create_index("ix_ecus_vehicle_id", "ecus", ["vehicle_id"], unique=False)
    op.create_table(
        "images",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("hardware", sa.JSON(), nullable=False),
        sa.Column("release", WHOLE, nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_images"),
    )
    op.create_table(
        "root_files",
        sa.Column("version", WHOLE, autoincrement=False, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_root_files"),
    )


def _make_wishes() -> None:
    """What people want where."""
    op.create_table(
        "bundles",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("trials", WHOLE, nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_bundles_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bundles"),
        sa.UniqueConstraint("vehicle_id", "number", name="uq_bundles_vehicle_id_number"),
    )
    op.create_index("ix_bundles_vehicle_id", "bundles", ["vehicle_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("ecu_id", WHOLE, nullable=False),
        sa.Column("image", WHOLE, nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.Column("bundle_id", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundles.id"], name="fk_assignments_bundle_id"),
        sa.ForeignKeyConstraint(["ecu_id"], ["ecus.id"], name="fk_assignments_ecu_id"),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name="fk_assignments_image"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_ecu_id", "assignments", ["ecu_id"], unique=False)
    op.create_table(
        "maps",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_maps_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_maps"),
    )
    op.create_index("ix_maps_vehicle_id", "maps", ["vehicle_id"], unique=False)


def _make_history() -> None:
    """What happened."""
    op.create_table(
        "manifests",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("received_s", WHOLE, nullable=False),
        sa.Column("counter", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_manifests_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_manifests"),
        sa.UniqueConstraint("vehicle_id", "counter", name="uq_manifests_vehicle_id_counter"),
    )
    op.create_index("ix_manifests_vehicle_id", "manifests", ["vehicle_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("manifest_id", WHOLE, nullable=False),
        sa.Column("ecu_id", WHOLE, nullable=False),
        sa.Column("counter", WHOLE, nullable=False),
        sa.Column("image", WHOLE, nullable=False),
        sa.Column("release", WHOLE, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("boot", WHOLE, nullable=False),
        sa.Column("attacks", sa.JSON(), nullable=False),
        sa.Column("tried", sa.JSON(), nullable=True),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["ecu_id"], ["ecus.id"], name="fk_reports_ecu_id"),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifests.id"], name="fk_reports_manifest_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("ecu_id", "counter", name="uq_reports_ecu_id_counter"),
    )
    op.create_index("ix_reports_ecu_id", "reports", ["ecu_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("manifest_id", WHOLE, nullable=True),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.Column("targets_version", WHOLE, nullable=False),
        sa.Column("directions", sa.JSON(), nullable=False),
        sa.Column("withheld", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name="fk_decisions_manifest_id"
        ),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_decisions_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_vehicle_id", "decisions", ["vehicle_id"], unique=False)


def _make_answers() -> None:
    """What the Director signed, and what people should look at."""
    op.create_table(
        "role_files",
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("role", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_role_files_vehicle_id"),
        sa.PrimaryKeyConstraint("vehicle_id", "role", "version", name="pk_role_files"),
    )
    op.create_table(
        "oddities",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("seen_s", WHOLE, nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oddities"),
    )


def _make_parcels() -> None:
    """What travels in the place of images."""
    op.create_table(
        "content_keys",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("plaintext", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_content_keys"),
        sa.UniqueConstraint("digest", name="uq_content_keys_digest"),
    )
    op.create_table(
        "parcels",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("image", WHOLE, nullable=False),
        sa.Column("base", sa.LargeBinary(), nullable=False),
        sa.Column("shape", sa.String(), nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("custom", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("made_s", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name="fk_parcels_image"),
        sa.PrimaryKeyConstraint("id", name="pk_parcels"),
    )
    op.create_index("ix_parcels_digest", "parcels", ["digest"], unique=False)
    op.create_index("ix_parcels_image", "parcels", ["image"], unique=False)
    op.create_index("ix_parcels_vehicle_id", "parcels", ["vehicle_id"], unique=False)
