"""ChaCha20 (RFC 8439, 2.3 and 2.4) in Python integers: a key stream that can be entered anywhere.

Word 12 of the state is the block counter, from 0 on, and words 13 to 15 are the nonce, so a stream
has 2^32 blocks of 64 bytes. A byte of it is known by its place alone, so work that was broken off
goes on from a number, and nothing but the key has to be kept. `chacha20_viper` puts machine code
in the place of `_xor`, some 20 times faster; `secrecy` chooses. No branch and no index depends on
the key. It does NOT authenticate: whoever decrypts holds the result against a hash.
Rules: V-13, T-33.
"""

import struct

from uptane.errors import BadKey, TooLong

if False:  # for the type checker; mpy-cross leaves it out
    from hashes import Buffer

BLOCK_BYTES = 64
BLOCKS_MAX = 1 << 32
KEY_BYTES = 32
NONCE_BYTES = 12
MASK = 0xFFFFFFFF
LANES = 0xFFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF
COUNTER = 112  # where bytes of `words` begin: the counter,
ONES = 128  # and 32 ones, which machine code has no literal for


class ChaCha20:
    """The key stream of a key (32 bytes) and a nonce (12 bytes); of other lengths: BadKey.

    `_words`: 16 of work, 16 that each block begins with, and the ones, little-endian, 132 bytes.
    They hold the key.
    """

    def __init__(self, key: "Buffer", nonce: "Buffer") -> None:
        if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
            raise BadKey
        self._words = bytearray(ONES + 4)
        self._words[64:80] = b"expand 32-byte k"
        self._words[80:COUNTER] = key
        self._words[COUNTER + 4 : ONES] = nonce
        self._words[ONES:] = b"\xff\xff\xff\xff"

    def xor(self, offset: int, data: "bytearray | memoryview") -> None:
        """XOR `data`, in place, with the stream from byte `offset` on: encrypts and decrypts.

        Refusal: TooLong, beyond the end of the stream.
        """
        block = offset // BLOCK_BYTES
        if offset < 0 or offset + len(data) > BLOCK_BYTES * BLOCKS_MAX:
            raise TooLong
        self._words[COUNTER : COUNTER + 4] = (block & MASK).to_bytes(4, "little")
        self._xor(data, offset % BLOCK_BYTES)

    def _xor(self, data: "bytearray | memoryview", skip: int) -> None:
        """XOR `data` with the stream from byte `skip` of the block that the counter says."""
        at = -skip
        first = skip
        while at < len(data):
            last = min(BLOCK_BYTES, len(data) - at)
            stream = self._block()
            for i in range(first, last):
                data[at + i] ^= stream[i]
            at += BLOCK_BYTES
            first = 0

    def _block(self) -> bytes:
        """Return 64 bytes of the stream, and count on. RFC 8439, 2.3."""
        rows = [_lanes(self._words[at : at + 16]) for at in range(64, ONES, 16)]
        a, b, c, d = rows
        for n in range(20):
            a = (a + b) & LANES
            d ^= a
            d = (d << 16 | d >> 16) & LANES
            c = (c + d) & LANES
            b ^= c
            b = (b << 12 | b >> 20) & LANES
            a = (a + b) & LANES
            d ^= a
            d = (d << 8 | d >> 24) & LANES
            c = (c + d) & LANES
            b ^= c
            b = (b << 7 | b >> 25) & LANES
            # columns become diagonals, and these columns again
            if n & 1:
                b, d = d, b
            b = (b >> 64 | b << 192) & LANES
            c = (c >> 128 | c << 128) & LANES
            d = (d >> 192 | d << 64) & LANES
            if n & 1:
                b, d = d, b
        block = b""
        for row, before in zip((a, b, c, d), rows):
            raw = (row + before & LANES).to_bytes(32, "little")
            block += raw[:4] + raw[8:12] + raw[16:20] + raw[24:28]
        count = (rows[3] + 1) & MASK
        self._words[COUNTER : COUNTER + 4] = count.to_bytes(4, "little")
        return block


def _lanes(row: "Buffer") -> int:
    """Return four words, little-endian, as one integer with 32 bits of room above each."""
    words = struct.unpack("<4I", row)
    lanes: int = words[0] | words[1] << 64 | words[2] << 128 | words[3] << 192
    return lanes
