"""Searches that lead astray: circles, chains without end, priorities and agreements passed over.

Rules: E-57 to E-59, V-17, V-76, V-77, T-23 to T-25.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import INSTALLS, attack, fully
from muptane.bench.attacks.places import (
    DIRECTOR_KEYS,
    MIRROR,
    rotate_both,
    rotate_director,
)
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.bench.attacks.suppliers import SUPPLIER_AND_PUBLISHER, entry
from muptane.bench.attacks.update import SUPPLIER_ROLE
from muptane.oem.delegations import Delegate, Delegation, write_delegations
from muptane.oem.keys import Holders, Signer
from muptane.oem.supplier import Supplier
from uptane import ids
from uptane.errors import (
    NotOnImageRepository,
    TooLong,
)


def leave_to(stage: Stage, to: tuple[int, ...]) -> list[Delegation]:
    """Everything in the victim's range, left to roles whose files the supplier's key signs."""
    first = stage.victim.number * 100
    holders = stage.supplier.holders
    return [
        Delegation(ranges=((first, first + 99),), roles=(Delegate.of(number, holders),))
        for number in to
    ]


def serve_chain(stage: Stage, links: dict[int, tuple[int, ...]]) -> None:
    """Let the supplier's file, and files like it, delegate as `links` says: {role: roles}."""
    stage.lister.images.clear()
    stage.lister.fields[ids.KEY_DELEGATIONS] = write_delegations(leave_to(stage, links[16]))
    stage.lister.version += 1
    identity, now = stage.image.identity, stage.office.now()
    for role, to in links.items():
        if role != SUPPLIER_ROLE:
            made = Supplier(role, stage.supplier.holders, identity)
            stage.image.serve(role, made.sign({}, now, leave_to(stage, to)))
            stage.image.snapshot.versions[role] = 1
    stage.image.publish()


@attack(
    ids=("E-57", "T-23"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=SUPPLIER_AND_PUBLISHER,
    supplied=True,
)
def delegations_in_a_circle(stage: Stage) -> None:
    """keep an ECU searching for ever"""
    serve_chain(stage, {16: (17,), 17: (18,), 18: (16,)})


@attack(
    ids=("E-57", "T-23"),
    expected=fully(TooLong),
    power=MIRROR,
    keys=SUPPLIER_AND_PUBLISHER,
    supplied=True,
)
def delegations_without_end(stage: Stage) -> None:
    """keep an ECU descending for ever"""
    serve_chain(stage, {16: (17,), 17: (18,), 18: (19,), 19: (20,), 20: (21,), 21: (22,)})


@attack(
    ids=("E-57", "T-23"),
    expected=fully(TooLong),
    power=MIRROR,
    keys=SUPPLIER_AND_PUBLISHER,
    supplied=True,
)
def delegations_beyond_number(stage: Stage) -> None:
    """keep an ECU fetching for ever"""
    many = tuple(range(17, 33))
    serve_chain(stage, {16: many, **dict.fromkeys(many, ())})


def two_suppliers(stage: Stage, agreement: int | None, terminating: bool) -> int:
    """The maker leaves a range to role 17, and to role 18 after or beside it; an evil image is
    listed by 18 alone, whose key is stolen, and directed. Returns its number."""
    first = stage.victim.number * 100 + 90
    office, now = stage.office, stage.office.now()
    made = {
        role: Supplier(
            role, Holders.of(Signer.from_seed(b"of", str(role))), office.images.identity
        )
        for role in (17, 18)
    }
    evil = entry(stage, stage.victim.hardware)
    ranges = ((first, first + 9),)
    if agreement is None:
        for role, ends in ((17, terminating), (18, False)):
            leave = Delegation(ranges=ranges, roles=(made[role].delegate,), terminating=ends)
            office.delegate(leave, [made[role].sign({}, now)], {})
    else:
        both = (made[17].delegate, made[18].delegate)
        leave = Delegation(ranges=ranges, roles=both, agreement=agreement)
        office.delegate(leave, [one.sign({}, now) for one in made.values()], {})
    stage.look()
    stage.image.forget()
    stage.image.steal(18, made[18].holders.ready())
    stage.image.role(18).images[first] = evil
    stage.direct(first, evil)
    stage.images[first] = EVIL
    stage.image.publish()
    stage.director.publish()
    return first


@attack(
    ids=("E-58", "V-17", "V-76.3", "T-24"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot", *DIRECTOR_KEYS),
    heal=rotate_director,
)
def terminating_delegation_passed_over(stage: Stage) -> None:
    """have a lower priority speak where a terminating delegation has said no"""
    two_suppliers(stage, None, True)


@attack(
    ids=("E-58", "V-76.4.3"),
    expected=fully(INSTALLS),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot", *DIRECTOR_KEYS),
    limit="a delegation that does not terminate lets the next one speak",
    heal=rotate_both,
)
def delegation_that_does_not_terminate(stage: Stage) -> None:
    """have a lower priority speak where a higher one says nothing"""
    two_suppliers(stage, None, False)


@attack(
    ids=("E-59", "V-77", "T-25"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot", *DIRECTOR_KEYS),
    heal=rotate_director,
)
def one_role_where_two_must_agree(stage: Stage) -> None:
    """have one supplier speak where two have to say the same"""
    two_suppliers(stage, 2, False)
