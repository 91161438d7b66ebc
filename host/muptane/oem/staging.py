"""Which of the wanted images may go to a vehicle now, whatever it has installed meanwhile (R-35).

A vehicle installs one ECU after the other, may stop in between, and reports later. So an image
goes only if it can run beside everything that any other ECU may run by then: what it reported,
what it was directed to install since, and what goes to it now. The rest waits until a report says
that the way is free. Images of a bundle that goes together come into force at once; they are held
against the others alone. It reads no database.
Rules: R-14, R-35, S-45, E-06.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from muptane.oem.demands import Piece, clash
from muptane.oem.errors import Unsolvable


class Standing(NamedTuple):
    """An ECU: what it may run, and what is wanted there. `together`: as part of a bundle that
    goes as a whole."""

    ecu: int
    possible: tuple[Piece, ...]
    goes: Piece | None
    together: bool = False


def held_back(vehicle: Sequence[Standing]) -> dict[int, str]:
    """{ECU: why what is wanted there does not go yet}, in words."""
    waits: dict[int, str] = {}
    whole = {one.ecu for one in vehicle if one.together and one.goes is not None}
    for one in vehicle:
        if one.goes is not None and one.possible != (one.goes,):
            why = _clash(one.goes, _there(vehicle, one, whole))
            if why is not None:
                waits[one.ecu] = f"{why}, which it may run: it has to report first"
    going = [one for one in vehicle if one.goes is not None and one.ecu not in waits]
    for at, one in enumerate(going):
        for other in going[at + 1 :]:
            if one.goes is None or other.goes is None:
                continue
            if (why := clash(one.goes, other.goes)) is not None:
                waits.setdefault(one.ecu, why)
                waits.setdefault(other.ecu, why)
    if whole & waits.keys():
        for ecu in whole - waits.keys():
            waits[ecu] = "its bundle goes as a whole, and not yet"
    return waits


def _there(vehicle: Iterable[Standing], one: Standing, whole: set[int]) -> list[Piece]:
    """What may run elsewhere when `one` begins to run what goes to it."""
    return [
        piece
        for other in vehicle
        if other.ecu != one.ecu and not (one.together and other.ecu in whole)
        for piece in other.possible
    ]


def _clash(piece: Piece, there: Iterable[Piece]) -> str | None:
    return next((why for other in there if (why := clash(piece, other)) is not None), None)


def check_reachable(now: Mapping[int, Piece], goal: Mapping[int, Piece]) -> None:
    """Refuse a goal to which no order of single installations leads, each between two reports.

    Refuses with Unsolvable, which names what waits for what.
    """
    runs = dict(now)
    while True:
        vehicle = [
            Standing(ecu, (runs[ecu],) if ecu in runs else (), goal.get(ecu))
            for ecu in sorted({*runs, *goal})
        ]
        waits = held_back(vehicle)
        steps = [one for one in vehicle if one.goes not in (None, runs.get(one.ecu))]
        free = [one for one in steps if one.ecu not in waits]
        if not steps:
            return
        if not free:
            whys = "; ".join(waits[one.ecu] for one in steps)
            raise Unsolvable(f"each waits for another, so want them as a bundle together: {whys}")
        for one in free:
            if one.goes is not None:
                runs[one.ecu] = one.goes
