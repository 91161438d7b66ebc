"""Targets: which images there are and who else may say so, or, by a Director, who installs what.

An entry is keyed by the number of the image, so one image for two ECUs is one entry with two
ECU ids (T-48). On the Director every Targets names its vehicle, also one without images (T-18).
It does not decide anything: see `director` and `image_repository`.
Rules: V-09, V-10, V-12, V-14, V-15, V-85, T-18, T-48.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from muptane.oem.delegations import Delegations, read_delegations, write_delegations
from muptane.oem.fields import U32, Custom, Hashes, Strict, VehicleId, ascending, hashes_of
from muptane.oem.keys import Key
from muptane.oem.maps import Listing, MapNumber
from muptane.oem.metadata import Role
from muptane.regions import Joined
from uptane import ids, limits

Part = tuple[
    Annotated[int, Field(ge=1, le=255)], Annotated[int, Field(ge=1, le=limits.IMAGE_BYTES_MAX)]
]


class Entry(Strict):
    """One image. `hardware` (ids that it is made for), `release` and `regions` (which it replaces,
    with their bytes; none: the application alone) must match between the repositories (V-12,
    S-25); `ecus`, on the Director only, are those that shall install it."""

    length: Annotated[int, Field(ge=0, le=limits.IMAGE_BYTES_MAX)]
    hashes: Hashes
    hardware: Annotated[tuple[U32, ...], Field(min_length=1)]
    release: U32
    regions: Annotated[tuple[Part, ...], Field(max_length=limits.REGIONS_MAX)] = ()
    ecus: tuple[U32, ...] = ()
    custom: Custom = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not ascending(self.hardware) or not ascending(self.ecus):
            raise ValueError("hardware ids and ECU ids ascend, each once")
        if self.regions:
            self._check_regions()
        return self

    def _check_regions(self) -> None:
        if not ascending([region for region, _ in self.regions]):
            raise ValueError("regions ascend, each once")
        lengths = [length for _, length in self.regions]
        if sum(lengths) != self.length:
            raise ValueError(f"regions of {sum(lengths)} bytes, an image of {self.length}")
        if any(length % limits.REGION_ALIGN for length in lengths[:-1]):
            raise ValueError(f"a region begins at a multiple of {limits.REGION_ALIGN} bytes")
        if self.regions[-1][0] == ids.REGION_APPLICATION and len(self.regions) == 1:
            raise ValueError("the application alone goes without saying")

    def as_map(self) -> dict[int, object]:
        match: dict[int, object] = {
            ids.MATCH_HARDWARE: self.hardware,
            ids.MATCH_RELEASE: self.release,
        }
        if self.regions:
            match[ids.MATCH_REGIONS] = [list(part) for part in self.regions]
        made: dict[int, object] = {
            ids.ENTRY_LENGTH: self.length,
            ids.ENTRY_HASHES: self.hashes,
            ids.ENTRY_MATCH: match,
        }
        if self.ecus:
            made[ids.ENTRY_ECUS] = self.ecus
        if self.custom:
            made[ids.ENTRY_CUSTOM] = self.custom
        return made

    @classmethod
    def from_map(cls, found: dict[int, Any]) -> "Entry":
        match = found[ids.ENTRY_MATCH]
        return cls(
            length=found[ids.ENTRY_LENGTH],
            hashes=found[ids.ENTRY_HASHES],
            hardware=tuple(match[ids.MATCH_HARDWARE]),
            release=match[ids.MATCH_RELEASE],
            regions=tuple(tuple(part) for part in match.get(ids.MATCH_REGIONS, ())),
            ecus=tuple(found.get(ids.ENTRY_ECUS, ())),
            custom=found.get(ids.ENTRY_CUSTOM, {}),
        )


def entry_of(image: bytes | Joined, hardware: Iterable[int], release: int) -> Entry:
    """What metadata says about an image."""
    whole = Joined.of(image)
    return Entry(
        length=len(whole.content),
        hashes=hashes_of(whole.content),
        hardware=tuple(sorted(set(hardware))),
        release=release,
        regions=whole.regions,
    )


class Bundle(Strict):
    """How the images of some ECUs belong together (S-43 to S-45): the bundle's number for this
    vehicle, ids.BUNDLE_..., how many trials one of the images may have, and the ECUs."""

    number: Annotated[U32, Field(ge=1)]
    kind: Annotated[int, Field(ge=ids.BUNDLE_REPORTED, le=ids.BUNDLE_TOGETHER)]
    trials: Annotated[int, Field(ge=1, le=limits.TRIALS_MAX)]
    ecus: Annotated[tuple[U32, ...], Field(min_length=1, max_length=limits.ITEMS_MAX)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == ids.BUNDLE_REPORTED and self.trials != 1:
            raise ValueError("what is only reported is tried once")
        if not ascending(self.ecus):
            raise ValueError("ECU ids ascend, each once")
        return self

    def as_list(self) -> list[object]:
        return [self.number, self.kind, self.trials, self.ecus]


class Targets(Role):
    """Images by number, and whose word counts for others. A Director's names its vehicle always
    and the ECU of every image, and delegates nothing."""

    type = ids.TARGETS

    number: U32 = ids.TARGETS
    images: Annotated[dict[U32, Entry], Field(max_length=limits.ITEMS_MAX)]
    vehicle: VehicleId | None = None
    acknowledged: dict[U32, U32] = {}
    delegations: Delegations = ()
    maps: Annotated[dict[MapNumber, Listing], Field(max_length=limits.MAPS_MAX)] = {}
    bundle: Bundle | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        delegated = ids.DELEGATED_FIRST <= self.number <= ids.DELEGATED_LAST
        if self.number != ids.TARGETS and not delegated:
            raise ValueError("delegated roles have numbers from 16 to 255")
        directs = self.vehicle is not None
        if any(bool(entry.ecus) != directs for entry in self.images.values()):
            raise ValueError("an entry names ECUs on the Director, and only there")
        named = [ecu for entry in self.images.values() for ecu in entry.ecus]
        if len(named) != len(set(named)):
            raise ValueError("an ECU is named twice")
        if self.acknowledged and not directs:
            raise ValueError("only a Director acknowledges reports")
        if self.bundle is not None and not directs:
            raise ValueError("only a Director makes bundles")
        if self.maps and (delegated or (directs and len(self.maps) > 1)):
            raise ValueError("a Director lists one map, a delegated role none")
        if directs and (delegated or self.delegations):
            raise ValueError("a Director does not delegate")
        if len(self.delegated_keys()) > limits.KEYS_MAX:
            raise ValueError(f"more than {limits.KEYS_MAX} keys of delegates")
        return self

    def delegated_keys(self) -> set[Key]:
        """Every key that its delegations name."""
        return {key for made in self.delegations for role in made.roles for key in role.keys}

    @property
    def number_of(self) -> int:
        return self.number

    def body(self) -> dict[int, object]:
        images = {number: entry.as_map() for number, entry in self.images.items()}
        made: dict[int, object] = {ids.KEY_IMAGES: images}
        if self.vehicle is not None:
            made[ids.KEY_VEHICLE] = self.vehicle
        if self.acknowledged:
            made[ids.KEY_ACKNOWLEDGED] = self.acknowledged
        if self.delegations:
            made[ids.KEY_DELEGATIONS] = write_delegations(self.delegations)
        if self.maps:
            made[ids.KEY_MAPS] = {number: one.as_list() for number, one in self.maps.items()}
        if self.bundle is not None:
            made[ids.KEY_BUNDLE] = self.bundle.as_list()
        return made

    @classmethod
    def fields(cls, found: dict[int, Any]) -> dict[str, Any]:
        images = found.pop(ids.KEY_IMAGES).items()
        delegations = found.pop(ids.KEY_DELEGATIONS, None)
        maps = found.pop(ids.KEY_MAPS, {}).items()
        bundle = found.pop(ids.KEY_BUNDLE, None)
        return {
            "number": found[ids.KEY_NUMBER],
            "images": {number: Entry.from_map(entry) for number, entry in images},
            "vehicle": found.pop(ids.KEY_VEHICLE, None),
            "acknowledged": found.pop(ids.KEY_ACKNOWLEDGED, {}),
            "maps": {
                number: Listing(length=length, hashes=hashes) for number, (length, hashes) in maps
            },
            "bundle": None if bundle is None else _read_bundle(*bundle),
            "delegations": () if delegations is None else read_delegations(delegations),
        }


def _read_bundle(number: int, kind: int, trials: int, ecus: list[int]) -> Bundle:
    return Bundle(number=number, kind=kind, trials=trials, ecus=tuple(ecus))
