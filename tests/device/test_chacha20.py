"""ChaCha20: every implementation that this interpreter can run, against the same bytes."""

from claims import raises
from memory import SUITE
from uptane.crypto import chacha20
from uptane.crypto.secrecy import Secrecy
from uptane.errors import BadKey, TooLong
from vectors import rfc8439

SECRECY = Secrecy(SUITE, lambda: None)
IMPLEMENTATIONS = [chacha20.ChaCha20, SECRECY.cipher]
try:
    from uptane.crypto.chacha20_viper import ChaCha20

    IMPLEMENTATIONS.append(ChaCha20)
except ImportError:  # CPython has no viper
    pass

KEY, NONCE = bytes(range(32)), b"nonce of 12!"
END = 1 << 38  # bytes of a stream


def stream(new, offset, count, key=KEY, nonce=NONCE):
    data = bytearray(count)
    new(key, nonce).xor(offset, data)
    return bytes(data)


def test_every_block_of_the_rfc_is_met_by_every_implementation():
    """V-13: RFC 8439, 2.3.2 and A.1, entered at the block in question."""
    for new in IMPLEMENTATIONS:
        for key, nonce, block, wanted in rfc8439.BLOCKS:
            made = stream(new, 64 * block, 64, bytes.fromhex(key), bytes.fromhex(nonce))
            assert made.hex() == wanted


def test_a_stream_can_be_entered_at_any_byte():
    """V-13, S-30: pieces of any size and place give the same bytes as the whole."""
    whole = stream(chacha20.ChaCha20, 0, 330)
    for new in IMPLEMENTATIONS:
        assert stream(new, 0, 330) == whole
        cipher = new(KEY, NONCE)
        for offset in (0, 1, 63, 64, 65, 127, 128, 200):
            for count in (0, 1, 2, 63, 64, 65, 129):
                data = bytearray(count)
                cipher.xor(offset, data)
                assert bytes(data) == whole[offset : offset + count], (offset, count)


def test_data_is_changed_in_place_and_nothing_beside_it():
    """S-30: a view into a buffer of the caller's, at an odd place."""
    whole = stream(chacha20.ChaCha20, 0, 200)
    for new in IMPLEMENTATIONS:
        buffer = bytearray(b"\xaa" * 150)
        new(KEY, NONCE).xor(30, memoryview(buffer)[7:140])
        assert buffer[:7] == b"\xaa" * 7 and buffer[140:] == b"\xaa" * 10
        assert bytes([byte ^ 0xAA for byte in buffer[7:140]]) == whole[30:163]
        new(KEY, NONCE).xor(30, memoryview(buffer)[7:140])
        assert buffer == b"\xaa" * 150


def test_every_bit_of_a_word_is_carried():
    """Keys of ones make carries everywhere, which is where words of 64 bits go wrong."""
    for byte in (0x00, 0x7F, 0x80, 0xFF):
        key, nonce = bytes([byte]) * 32, bytes([byte]) * 12
        wanted = stream(chacha20.ChaCha20, 0, 256, key, nonce)
        for new in IMPLEMENTATIONS:
            assert stream(new, 0, 256, key, nonce) == wanted


def test_the_counter_has_32_bits_and_never_turns_over():
    """V-13: the last block is one of the stream; beyond it there is nothing."""
    last = stream(chacha20.ChaCha20, END - 70, 70)
    assert last[6:] != stream(chacha20.ChaCha20, 0, 64)
    for new in IMPLEMENTATIONS:
        assert stream(new, END - 70, 70) == last
        raises(TooLong, stream, new, END - 70, 71)
        raises(TooLong, stream, new, END, 1)
        raises(TooLong, stream, new, -1, 1)
        assert stream(new, END, 0) == b""


def test_keys_and_nonces_of_another_length_are_refused():
    """V-65."""
    for new in IMPLEMENTATIONS:
        for key, nonce in ((KEY[1:], NONCE), (KEY + b"k", NONCE), (KEY, NONCE[1:]), (KEY, b"")):
            raises(BadKey, new, key, nonce)


def test_the_fastest_that_there_is_was_chosen():
    """V-13."""
    assert type(SECRECY.cipher(KEY, NONCE)) is IMPLEMENTATIONS[-1 if IMPLEMENTATIONS[2:] else 0]
