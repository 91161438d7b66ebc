"""The device's refusals and the host's words for them are one list, number by number.

It does not judge the words; it holds that none is missing, doubled or empty.
Rules: V-36.
"""

import re
from pathlib import Path

import pytest

from muptane.refusals import ADVICE, explain
from uptane import errors

REFUSALS = {
    name: thing
    for name, thing in vars(errors).items()
    if isinstance(thing, type)
    and issubclass(thing, errors.Refusal)
    and thing is not errors.Refusal
}


def test_every_refusal_of_the_device_has_advice_and_no_advice_is_left_over() -> None:
    """V-36: a number that a device reports can always be explained."""
    device = {(refusal.number, name) for name, refusal in REFUSALS.items()}
    host = {(number, advice.name) for number, advice in ADVICE.items()}
    assert device == host, (
        f"without advice: {sorted(device - host)}; without a class: {sorted(host - device)}. "
        "Cure: edit firmware/uptane/errors.py and host/muptane/refusals.py together."
    )


def test_no_two_refusals_share_a_number() -> None:
    numbers = [refusal.number for refusal in REFUSALS.values()]
    assert sorted(set(numbers)) == sorted(numbers)
    assert 0 not in numbers


@pytest.mark.parametrize("number", sorted(ADVICE))
def test_every_advice_says_what_why_and_what_next(number: int) -> None:
    advice = ADVICE[number]
    for words in (advice.sentence, advice.cause, advice.next_step):
        assert len(words) > 10
        assert not words.endswith(".")
    line = explain(number)
    assert line == f"{advice.sentence} (likely cause: {advice.cause}; next: {advice.next_step})"


def test_an_unknown_number_gets_a_friendly_line() -> None:
    assert "9999" in explain(9999)
    assert "next: update muptane" in explain(9999)
    assert explain(0) == "nothing was refused"


def test_the_attacks_that_the_standard_wants_named_are_named() -> None:
    """V-36: the classes of attack by the names that the literature gives them."""
    named = {advice.attack for advice in ADVICE.values()}
    assert {
        "rollback",
        "freeze",
        "mix-and-match",
        "arbitrary software",
        "endless data",
        "slow retrieval",
    } <= named


def test_each_number_lies_in_the_range_of_its_family() -> None:
    """The docstring of errors names where each family begins; no class lies before its own."""
    source = Path(errors.__file__).read_text(encoding="utf-8")
    numbers = [int(found) for found in re.findall(r"^    number = (\d+)$", source, re.MULTILINE)]
    assert numbers == sorted(numbers), "Cure: keep errors.py in the order of its numbers."
