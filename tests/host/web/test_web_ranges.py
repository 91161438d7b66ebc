"""Conditions and ranges: the grammar of RFC 9110, and what it makes of any text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muptane.oem.web.ranges import Conditions, Span, Verdict, judge, span_of

TAG = '"abc"'
SIZES = st.integers(0, 50)
PLACES = st.integers(0, 60)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-9", Span(0, 10)),
        ("bytes=0-99999", Span(0, 10)),
        ("bytes=9-", Span(9, 10)),
        ("bytes=0-", Span(0, 10)),
        ("bytes=-1", Span(9, 10)),
        ("bytes=-10", Span(0, 10)),
        ("bytes=-11", Span(0, 10)),
        ("BYTES=1-2", Span(1, 3)),
        ("bytes= 1-2 ", Span(1, 3)),
        ("bytes=,1-2,", Span(1, 3)),
        ("bytes=0000001-2", Span(1, 3)),
        ("bytes=1-" + "9" * 5000, Span(1, 10)),
        ("bytes=10-", Verdict.UNSATISFIABLE),
        ("bytes=10-20", Verdict.UNSATISFIABLE),
        ("bytes=-0", Verdict.UNSATISFIABLE),
        ("bytes=" + "9" * 5000 + "-", Verdict.UNSATISFIABLE),
        ("bytes=2-1", Verdict.WHOLE),
        ("bytes=1-2,4-5", Verdict.WHOLE),
        ("bytes=", Verdict.WHOLE),
        ("bytes", Verdict.WHOLE),
        ("bytes=-", Verdict.WHOLE),
        ("bytes=a-b", Verdict.WHOLE),
        ("bytes=1 -2", Verdict.WHOLE),
        ("bytes=+1-2", Verdict.WHOLE),
        ("bytes=1--2", Verdict.WHOLE),
        ("bytes=\u0661-\u0662", Verdict.WHOLE),
        ("lines=1-2", Verdict.WHOLE),
        ("", Verdict.WHOLE),
    ],
)
def test_a_range_is_one_span_or_ignored(text: str, made: Span | Verdict) -> None:
    """R-07: RFC 9110, 14.1.2 and 14.2, for a file of ten bytes."""
    assert span_of(text, 10) == made


@given(PLACES, PLACES, SIZES)
@example(0, 0, 0)
def test_a_range_brings_what_a_slice_brings(first: int, last: int, length: int) -> None:
    content = bytes(range(length))
    for text, wanted in (
        (f"bytes={first}-{last}", content[first : last + 1] if first <= last else content),
        (f"bytes={first}-", content[first:]),
        (f"bytes=-{last}", content[max(length - last, 0) :] if last else b""),
    ):
        made = span_of(text, length)
        if isinstance(made, Span):
            assert content[made.first : made.end] == wanted
            assert 0 <= made.first < made.end <= length
        elif made is Verdict.UNSATISFIABLE:
            assert wanted == b""
        else:
            assert wanted == content


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_parts_in_a_row_are_the_whole(steps: list[int]) -> None:
    """R-07: whoever goes on where he stopped has the file in the end."""
    content, had = bytes(range(50)), b""
    for step in steps:
        made = span_of(f"bytes={len(had)}-{len(had) + step - 1}", len(content))
        if made is Verdict.UNSATISFIABLE:
            assert had == content
            return
        assert isinstance(made, Span)
        had += content[made.first : made.end]
        assert content.startswith(had)


@given(st.text(max_size=40) | st.from_regex(r"bytes=[-0-9, \t]{0,20}", fullmatch=True), SIZES)
def test_no_text_leads_out_of_the_file(text: str, length: int) -> None:
    made = span_of(text, length)
    if isinstance(made, Span):
        assert 0 <= made.first < made.end <= length
    else:
        assert made in (Verdict.WHOLE, Verdict.UNSATISFIABLE)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        (Conditions(), Verdict.WHOLE),
        (Conditions(if_none_match=['"abc"']), Verdict.NOT_MODIFIED),
        (Conditions(if_none_match=['W/"abc"']), Verdict.NOT_MODIFIED),
        (Conditions(if_none_match=['"x", "abc"']), Verdict.NOT_MODIFIED),
        (Conditions(if_none_match=['"x"', '"abc"']), Verdict.NOT_MODIFIED),
        (Conditions(if_none_match=["*"]), Verdict.NOT_MODIFIED),
        (Conditions(if_none_match=['"x"']), Verdict.WHOLE),
        (Conditions(if_none_match=["abc"]), Verdict.WHOLE),
        (Conditions(if_match=['"abc"']), Verdict.WHOLE),
        (Conditions(if_match=["*"]), Verdict.WHOLE),
        (Conditions(if_match=['W/"abc"']), Verdict.FAILED),
        (Conditions(if_match=['"x"']), Verdict.FAILED),
        (Conditions(if_match=['"x"'], if_none_match=['"abc"']), Verdict.FAILED),
        (Conditions(range=["bytes=1-2"]), Span(1, 3)),
        (Conditions(range=["bytes=1-2"], if_none_match=['"abc"']), Verdict.NOT_MODIFIED),
        (Conditions(range=["bytes=1-2", "bytes=4-5"]), Verdict.WHOLE),
        (Conditions(range=["bytes=1-2"], if_range=['"abc"']), Span(1, 3)),
        (Conditions(range=["bytes=1-2"], if_range=['W/"abc"']), Verdict.WHOLE),
        (Conditions(range=["bytes=1-2"], if_range=['"x"']), Verdict.WHOLE),
        (
            Conditions(range=["bytes=1-2"], if_range=["Wed, 21 Oct 2015 07:28:00 GMT"]),
            Verdict.WHOLE,
        ),
        (Conditions(range=["bytes=99-"], if_range=['"x"']), Verdict.WHOLE),
        (Conditions(if_range=['"abc"']), Verdict.WHOLE),
    ],
)
def test_conditions_come_in_their_order(asked: Conditions, made: Span | Verdict) -> None:
    """R-05: RFC 9110, 13.2.2: a part only of the very file that the client has."""
    assert judge("GET", asked, TAG, 10) == made


def test_a_range_means_nothing_to_other_methods() -> None:
    assert judge("HEAD", Conditions(range=["bytes=1-2"]), TAG, 10) is Verdict.WHOLE
    assert judge("HEAD", Conditions(range=["bytes=99-"]), TAG, 10) is Verdict.WHOLE
