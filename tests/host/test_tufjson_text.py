"""JSON text, names and patterns of the TUF dialect, each against a library of others."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote as quoted

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical
from tuf.api.metadata import SuccinctRoles

from muptane.tufjson import names, text
from uptane.errors import BadShape, TooDeep, Unsupported

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_bytes_are_those_of_others(value: Any) -> None:
    """V-07: what the JSON client verifies is what securesystemslib signs, not what came."""
    try:
        raw = json.dumps(value, ensure_ascii=False).encode()
        wanted = encode_canonical(value).encode()
    except UnicodeEncodeError:  # half a surrogate is no text
        return
    assert text.canonical(text.parse(raw)) == wanted


def test_what_has_no_canonical_form_is_refused() -> None:
    """E-60"""
    with pytest.raises(Unsupported):
        text.canonical({"a": [1.0]})
    with pytest.raises(TooDeep):
        text.canonical(json.loads("[" * 40 + "]" * 40))


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))
def test_dates_are_seconds(moment: datetime) -> None:
    """T-29"""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    written = f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")
    assert text.seconds(written) == int(moment.timestamp())


@pytest.mark.parametrize(
    "written",
    ["", "2030-01-01", "2030-01-01T00:00:00+", "2030-13-01T00:00:00Z", "2030-01-01T24:00:00Z",
     "2030-01-01 00:00:00Z", "2030-01-01T00:00:0xZ", "1969-12-31T23:59:59Z"],
)  # fmt: skip
def test_other_dates_are_refused(written: str) -> None:
    """E-60"""
    with pytest.raises(BadShape):
        text.seconds(written)


@settings(max_examples=300)
@given(st.text("ab/.", max_size=8), st.text("ab/.*?[]!-", max_size=8))
def test_patterns_match_as_the_shell_has_them(path: str, pattern: str) -> None:
    """T-26: in each part of the path, or across."""
    assert names.matches(path, pattern, names.ACROSS) == fnmatch.fnmatchcase(path, pattern)
    parts, patterns = path.split("/"), pattern.split("/")
    each = len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))
    assert names.matches(path, pattern, names.IN_SEGMENT) == each


def test_a_pattern_of_many_stars_does_not_take_for_ever() -> None:
    """T-23"""
    assert not names.matches("a" * 2000, "*a" * 200 + "b", names.IN_SEGMENT)


@given(st.text(max_size=20), st.integers(1, 32))
def test_bins_are_those_of_others(path: str, bits: int) -> None:
    """T-26, V-16"""
    try:
        hashlib.sha256(path.encode())
    except UnicodeEncodeError:
        return
    theirs = SuccinctRoles([], 1, bits, "bin").get_role_for_target(path)
    assert names.bin_name(path, "bin", bits) == theirs


@given(st.text(st.characters(codec="utf-8")))
def test_names_are_quoted_as_in_addresses(name: str) -> None:
    """T-07"""
    assert names.quote(name) == quoted(name, safe="")
