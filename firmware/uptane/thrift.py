"""How often a cycle may begin, and how soon an ECU lets itself be reset: flash wears out.

Every cycle stores a report counter, and whoever is on the bus may begin one. So in a life there
are CYCLES_MAX to begin with and one more each CYCLE_MS; and a reset on request, which would begin
anew, is not had before LIFE_MS_MIN. An honest vehicle never meets either. It does NOT limit what
happens within a cycle, nor resets by a watchdog or by power.
Rules: E-89.
"""

from uptane.limits import CYCLE_MS, CYCLES_MAX, LIFE_MS_MIN


class Thrift:
    """`now_ms`: the time of the reset, in milliseconds of the ECU's own clock."""

    def __init__(self, now_ms: int) -> None:
        self._born_ms = now_ms
        self._spare = CYCLES_MAX
        self._since_ms = now_ms  # until then, `_spare` is right

    def may_begin(self, now_ms: int) -> bool:
        """May a cycle begin? If so, it counts."""
        more = (now_ms - self._since_ms) // CYCLE_MS
        self._since_ms += more * CYCLE_MS
        self._spare = min(self._spare + more, CYCLES_MAX)
        if self._spare < 1:
            return False
        self._spare -= 1
        return True

    def may_reset(self, now_ms: int) -> bool:
        return now_ms - self._born_ms >= LIFE_MS_MIN
