"""Suppliers who lie, whose keys were stolen, or whose files are kept from the vehicle.

Rules: E-24, E-37, E-38, E-42, E-45, E-46, E-56, V-16, V-74, V-76, T-22, T-41.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from muptane.bench.attacks.attack import INSTALLS, attack, fully
from muptane.bench.attacks.places import (
    DIRECTOR_KEYS,
    IMAGE_KEYS,
    MIRROR,
    rotate_both,
)
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.bench.attacks.update import SUPPLIER_ROLE
from muptane.oem.keys import Signer
from uptane import ids
from uptane.errors import (
    BadEnvelope,
    BadKey,
    BadThreshold,
    BelowThreshold,
    NotOnImageRepository,
    VersionMismatch,
    Withheld,
    WrongType,
)

SUPPLIER_AND_PUBLISHER = ("supplier", "image.timestamp", "image.snapshot")


def entry(stage: Stage, hardware: int) -> dict[int, Any]:
    """What an evil image of the stage's release would be listed as."""
    return {
        ids.ENTRY_LENGTH: len(EVIL),
        ids.ENTRY_HASHES: {ids.ALG_SHA256: sha256(EVIL).digest()},
        ids.ENTRY_MATCH: {ids.MATCH_HARDWARE: [hardware], ids.MATCH_RELEASE: stage.release},
    }


def list_and_direct(stage: Stage, number: int) -> None:
    """The supplier lists an evil image under a number, and the Director sends it."""
    evil = entry(stage, stage.victim.hardware)
    stage.lister.images[number] = evil
    stage.direct(number, evil)
    stage.images[number] = EVIL
    stage.image.publish()
    stage.director.publish()


def drop_supplier(stage: Stage) -> None:
    """What a maker does whose supplier's key was stolen (R-39): he lists the images himself."""
    stage.office.images.end_delegation(SUPPLIER_ROLE)
    stage.supplied = False
    rotate_both(stage)


@attack(
    ids=("E-37",),
    expected=fully(INSTALLS),
    power=MIRROR,
    keys=(*SUPPLIER_AND_PUBLISHER, *DIRECTOR_KEYS),
    supplied=True,
    limit="with the Director and a supplier's key an attacker reaches that supplier's ECUs alone",
    heal=drop_supplier,
)
def supplier_key_stolen(stage: Stage) -> None:
    """run an image of the attacker's own, listed by a supplier whose key he has"""
    list_and_direct(stage, stage.victim.number * 100 + 80)


@attack(
    ids=("E-38", "V-76.4.1"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=(*SUPPLIER_AND_PUBLISHER, *DIRECTOR_KEYS),
    supplied=True,
    heal=rotate_both,
)
def supplier_lists_what_is_not_his(stage: Stage) -> None:
    """have a supplier speak for a number that was not left to him"""
    list_and_direct(stage, stage.victim.number * 100 + 95)


@attack(
    ids=("E-38", "V-76.4.1", "V-16"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=(*SUPPLIER_AND_PUBLISHER, *DIRECTOR_KEYS),
    supplied=True,
    heal=rotate_both,
)
def supplier_lists_other_hardware(stage: Stage) -> None:
    """have a supplier speak for hardware that was not left to him"""
    number = stage.victim.number * 100 + 80
    evil = entry(stage, stage.victim.hardware)
    hardware = sorted((stage.victim.hardware, stage.victim.hardware + 7))
    evil[ids.ENTRY_MATCH][ids.MATCH_HARDWARE] = hardware
    stage.lister.images[number] = evil
    stage.direct(number, evil)
    stage.images[number] = EVIL
    stage.image.publish()
    stage.director.publish()


@attack(ids=("E-56", "V-76.1", "T-22"), expected=fully(Withheld), power=MIRROR, supplied=True)
def supplier_withheld(stage: Stage) -> None:
    """hide what a supplier says"""
    stage.image.withhold(SUPPLIER_ROLE)


@attack(ids=("E-56", "V-74.3"), expected=fully(BelowThreshold), power=MIRROR, supplied=True)
def supplier_altered(stage: Stage) -> None:
    """change what a supplier says"""
    stage.listed[ids.ENTRY_LENGTH] += 1
    stage.image.serve(SUPPLIER_ROLE)


@attack(ids=("E-56", "V-06"), expected=fully(BadEnvelope), power=MIRROR, supplied=True)
def supplier_unsigned(stage: Stage) -> None:
    """speak for a supplier without a signature"""

    def bare(envelope: list[Any]) -> None:
        envelope[3] = []

    stage.image.role(SUPPLIER_ROLE).forge = bare
    stage.image.serve(SUPPLIER_ROLE)


@attack(ids=("E-56", "E-46", "V-78"), expected=fully(BelowThreshold), power=MIRROR, supplied=True)
def supplier_signed_by_another(stage: Stage) -> None:
    """speak for a supplier with the keys of another"""
    stage.image.steal(SUPPLIER_ROLE, (Signer.from_seed(b"another supplier"),))
    stage.image.serve(SUPPLIER_ROLE)


@attack(
    ids=("E-56", "E-46", "V-07"),
    expected=fully(WrongType),
    power=MIRROR,
    keys=SUPPLIER_AND_PUBLISHER,
    supplied=True,
)
def supplier_under_another_number(stage: Stage) -> None:
    """pass one supplier's file as another's"""
    stage.image.role(SUPPLIER_ROLE).fields[ids.KEY_NUMBER] = SUPPLIER_ROLE + 1
    stage.image.publish(SUPPLIER_ROLE)


@attack(
    ids=("E-56", "V-76"),
    expected=fully(NotOnImageRepository),
    power=MIRROR,
    keys=SUPPLIER_AND_PUBLISHER,
    supplied=True,
)
def supplier_emptied(stage: Stage) -> None:
    """have a supplier list nothing any more"""
    stage.lister.images.clear()
    stage.image.publish()


@attack(
    ids=("E-42", "E-56"),
    expected=fully(BadThreshold),
    power=MIRROR,
    keys=IMAGE_KEYS,
    supplied=True,
)
def delegation_of_threshold_zero(stage: Stage) -> None:
    """let a supplier's file pass that nobody signed"""
    _, listed = stage.image.targets.fields[ids.KEY_DELEGATIONS]
    listed[0][ids.DELEGATION_ROLES][0][1] = 0
    stage.image.publish()


@attack(
    ids=("E-45", "E-56"),
    expected=fully(BadKey),
    power=MIRROR,
    keys=IMAGE_KEYS,
    supplied=True,
)
def delegation_to_a_key_that_is_missing(stage: Stage) -> None:
    """name a supplier's key that no file gives"""
    _, listed = stage.image.targets.fields[ids.KEY_DELEGATIONS]
    listed[0][ids.DELEGATION_ROLES][0][2] = [bytes(8)]
    stage.image.publish()


@attack(
    ids=("E-24", "V-74.2", "T-41"),
    expected=fully(VersionMismatch),
    power=MIRROR,
    keys=IMAGE_KEYS,
    supplied=True,
)
def delegated_role_missing_from_the_snapshot(stage: Stage) -> None:
    """leave images to a role that the Snapshot does not list"""
    _, listed = stage.image.targets.fields[ids.KEY_DELEGATIONS]
    listed[0][ids.DELEGATION_ROLES][0][0] = SUPPLIER_ROLE + 1
    stage.image.publish()
