"""Several controllers that begin a frame at the same time with one arbitration field.

The bus cannot tell them apart before their frames differ. It does not happen in a vehicle whose
identifiers each have one sender; a stolen or a doubled identifier does it.
"""

from __future__ import annotations

from muptane.bench.can.frames import Frame, wire_bits
from muptane.bench.can.port import Port


def collided(
    sending: list[tuple[Port, Frame]],
) -> tuple[list[tuple[Port, Frame]], tuple[int, frozenset[str]] | None]:
    """Several send with one key. Alike, they do not notice each other; else who sends recessive
    where another sends dominant sees an error, and all see it unless those are error-passive.
    Returns who goes on, and the error: its bit, and who sees it."""
    while len({frame for _, frame in sending}) > 1:
        columns = zip(*(wire_bits(frame) for _, frame in sending), strict=False)
        at = next(at for at, column in enumerate(columns) if len(set(column)) > 1)
        losers = [port for port, frame in sending if wire_bits(frame)[at] == "1"]
        if not all(port.counts.passive for port in losers):
            return sending, (at, frozenset(port.name for port in losers))
        for port in losers:
            port.count(port.counts.failed_sending)
        sending = [(port, frame) for port, frame in sending if port not in losers]
    return sending, None
