"""SHA-512's block function as machine code for MicroPython, about 20 times faster than `sha512`.

A viper integer has 32 bits on a microcontroller and 64 in the emulator, and both have to give the
same hash. So a word is two halves of 32 bits (w[2 i] high, w[2 i + 1] low), what leaves an
expression is masked to 32 bits, sums are made in parts of 16, and the unsigned operand stands on
the left. It does NOT import under CPython, which has its own; `suite` chooses.
Rules: V-02.
"""
# ptr8, ptr32 and uint are words of the viper dialect, no names of Python:
# mypy: disable-error-code="name-defined,no-untyped-def,untyped-decorator"
# ruff: noqa: F821

import micropython
from micropython import const
from uptane.crypto import sha512

_STATE = const(160)  # word index of the eight working variables, behind the schedule of 80 words
_ONES = const(176)  # word index of 32 ones: a literal above 31 bits would be an object
_WORDS = const(177)


class Sha512(sha512.Sha512):
    """A hash object as hashlib's. Holds nothing between two calls that another could disturb in
    `words`, so one workspace may serve many."""

    def __init__(self, words: "bytearray | None" = None) -> None:
        super().__init__()
        self._words = workspace() if words is None else words

    def compress(self, state: bytearray, block: bytearray) -> None:
        """Work one block of 128 bytes into the 64 bytes of state (FIPS 180-4, 6.4.2)."""
        words = self._words
        _load(words, 0, block, 32)
        _expand(words)
        _add(words, 0, sha512.K, 160)
        _load(words, _STATE, state, 16)
        _rounds(words)
        _add(words, _STATE, state, 16)
        _store(state, words)


def workspace() -> bytearray:
    """Room for the schedule and the variables of one block: 708 bytes in one piece."""
    words = bytearray(4 * _WORDS)
    words[4 * _ONES :] = b"\xff\xff\xff\xff"
    return words


@micropython.viper
def _load(w: ptr32, first: int, raw: ptr8, count: int):
    """Put `count` big-endian words into w, from word `first` on."""
    i = 0
    while i < count:
        j = 4 * i
        w[first + i] = raw[j] << 24 | raw[j + 1] << 16 | raw[j + 2] << 8 | raw[j + 3]
        i += 1


@micropython.viper
def _expand(w: ptr32):
    """Make the 80 words of the schedule out of the 16 of the block."""
    m = uint(w[_ONES])
    i = 32
    while i < 160:
        xh, xl = uint(w[i - 30]), uint(w[i - 29])
        yh, yl = uint(w[i - 4]), uint(w[i - 3])
        sh = ((xh >> 1 | xl << 31) ^ (xh >> 8 | xl << 24) ^ xh >> 7) & m
        sl = ((xl >> 1 | xh << 31) ^ (xl >> 8 | xh << 24) ^ (xl >> 7 | xh << 25)) & m
        th = ((yh >> 19 | yl << 13) ^ (yl >> 29 | yh << 3) ^ yh >> 6) & m
        tl = ((yl >> 19 | yh << 13) ^ (yh >> 29 | yl << 3) ^ (yl >> 6 | yh << 26)) & m
        xh, xl = uint(w[i - 32]), uint(w[i - 31])
        yh, yl = uint(w[i - 14]), uint(w[i - 13])
        low = (xl & 0xFFFF) + (yl & 0xFFFF) + (sl & 0xFFFF) + (tl & 0xFFFF)
        mid = (xl >> 16) + (yl >> 16) + (sl >> 16) + (tl >> 16) + (low >> 16)
        w[i] = xh + yh + sh + th + (mid >> 16)
        w[i + 1] = mid << 16 | low & 0xFFFF
        i += 2


@micropython.viper
def _rounds(w: ptr32):
    """Work the schedule, constants added, into a..h. These stay in place and their names move
    down one a round: name n (0 is a) is the pair of words at 160 + (b + 2 n) mod 16."""
    m = uint(w[_ONES])
    b = i = 0
    while i < 160:
        p, q, r = (b + 8) & 15 | _STATE, (b + 10) & 15 | _STATE, (b + 12) & 15 | _STATE
        xh, xl = uint(w[p]), uint(w[p + 1])  # e
        yh, yl = uint(w[q]), uint(w[q + 1])  # f
        zh, zl = uint(w[r]), uint(w[r + 1])  # g
        sh = ((xh >> 14 | xl << 18) ^ (xh >> 18 | xl << 14) ^ (xl >> 9 | xh << 23)) & m
        sl = ((xl >> 14 | xh << 18) ^ (xl >> 18 | xh << 14) ^ (xh >> 9 | xl << 23)) & m
        yh, yl = zh ^ xh & (yh ^ zh), zl ^ xl & (yl ^ zl)
        p, q = (b + 14) & 15 | _STATE, (b + 6) & 15 | _STATE
        xh, xl = uint(w[p]), uint(w[p + 1])  # h
        zh, zl = uint(w[i]), uint(w[i + 1])
        low = (xl & 0xFFFF) + (sl & 0xFFFF) + (yl & 0xFFFF) + (zl & 0xFFFF)
        mid = (xl >> 16) + (sl >> 16) + (yl >> 16) + (zl >> 16) + (low >> 16)
        th, tl = (xh + sh + yh + zh + (mid >> 16)) & m, (mid << 16 | low & 0xFFFF) & m
        xh, xl = uint(w[q]), uint(w[q + 1])  # d, which becomes e
        low = (xl & 0xFFFF) + (tl & 0xFFFF)
        mid = (xl >> 16) + (tl >> 16) + (low >> 16)
        w[q], w[q + 1] = xh + th + (mid >> 16), mid << 16 | low & 0xFFFF
        q, r = (b + 2) & 15 | _STATE, (b + 4) & 15 | _STATE
        xh, xl = uint(w[b + _STATE]), uint(w[b + _STATE + 1])  # a
        yh, yl = uint(w[q]), uint(w[q + 1])  # b
        zh, zl = uint(w[r]), uint(w[r + 1])  # c
        sh = ((xh >> 28 | xl << 4) ^ (xl >> 2 | xh << 30) ^ (xl >> 7 | xh << 25)) & m
        sl = ((xl >> 28 | xh << 4) ^ (xh >> 2 | xl << 30) ^ (xh >> 7 | xl << 25)) & m
        yh, yl = xh & yh | zh & (xh | yh), xl & yl | zl & (xl | yl)
        low = (tl & 0xFFFF) + (sl & 0xFFFF) + (yl & 0xFFFF)
        mid = (tl >> 16) + (sl >> 16) + (yl >> 16) + (low >> 16)
        w[p], w[p + 1] = th + sh + yh + (mid >> 16), mid << 16 | low & 0xFFFF  # h becomes a
        b = (b + 14) & 15
        i += 2


@micropython.viper
def _add(w: ptr32, first: int, raw: ptr8, count: int):
    """Add big-endian words of 64 bits to those of w from word `first` on; counts halves."""
    i = 0
    while i < count:
        p, j = first + i, 4 * i
        xh, xl = uint(w[p]), uint(w[p + 1])
        yh = raw[j] << 24 | raw[j + 1] << 16 | raw[j + 2] << 8 | raw[j + 3]
        low = (xl & 0xFFFF) + (raw[j + 6] << 8 | raw[j + 7])
        mid = (xl >> 16) + (raw[j + 4] << 8 | raw[j + 5]) + (low >> 16)
        w[p], w[p + 1] = xh + yh + (mid >> 16), mid << 16 | low & 0xFFFF
        i += 2


@micropython.viper
def _store(state: ptr8, w: ptr32):
    """Write the eight variables as big-endian bytes."""
    i = 0
    while i < 64:
        state[i] = uint(w[_STATE + (i >> 2)]) >> (24 - 8 * (i & 3))
        i += 1
