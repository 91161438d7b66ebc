"""Pieces that are known to be good one by one: what gets past the chain is what was signed."""

from claims import raises, run
from lone_taker import chained
from memory import SUITE
from uptane.errors import TooMuch, Unwanted, WrongPiece
from uptane.image.chain import LINK_BYTES, Chain, travelled
from uptane.limits import DIGEST_BYTES, PIECE_BYTES
from vectors.deltas import noise


class Taken:
    """A sink that keeps what it gets, and from where on."""

    def __init__(self, begin=0):
        self.content = b""
        self.begin = begin

    def write(self, offset, data):
        assert offset == self.begin + len(self.content)
        self.content += bytes(data)


def give(chain, raw, piece_bytes):
    """From where the chain is, in pieces as the bus cuts them."""
    for at in range(chain.offset, len(raw), piece_bytes):
        run(chain.write(at, raw[at : at + piece_bytes]))


def test_what_was_signed_comes_through_whatever_its_length() -> None:
    """S-29, T-32: around the edges of a piece, cut in any way."""
    for length in (1, 2, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, PIECE_BYTES + DIGEST_BYTES,
                   LINK_BYTES + 1, 2 * PIECE_BYTES, 2 * PIECE_BYTES + 1, 5000):  # fmt: skip
        content = noise(length, length)
        raw, head = chained(content)
        assert len(raw) == length + (length - 1) // PIECE_BYTES * DIGEST_BYTES
        for piece_bytes in (1, 500, LINK_BYTES, 10000):
            if piece_bytes > 1 or length < 1500:
                sink = Taken()
                give(Chain(sink, SUITE, length, head), raw, piece_bytes)
                assert sink.content == content, (length, piece_bytes)


def test_no_byte_of_a_piece_that_was_changed_comes_through() -> None:
    """T-32, E-31, E-78: in the content or in the hash that follows it; what came before has."""
    content = noise(1, 3000)
    raw, head = chained(content)
    for at in (0, 700, PIECE_BYTES, LINK_BYTES - 1, LINK_BYTES, 2 * LINK_BYTES + 5, len(raw) - 1):
        bad = bytearray(raw)
        bad[at] ^= 0x10
        for piece_bytes in (100, 10000):
            sink = Taken()
            chain = Chain(sink, SUITE, len(content), head)
            raises(WrongPiece, give, chain, bytes(bad), piece_bytes)
            assert sink.content == content[: at // LINK_BYTES * PIECE_BYTES]
            raises(Unwanted, run, chain.write(0, raw))
            raises(Unwanted, run, chain.write(chain.offset, raw))


def test_pieces_in_another_order_or_of_another_chain_are_refused() -> None:
    """T-32, E-31."""
    content = noise(2, 3000)
    raw, head = chained(content)
    swapped = raw[LINK_BYTES : 2 * LINK_BYTES] + raw[:LINK_BYTES] + raw[2 * LINK_BYTES :]
    other, _ = chained(noise(3, 3000))
    for lie in (swapped, raw[:LINK_BYTES] * 3, other, raw[:LINK_BYTES] + other[LINK_BYTES:]):
        sink = Taken()
        raises(WrongPiece, give, Chain(sink, SUITE, len(content), head), lie, 300)
        assert sink.content in (b"", content[:PIECE_BYTES])


def test_bytes_that_are_not_the_next_or_too_many_are_refused() -> None:
    """E-20, V-64."""
    content = noise(4, 2000)
    raw, head = chained(content)
    chain = Chain(Taken(), SUITE, len(content), head)
    raises(Unwanted, run, chain.write(1, raw[1:]))
    run(chain.write(0, raw[:100]))
    raises(Unwanted, run, chain.write(0, raw[:100]))
    raises(TooMuch, run, chain.write(100, raw[100:] + b"x"))


def test_it_goes_on_with_any_piece_whose_hash_was_kept() -> None:
    """E-79, S-29: at each byte the hash that is kept is that of the piece which holds it."""
    content = noise(5, 3500)
    raw, head = chained(content)
    for begin in (1, 500, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2500, 3 * PIECE_BYTES):
        first = Chain(Taken(), SUITE, len(content), head)
        pieces = (begin - 1) // PIECE_BYTES + 1  # until the sink had that byte, or its end
        run(first.write(0, raw[: pieces * LINK_BYTES]))
        link = first.hash_at(begin)
        sink = Taken(begin)
        chain = Chain(sink, SUITE, len(content), head)
        chain.go_on(begin, link)
        assert chain.offset == travelled(begin) == begin // PIECE_BYTES * LINK_BYTES
        give(chain, raw, 700)
        assert sink.content == content[begin:], begin


def test_without_a_hash_it_comes_from_its_start_and_what_is_known_is_passed_over() -> None:
    """S-29: another chain over the same content, as of another ciphertext."""
    content = noise(6, 3500)
    raw, head = chained(content)
    for begin in (1, PIECE_BYTES, 2500):
        sink = Taken(begin)
        chain = Chain(sink, SUITE, len(content), head)
        chain.go_on(begin, None)
        assert chain.offset == 0
        give(chain, raw, 700)
        assert sink.content == content[begin:]
