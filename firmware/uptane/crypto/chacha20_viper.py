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
from uptane.crypto import chacha20


class ChaCha20(chacha20.ChaCha20):
    """As the one of `chacha20`; but `xor` does not notice that `bytes` should not be written."""

    def _xor(self, data: "bytearray | memoryview", skip: int) -> None:
        _xor(self._words, data, len(data), skip)


@micropython.viper
def _xor(w: ptr32, data: ptr8, count: int, skip: int):
    """XOR `count` bytes of data with the stream from byte `skip` of block w[28] on."""
    m = uint(w[32])
    stream = ptr8(w)
    at = 0
    while at < count:
        i = 0
        while i < 16:
            w[i] = w[16 + i]
            i += 1
        turn = n = 0
        while n < 20:
            i = 0
            while i < 4:
                p, q, r = (i + turn) & 3 | 4, (i + turn + turn) & 3 | 8, (i - turn) & 3 | 12
                a = uint(w[i]) + uint(w[p])
                d = (uint(w[r]) ^ a) & m
                d = d << 16 | d >> 16
                c = uint(w[q]) + d
                b = (uint(w[p]) ^ c) & m
                b = b << 12 | b >> 20
                a += b
                d = (d ^ a) & m
                d = d << 8 | d >> 24
                c += d
                b = (b ^ c) & m
                w[i], w[p] = a, b << 7 | b >> 25
                w[q], w[r] = c, d
                i += 1
            turn = 1 - turn
            n += 1
        i = 0
        while i < 16:
            w[i] = uint(w[i]) + uint(w[16 + i])
            i += 1
        w[28] = uint(w[28]) + 1
        while skip < 64 and at < count:
            data[at] = data[at] ^ stream[skip]
            skip += 1
            at += 1
        skip = 0
