"""ChaCha20's key stream as machine code for MicroPython; the bytes are those of `chacha20`.

A viper integer has 32 bits on a microcontroller and 64 in the emulator. Sums may keep what is
above bit 31, since nothing above ever comes down: what is rotated was masked before. Loads are
unsigned, and a mask is a word of memory, because a literal above 31 bits would be an object. Data
is read by the byte, since it may begin anywhere. It does NOT import under CPython.
Rules: V-13.
"""
# ptr8, ptr32 and uint are words of the viper dialect, no names of Python:
# mypy: disable-error-code="name-defined,no-untyped-def,untyped-decorator"
# ruff: noqa: F821

import micropython
from micropython import const
from uptane.crypto import chacha20

if False:  # for the type checker; mpy-cross leaves it out
    from hashes import Buffer

_STREAM = const(33)  # word index of a block of the stream, behind the words of `chacha20`
_BYTES = const(196)


class ChaCha20(chacha20.ChaCha20):
    """As the one of `chacha20`; but `xor` does not notice that `bytes` should not be written."""

    def __init__(self, key: "Buffer", nonce: "Buffer") -> None:
        super().__init__(key, nonce)
        self._words += bytearray(_BYTES - len(self._words))

    def _xor(self, data: "bytearray | memoryview", skip: int) -> None:
        _xor(self._words, data, len(data), skip)


@micropython.viper
def _xor(w: ptr32, data: ptr8, count: int, skip: int):
    """XOR `count` bytes of data with the stream from byte `skip` of the block w[28] on."""
    stream = ptr8(int(w) + 4 * _STREAM)
    at = 0 - skip
    while at < count:
        _block(w)
        out = ptr8(int(data) + at)
        last = count - at
        if last > 64:
            last = 64
        while skip < last:
            out[skip] = out[skip] ^ stream[skip]
            skip += 1
        skip = 0
        at += 64


@micropython.viper
def _block(w: ptr32):
    """Make the block w[28] of the stream in its place, and count on.

    A column lies in four words side by side, so that a quarter of a round has one pointer.
    """
    m = uint(w[32])
    i = n = 0
    while i < 16:
        w[(i & 3) << 2 | i >> 2] = w[16 + i]
        i += 1
    while n < 20:
        i = int(w)
        while i < int(w) + 64:
            p = ptr32(i)
            a = uint(p[0]) + uint(p[1])
            d = (uint(p[3]) ^ a) & m
            d = d << 16 | d >> 16
            c = uint(p[2]) + d
            b = (uint(p[1]) ^ c) & m
            b = b << 12 | b >> 20
            a += b
            d = (d ^ a) & m
            d = d << 8 | d >> 24
            c += d
            b = (b ^ c) & m
            p[0], p[1] = a, b << 7 | b >> 25
            p[2], p[3] = c, d
            i += 16
        # columns become diagonals, and these columns again: the second row of each is turned by
        # one, the third by two, the fourth by three, and the other way round
        p, q = ptr32(int(w) + ((n & 1) << 3) + 4), ptr32(int(w) + 12 - ((n & 1) << 3))
        i, p[0], p[4] = p[0], p[4], p[8]
        p[8], p[12] = p[12], i
        i, q[12], q[8] = q[12], q[8], q[4]
        q[4], q[0] = q[0], i
        w[2], w[10] = w[10], w[2]
        w[6], w[14] = w[14], w[6]
        n += 1
    i = 0
    while i < 16:
        w[_STREAM + i] = uint(w[(i & 3) << 2 | i >> 2]) + uint(w[16 + i])
        i += 1
    w[28] = uint(w[28]) + 1
