"""Images in pieces, for an ECU without a spare slot: what would overwrite the one that it runs.

No byte is written before its piece was held against a hash that was signed, so a liar on the way
spoils nothing. He can stop in the middle; then the ECU says that it runs nothing, and goes on with
whoever brings the rest.
Rules: E-32, E-81, T-32, V-58, V-63.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import FULL, PARTIAL, Verdict, attack
from muptane.bench.attacks.forgery import as_long_as, flipped
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from muptane.oem.chain import chained
from uptane import ids
from uptane.algorithms import FORM_CHAINED
from uptane.errors import NotChained, WrongPiece
from uptane.limits import DIGEST_BYTES, PIECE_BYTES


def alone(verdict: Verdict) -> dict[str, Verdict]:
    """Of ECUs without a spare slot, which a Primary never is."""
    return {FULL: verdict, PARTIAL: verdict}


@attack(ids=("E-32", "T-32"), expected=alone(WrongPiece), power=AT_THE_WIRE, form=FORM_CHAINED)
def first_piece_altered(stage: Stage) -> None:
    """spoil the image that an ECU runs, by a flipped bit of what overwrites it"""
    stage.informed()
    stage.images[stage.number] = flipped(stage.parcel(stage.number), 100)


@attack(ids=("E-32", "T-32"), expected=alone(WrongPiece), power=AT_THE_WIRE, form=FORM_CHAINED)
def pieces_in_another_order(stage: Stage) -> None:
    """have an ECU write the second piece in the place of the first"""
    stage.informed()
    raw, size = stage.parcel(stage.number), PIECE_BYTES + DIGEST_BYTES
    stage.images[stage.number] = raw[size : 2 * size] + raw[:size] + raw[2 * size :]


@attack(ids=("E-32", "T-32"), expected=alone(WrongPiece), power=AT_THE_WIRE, form=FORM_CHAINED)
def image_in_place_of_its_pieces(stage: Stage) -> None:
    """have an ECU overwrite its image with one that it can check only at its end"""
    stage.informed()
    honest = stage.parcel(stage.number)
    stage.images[stage.number] = stage.content + bytes(len(honest) - len(stage.content))


@attack(ids=("E-32", "T-32"), expected=alone(WrongPiece), power=AT_THE_WIRE, form=FORM_CHAINED)
def pieces_of_another_image(stage: Stage) -> None:
    """overwrite the image with bytes of the attacker's own, in pieces that fit each other"""
    stage.informed()
    stage.images[stage.number] = chained(as_long_as(stage.content))[0]


@attack(
    ids=("E-32", "T-32", "V-58"),
    expected=alone(NotChained),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_CHAINED,
    heal=rotate_director,
)
def pieces_left_out(stage: Stage) -> None:
    """have an ECU erase what it runs for bytes that nobody signed one by one"""
    del stage.custom[ids.CUSTOM_CHAIN]
    stage.images[stage.number] = stage.content
    stage.misinform()
