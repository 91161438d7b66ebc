"""Heatshrink: streams in pieces, within bounds, from any byte on."""

from array import array

from claims import raises
from patches import Stream
from uptane.errors import Rotten, UnsupportedDelta
from uptane.image import heatshrink
from uptane.image.heatshrink import Decoder
from vectors.deltas import noise

TEXT = noise(7, 300)


def decoder(head: int = 0x44) -> Decoder:
    made = Decoder()
    made.begin(head)
    return made


def decoded(made: Decoder, raw: bytes, piece_bytes: int = 1024) -> bytes:
    """What a stream gives when it comes in such pieces."""
    plain = b""
    for at in range(0, len(raw), piece_bytes):
        made.load(raw[at : at + piece_bytes])
        while made.fresh or made.fill():
            n = min(made.fresh, 100)
            plain += bytes(made.view(n))
            made.take(n)
        assert made.used() == len(raw[at : at + piece_bytes])
    return plain


def packed(made: Decoder) -> bytes:
    """Its state, as a checkpoint keeps it."""
    raw = bytearray(made.packed_bytes())
    made.pack_into(memoryview(raw))
    return bytes(raw)


def a_stream() -> "tuple[bytes, bytes]":
    """A stream that slides its window some times, and what it says."""
    stream = Stream().literals(TEXT).repeat(100, 77).literals(b"abc").repeat(3, 128)
    plain = TEXT + TEXT[200:277] + b"abc" + (b"abc" * 43)[:128]
    for i in range(10):
        stream.repeat(256, 128).literals(bytes([i]))
        plain += plain[-256:-128] + bytes([i])
    return stream.packed(), plain


def test_a_stream_is_the_same_in_pieces_of_any_size() -> None:
    """S-26: pieces come as the bus cuts them."""
    raw, plain = a_stream()
    for piece_bytes in (1, 2, 3, 7, 64, 1024):
        made = decoder()
        assert decoded(made, raw, piece_bytes) == plain, piece_bytes
        assert made.spent()


def test_before_the_first_byte_lie_zeros() -> None:
    """S-26: the encoder refers to them."""
    raw = Stream().repeat(200, 5).literals(b"x").repeat(256, 3).packed()
    assert decoded(decoder(), raw) == bytes(5) + b"x" + bytes(3)


def test_every_window_in_bounds_is_taken_and_no_other() -> None:
    """E-81: a larger window would not fit the heap that is set aside."""
    for window in range(4, 20):
        for lookahead in range(3, 19):
            head = window - 4 << 4 | lookahead - 3
            if window > 10 or lookahead > 8 or lookahead >= window or window + lookahead < 8:
                raises(UnsupportedDelta, Decoder().begin, head)
                continue
            raw = Stream(window, lookahead).literals(TEXT)
            raw = raw.repeat(1 << window, 1).repeat(1, 1 << lookahead).packed()
            plain = (bytes(1024) + TEXT)[-1 << window :][:1]
            plain = TEXT + plain + plain * (1 << lookahead)
            assert decoded(decoder(head), raw, 50) == plain, (window, lookahead)


def test_no_more_than_a_window_is_decoded_ahead() -> None:
    """E-81: one byte of a stream can stand for many."""
    stream = Stream().literals(b"x")
    for _ in range(100):
        stream.repeat(1, 128)
    made = decoder()
    made.load(stream.packed())
    while made.fresh or made.fill():
        assert made.fresh <= 256
        made.take(1)


def test_only_zero_bits_of_the_last_byte_may_be_left() -> None:
    """E-81: trailing bytes."""
    whole = Stream().literals(TEXT[:5])
    for raw, spent in (
        (whole.packed(), True),
        (whole.packed(1), False),
        (whole.packed() + b"\x00", False),
    ):
        made = decoder()
        assert decoded(made, raw) == TEXT[:5]
        assert made.spent() == spent
    made = decoder()
    made.load(whole.packed())
    assert made.fill() and not made.spent()


def test_machine_code_and_python_decode_alike() -> None:
    """S-26: in the emulator, on a board, and inside CPython."""
    machine = heatshrink.fast.decode if heatshrink.fast else heatshrink.decode
    for raw in (a_stream()[0], TEXT, noise(99, 300)):  # whatever it is, it decodes to something
        found = []
        for decode in (machine, heatshrink.decode):
            state = array("i", [0, 0, 0, len(raw), 256, 256, 16, 7])
            buffer = memoryview(bytearray(256 + 8192))
            for full in range(256, 8192 + 256 - 128, 100):
                state[heatshrink.FULL] = full
                decode(state, buffer, raw)
            found.append((list(state), bytes(buffer)))
        assert found[0] == found[1]


def test_a_stream_goes_on_from_every_byte() -> None:
    """E-79: after a reset, in another object."""
    raw, plain = a_stream()
    for at in range(len(raw) + 1):
        made = decoder()
        first = decoded(made, raw[:at])
        again = Decoder()
        again.unpack(packed(made))
        assert packed(again) == packed(made)
        assert first + decoded(again, raw[at:]) == plain, at


def test_what_is_fresh_goes_on_too() -> None:
    """E-79: the reset finds bytes that were decoded and not yet taken."""
    raw, plain = a_stream()
    made = decoder()
    made.load(raw)
    assert made.fill()
    taken = bytes(made.view(5))
    made.take(5)
    again = Decoder()
    again.unpack(packed(made))
    assert taken + bytes(again.view(again.fresh)) == plain[: 5 + again.fresh]
    again.take(again.fresh - 1)
    assert again.byte() == made.view(made.fresh)[made.fresh - 1]


def test_a_rotten_state_is_refused() -> None:
    """E-81: lengths that contradict each other, bits that cannot be."""
    made = decoder()
    decoded(made, a_stream()[0][:100])
    whole = packed(made)
    assert len(whole) == 8 + 256
    for bad in (b"", whole[:7], whole[:-1], whole + b"x", bytes(8) + b"x"):
        raises(UnsupportedDelta if bad[8:] == b"x" else Rotten, Decoder().unpack, bad)
    for at, byte in ((1, 24), (5, 0xFF), (7, 0x7F)):  # bits, the bits, fresh
        bad = bytearray(whole)
        bad[at] = byte
        raises(Rotten, Decoder().unpack, bytes(bad))
    raises(UnsupportedDelta, Decoder().unpack, b"\xff" + whole[1:])
