"""The policy records: in which fields the TUF dialect differs from what devices ship, and why."""

from __future__ import annotations

import re
from typing import Any

from tables import rows

from muptane.tufjson import dialect
from muptane.tufjson.dialect import TUF, UPTANE_JSON, JsonPolicy
from uptane.meta import policy
from uptane.meta.policy import DEVICE

# field: (what devices do, what TUF does)
DIFFERENCES: dict[str, tuple[Any, Any]] = {
    "t09_equal_version": (policy.SAME_PAYLOAD, dialect.STORED_COUNTS),
    "t12_falls_with": (
        {1: (1, 2), 2: (1, 2), 3: (3,)},
        {1: (1, 2), 2: (1, 2, 3), 3: (3,)},
    ),
    "t14_named": (dialect.MANDATORY, dialect.OPTIONAL),
    "t17_commits": (dialect.WHOLE_CYCLE, dialect.EACH_ROLE),
    "t23_search": ((32, 4, 16, 16384), (256, 32, 32, 64_000_000)),
    "t24_terminating": (policy.BEFORE_ITS_OWN, policy.AFTER_ITS_OWN),
    "t26_star": (dialect.ACROSS, dialect.IN_SEGMENT),
    "t27_counting": (dialect.HOLDERS, dialect.SIGNATURES),
    "t34_hashes": ((-16,), (-16, dialect.ALG_SHA512)),
    "t52_bytes_max": ((2048, 512, 1024, 4096), (512_000, 16_384, 2_000_000, 5_000_000)),
}


def differences(record: JsonPolicy) -> dict[str, tuple[Any, Any]]:
    """The fields in which a record differs from the device's way."""
    device = vars(JsonPolicy())
    return {name: (device[name], value) for name, value in vars(record).items()
            if device[name] != value}  # fmt: skip


def test_tuf_differs_in_these_fields_and_no_other() -> None:
    """T-09, T-12, T-14, T-17, T-23, T-24, T-26, T-27, T-34, T-52."""
    assert differences(TUF) == DIFFERENCES


def test_uptane_in_json_differs_where_json_has_no_word_for_it() -> None:
    """T-09, T-18, T-28, T-34, T-52."""
    assert sorted(differences(UPTANE_JSON)) == [
        "t09_equal_version",
        "t18_vehicle",
        "t28_time_for_install",
        "t34_hashes",
        "t52_bytes_max",
    ]


def test_a_json_record_begins_as_the_one_that_devices_ship() -> None:
    """V-07: what JSON adds are fields of its own."""
    fresh = vars(JsonPolicy())
    assert {name: fresh[name] for name in vars(DEVICE)} == vars(DEVICE)
    added = sorted(set(fresh) - set(vars(DEVICE)))
    assert added == ["t14_named", "t17_commits", "t26_star", "t27_counting"]


def test_the_document_tells_both_records() -> None:
    """P-05: docs/pouf.md has each field of the dialect, with its value there."""
    told = {}
    for row in rows("trap of the dialect"):
        told[row["field"]] = row["TUF"]
    assert told == {name: repr(there) for name, (_, there) in DIFFERENCES.items()}
    for name in told:
        assert re.fullmatch(r"t\d\d_\w+", name)
