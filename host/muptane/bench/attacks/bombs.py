"""Delta bombs, and deltas of a kind that an ECU does not apply, by a thief of the Director's keys.

Whatever a patch says, it reads the old image alone, writes no more than the new one has, and does
work in proportion to that; what is not known is not guessed.
Rules: E-20, E-60, E-81, S-29.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import attack, everywhere
from muptane.bench.attacks.forgery import (
    base_of,
    packed,
    patch_of,
    send_delta,
    send_patch,
)
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from muptane.oem import deltas
from uptane import ids
from uptane.algorithms import FORM_DELTA
from uptane.errors import (
    BadDelta,
    UnsupportedDelta,
)
from uptane.limits import DELTA_WINDOW_BITS_MAX

IN_PLACE_BYTES = 65_536, 4_096  # memory and segments of an ECU that is not the victim
EMPTY_STEP = bytes(3)  # takes nothing, adds nothing, goes nowhere


@attack(
    ids=("E-81", "E-60"),
    expected=everywhere(UnsupportedDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_of_no_known_algorithm(stage: Stage) -> None:
    """have an ECU guess how a delta is to be applied"""
    stage.custom[ids.CUSTOM_DELTA][ids.DELTA_ALGORITHM] = ids.DELTA_IN_PLACE + 1
    stage.misinform()


@attack(
    ids=("E-81", "S-29"),
    expected=everywhere(UnsupportedDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_in_place_for_a_spare_slot(stage: Stage) -> None:
    """have an ECU overwrite the image that it could go back to"""
    send_delta(stage, deltas.in_place(base_of(stage), stage.content, *IN_PLACE_BYTES))
    stage.misinform()


@attack(
    ids=("E-81", "E-60"),
    expected=everywhere(UnsupportedDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_of_another_kind_than_said(stage: Stage) -> None:
    """have an ECU take an in-place delta for a sequential one"""
    send_patch(stage, deltas.in_place(base_of(stage), stage.content, *IN_PLACE_BYTES).patch)
    stage.misinform()


@attack(
    ids=("E-81",),
    expected=everywhere(UnsupportedDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_of_too_large_a_window(stage: Stage) -> None:
    """fill an ECU's memory by a window of decompression"""
    window = stage.custom[ids.CUSTOM_DELTA][ids.DELTA_WINDOW]
    window[0] = DELTA_WINDOW_BITS_MAX + 1
    stage.misinform()


@attack(
    ids=("E-81", "E-20"),
    expected=everywhere(BadDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_to_a_larger_image(stage: Stage) -> None:
    """fill an ECU's flash with what a small delta swells to"""
    send_patch(stage, deltas.sequential(base_of(stage), stage.content + bytes(500_000)).patch)
    stage.misinform()


@attack(
    ids=("E-81", "E-20", "E-88"),
    expected=everywhere(BadDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_that_swells(stage: Stage) -> None:
    """write beyond the end of an image by a step that is one byte too long"""
    take = len(base_of(stage))
    extra = len(stage.content) - take + 1
    steps = packed(take) + bytes(take) + packed(extra) + bytes(extra) + packed(0)
    send_patch(stage, patch_of(stage, steps))
    stage.misinform()


@attack(
    ids=("E-81",),
    expected=everywhere(BadDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_that_reads_beyond_the_old_image(stage: Stage) -> None:
    """have an ECU put into an image what lies behind the old one, its secrets maybe"""
    beyond = len(base_of(stage)) + 1
    send_patch(stage, patch_of(stage, packed(beyond) + bytes(beyond)))
    stage.misinform()


@attack(
    ids=("E-81",),
    expected=everywhere(BadDelta),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_DELTA,
    heal=rotate_director,
)
def delta_that_never_gets_on(stage: Stage) -> None:
    """keep an ECU busy with steps that make nothing"""
    send_patch(stage, patch_of(stage, EMPTY_STEP * 5000))
    stage.misinform()
