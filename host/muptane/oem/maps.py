"""Maps of repositories: which there are in a vehicle, and which must agree on an image.

A map is not signed. Every repository that agrees to it lists its length and hashes, by its number,
in its top-level Targets; a vehicle takes it when all repositories of the map that it has list the
same. The number is the map's version, counted by the maker over all of its vehicles and never used
again. What a `Map` accepts is what docs/pouf.cddl allows. It publishes nothing.
Rules: V-20, T-45, T-46, S-46, S-47, E-83, E-84.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, model_validator

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import Malformed, WrongPurpose
from muptane.oem.fields import U32, Digest, Hashes, Strict, ascending, hashes_of
from uptane import ids, limits

Repository = Annotated[int, Field(ge=ids.DIRECTOR, le=limits.REPOSITORIES_MAX)]
Range = tuple[U32, U32]
MapNumber = Annotated[int, Field(ge=1, le=2**32 - 1)]
EVERY_IMAGE: tuple[Range, ...] = ((0, 2**32 - 1),)


def map_name(number: int) -> str:
    """The name of its file (V-21)."""
    return f"{number}.map.cbor"


def is_director(repository: int) -> bool:
    """An odd number is a Director's, an even one an Image repository's."""
    return repository % 2 == 1


class Listing(Strict):
    """What a Targets says of a map."""

    length: Annotated[int, Field(ge=1, le=limits.MAP_BYTES_MAX)]
    hashes: Hashes

    @classmethod
    def of(cls, raw: bytes) -> "Listing":
        return cls(length=len(raw), hashes=hashes_of(raw))

    def as_list(self) -> list[object]:
        return [self.length, self.hashes]


class Rule(Strict):
    """Images of `ranges` (first, last) need all repositories of `agreeing`."""

    ranges: Annotated[tuple[Range, ...], Field(min_length=1, max_length=limits.RANGES_MAX)]
    agreeing: Annotated[tuple[Repository, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if any(first > last for first, last in self.ranges) or any(
            low[1] >= high[0] for low, high in pairwise(self.ranges)
        ):
            raise ValueError("ranges ascend and lie apart from each other")
        if not ascending(self.agreeing):
            raise ValueError("repositories ascend, each once")
        if len({is_director(repository) for repository in self.agreeing}) != 2:
            raise ValueError("a Director and an Image repository at the least have to agree")
        return self


class Map(Strict):
    """A map. `repositories`: number -> identity; `mappings` by priority."""

    number: MapNumber
    repositories: Annotated[
        dict[Repository, Digest], Field(min_length=2, max_length=limits.REPOSITORIES_MAX)
    ]
    mappings: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=limits.MAPPINGS_MAX)]

    @model_validator(mode="after")
    def _check(self) -> "Map":
        if not {ids.DIRECTOR, ids.IMAGE} <= set(self.repositories):
            raise ValueError("every map has repositories 1 and 2")
        named = {number for made in self.mappings for number in made.agreeing}
        if not named <= set(self.repositories):
            raise ValueError("a mapping names a repository that the map has not")
        return self

    @classmethod
    def of_all(cls, number: int, repositories: Mapping[int, bytes]) -> "Map":
        """All of them have to agree on every image (fleet option 2, S-47)."""
        rule = Rule(ranges=EVERY_IMAGE, agreeing=tuple(sorted(repositories)))
        return cls(number=number, repositories=dict(repositories), mappings=(rule,))

    def content(self) -> bytes:
        """The file."""
        return encode(
            {
                ids.KEY_FORMAT: ids.FORMAT,
                ids.KEY_TYPE: ids.TYPE_MAP,
                ids.MAP_NUMBER: self.number,
                ids.MAP_REPOSITORIES: self.repositories,
                ids.MAP_MAPPINGS: [[made.ranges, made.agreeing] for made in self.mappings],
            }
        )

    def agreeing(self, image: int) -> tuple[int, ...]:
        """Who has to agree on an image: what its first mapping says; nobody may, without one."""
        for made in self.mappings:
            if any(first <= image <= last for first, last in made.ranges):
                return made.agreeing
        return ()


def read_map(raw: bytes) -> Map:
    """Read back. Refuses with Malformed, WrongPurpose, NotDeterministic, TooLarge."""
    found: Any = decode(raw, limits.MAP_BYTES_MAX)
    if not isinstance(found, dict):
        raise Malformed("a map of repositories is a map")
    if found.get(ids.KEY_FORMAT) != ids.FORMAT:
        raise Malformed("another format")
    if found.get(ids.KEY_TYPE) != ids.TYPE_MAP:
        raise WrongPurpose(f"type {found.get(ids.KEY_TYPE)} came as a map")
    try:
        made = Map(
            number=found[ids.MAP_NUMBER],
            repositories=found[ids.MAP_REPOSITORIES],
            mappings=tuple(
                Rule(ranges=tuple(tuple(pair) for pair in ranges), agreeing=tuple(agreeing))
                for ranges, agreeing in found[ids.MAP_MAPPINGS]
            ),
        )
    except (KeyError, ValueError, TypeError) as fault:
        raise Malformed(f"not a map of repositories: {fault}") from fault
    if made.content() != raw:
        raise Malformed("not exactly a map of repositories")
    return made
