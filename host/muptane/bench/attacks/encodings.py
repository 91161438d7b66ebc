"""Two readings of one file: encodings that strict readers refuse, signed by the proper keys.

Rules: E-60, E-61, V-04, V-07, V-09, V-85, T-06, T-07.
"""

from __future__ import annotations

import cbor2

from muptane.bench.attacks.attack import attack, everywhere
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from uptane import ids
from uptane.errors import (
    BadShape,
    BadText,
    DuplicateKey,
    NotDeterministic,
    TooDeep,
    TrailingBytes,
    Truncated,
    Unsupported,
)


def speak(stage: Stage, payload: bytes) -> None:
    """Serve these bytes, properly signed, as the Director's Targets."""
    stage.director.targets.payload = payload
    stage.director.publish(ids.TARGETS)


def next_fields(stage: Stage) -> dict[int, object]:
    """The honest directions, one version up."""
    fields = dict(stage.director.targets.fields)
    fields[ids.KEY_VERSION] = stage.director.targets.version + 1
    stage.director.targets.version += 1
    return fields


def with_one_more(stage: Stage, pair: bytes) -> bytes:
    """The payload with one more pair at the end of its map."""
    payload = cbor2.dumps(next_fields(stage))
    return bytes((payload[0] + 1,)) + payload[1:] + pair


@attack(
    ids=("E-60", "T-06"),
    expected=everywhere(DuplicateKey),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def key_twice_in_a_map(stage: Stage) -> None:
    """have two readers see two different vehicles in one file"""
    pair = cbor2.dumps(ids.KEY_VEHICLE) + cbor2.dumps("MUPTANE0STRANGER1")
    speak(stage, with_one_more(stage, pair))


@attack(
    ids=("E-60", "T-06"),
    expected=everywhere(NotDeterministic),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def number_longer_than_needed(stage: Stage) -> None:
    """write one value in two ways"""
    payload = cbor2.dumps(next_fields(stage))
    speak(stage, bytes((payload[0], ids.KEY_FORMAT, 0x18, ids.FORMAT)) + payload[3:])


@attack(
    ids=("E-60", "T-06"),
    expected=everywhere(TrailingBytes),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def bytes_behind_the_end(stage: Stage) -> None:
    """hide something behind what is read"""
    speak(stage, cbor2.dumps(next_fields(stage)) + b"\0")


@attack(
    ids=("E-60", "T-06"),
    expected=everywhere(Truncated),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def payload_cut_short(stage: Stage) -> None:
    """have a reader run over the end"""
    speak(stage, cbor2.dumps(next_fields(stage))[:-1])


@attack(
    ids=("E-60", "V-04"),
    expected=everywhere(BadText),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def name_in_another_normal_form(stage: Stage) -> None:
    """write a vehicle's name in letters that look the same"""
    fields = next_fields(stage)
    fields[ids.KEY_VEHICLE] = "MUPTANE\u0415SEDAN0001"
    speak(stage, cbor2.dumps(fields))


@attack(
    ids=("E-60", "T-07"),
    expected=everywhere(Unsupported),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def number_as_a_float(stage: Stage) -> None:
    """write an image's length as a number that is rounded"""
    fields = next_fields(stage)
    fields[ids.KEY_CUSTOM] = {1: 1.5}
    speak(stage, cbor2.dumps(fields))


@attack(
    ids=("E-60", "V-07"),
    expected=everywhere(TooDeep),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def nested_without_end(stage: Stage) -> None:
    """exhaust a reader's stack"""
    deep: object = 0
    for _ in range(200):
        deep = [deep]
    fields = next_fields(stage)
    fields[ids.KEY_CUSTOM] = {1: deep}
    speak(stage, cbor2.dumps(fields))


@attack(
    ids=("E-60", "V-07", "V-09"),
    expected=everywhere(BadShape),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def unknown_field(stage: Stage) -> None:
    """say something that half of the readers would heed"""
    fields = next_fields(stage)
    fields[22] = 1
    speak(stage, cbor2.dumps(dict(sorted(fields.items()))))


@attack(
    ids=("E-61", "V-85", "T-07"),
    expected=everywhere(BadShape),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def path_for_a_number(stage: Stage) -> None:
    """name an image by a path that leads elsewhere"""
    fields = next_fields(stage)
    images = dict(stage.director.targets.images)
    images["../../etc/passwd"] = images.pop(stage.number)  # type: ignore[index]
    fields[ids.KEY_IMAGES] = images
    speak(stage, cbor2.dumps(fields))


@attack(
    ids=("E-61", "V-85"),
    expected=everywhere(BadShape),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def number_beyond_32_bits(stage: Stage) -> None:
    """have two image numbers meet in one by cutting off their high bits"""
    fields = next_fields(stage)
    images = dict(stage.director.targets.images)
    images[(1 << 32) + stage.number] = images.pop(stage.number)
    fields[ids.KEY_IMAGES] = images
    speak(stage, cbor2.dumps(fields))
