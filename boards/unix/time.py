"""The modelled `time` of a MicroPython process: overrides the interpreter's own.

Virtual time, through the same functions; it moves only as the world says. What is not here, no
device code may use: there is no sleep, because sleeping is what a board's clock does.
"""

import machine

from boards.unix.clocks import Time

_time = Time(machine)
ticks_ms = _time.ticks_ms
ticks_us = _time.ticks_us
ticks_diff = _time.ticks_diff
ticks_add = _time.ticks_add
