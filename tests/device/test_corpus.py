"""The corpus of the fuzzer, replayed: whatever was once worth keeping still ends as it has to."""

from fuzz.targets import TARGETS, outcome
from replay import inputs

INPUTS_MIN = 3


def replayed(name):
    """[numbers of refusals, ...] of every input of a target; all else that is raised fails."""
    return [outcome(name, raw) for _, raw in inputs(name)]


def test_every_target_accepts_and_refuses():
    """E-60, T-52: an input is accepted or refused with a number, and each target knows both."""
    for name in TARGETS:
        outcomes = replayed(name)
        assert len(outcomes) >= INPUTS_MIN, name
        assert [] in outcomes, name + " accepts nothing"
        refused = [number for numbers in outcomes for number in numbers]
        assert refused, name + " refuses nothing"
        assert all(type(number) is int and number > 0 for number in refused), name


def test_no_input_is_longer_than_its_parser_is_ever_given():
    """T-52: what is fuzzed is what the bounds let through."""
    for name in TARGETS:
        for file, raw in inputs(name):
            assert len(raw) <= TARGETS[name][1], file
