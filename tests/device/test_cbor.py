"""cbor: one value, one encoding, and a refusal for everything else (T-06, V-04)."""

from claims import raises
from uptane import cbor, errors, limits
from vectors import rfc8949


def unhex(text):
    return bytes.fromhex(text)


def refuse(name, text):
    """Claim that an encoding, in hexadecimal, is refused by its name."""
    refusal = getattr(errors, name)
    try:
        value = cbor.loads(unhex(text))
    except errors.Refusal as raised:
        assert type(raised) is refusal, f"{text}: {raised!r}"
        return
    raise AssertionError(f"{text} is {value!r}")


def test_every_example_of_the_rfc_inside_the_subset_comes_back_as_its_own_bytes():
    for text, value in rfc8949.INSIDE:
        raw = unhex(text)
        found = cbor.loads(raw)
        assert found == value and type(found) is type(value), text
        assert cbor.dumps(value) == raw, text
        assert cbor.loads(memoryview(b"x" + raw)[1:]) == value, text


def test_every_example_of_the_rfc_outside_the_subset_is_refused():
    count = len(rfc8949.INSIDE)
    for name, texts in rfc8949.OUTSIDE:
        for text in texts:
            refuse(name, text)
            count += 1
    assert count == 82


def test_every_ill_formed_input_of_the_rfc_is_refused():
    for _, name, texts in rfc8949.ILL_FORMED:
        for text in texts.split():
            refuse(name, text)


def test_nothing_at_all_is_truncated():
    refuse("Truncated", "")


def test_bytes_after_the_item_are_refused():
    refuse("TrailingBytes", "0000")
    refuse("TrailingBytes", "8000")
    refuse("TrailingBytes", "f6f6")


def test_a_number_that_could_be_shorter_is_refused():
    for text in ("1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff"):
        refuse("NotDeterministic", text)
    refuse("NotDeterministic", "1b0000000000000000")
    refuse("NotDeterministic", "1b00000000ffffffff")
    for text in ("3817", "3900ff", "580100", "78016d", "980100", "b8010000", "590001ff"):
        refuse("NotDeterministic", text)


def test_numbers_round_trip_at_every_change_of_width():
    for edge in (0, 23, 24, 0xFF, 0x100, 0xFFFF, 0x10000, 0xFFFFFFFF, 0x100000000, (1 << 64) - 1):
        for number in (edge, -1 - edge):
            assert cbor.loads(cbor.dumps(number)) == number
    assert len(cbor.dumps(23)) == 1
    assert len(cbor.dumps(24)) == len(cbor.dumps(255)) == 2
    assert len(cbor.dumps(256)) == len(cbor.dumps(65535)) == 3
    assert len(cbor.dumps(65536)) == len(cbor.dumps((1 << 32) - 1)) == 5
    assert len(cbor.dumps(1 << 32)) == 9


def test_a_number_beyond_64_bits_is_not_written():
    raises(errors.Unsupported, cbor.dumps, 1 << 64)
    raises(errors.Unsupported, cbor.dumps, -1 - (1 << 64))


def test_keys_must_ascend_and_differ():
    refuse("NotDeterministic", "a202000100")
    refuse("DuplicateKey", "a201000100")
    refuse("NotDeterministic", "a2616200616100")
    # bytewise, not shorter first: 24 (1818) comes before -1 (20)
    assert cbor.loads(unhex("a21818002000")) == {24: 0, -1: 0}
    refuse("NotDeterministic", "a22000181800")


def test_a_map_is_written_in_the_order_of_its_encoded_keys():
    raw = cbor.dumps({"b": 1, b"b": 2, -1: 3, 100: 4, 10: 5, "aa": 6})
    assert raw == unhex("a60a0518640420034162026162016261610 6".replace(" ", ""))


def test_a_key_of_another_type_is_refused():
    """T-07: True is 1 for a dict: {1: 0, true: 0} would lose a pair."""
    for text in ("a1f500", "a1f600", "a18000", "a1a000", "a1f9000000", "a1c00000", "a20100f500"):
        refuse("Unsupported", text)
    raises(errors.Unsupported, cbor.dumps, {True: 1})
    raises(errors.Unsupported, cbor.dumps, {None: 1})


def test_a_byte_string_and_a_text_of_the_same_bytes_are_two_keys():
    """T-07."""
    value = cbor.loads(unhex("a2416100616101"))
    assert value[b"a"] == 0 and value["a"] == 1 and len(value) == 2


def test_nesting_is_bounded():
    deepest = b"\x81" * limits.DEPTH_MAX + b"\x00"
    value = cbor.loads(deepest)
    assert cbor.dumps(value) == deepest
    raises(errors.TooDeep, cbor.loads, b"\x81" + deepest)
    raises(errors.TooDeep, cbor.dumps, [value])
    raises(errors.TooDeep, cbor.loads, b"\x81" * 5000)
    raises(errors.TooDeep, cbor.loads, b"\xa1\x00" * 5000)
    assert cbor.loads(b"\x81" * (limits.DEPTH_MAX - 1) + b"\xa0")
    raises(errors.TooDeep, cbor.loads, b"\x81" * limits.DEPTH_MAX + b"\xa0")


def test_items_are_bounded():
    most = cbor.dumps([0] * limits.ITEMS_MAX)
    assert len(cbor.loads(most)) == limits.ITEMS_MAX
    raises(errors.TooLong, cbor.dumps, [0] * (limits.ITEMS_MAX + 1))
    raises(errors.TooLong, cbor.loads, b"\x99\x01\x01" + bytes(257))
    raises(errors.TooLong, cbor.loads, b"\xb9\x01\x01" + bytes(514))


def test_text_is_bounded_and_printable_ascii():
    """V-04: which is normal form C already."""
    text = "x" * limits.TEXT_BYTES_MAX
    assert cbor.loads(cbor.dumps(text)) == text
    raises(errors.TooLong, cbor.dumps, text + "x")
    raises(errors.TooLong, cbor.loads, b"\x78\x41" + b"x" * 65)
    for raw in (b"\x61\x00", b"\x61\x1f", b"\x61\x7f", b"\x61\x80", b"\x62a\n"):
        raises(errors.BadText, cbor.loads, raw)
    raises(errors.BadText, cbor.dumps, "a\n")
    raises(errors.BadText, cbor.dumps, "\u00fc")
    assert cbor.loads(b"\x62 ~") == " ~"


def test_a_length_is_held_against_the_bytes_left_before_anything_is_made():
    for first in (b"\x5b", b"\x7b", b"\x9b", b"\xbb"):
        raises(errors.Truncated, cbor.loads, first + b"\xff" * 8)
        raises(
            errors.Truncated, cbor.loads, first + b"\x00\x00\x00\x01\x00\x00\x00\x00" + bytes(9)
        )
    raises(errors.Truncated, cbor.loads, b"\xa2\x00\x00\x01")


def test_every_cut_of_an_item_is_truncated():
    raw = cbor.dumps({1: [1, 1000, b"bytes"], 2: {"text": True}, -1: 1 << 40})
    for end in range(len(raw)):
        raises(errors.Truncated, cbor.loads, raw[:end])


def test_buffers_are_written_as_byte_strings_and_tuples_as_arrays():
    assert cbor.dumps((1, b"a")) == cbor.dumps([1, bytearray(b"a")])
    assert cbor.dumps([memoryview(b"abc")[1:2]]) == unhex("814162")


def test_byte_strings_come_out_as_bytes_of_their_own():
    raw = bytearray(b"\x42ab")
    value = cbor.loads(raw)
    raw[1] = 0
    assert value == b"ab" and type(value) is bytes


def test_the_first_item_can_be_read_alone():
    value, rest = cbor.loads_first(b"\x41a\x82\x01")
    assert value == b"a" and bytes(rest) == b"\x82\x01"


def test_what_has_no_encoding_is_refused():
    raises(errors.Unsupported, cbor.dumps, 1.5)
    raises(errors.Unsupported, cbor.dumps, {1})
    raises(errors.Unsupported, cbor.dumps, [object()])
