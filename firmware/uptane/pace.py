"""How fast the files of a cycle move: a floor, in bytes per window of time that slides.

A want is open and nobody moves its file yet: that is idle time, of which a cycle has so much. From
the first request to move the file on, each window of PACE_WINDOW_MS has to see its bytes; what
stalls the client (flow control, another request, silence) passes as time. What the ECU needs for
itself does not: no want is open while it computes, and `took` begins anew after bytes are stored.
The window runs on from file to file of a cycle, so many small files are no way around it.

It knows no clock: times are whole milliseconds that come with each call.
Rules: V-32, T-49, E-03.
"""

from uptane.limits import PACE_PARTS, PACE_SHARE, PACE_WINDOW_MS

PART_MS = PACE_WINDOW_MS // PACE_PARTS


class Pace:
    """`bitrate` is that of the bus in bit/s, `idle_ms_max` the idle time of a cycle.

    floor: bytes that each window has to see. begun: somebody moves the file of the open want.
    """

    def __init__(self, bitrate: int, idle_ms_max: int) -> None:
        self.floor = max(bitrate // 8 * (PACE_WINDOW_MS // 1000) // PACE_SHARE, 1)
        self.idle_ms_max = idle_ms_max
        self.start()

    def start(self) -> None:
        """A cycle begins."""
        self._parts = [0] * PACE_PARTS  # bytes of each part of the window, a ring
        self._part = 0
        self._part_ms = 0
        self._whole = 0  # parts that are over
        self._idle_ms = 0
        self.open(0)

    def open(self, now_ms: int) -> None:
        """A want is open from now on."""
        self.begun = False
        self._at_ms = now_ms

    def took(self, count: int, now_ms: int) -> None:
        """So many bytes have moved; until now the ECU was busy with them."""
        self._parts[self._part] += count
        self._at_ms = now_ms

    def is_slow(self, now_ms: int) -> bool:
        """Is this below the floor, or idle for too long? To be asked while a want is open."""
        waited_ms = now_ms - self._at_ms
        self._at_ms = now_ms
        if not self.begun:
            self._idle_ms += waited_ms
            return self._idle_ms >= self.idle_ms_max
        self._part_ms += waited_ms
        while self._part_ms >= PART_MS:
            self._part_ms -= PART_MS
            self._whole += 1
            if self._whole >= PACE_PARTS and sum(self._parts) < self.floor:
                return True
            self._part = (self._part + 1) % PACE_PARTS
            self._parts[self._part] = 0
        return False
