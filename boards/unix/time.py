"""The modelled `time` of a MicroPython process: virtual time, the same functions."""

import machine

from boards.unix.silicon import Time

_time = Time(machine)
ticks_ms = _time.ticks_ms
ticks_us = _time.ticks_us
ticks_diff = _time.ticks_diff
ticks_add = _time.ticks_add
