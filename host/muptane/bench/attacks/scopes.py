"""Images for other regions of an ECU than they are made for.

Which regions an image replaces is must-match data, and an ECU knows which it has: data that were
started as code, or code that lay where nobody looks for it, would be as good as another image.
Rules: E-33, S-25, T-04, V-12, V-75.10.2.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import attack, everywhere, fully
from muptane.bench.attacks.places import (
    AT_THE_WIRE,
    DIRECTOR_KEYS,
    IMAGE_KEYS,
    rotate_both,
    rotate_director,
)
from muptane.bench.attacks.stage import Stage
from uptane import ids
from uptane.errors import ImagesDiffer, NoRegion


def _elsewhere(stage: Stage) -> list[list[int]]:
    """All of the image at stake, for the calibration."""
    return [[ids.REGION_CALIBRATION, len(stage.content)]]


@attack(
    ids=("E-33", "S-25", "V-75.10.2", "T-04"),
    expected=fully(ImagesDiffer, partial=NoRegion),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def image_for_another_region(stage: Stage) -> None:
    """have an ECU write its application where something else belongs"""
    stage.directed[ids.ENTRY_MATCH][ids.MATCH_REGIONS] = _elsewhere(stage)
    stage.misinform()


@attack(
    ids=("E-33", "S-25"),
    expected=everywhere(NoRegion),
    power=AT_THE_WIRE,
    keys=(*DIRECTOR_KEYS, *IMAGE_KEYS),
    heal=rotate_both,
)
def image_for_a_region_that_is_not_there(stage: Stage) -> None:
    """have an ECU start data as its application"""
    for entry in (stage.directed, stage.listed):
        entry[ids.ENTRY_MATCH][ids.MATCH_REGIONS] = _elsewhere(stage)
    stage.image.publish()
    stage.misinform()
