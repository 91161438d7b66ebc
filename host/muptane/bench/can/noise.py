"""What disturbs a bus: bit errors on the wire, controllers that lose or spoil frames, a babbler.

`BitErrors` strikes frames on the wire, where the bus sees to it that they are sent again: nothing
is lost by it but time, unless a receiver is error-passive. `Ear` is what lies between a
controller and its owner (a full FIFO, a bad driver, a gateway): what is lost, altered, doubled or
late there nobody sends again. `Babbler` is a node that never stops. All of them draw from a given
source of randomness, so the same seed disturbs the same frames.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from muptane.bench.can.bus import Bus, Strike
from muptane.bench.can.frames import Frame
from muptane.bench.can.port import Port


class BitErrors:
    """`rate`: of bits that are seen wrongly. `local`: share of the errors that one port alone
    sees; the others are seen by all. A noise of `bus`."""

    def __init__(self, bus: Bus, chance: Random, rate: float, local: float = 0.0) -> None:
        if not (0.0 <= rate < 1.0 and 0.0 <= local <= 1.0):
            raise ValueError(f"rate {rate} is 0 to less than 1, local {local} 0 to 1: shares")
        self._bus = bus
        self._chance = chance
        self._rate = rate
        self._local = local

    def __call__(self, sender: Port, frame: Frame, bits: int) -> Strike | None:
        if not self._rate:
            return None
        at = int(math.log(1.0 - self._chance.random()) / math.log(1.0 - self._rate))
        if at >= bits:
            return None
        if self._chance.random() >= self._local:
            return Strike(at)
        names = sorted(port.name for port in self._bus.ports if port.hears())
        return Strike(at, frozenset((self._chance.choice(names),)))


class Odds(NamedTuple):
    """Probabilities of what may happen to a frame: it is lost, one bit of its data is altered, it
    comes twice, it comes late."""

    loss: float = 0.0
    corruption: float = 0.0
    duplication: float = 0.0
    lateness: float = 0.0


class Ear:
    """What becomes of the frames that one controller received; late ones come up to `delay_ns`
    late. Counts what it did. An ear of a Port."""

    def __init__(self, chance: Random, odds: Odds, delay_ns: int = 1_000_000) -> None:
        self._chance = chance
        self._odds = odds
        self._delay_ns = delay_ns
        self.lost = self.altered = self.doubled = self.late = 0

    def __call__(self, frame: Frame) -> list[tuple[int, Frame]]:
        if self._happens(self._odds.loss):
            self.lost += 1
            return []
        if frame.data and self._happens(self._odds.corruption):
            self.altered += 1
            frame = frame._replace(data=self._altered(frame.data))
        after_ns = 0
        if self._happens(self._odds.lateness):
            self.late += 1
            after_ns = self._chance.randrange(self._delay_ns) + 1
        copies = 1
        if self._happens(self._odds.duplication):
            self.doubled += 1
            copies = 2
        return [(after_ns, frame)] * copies

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    def _altered(self, data: bytes) -> bytes:
        bit = self._chance.randrange(8 * len(data))
        spoiled = bytearray(data)
        spoiled[bit // 8] ^= 1 << bit % 8
        return bytes(spoiled)


class Babbler:
    """A node that sends one frame without end, from now until `stop`. `sent` counts."""

    def __init__(self, bus: Bus, name: str, frame: Frame) -> None:
        self.port = bus.port(name, 1)
        self.port.on_sent = self._again
        self.sent = 0
        self._frame: Frame | None = frame
        self.port.send(frame)

    def stop(self) -> None:
        self._frame = None

    def _again(self, frame: Frame) -> None:
        self.sent += 1
        if self._frame is not None:
            self.port.send(self._frame)
