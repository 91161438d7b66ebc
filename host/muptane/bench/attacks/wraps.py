"""Wraps: keys of ciphertexts, made for another ECU, vehicle or ciphertext, or by a weak key.

A wrap is tied to all that it is for, and directions to the wrap, so without the Director's keys
there is nothing to exchange; with them nothing opens that its maker did not mean.
Rules: E-30, E-80, V-13, V-24, V-65, T-43.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import ACCEPTED, BACKOFFICE, DETECTED, attack, everywhere
from muptane.bench.attacks.forgery import (
    ANOTHER_VEHICLE,
    encrypted,
    flipped,
    known_to_the_thief,
    send,
)
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from muptane.oem.dispatch import Dispatch
from muptane.oem.encryption import Encryption
from uptane import ids
from uptane.algorithms import FORM_ENCRYPTED
from uptane.errors import BadKey, BadWrap, BelowThreshold, NotARecipient

WEAK_POINT = bytes(32)  # with it every X25519 secret agrees on zero


def swap_wrap(stage: Stage, wrap: bytes) -> None:
    """Have the Director's entry give the victim that wrap, and let it know."""
    stage.custom[ids.CUSTOM_ENCRYPTED][2] = {stage.victim.number: wrap}
    stage.misinform()


@attack(
    ids=("E-80", "E-30", "V-13"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    form=FORM_ENCRYPTED,
)
def wrap_altered(stage: Stage) -> None:
    """have an ECU open a ciphertext by another key, by altering directions on their way"""
    method, digest, wraps = stage.custom[ids.CUSTOM_ENCRYPTED]
    mine = stage.victim.number
    stage.custom[ids.CUSTOM_ENCRYPTED] = [method, digest, {mine: flipped(wraps[mine], 30)}]
    stage.director.serve(ids.TARGETS)


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(BadWrap),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def wrap_moved_to_another_ciphertext(stage: Stage) -> None:
    """have the key of one ciphertext open another one of the same image"""
    wrap = stage.custom[ids.CUSTOM_ENCRYPTED][2][stage.victim.number]
    send(stage, encrypted(stage, stage.content))
    swap_wrap(stage, wrap)


@attack(
    ids=("E-80", "V-65", "V-24"),
    expected=everywhere(BadWrap),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    secondaries=1,
    heal=rotate_director,
)
def wrap_of_another_ecu(stage: Stage) -> None:
    """have an ECU open an image by a wrap that was made for another one"""
    other = next(ecu for ecu in stage.maker.plan.ecu if ecu.name != stage.victim.name)
    made = encrypted(stage, stage.content, other.number)
    send(stage, made)
    swap_wrap(stage, made.wraps[stage.vin][other.number])


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(BadWrap),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def wrap_of_another_vehicle(stage: Stage) -> None:
    """have an ECU open an image by a wrap that names another vehicle"""
    send(stage, encrypted(stage, stage.content, vehicle=ANOTHER_VEHICLE))
    stage.misinform()


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(BadKey),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def wrap_by_a_weak_key(stage: Stage) -> None:
    """have an ECU agree on a secret that everybody knows"""
    wrap = stage.custom[ids.CUSTOM_ENCRYPTED][2][stage.victim.number]
    swap_wrap(stage, wrap[:-33] + WEAK_POINT + wrap[-1:])


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(NotARecipient),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def wrap_left_out(stage: Stage) -> None:
    """have an ECU try the ciphertext without a key, or with any"""
    wraps = stage.custom[ids.CUSTOM_ENCRYPTED][2]
    wraps[stage.victim.number + 1000] = wraps.pop(stage.victim.number)
    stage.misinform()


def mend(stage: Stage) -> None:
    stage.office.director.travel = stage.office.dispatch.custom


@attack(
    ids=("E-80", "V-13", "T-43"),
    expected={BACKOFFICE: DETECTED},
    power="a random source of the maker's that repeats itself",
    form=FORM_ENCRYPTED,
    heal=mend,
)
def content_key_used_twice(stage: Stage) -> str:
    """read one image by the key of another"""
    office = stage.office
    wrap, identity = office.key_server.wrap, office.director.identity
    broken = Encryption(office.inventory, identity, wrap, known_to_the_thief)
    dispatch = Dispatch(
        office.inventory, lambda number, _: stage.maker.content(stage.victim, number % 100), broken
    )
    office.director.travel = dispatch.custom
    for _ in range(2):
        stage.release += 1
        stage.offer(stage.release)
    decided = office.director.welcome(stage.vin, office.now())
    stage.look()
    named = [ecu for ecu, _, why in decided.withheld if "content key" in why]
    return DETECTED if named == [stage.victim.number] else ACCEPTED
