"""With whom the car maker has agreed on what, and what came of every delivery: rows that stay.

A delegation may wait here: it is published with the first files of its roles, since vehicles
refuse one without (T-41). An arrival is recorded before anything is published, its outcome after
that; an arrival without one was interrupted, and `Intake.settle` says what became of it. These
tables are the inventory's, and as append-only as the rest of it.
Rules: R-17, R-32, R-36, S-05, T-41, E-90, E-91.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem.contract_tables import Arrival, ArrivalEnded, Contract, DelegationMade
from muptane.oem.delegations import Delegation, write_delegations
from muptane.oem.encoding import encode
from muptane.oem.errors import AlreadyRegistered, NotDelegated, RangeTaken
from muptane.oem.inventory import Inventory
from muptane.oem.keys import Key
from muptane.oem.terms import Terms

TAKEN = "taken"
HELD = "held"
REFUSED = "refused"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Agreement:
    """A contract with its delegation."""

    terms: Terms
    contact: Key
    delegation: Delegation


def record_contracts(
    inventory: Inventory, delegation: Delegation, agreed: Sequence[tuple[Terms, Key]], now: int
) -> None:
    """A delegation and a contract for each of its roles. AlreadyRegistered, RangeTaken."""
    with inventory.begin() as session:
        for one in session.scalars(select(DelegationMade)):
            check_apart(one.delegation, delegation)
        for terms, _ in agreed:
            if session.get(Contract, terms.role) is not None:
                raise AlreadyRegistered(f"role {terms.role} is another supplier's already")
        made = DelegationMade(made_s=now, said=encode(write_delegations([delegation])))
        session.add(made)
        session.flush()
        for terms, contact in agreed:
            session.add(
                Contract(
                    role=terms.role,
                    delegation_id=made.id,
                    contact=contact.public,
                    said=terms.model_dump_json(),
                )
            )
        session.commit()


def agreements(inventory: Inventory) -> dict[int, Agreement]:
    """Role -> what was agreed with its supplier, in the order of the delegations."""
    query = select(Contract, DelegationMade).join(DelegationMade).order_by(DelegationMade.id)
    with inventory.begin() as session:
        return {
            contract.role: Agreement(contract.terms, Key(contract.contact), made.delegation)
            for contract, made in session.execute(query)
        }


def agreement_of(inventory: Inventory, role: int) -> Agreement:
    """What was agreed with the supplier of a role, else NotDelegated."""
    found = agreements(inventory).get(role)
    if found is None:
        raise NotDelegated(f"there is no contract with a supplier of role {role}")
    return found


def check_apart(known: Delegation, wanted: Delegation) -> None:
    """An image number on a hardware is one supplier's (R-36), else RangeTaken."""
    both = (known.hardware, wanted.hardware)
    if None not in both and not set(known.hardware or ()) & set(wanted.hardware or ()):
        return
    for first, last in known.ranges:
        for start, end in wanted.ranges:
            if first <= end and start <= last:
                roles = " and ".join(map(str, known.numbers()))
                raise RangeTaken(f"images {first}-{last} are left to role {roles} already")


def unfinished(session: Session) -> list[Arrival]:
    """Arrivals without an outcome, oldest first."""
    ended = select(ArrivalEnded.arrival_id)
    query = select(Arrival).where(Arrival.id.not_in(ended)).order_by(Arrival.id)
    return list(session.scalars(query))


def held_files(inventory: Inventory, roles: Iterable[int]) -> dict[int, bytes]:
    """Role -> the first file that waits for those of other roles, the newest that came."""
    query = (
        select(Arrival.role, ArrivalEnded.held)
        .join(ArrivalEnded)
        .where(ArrivalEnded.outcome == HELD, Arrival.role.in_(list(roles)))
        .order_by(Arrival.id)
    )
    with inventory.begin() as session:
        return {role: held for role, held in session.execute(query) if role is not None}
