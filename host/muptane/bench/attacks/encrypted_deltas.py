"""Deltas that travel encrypted: the lies about ciphertexts once more, where a delta is inside.

A wrap is for a delta or for an image, and who says encrypted is not satisfied by the plain delta,
which would tell much of a confidential image.
Rules: E-01, E-32, E-80, E-81, S-30, V-13, V-65, V-84.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import PRIMARY, attack, everywhere
from muptane.bench.attacks.forgery import (
    as_long_as,
    base_of,
    encrypted,
    flipped,
    send,
    send_delta,
)
from muptane.bench.attacks.meddling import feed_announcing
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from muptane.oem import deltas
from uptane import ids
from uptane.algorithms import FORM_DELTA, FORM_ENCRYPTED
from uptane.errors import (
    BadDelta,
    BadWrap,
    EncryptionDiffers,
    Withheld,
    WrongHash,
)

BOTH = FORM_DELTA | FORM_ENCRYPTED


@attack(ids=("E-80", "E-81"), expected=everywhere(BadDelta), power=AT_THE_WIRE, form=BOTH)
def encrypted_delta_altered(stage: Stage) -> None:
    """spoil a delta by a flipped bit of its ciphertext"""
    stage.informed()
    stage.images[stage.number] = flipped(stage.parcel(stage.number), 1)


@attack(
    ids=("E-80", "E-81", "V-84"),
    expected=everywhere(EncryptionDiffers),
    power=AT_THE_WIRE,
    form=BOTH,
)
def delta_announced_in_the_clear(stage: Stage) -> str | int:
    """have an ECU do without encryption, by announcing the plain delta"""
    stage.informed()
    stage.images[stage.number] = deltas.sequential(base_of(stage), stage.content).patch
    feed_announcing(stage, FORM_DELTA)
    return stage.observed()


@attack(
    ids=("E-80", "E-81", "V-13"),
    expected={PRIMARY: WrongHash},
    power=AT_THE_WIRE,
    form=BOTH,
    secondaries=1,
)
def plain_delta_before_its_primary(stage: Stage) -> None:
    """have a Primary hand on a confidential delta in the clear"""
    number, content = stage.hand_on()
    other = stage.maker.plan.secondaries()[0]
    base = stage.maker.content(other, stage.release - 1)
    stage.images[number] = deltas.sequential(base, content).patch


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(BadWrap),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=BOTH,
    heal=rotate_director,
)
def wrap_of_an_image_around_a_delta(stage: Stage) -> None:
    """have a delta opened by the key of a whole image"""
    send(stage, encrypted(stage, deltas.sequential(base_of(stage), stage.content).patch))
    stage.misinform()


@attack(
    ids=("E-80", "E-81", "E-32"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=BOTH,
    heal=rotate_director,
)
def encrypted_delta_to_other_bytes(stage: Stage) -> None:
    """run an image of the attacker's own, by an encrypted delta that makes something else"""
    delta = deltas.sequential(base_of(stage), as_long_as(stage.content))
    send_delta(stage, delta)
    send(stage, encrypted(stage, delta.patch, said=(ids.KIND_DELTA, b"")))
    stage.misinform()


@attack(
    ids=("E-80", "E-81", "E-01"),
    expected=everywhere(Withheld),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=BOTH,
    heal=rotate_director,
)
def confidential_delta_asked_for_in_the_clear(stage: Stage) -> None:
    """have the delta to a confidential image sent in the clear, to read it on its way"""
    del stage.custom[ids.CUSTOM_ENCRYPTED]
    stage.misinform()


@attack(
    ids=("E-80", "E-81", "V-84"),
    expected=everywhere(EncryptionDiffers),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=BOTH,
    heal=rotate_director,
)
def delta_said_to_be_its_own_ciphertext(stage: Stage) -> None:
    """have a plain delta pass for an encrypted one"""
    digest = stage.custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES][ids.ALG_SHA256]
    stage.custom[ids.CUSTOM_ENCRYPTED][1] = digest
    stage.misinform()
