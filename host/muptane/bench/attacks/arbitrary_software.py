"""An image of the attacker's own, with every kind of key from none to all.

Rules: E-20, E-21, E-30 to E-37, E-54, E-55, E-70, V-48, V-63, V-64, V-75.10, V-76, T-04, T-34.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from muptane.bench.attacks.attack import INSTALLS, attack, everywhere, fully
from muptane.bench.attacks.places import (
    AT_THE_WIRE,
    DIRECTOR_KEYS,
    IMAGE_KEYS,
    MIRROR,
    rotate_both,
    rotate_director,
)
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.bench.maker import image_number
from uptane import ids
from uptane.errors import (
    BelowThreshold,
    ImagesDiffer,
    NotOnImageRepository,
    TooLong,
    UnknownHash,
    Withheld,
    WrongHardware,
    WrongHash,
)

SHA512 = -44  # COSE's number of a hash that no device of ours knows
ONLY_THE_DIRECTOR = (
    "a partial Secondary checks the Director alone, so whoever holds the Director's online keys "
    "decides what it runs; give full verification to every ECU that can do harm"
)


def describe(entry: dict[int, Any], content: bytes) -> None:
    """Let an entry describe these bytes."""
    entry[ids.ENTRY_LENGTH] = len(content)
    entry[ids.ENTRY_HASHES] = {ids.ALG_SHA256: sha256(content).digest()}


def of_another_ecu(stage: Stage) -> tuple[int, dict[int, Any]]:
    """Number and entry of an image that the maker released for other hardware."""
    other = next(ecu for ecu in stage.maker.plan.ecu if ecu.hardware != stage.victim.hardware)
    number = image_number(other, 2)
    return number, stage.office.images.images[number].as_map()


@attack(ids=("E-30", "E-70", "V-74.3"), expected=everywhere(BelowThreshold), power=AT_THE_WIRE)
def directions_altered(stage: Stage) -> None:
    """run an image of the attacker's own, by altering directions on their way"""
    describe(stage.directed, EVIL)
    stage.director.serve(ids.TARGETS)
    stage.images[stage.number] = EVIL


@attack(ids=("E-31", "E-70", "V-48", "V-63.7"), expected=everywhere(WrongHash), power=AT_THE_WIRE)
def image_altered(stage: Stage) -> None:
    """run an image of the attacker's own, by changing bytes on their way"""
    stage.informed()
    stage.images[stage.number] = stage.content[:-1] + b"!"


@attack(ids=("E-20", "V-61"), expected=everywhere(TooLong), power=AT_THE_WIRE)
def image_without_end(stage: Stage) -> None:
    """fill an ECU's flash with more bytes than the image has"""
    stage.informed()
    stage.images[stage.number] = stage.content + bytes(200_000)


# An image may come in parts (V-48), so the rest is asked for, and is not there.
@attack(ids=("E-21", "V-64"), expected=everywhere(Withheld), power=AT_THE_WIRE)
def image_cut_short(stage: Stage) -> None:
    """have an ECU run the first part of an image"""
    stage.informed()
    stage.images[stage.number] = stage.content[:-100]


@attack(
    ids=("E-32", "E-70", "V-34", "V-75.10.2"),
    expected=fully(ImagesDiffer, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit=ONLY_THE_DIRECTOR,
    heal=rotate_director,
)
def director_key_stolen(stage: Stage) -> None:
    """run an image of the attacker's own on an ECU"""
    describe(stage.directed, EVIL)
    stage.images[stage.number] = EVIL
    stage.director.publish()


@attack(
    ids=("E-33", "V-63.3", "V-86"),
    expected=everywhere(WrongHardware),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def image_of_other_hardware(stage: Stage) -> None:
    """run another ECU's genuine image"""
    number, entry = of_another_ecu(stage)
    stage.direct(number, entry)
    stage.director.publish()


@attack(
    ids=("E-33", "V-75.10.2", "T-20"),
    expected=fully(ImagesDiffer, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="a partial Secondary has only the Director's word for which hardware an image is for",
    heal=rotate_director,
)
def image_of_other_hardware_relabelled(stage: Stage) -> None:
    """run another ECU's genuine image, said to be for this hardware"""
    number, entry = of_another_ecu(stage)
    made = stage.direct(number, entry)
    match = {ids.MATCH_HARDWARE: [stage.victim.hardware], ids.MATCH_RELEASE: stage.release}
    made[ids.ENTRY_MATCH] = match
    stage.director.publish()


@attack(
    ids=("E-34", "V-75.10.1", "V-76"),
    expected=fully(NotOnImageRepository, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit=ONLY_THE_DIRECTOR,
    heal=rotate_director,
)
def image_that_nobody_released(stage: Stage) -> None:
    """direct an image that the Image repository does not list"""
    number = image_number(stage.victim, 99)
    describe(stage.direct(number, stage.directed), EVIL)
    stage.images[number] = EVIL
    stage.director.publish()


@attack(
    ids=("E-35", "E-55", "V-78"),
    expected=fully(ImagesDiffer, partial=WrongHash),
    power=MIRROR,
    keys=IMAGE_KEYS,
)
def image_repository_stolen(stage: Stage) -> None:
    """have the image at stake replaced by whoever holds the Image repository"""
    if stage.is_partial():
        stage.informed()
    evil = stage.content[:-1] + b"!"
    describe(stage.listed, evil)
    stage.images[stage.number] = evil
    stage.image.publish()


@attack(
    ids=("E-36",),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS + IMAGE_KEYS,
    limit="who holds the keys of both repositories is the maker, as far as a vehicle can tell",
    heal=rotate_both,
)
def both_repositories_stolen(stage: Stage) -> None:
    """run an image of the attacker's own, with the keys of both repositories"""
    describe(stage.directed, EVIL)
    describe(stage.listed, EVIL)
    stage.images[stage.number] = EVIL
    stage.director.publish()
    stage.image.publish()


@attack(
    ids=("E-54", "V-48", "T-34"),
    expected=everywhere(UnknownHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS + IMAGE_KEYS,
    heal=rotate_both,
)
def one_of_several_hashes_is_wrong(stage: Stage) -> None:
    """hide a wrong hash beside a right one"""
    for entry in (stage.directed, stage.listed):
        entry[ids.ENTRY_HASHES][SHA512] = bytes(64)
    stage.director.publish()
    stage.image.publish()


@attack(
    ids=("E-54", "V-63.7"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS + IMAGE_KEYS,
    heal=rotate_both,
)
def hash_is_wrong_everywhere(stage: Stage) -> None:
    """have an image installed whose hash nobody computed"""
    for entry in (stage.directed, stage.listed):
        entry[ids.ENTRY_HASHES] = {ids.ALG_SHA256: bytes(32)}
    stage.director.publish()
    stage.image.publish()
    stage.informed()
    stage.images[stage.number] = stage.content


def disagree(stage: Stage, field: int, value: object) -> None:
    """Let the Director say something else of one field than the Image repository does."""
    stage.directed[field] = value
    stage.director.publish()


@attack(
    ids=("E-55", "V-75.10.2"),
    expected=fully(ImagesDiffer),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def length_disagrees(stage: Stage) -> None:
    """cut an image short by directions that give another length"""
    disagree(stage, ids.ENTRY_LENGTH, len(stage.content) - 16)


@attack(
    ids=("E-55", "V-75.10.2", "V-11"),
    expected=fully(ImagesDiffer),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def hardware_disagrees(stage: Stage) -> None:
    """widen the hardware that an image is for"""
    hardware = sorted((stage.victim.hardware, stage.victim.hardware + 1))
    match = {ids.MATCH_HARDWARE: hardware, ids.MATCH_RELEASE: stage.release}
    disagree(stage, ids.ENTRY_MATCH, match)


@attack(
    ids=("E-55", "V-12", "V-75.10.2"),
    expected=fully(ImagesDiffer),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def release_disagrees(stage: Stage) -> None:
    """burn release counters, so that honest releases are refused later"""
    match = {ids.MATCH_HARDWARE: [stage.victim.hardware], ids.MATCH_RELEASE: 0xFFFFFFF0}
    disagree(stage, ids.ENTRY_MATCH, match)
