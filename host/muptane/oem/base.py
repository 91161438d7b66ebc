"""What all tables of the inventory share: how whole numbers and constraints are kept.

It has no table itself: see `inventory` and `contract_tables`.
Rules: R-17.
"""

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Whole numbers have 64 bits; SQLite counts only a plain INTEGER up by itself."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {int: BigInteger().with_variant(Integer(), "sqlite")}
