"""The way back of a controller whose transmit errors have taken it off the bus.

ISO 11898-1 (12.1.4.4) leaves it to the software to ask for it: the controller then waits for 128
times 11 recessive bits and begins from nought. The first time it is asked at once; who goes off
again has to pause, twice as long each time, so that a broken ECU leaves the bus to the others.
A pause without bus-off makes the next one short again. The shortest is longer than what the
controller waits for on a full bus of 125 kbit/s, because to ask again would begin that anew.

What was on its way is lost with it: the conversations' own time-outs end them.
"""

from uptane.limits import BUS_OFF_MS, BUS_OFF_MS_MAX

if False:  # for the type checker
    from shapes import Bus

BUS_OFF = 4  # what Bus.state returns


class BusOff:
    """`due_ms`: when it wants to be asked again at the latest, or None."""

    due_ms: "int | None" = None
    _pause_ms = BUS_OFF_MS

    def __init__(self, can: "Bus") -> None:
        self._can = can

    def tend(self, now_ms: int) -> None:
        """Restart the controller if it is off and its pause is over."""
        if self.due_ms is None or now_ms >= self.due_ms:
            pause_ms = BUS_OFF_MS
            self.due_ms = None
            if self._can.state() == BUS_OFF:
                self._can.restart()
                pause_ms = self._pause_ms
                self.due_ms = now_ms + pause_ms
                if pause_ms < BUS_OFF_MS_MAX:
                    pause_ms *= 2
            self._pause_ms = pause_ms
