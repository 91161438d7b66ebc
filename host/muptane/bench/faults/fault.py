"""The kinds of faults: where each can strike, in how many ways, and what it does there.

A fault strikes before a stroke of some ECU's flash is done, or after a frame on the bus. `strike`
is called in a process of its own, at that moment; the flow then goes on as far as it can. A fault
that cuts the power ends it; after any other the vehicle is switched off and on.

It judges nothing. Rules: E-79, E-89.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from boards.unix.ailments import KINDS, Unsteady
from boards.unix.nor import TEARS, Nor
from muptane.bench.faults.site import Site

STROKES = "strokes"
FRAMES = "frames"
BITS = "bits"  # stored ones, when the flow is over
ROT_SAMPLE = 64  # of whole vehicles
FLIPS_MAX = 1_500_000  # all, but where large blocks were filled for a flow
RESET_S = 0.2


@dataclass(frozen=True)
class Moment:
    """Where a flow stands: a stroke of an ECU's part, a frame between two of them, or its end and
    a bit (`size` is its mask)."""

    name: str
    nor: Nor | None = None
    address: int = 0
    size: int = 0


Strike = Callable[[Site, Moment, int, int], None]


@dataclass(frozen=True)
class Fault:
    """`ways`: how many there are at each moment. `cuts`: whose power goes ("vehicle", "ecu", or
    nobody's)."""

    name: str
    what: str
    moments: str
    ways: int
    strike: Strike
    cuts: str = ""
    sample_max: int = 0  # that many are played, where all would be too many


def _cut(site: Site, moment: Moment, way: int, seed: int) -> None:
    nor = moment.nor
    if nor is not None:
        nor.cut_after(0, way, seed)
        site.cut = lambda: nor.off


def _ail(kind: str) -> Strike:
    def strike(site: Site, moment: Moment, way: int, seed: int) -> None:
        if moment.nor is None:
            return
        start, size = moment.address, moment.size
        if kind in ("worn", "stuck"):  # whole blocks wear
            _, start, size, _ = moment.nor.geometry.block(start)
        ailment = KINDS[kind](start, size, seed)
        if isinstance(ailment, Unsteady):
            ailment.young = True
        moment.nor.ailments.append(ailment)

    return strike


def _reset(site: Site, moment: Moment, way: int, seed: int) -> None:
    """The ECU loses its supply for a moment; its flash does nothing just then."""
    node = site.vehicle.ecus[moment.name].node
    node.power_off()
    site.world.at(site.world.now_ns + int(RESET_S * 1e9), node.power_on)
    site.cut = lambda: True


def _rot(site: Site, moment: Moment, way: int, seed: int) -> None:
    content = bytearray(site.vehicle.content(moment.name))
    content[moment.address - site.geometry.regions[0][0]] ^= moment.size
    site.vehicle.memory[moment.name] = BytesIO(content)


def _flip(site: Site, moment: Moment, way: int, seed: int) -> None:
    """Nothing here: `bits` flips them in a store of its own."""


FAULTS = {
    one.name: one
    for one in (
        Fault("cut", "the vehicle's power goes in a stroke", STROKES, TEARS, _cut, "vehicle"),
        Fault("brownout", "one ECU's power goes in a stroke", STROKES, TEARS, _cut, "ecu"),
        Fault("stuck", "from a stroke on its block never changes", STROKES, 1, _ail("stuck")),
        Fault("worn", "from a stroke on cells of its block are worn", STROKES, 1, _ail("worn")),
        Fault("lie", "a stroke reports success and did nothing", STROKES, 1, _ail("lie")),
        Fault("unsteady", "what was there reads differently", STROKES, 1, _ail("unsteady")),
        Fault("reset", "a reset of an ECU after a frame", FRAMES, 1, _reset, "ecu"),
        Fault("flip", "a stored bit flips in an ECU's store", BITS, 1, _flip, "", FLIPS_MAX),
        Fault("rot", "a stored bit flips in a vehicle", BITS, 1, _rot, "", ROT_SAMPLE),
    )
}
