"""Images that travel as deltas: wrong, bent and swollen ones, and entries that lie about them.

A delta is a way to an image, not an image: what was made of it is held against the entry, on which
both repositories agree, as it lies in flash. Until then no delta, whoever signed what it says of
itself, reads more than the old image or writes more than the new one.
Rules: E-20, E-21, E-32, E-81, S-26, S-27, S-28, V-48, V-63.
"""

from __future__ import annotations

from muptane.bench.attacks.arbitrary_software import ONLY_THE_DIRECTOR, describe
from muptane.bench.attacks.attack import INSTALLS, PRIMARY, attack, everywhere, fully
from muptane.bench.attacks.forgery import (
    as_long_as,
    base_of,
    flipped,
    send_delta,
    send_patch,
)
from muptane.bench.attacks.meddling import feed_announcing
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.oem import deltas
from uptane import ids
from uptane.algorithms import FORM_DELTA, FORM_PLAIN
from uptane.errors import (
    BadDelta,
    EncryptionDiffers,
    ImagesDiffer,
    TooLong,
    Truncated,
    Withheld,
    WrongBase,
    WrongHash,
)

# --- bytes exchanged on their way ---------------------------------------------------------------


@attack(ids=("E-81", "V-63.7"), expected=everywhere(BadDelta), power=AT_THE_WIRE, form=FORM_DELTA)
def delta_altered(stage: Stage) -> None:
    """spoil a delta by a flipped bit"""
    stage.informed()
    stage.images[stage.number] = flipped(stage.parcel(stage.number), 1)


@attack(ids=("E-81", "V-63.7"), expected=everywhere(WrongHash), power=AT_THE_WIRE, form=FORM_DELTA)
def delta_to_another_image(stage: Stage) -> None:
    """run an image of the attacker's own, by a sound delta to it of the same length"""
    stage.informed()
    length = len(stage.parcel(stage.number))
    others = (stage.content[:-1] + bytes((last,)) for last in range(1, 256))
    patches = (deltas.sequential(base_of(stage), other).patch for other in others)
    stage.images[stage.number] = next(patch for patch in patches if len(patch) == length)


# It may come in parts (V-48), so the rest is asked for, and is not there.
@attack(ids=("E-81", "E-21"), expected=everywhere(Withheld), power=AT_THE_WIRE, form=FORM_DELTA)
def delta_cut_short(stage: Stage) -> None:
    """have an ECU run what the first part of a delta makes"""
    stage.informed()
    stage.images[stage.number] = stage.parcel(stage.number)[:-1]


@attack(ids=("E-81", "E-20"), expected=everywhere(TooLong), power=AT_THE_WIRE, form=FORM_DELTA)
def delta_without_end(stage: Stage) -> None:
    """keep an ECU patching with more bytes than the delta has"""
    stage.informed()
    stage.images[stage.number] = stage.parcel(stage.number) + bytes(200_000)


@attack(ids=("E-81",), expected=everywhere(EncryptionDiffers), power=AT_THE_WIRE, form=FORM_DELTA)
def image_announced_in_place_of_its_delta(stage: Stage) -> str | int:
    """have an ECU take bytes for a delta that were announced as an image"""
    stage.informed()
    feed_announcing(stage, FORM_PLAIN)
    return stage.observed()


@attack(
    ids=("E-81", "V-48", "S-28"),
    expected={PRIMARY: WrongHash},
    power=AT_THE_WIRE,
    form=FORM_DELTA,
    secondaries=1,
)
def delta_altered_before_its_primary(stage: Stage) -> None:
    """have a Primary hand on a spoilt delta"""
    number, _ = stage.hand_on()
    stage.images[number] = flipped(stage.parcel(number), 1)


# --- what a thief of the Director's keys says of a delta ----------------------------------------


@attack(
    ids=("E-81", "E-32", "V-63.7"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_to_other_bytes(stage: Stage) -> None:
    """run an image of the attacker's own, by an honest entry and a delta that makes something
    else"""
    send_delta(stage, deltas.sequential(base_of(stage), as_long_as(stage.content)))
    stage.misinform()


@attack(
    ids=("E-81", "E-32", "V-75.10.2"),
    expected=fully(ImagesDiffer, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    limit=ONLY_THE_DIRECTOR,
    heal=rotate_director,
)
def image_of_the_thief_as_a_delta(stage: Stage) -> None:
    """run an image of the attacker's own, described as such and sent as a delta"""
    describe(stage.directed, EVIL)
    send_delta(stage, deltas.sequential(base_of(stage), EVIL))
    stage.director.publish()


@attack(
    ids=("E-81", "S-26"),
    expected=everywhere(WrongBase),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_from_another_base(stage: Stage) -> None:
    """have an ECU patch an image that it does not run"""
    send_delta(stage, deltas.sequential(flipped(base_of(stage)), stage.content))
    stage.misinform()


@attack(
    ids=("E-81", "S-26", "V-63.7"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def base_of_a_delta_misnamed(stage: Stage) -> None:
    """have an ECU patch an image that it does not run, by naming the one that it does"""
    send_patch(stage, deltas.sequential(flipped(base_of(stage)), stage.content).patch)
    stage.misinform()


@attack(
    ids=("E-81", "E-21"),
    expected=everywhere(Truncated),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_signed_too_short(stage: Stage) -> None:
    """have an ECU run what the first part of a delta makes, by saying that this is all of it"""
    send_patch(stage, stage.parcel(stage.number)[:-10])
    stage.misinform()


@attack(
    ids=("E-81", "S-27"),
    expected=everywhere(Withheld),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_said_to_be_longer(stage: Stage) -> None:
    """leave an ECU waiting for the end of a delta that has come whole"""
    stage.images[stage.number] = stage.parcel(stage.number)
    stage.custom[ids.CUSTOM_DELTA][ids.DELTA_LENGTH] += 10
    stage.misinform()


@attack(
    ids=("E-81", "S-27"),
    expected=everywhere(TooLong),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_said_to_be_shorter(stage: Stage) -> None:
    """have an ECU take more of a delta than was announced"""
    stage.images[stage.number] = stage.parcel(stage.number)
    stage.custom[ids.CUSTOM_DELTA][ids.DELTA_LENGTH] -= 1
    stage.misinform()


def misname(stage: Stage, number: int) -> None:
    """Bring an honest delta under a hash that nobody computed."""
    stage.images[number] = stage.parcel(number)
    custom = stage.director.targets.images[number][ids.ENTRY_CUSTOM]
    custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES] = {ids.ALG_SHA256: bytes(32)}
    stage.director.publish()


@attack(
    ids=("E-81", "S-27"),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    limit="what the delta makes is the Image repository's own image; the hash of the delta itself "
    "is for whoever hands it on",
    heal=rotate_director,
)
def hash_of_a_delta_is_wrong(stage: Stage) -> str:
    """have an ECU apply a delta under a hash that nobody computed"""
    misname(stage, stage.number)
    return stage.feed_the_image()


@attack(
    ids=("E-81", "S-28", "V-48"),
    expected={PRIMARY: WrongHash},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    secondaries=1,
    heal=rotate_director,
)
def hash_of_a_delta_is_wrong_for_its_primary(stage: Stage) -> None:
    """have a Primary hand on a delta under a hash that nobody computed"""
    number, _ = stage.hand_on()
    misname(stage, number)
    stage.informed()
