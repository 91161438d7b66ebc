"""The readers of decoded items at both ends of what they take, and one beyond."""

from claims import raises
from uptane.errors import BadShape
from uptane.ids import ALG_SHA256
from uptane.limits import DIGEST_BYTES, ITEMS_MAX
from uptane.meta.shape import (
    HASHES_MAX,
    NUMBER_MAX,
    SECONDS_MAX,
    Fields,
    read_bytes,
    read_counters,
    read_custom,
    read_hashes,
    read_list,
    read_map,
    read_number,
    read_numbers,
)

DIGEST = bytes(DIGEST_BYTES)


def takes(reader, *values):
    for value in values:
        assert reader(value) == value


def refuses(reader, *values):
    for value in values:
        raises(BadShape, reader, value)


def test_the_bounds_are_those_of_the_grammar():
    """V-07: 32 bits, 64 bits, four hashes."""
    for most, bits in ((NUMBER_MAX, 32), (SECONDS_MAX, 64)):
        assert read_number((1 << bits) - 1, 0, most) == (1 << bits) - 1
        raises(BadShape, read_number, 1 << bits, 0, most)
    assert HASHES_MAX == 4


def test_a_number_is_an_integer_within_its_bounds():
    """V-04, V-07, E-60"""

    def reader(value):
        return read_number(value, 3, 5)

    takes(reader, 3, 4, 5)
    refuses(reader, 2, 6, -3, None, True, b"4", "4", [4], 4.0)


def test_a_list_has_as_many_items_as_it_may():
    """V-07, E-60"""

    def reader(value):
        return read_list(value, 1, 2)

    takes(reader, [0], [0, 0])
    refuses(reader, [], [0, 0, 0], None, b"0", "0", {0: 0}, (0,))


def test_a_map_is_a_map():
    """V-07, E-60"""
    takes(read_map, {}, {1: 2})
    refuses(read_map, None, [], b"", 0)


def test_bytes_have_their_length():
    """V-07, E-60"""

    def reader(value):
        return read_bytes(value, 2)

    takes(reader, b"12")
    refuses(reader, b"1", b"123", b"", "12", None, [1, 2])


def test_hashes_are_one_to_four_and_ours_has_its_length():
    """V-09, T-34: others are of any length, and their number is an integer."""
    takes(read_hashes, {ALG_SHA256: DIGEST}, {-44: b"", ALG_SHA256: DIGEST})
    takes(read_hashes, {-n: bytes(n) for n in range(17, 21)}, {-15: b"", 5: b""})
    refuses(read_hashes, {}, {-n: b"" for n in range(17, 22)}, [], None)
    refuses(read_hashes, {ALG_SHA256: DIGEST[1:]}, {ALG_SHA256: DIGEST + b"0"})
    refuses(read_hashes, {"sha256": DIGEST}, {b"": DIGEST}, {True: DIGEST}, {-44: "digest"})
    refuses(read_hashes, {-44: b"", True: DIGEST}, {-44: None})


def test_a_list_of_numbers_ascends():
    """V-12, V-14, T-26: strictly, or with repetition."""

    def strictly(value):
        return list(read_numbers(value, True))

    def loosely(value):
        return list(read_numbers(value, False))

    for reader in (strictly, loosely):
        takes(reader, [0], [NUMBER_MAX], [1, 2, NUMBER_MAX], list(range(ITEMS_MAX)))
        refuses(reader, [], [1, 0], [0, 2, 1], [-1], [NUMBER_MAX + 1], [True], [1, b"2"], None)
        refuses(reader, list(range(ITEMS_MAX + 1)))
    takes(loosely, [2, 2], [1, 2, 2, 3])
    refuses(strictly, [2, 2], [1, 2, 2, 3], [0, 0], [1, 1], [1, 3, 3])


def test_counters_are_pairs_of_numbers():
    """E-76, V-07"""
    takes(read_counters, {0: 0}, {NUMBER_MAX: NUMBER_MAX}, {1: 2, 3: 4})
    refuses(read_counters, {}, [], None, {-1: 0}, {NUMBER_MAX + 1: 0}, {0: NUMBER_MAX + 1})
    refuses(read_counters, {0: -1}, {True: 0}, {0: True}, {b"0": 0})


def test_custom_names_are_numbers_and_their_content_is_free():
    """V-09, V-10"""
    for free in ({}, {0: None}, {SECONDS_MAX: "any"}, {1: [True], 2: {}}):
        read_custom(free)
    refuses(read_custom, None, [], {-1: 0}, {"name": 0}, {True: 0}, {SECONDS_MAX + 1: 0})


def test_fields_are_taken_until_none_is_left():
    """V-07, E-60: no key but an integer, no null, and nothing that nobody asked for."""
    fields = Fields({1: 10, 2: {3: "free"}})
    raises(BadShape, fields.end)
    assert fields.take(1) == 10 and fields.take(1) is None
    raises(BadShape, fields.end)
    assert fields.take_custom(2) == {3: "free"} and fields.take_custom(2) is None
    fields.end()
    raises(BadShape, Fields({2: {-3: 0}}).take_custom, 2)
    refuses(Fields, None, [], {1: None}, {"1": 1}, {True: 1}, {1: 1, b"": 1}, {1: 1, 2: None})
