"""What a Director says of a delta, as the device reads it."""

from claims import raises
from uptane.errors import BadShape, UnknownHash, UnsupportedDelta
from uptane.ids import ALG_SHA256
from uptane.image.description import read_delta

DELTA = b"d" * 32
BASE = b"b" * 32


def said(**changed):
    """A description of an in-place delta, with some of it changed or, by None, left out."""
    fields = {
        "algorithm": 2,
        "length": 500,
        "hashes": {ALG_SHA256: DELTA},
        "base": [4000, {ALG_SHA256: BASE}],
        "window": [10, 8],
        "layout": [8192, 4096, 4096],
    }
    fields.update(changed)
    keys = ("algorithm", "length", "hashes", "base", "window", "layout")
    return {keys.index(name) + 1: fields[name] for name in fields if fields[name] is not None}


def test_a_description_becomes_a_plan() -> None:
    """S-27: the algorithm, the delta like a target, its base, and the memory it was made for."""
    plan, base = read_delta(said(), 5000)
    assert (plan.digest, plan.length, base) == (DELTA, 500, BASE)
    assert (plan.old_length, plan.new_length) == (4000, 5000)
    assert plan.layout == (8192, 4096, 4096)
    plan, base = read_delta(said(algorithm=1, layout=None), 5000)
    assert plan.layout is None and base == BASE


def test_what_this_device_cannot_apply_is_refused() -> None:
    """E-81: unknown algorithm, a window beyond the bound."""
    for changed in ({"algorithm": 0}, {"algorithm": 3}, {"window": [11, 8]}, {"window": [10, 9]}):
        raises(UnsupportedDelta, read_delta, said(**changed), 5000)


def test_every_hash_has_to_be_known() -> None:
    """T-34: of the delta, and of its base."""
    for hashes in ({-44: DELTA}, {ALG_SHA256: DELTA, -44: DELTA}):
        raises(UnknownHash, read_delta, said(hashes=hashes), 5000)
        raises(UnknownHash, read_delta, said(base=[4000, hashes]), 5000)


def test_any_other_shape_is_refused() -> None:
    """S-27, E-81: a field that is missing, unknown, out of bounds or of another type."""
    for changed in (
        {"algorithm": None},
        {"algorithm": True},
        {"length": None},
        {"length": 0},
        {"length": 1 << 31},
        {"hashes": None},
        {"hashes": {}},
        {"hashes": {ALG_SHA256: DELTA[1:]}},
        {"base": None},
        {"base": [4000]},
        {"base": [0, {ALG_SHA256: BASE}]},
        {"base": [4000, {ALG_SHA256: BASE}, 1]},
        {"window": None},
        {"window": [10]},
        {"window": [b"10", 8]},
        {"window": [10, -1]},
        {"layout": None},
        {"layout": [8192, 4096]},
        {"layout": [8192, -1, 4096]},
        {"layout": [8192, 4096, 1 << 32]},
        {"algorithm": 1},  # which has no layout
    ):
        raises(BadShape, read_delta, said(**changed), 5000)
    unknown = said()
    unknown[7] = 0
    raises(BadShape, read_delta, unknown, 5000)
    raises(BadShape, read_delta, b"", 5000)
