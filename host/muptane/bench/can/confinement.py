"""Fault confinement: the error counters of one controller, and what it may do by them.

ISO 11898-1:2015, 12.1: a failed transmission costs 8, a failed reception 1 (8 for who saw the
error first), a success gives one back. Above 127 a controller is error-passive: its error flags
are recessive and disturb nobody, and it waits 8 bits before it sends again. Above 255 transmit
errors it is off the bus, until it has seen 128 times 11 recessive bits and counts from 0 again.

It decides by counts alone; it knows no bus and no time.
"""

from __future__ import annotations

from enum import Enum

WARNING_COUNT = 96
PASSIVE_COUNT = 128
BUS_OFF_COUNT = 256
REC_MAX = 255
REC_HEALED = 127  # a success brings a passive receiver back to the edge, 119 to 127
RECOVERY_SEQUENCES = 128  # of 11 recessive bits
RECOVERY_BITS = 11
FAILED = 8


class State(Enum):
    """Of a controller, in the words of machine.CAN."""

    ACTIVE = 1
    WARNING = 2
    PASSIVE = 3
    BUS_OFF = 4


class Confinement:
    """`tec` and `rec` of one controller."""

    def __init__(self) -> None:
        self.tec = 0
        self.rec = 0

    @property
    def state(self) -> State:
        worst = max(self.tec, self.rec)
        if self.tec >= BUS_OFF_COUNT:
            return State.BUS_OFF
        if worst >= PASSIVE_COUNT:
            return State.PASSIVE
        return State.WARNING if worst >= WARNING_COUNT else State.ACTIVE

    @property
    def passive(self) -> bool:
        return self.tec >= PASSIVE_COUNT or self.rec >= PASSIVE_COUNT

    @property
    def bus_off(self) -> bool:
        return self.tec >= BUS_OFF_COUNT

    def sent(self) -> None:
        self.tec = max(self.tec - 1, 0)

    def received(self) -> None:
        self.rec = REC_HEALED if self.rec > REC_HEALED else max(self.rec - 1, 0)

    def passed(self, sent: bool, saw: bool) -> None:
        """A frame has passed that it `sent`, or in which it `saw` an error, or neither."""
        if sent:
            self.sent()
        elif saw:
            self.failed_receiving()
        else:
            self.received()

    def failed_sending(self, unheard: bool = False) -> None:
        """`unheard`: nobody acknowledged, and nobody answered the error flag. That never puts a
        controller off the bus: one that is alone stays error-passive."""
        if not (unheard and self.passive):
            self.tec = min(self.tec + FAILED, BUS_OFF_COUNT)

    def failed_receiving(self, first: bool = False) -> None:
        """`first`: it saw the error before the others, and a dominant bit after its own flag."""
        self.rec = min(self.rec + (FAILED if first else 1), REC_MAX)

    def restarted(self) -> None:
        self.tec = self.rec = 0
