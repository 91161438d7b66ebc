"""What a delta spends its time on, as machine code for MicroPython: 4 and 20 times faster.

`decode` is heatshrink's and `add` is delta's, with the same arguments and the same bytes; those
check nothing that the Python ones do not, and see no offset that their caller has not bounded. A
viper integer has 32 bits on a microcontroller and 64 in the emulator; nothing here needs more than
27. It does NOT import under CPython.
Rules: S-26.
"""
# ptr8 and ptr32 are words of the viper dialect, no names of Python:
# mypy: disable-error-code="name-defined,no-untyped-def,untyped-decorator"
# ruff: noqa: F821

import micropython


@micropython.viper
def add(into: ptr8, diff: ptr8, n: int):
    """Add n bytes to n bytes, modulo 256."""
    i = 0
    while i < n:
        into[i] = into[i] + diff[i]
        i += 1


@micropython.viper
def decode(state: ptr32, buffer: ptr8, raw: ptr8):
    """Decode whole tokens while the end is not beyond `full` and the piece has any."""
    held = state[0]
    bits = state[1]
    at = state[2]
    size = state[3]
    end = state[4]
    full = state[5]
    need = state[6]
    lookahead = state[7]
    while end <= full:
        while bits < need and at < size:
            held = held << 8 | raw[at]
            bits += 8
            at += 1
        if bits < 9:
            break
        if held >> (bits - 1):
            bits -= 9
            buffer[end] = held >> bits
            end += 1
        else:
            if bits < need:
                break
            bits -= need
            token = held >> bits
            source = end - 1 - (token >> lookahead)
            stop = end + 1 + (token & ((1 << lookahead) - 1))
            while end < stop:
                buffer[end] = buffer[source]
                end += 1
                source += 1
        held &= (1 << bits) - 1
    state[0] = held
    state[1] = bits
    state[2] = at
    state[4] = end
