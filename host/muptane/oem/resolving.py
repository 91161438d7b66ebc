"""From what is wanted on a vehicle to images that can run there together (R-14).

The search is resolvelib's, which pip uses: an ECU is what it calls an identifier, an image that
the ECU may run a candidate, and each pair that cannot run in one vehicle a requirement that fails.
What is not wanted stays as it is, if it can; else the lowest release that goes is taken. An
unsolvable wish is refused with the images that conflict, in words. It reads no database.
Rules: R-14.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from resolvelib import AbstractProvider, BaseReporter, Resolver
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

from muptane.oem.demands import Piece, clash, lacking
from muptane.oem.errors import Unsolvable

ROUNDS_MAX = 10_000  # of the search


class Place(NamedTuple):
    """An ECU and what it may run: what runs there first, then what may come, by release.
    `wanted`: the only one that will do."""

    ecu: int
    candidates: tuple[Piece, ...]
    wanted: Piece | None = None


class Asked(NamedTuple):
    """Of an ECU: to run something that goes with `beside`; None: anything."""

    ecu: int
    beside: Piece | None


class Provider(AbstractProvider):  # type: ignore[type-arg]
    """The vehicle as resolvelib asks for it."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = {place.ecu: place for place in places}
        self._order = {place.ecu: at for at, place in enumerate(places)}

    def identify(self, requirement_or_candidate: Asked | Piece) -> int:
        return requirement_or_candidate.ecu

    def get_preference(self, identifier: int, *rest: Any, **named: Any) -> tuple[bool, int]:
        """What is wanted first: it has no choice."""
        return self._places[identifier].wanted is None, self._order[identifier]

    def find_matches(
        self,
        identifier: int,
        requirements: Mapping[int, Iterator[Asked]],
        incompatibilities: Mapping[int, Iterator[Piece]],
    ) -> list[Piece]:
        asked, tried = list(requirements[identifier]), set(incompatibilities[identifier])
        return [
            piece
            for piece in allowed(self._places[identifier])
            if piece not in tried and all(self.is_satisfied_by(one, piece) for one in asked)
        ]

    def is_satisfied_by(self, requirement: Asked, candidate: Piece) -> bool:
        return requirement.beside is None or clash(requirement.beside, candidate) is None

    def get_dependencies(self, candidate: Piece) -> list[Asked]:
        return [Asked(ecu, candidate) for ecu in self._places if ecu != candidate.ecu]


def allowed(place: Place) -> tuple[Piece, ...]:
    return place.candidates if place.wanted is None else (place.wanted,)


def resolve(places: Sequence[Place]) -> dict[int, Piece]:
    """What each ECU is to run; an ECU of which nothing is known runs nothing that matters.

    Refuses with Unsolvable.
    """
    known = [place for place in places if allowed(place)]
    vehicle = [(piece.ecu, piece.hardware) for place in known for piece in allowed(place)[:1]]
    for place in known:
        if place.wanted is not None and (why := lacking(place.wanted, vehicle)) is not None:
            raise Unsolvable(why)
    possible = [
        place._replace(candidates=tuple(_whole(place.candidates, vehicle))) for place in known
    ]
    resolver: Any = Resolver(Provider(possible), BaseReporter())
    try:
        found = resolver.resolve([Asked(place.ecu, None) for place in possible], ROUNDS_MAX)
    except ResolutionImpossible as fault:
        named = [cause.parent for cause in fault.causes if cause.parent is not None]
        raise Unsolvable(_words(possible, named)) from fault
    except ResolutionTooDeep as fault:
        raise Unsolvable(f"no answer after {ROUNDS_MAX} rounds: want less at once") from fault
    return dict(found.mapping)


def _whole(pieces: Iterable[Piece], vehicle: list[tuple[int, int]]) -> Iterator[Piece]:
    """Without those that need what the vehicle has not; what runs there stays in any case."""
    for at, piece in enumerate(pieces):
        if not at or lacking(piece, vehicle) is None:
            yield piece


def _words(places: Sequence[Place], named: Iterable[Piece]) -> str:
    """Which images conflict: of what is wanted, with all that some ECU could run beside it."""
    wanted = [place.wanted for place in places if place.wanted is not None]
    for at, one in enumerate(wanted):
        for other in wanted[at + 1 :]:
            if (why := clash(one, other)) is not None:
                return why
    for place in places:
        whys = [_against(piece, wanted, place) for piece in allowed(place)]
        if place.wanted is None and whys and all(whys):
            return "; ".join(why for why in whys if why)
    beside = [*wanted, *(piece for piece in named if piece not in wanted)]
    pairs = (clash(one, other) for at, one in enumerate(beside) for other in beside[at + 1 :])
    return "; ".join(dict.fromkeys(why for why in pairs if why)) or "no images go together"


def _against(piece: Piece, wanted: Iterable[Piece], place: Place) -> str | None:
    return next((why for one in wanted if (why := clash(one, piece)) is not None), None)
