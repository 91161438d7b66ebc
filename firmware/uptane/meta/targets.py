"""Targets: which images there are, and on the Director where they go; an index over the payload.

A Targets file is the one that grows with the vehicle and the catalogue, so its entries are read
one at a time: each is held against the grammar (docs/pouf.cddl) when the file is opened, then
forgotten, and decoded again when somebody asks for it. A board holds the payload and a number per
image, not a tree of objects. It does NOT verify signatures or compare repositories, and it finds
delegations without reading them: `delegation` does.

This module is the codec that devices give to `files` and `trusted`, which know no format: all the
names of errand.Codec are here, and in `delegation` those that a search needs.
Rules: V-09, V-12, V-14, V-15, V-74.6, V-74.7, T-47, T-48, E-48, E-49, E-60.
"""

# mypy: implicit-reexport
from uptane import cbor
from uptane.cose import context, read_sign, sign_parts, write_sign  # noqa: F401
from uptane.errors import (
    BadShape,
    DuplicateKey,
    EcuTwice,
    NotDeterministic,
    TrailingBytes,
)
from uptane.ids import (
    ALG_SHA256,
    BUNDLE_REPORTED,
    BUNDLE_TOGETHER,
    DIRECTOR,
    ENTRY_CUSTOM,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    KEY_ACKNOWLEDGED,
    KEY_BUNDLE,
    KEY_CUSTOM,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_IMAGES,
    KEY_MAPS,
    KEY_VEHICLE,
    MATCH_HARDWARE,
    MATCH_REGIONS,
    MATCH_RELEASE,
    TARGETS,
)
from uptane.limits import IMAGE_BYTES_MAX, TRIALS_MAX
from uptane.meta.roles import Head, Root, Snapshot, Timestamp  # noqa: F401
from uptane.meta.shape import (
    NUMBER_MAX,
    Fields,
    read_counters,
    read_custom,
    read_hashes,
    read_list,
    read_number,
    read_numbers,
)

if False:  # for the type checker
    from errand import Bundle

VEHICLE_CHARACTERS_MAX = 32
ARRAY = 0x80  # how an encoded array begins, and a map
MAP = 0xA0


class Targets(Head):
    """An open Targets file.

    ecus          Director: {ecu id: image number}
    vehicle       Director: the vehicle id, or None
    acknowledged  Director: {ecu id: report counter}
    bundle        Director: (number, 1 if all are confirmed together or none, trials that one image
                  may have) of the bundle that it directs, or None
    bundled       Director: the ECU ids of that bundle
    delegations   None, or the bytes that begin with them
    maps          top-level: what is listed of maps, or None; `mapping` reads it
    `role`: TARGETS, or the number of a delegated role.
    Refusals: as Head; BadShape, EcuTwice, and those of `cbor.loads`.
    """

    def __init__(self, payload: bytes, repository: int, role: int = TARGETS) -> None:
        super().__init__(payload, role)
        self.ecus: dict[int, int] = {}
        self.vehicle: str | None = None
        self.acknowledged: dict[int, int] = {}
        self.bundle: Bundle | None = None
        self.bundled: tuple[int, ...] = ()
        self.delegations: memoryview | None = None
        self.maps: object = None
        self._director = repository & 1 == DIRECTOR
        self._top = role == TARGETS
        self._payload = memoryview(payload)
        self._offsets: dict[int, int] | None = None
        last = KEY_EXPIRES
        rest = self._rest
        for _ in range(self._pairs):
            key, rest = cbor.loads_first(rest)
            last = _read_key(key, last)
            if last == KEY_IMAGES:
                rest = self._index(rest)
            else:
                if last == KEY_DELEGATIONS:
                    self.delegations = rest
                value, rest = cbor.loads_first(rest)
                self._set(last, value)
        if len(rest):
            raise TrailingBytes
        if self._offsets is None:
            raise BadShape

    def is_empty(self) -> bool:
        """Is no image listed?"""
        return not self._offsets

    def entry(self, number: int) -> "Entry | None":
        """Return the entry of an image, or None if it is not listed."""
        at = self._offsets.get(number) if self._offsets else None
        if at is None:
            return None
        return Entry(number, cbor.loads_first(self._payload[at:])[0], self._director)

    def _index(self, rest: memoryview) -> memoryview:
        """Read the map {image number: entry} that `rest` begins with; return what follows."""
        offsets: dict[int, int] = {}
        count, rest = open_items(rest, MAP)
        last = -1
        for _ in range(count):
            key, rest = cbor.loads_first(rest)
            last = _read_key(key, last)
            offsets[last] = len(self._payload) - len(rest)
            value, rest = cbor.loads_first(rest)
            for ecu in Entry(last, value, self._director).ecus:
                if ecu in self.ecus:
                    raise EcuTwice
                self.ecus[ecu] = last
        self._offsets = offsets
        return rest

    def _set(self, key: int, value: object) -> None:
        if value is None:
            raise BadShape
        if key == KEY_CUSTOM:
            read_custom(value)
        elif key == KEY_DELEGATIONS:
            pass  # their place was kept
        elif key == KEY_VEHICLE and self._director:
            self.vehicle = _read_vehicle(value)
        elif key == KEY_ACKNOWLEDGED and self._director:
            self.acknowledged = read_counters(value)
        elif key == KEY_BUNDLE and self._director:
            number, kind, trials, ecus = read_list(value, 4, 4)
            kind = read_number(kind, BUNDLE_REPORTED, BUNDLE_TOGETHER)
            trials = read_number(trials, 1, 1 if kind == BUNDLE_REPORTED else TRIALS_MAX)
            together = int(kind == BUNDLE_TOGETHER)
            self.bundle = (read_number(number, 1, NUMBER_MAX), together, trials)
            self.bundled = read_numbers(ecus, True)
        elif key == KEY_MAPS and self._top:
            self.maps = value
        else:
            raise BadShape


class Entry:
    """One image: number, length in bytes, hashes, hardware ids, release; Director: ecus.

    `digest` is the SHA-256 among the hashes; empty, if there is none, it matches nothing.
    `hardware`, `release` and `regions` are the must-match data (V-12, T-47); the last is None, or
    what `image.scope` reads. `custom`: a map or None, of which nothing is compared;
    `image.encryption` and `image.description` read it. Refusal: BadShape.
    """

    def __init__(self, number: int, value: object, director: bool) -> None:
        fields = Fields(value)
        self.number = number
        self.length = read_number(fields.take(ENTRY_LENGTH), 0, IMAGE_BYTES_MAX)
        self.hashes = read_hashes(fields.take(ENTRY_HASHES))
        self.digest = self.hashes.get(ALG_SHA256, b"")
        match = Fields(fields.take(ENTRY_MATCH))
        self.hardware = read_numbers(match.take(MATCH_HARDWARE), True)
        self.release = read_number(match.take(MATCH_RELEASE), 0, NUMBER_MAX)
        self.regions = match.take(MATCH_REGIONS)
        match.end()
        # not strictly: an id twice in one entry is the same lie as twice in two (EcuTwice)
        self.ecus = read_numbers(fields.take(ENTRY_ECUS), False) if director else ()
        self.custom = fields.take_custom(ENTRY_CUSTOM)
        fields.end()

    def says_the_same(self, other: "Entry") -> bool:
        """Do both describe the same bytes, with equal must-match data? (V-75.10.2, V-77.2.1)"""
        return (
            self.length == other.length
            and self.hashes == other.hashes
            and self.hardware == other.hardware
            and self.release == other.release
            and self.regions == other.regions
        )


def _read_key(key: object, last: int) -> int:
    """Return the next key of a map of numbers; they ascend (RFC 8949, 4.2.1)."""
    number = read_number(key, 0, NUMBER_MAX)
    if number <= last:
        raise DuplicateKey if number == last else NotDeterministic
    return number


def open_items(rest: memoryview, kind: int) -> "tuple[int, memoryview]":
    """Return how many items (MAP: pairs) the container has that `rest` begins with, and its first
    item on. Refusals: BadShape, NotDeterministic.

    More than 255 entries fit no Targets of TARGETS_BYTES_MAX.
    """
    if len(rest) and kind <= rest[0] < kind + 24:
        return rest[0] & 31, rest[1:]
    if len(rest) < 2 or rest[0] != kind + 24:
        raise BadShape
    if rest[1] < 24:
        raise NotDeterministic
    return rest[1], rest[2:]


def _read_vehicle(value: object) -> str:
    if type(value) is not str or not 1 <= len(value) <= VEHICLE_CHARACTERS_MAX:
        raise BadShape
    return value
