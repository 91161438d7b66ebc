"""The tables of `contracts`: what was agreed with suppliers, and what came of every delivery.

They are the inventory's, and as append-only as the rest of it. It decides nothing.
Rules: R-17, R-32, R-36, T-41, E-90, E-91.
"""

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from muptane.oem.base import Base
from muptane.oem.delegations import Delegation, read_delegations
from muptane.oem.encoding import decode
from muptane.oem.terms import Terms
from uptane import limits


class DelegationMade(Base):
    """A delegation that the car maker decided on."""

    __tablename__ = "delegations"

    id: Mapped[int] = mapped_column(primary_key=True)
    made_s: Mapped[int]
    said: Mapped[bytes]  # as it stands in a Targets file, CBOR

    @property
    def delegation(self) -> Delegation:
        (found,) = read_delegations(decode(self.said, limits.TARGETS_BYTES_MAX))
        return found


class Contract(Base):
    """What was agreed with the supplier of one delegated role."""

    __tablename__ = "contracts"

    role: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    delegation_id: Mapped[int] = mapped_column(ForeignKey(DelegationMade.id))
    contact: Mapped[bytes]  # public Ed25519 key of his lists of hashes
    said: Mapped[str]  # his terms, JSON

    @property
    def terms(self) -> Terms:
        return Terms.model_validate_json(self.said)


class Arrival(Base):
    """A delivery that came, whatever it was."""

    __tablename__ = "arrivals"

    id: Mapped[int] = mapped_column(primary_key=True)
    arrived_s: Mapped[int]
    name: Mapped[str]  # of the file
    length: Mapped[int]
    sha256: Mapped[bytes]
    role: Mapped[int | None]  # that it claims to be by; None: it did not get so far
    supplier: Mapped[str]  # whom it claims to be by
    versions: Mapped[list[list[int]]] = mapped_column(JSON)  # [[role, version], ...] to publish
    verified: Mapped[list[str]] = mapped_column(JSON)  # sentences; []: it was refused


class ArrivalEnded(Base):
    """What became of an arrival."""

    __tablename__ = "arrivals_ended"

    arrival_id: Mapped[int] = mapped_column(ForeignKey(Arrival.id), primary_key=True)
    ended_s: Mapped[int]
    outcome: Mapped[str]  # TAKEN, HELD, REFUSED or INTERRUPTED
    refusal: Mapped[str]  # the class of errors, if it was refused
    sentence: Mapped[str]  # why it was not taken
    held: Mapped[bytes]  # the first file of a role, which waits for those of others
