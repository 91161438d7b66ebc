"""Several regions, each with a place of its own twice (S-25): what an image leaves out stays.

A *slot* is here an assembly: which place of each region belongs to it. Two assemblies differ only
in the regions that the newer image replaced, so code alone or data alone is erased and written,
all that is new is tried, confirmed or reverted together, and nothing is ever copied. How that goes
is `slots` and `trials`, whose boot record counts the assemblies as it counts slots; what they hold
is a record beside it.
It does NOT know what a region is for, but for the application, which is what runs.
Rules: V-58, V-62, V-67, S-25, E-79.
"""

import struct

from uptane.errors import ImageReused, NoRegion, NotProvisioned, Rotten, TooLarge
from uptane.ids import RECORD_BOOT, RECORD_CHECKPOINT, RECORD_REGIONS, REGION_APPLICATION
from uptane.store.area import digest_of
from uptane.store.boot import EMPTY, TRIAL, Installed, State
from uptane.store.slots import Slots
from uptane.store.span import Span

if False:  # for the type checker
    from errand import Changes
    from storage import Hashing, Work
    from uptane.store.area import Area
    from uptane.store.records import Records

    Place = tuple[int, Area, Area]
    Assembly = dict[int, "Held"]

HELD = "<BBII32s32s"  # region, side, image, length, SHA-256 of the image, of what is held
HELD_BYTES = 74
NOTHING = bytes(32)


class Held:
    """What a region holds in an assembly: on which side (0 or 1), of which image (number, SHA-256
    of all of it), how many bytes, their SHA-256."""

    def __init__(self, side: int, image: int, length: int, whole: bytes, digest: bytes) -> None:
        self.side = side
        self.image = image
        self.length = length
        self.whole = whole
        self.digest = digest

    def origin(self) -> "tuple[int, int, int, bytes]":
        """All of it that is known before the bytes have come."""
        return self.side, self.image, self.length, self.whole


class Regions(Slots):
    """`areas`: the two places of the application; `more`: those of the other regions, ascending;
    `records` as Trials has them."""

    def __init__(self, areas: "list[Area]", more: "list[Place]", records: "Records") -> None:
        super().__init__(list(areas), records)
        self._places: list[Place] = [(REGION_APPLICATION, areas[0], areas[1])]
        self._places = sorted(self._places + more, key=lambda place: place[0])
        self._parts: list[tuple[int, int]] = []  # of the image that was chosen
        self._next: Assembly = {}

    # --- what runs ------------------------------------------------------------------------------

    def place(self, region: int) -> "tuple[Area, int]":
        running = self.running()
        if running is None:
            raise NotProvisioned
        held = self._assembly(running).get(region)
        if held is None:
            raise NoRegion
        return self._area_of(region, held.side), held.length

    def contents(self) -> "list[list[int]]":
        running = self.running()
        held = {} if running is None else self._assembly(running)
        return [[number, held[number].image] for number in sorted(held)]

    def base(self) -> bytes:
        """SHA-256 of what a delta to the chosen image is made from; b"" if that has several
        parts, which no delta makes."""
        if len(self._parts) != 1:
            return b""
        return self._confirmed()[self._parts[0][0]].digest

    # --- what is to come ------------------------------------------------------------------------

    def choose(self, parts: "list[tuple[int, int]]", image: int, digest: bytes) -> None:
        """From now on the spare slot is where these parts, (region, bytes), of that image belong,
        and the other one where what they replace lies. Nothing is touched.

        Refusals: NoRegion, TooLarge, ImageReused (T-53), NotProvisioned."""
        held = self._confirmed()
        to: list[tuple[Area, int]] = []
        since: list[tuple[Area, int]] = []
        following = dict(held)
        for number, length in parts:
            old = held.get(number)
            if old is None:
                raise NoRegion
            if old.image == image and old.whole != digest:
                raise ImageReused
            area = self._area_of(number, 1 - old.side)
            if length > area.size:
                raise TooLarge
            to.append((area, length))
            since.append((self._area_of(number, old.side), old.length))
            content = digest if len(parts) == 1 else NOTHING
            following[number] = Held(1 - old.side, image, length, digest, content)
        self._parts = parts
        self._next = following
        spare = self._load().spare()
        self.areas[spare] = _as_one(to)
        self.areas[1 - spare] = _as_one(since)

    def begin(self, wanted: Installed, made: int = -1) -> "Work[None]":
        """As Slots.begin, of the image that was chosen."""
        state = self._load()
        begun = EMPTY < state.phase < TRIAL
        if begun and not self._is_next(self._assembly(state.spare())):
            state.phase = EMPTY  # the same image, but for other regions: nothing goes on
            state.other = None
            self._store(state)
        yield from super().begin(wanted, made)

    def finish(self, suite: "Hashing") -> "Work[None]":
        """As Slots.finish; what each part holds is remembered with it."""
        for number, length in self._parts:
            held = self._next[number]
            if len(self._parts) > 1:
                area = self._area_of(number, held.side)
                held.digest = yield from digest_of(area.read_into, length, suite.sha256())
        yield from super().finish(suite)

    def provision(self, number: int, length: int, digest: bytes, release: int) -> None:
        """As Trials.provision; the other regions hold nothing, see `furnish`."""
        self.furnish([(REGION_APPLICATION, length, digest)], number, length, digest, release)

    def furnish(
        self,
        parts: "list[tuple[int, int, bytes]]",
        number: int,
        length: int,
        digest: bytes,
        release: int,
    ) -> None:
        """The image that the factory put into the first places of its parts, (region, bytes,
        SHA-256), is confirmed. NoRegion, TooLarge."""
        held = {place[0]: Held(0, 0, 0, NOTHING, NOTHING) for place in self._places}
        for region, n, content in parts:
            if region not in held:
                raise NoRegion
            if n > self._area_of(region, 0).size:
                raise TooLarge
            held[region] = Held(0, number, n, digest, content)
        state = State(None)
        state.slot = 0
        state.confirmed = Installed(number, length, digest, release)
        self._store_confirmed(state, {RECORD_REGIONS: _packed([held, held])})

    # --- inside ---------------------------------------------------------------------------------

    def _is_intact(self, suite: "Hashing") -> "Work[bool]":
        if self._running is None:
            return True
        held = self._assembly(self._running)
        for number in sorted(held):
            one = held[number]
            if one.length:
                area = self._area_of(number, one.side)
                digest = yield from digest_of(area.read_into, one.length, suite.sha256())
                if digest != one.digest:
                    return False
        return True

    def _store(self, state: State, anew: bool = False) -> None:
        changes: Changes = {RECORD_BOOT: state.packed()}
        if anew:
            changes[RECORD_CHECKPOINT] = None
            if self._next:
                both = [self._confirmed(), self._next]
                changes[RECORD_REGIONS] = _packed(both if state.spare() else both[::-1])
        self._records.commit(changes)

    def _is_next(self, assembly: "Assembly") -> bool:
        following = self._next
        return all(assembly[number].origin() == following[number].origin() for number in assembly)

    def _confirmed(self) -> "Assembly":
        slot = self._load().slot
        if slot is None:
            raise NotProvisioned
        return self._assembly(slot)

    def _assembly(self, slot: int) -> "Assembly":
        """{region: Held} of an assembly. Rotten."""
        raw = self._records.read(RECORD_REGIONS)
        count = len(self._places)
        if raw is None or len(raw) != 2 * count * HELD_BYTES:
            raise Rotten
        found = {}
        for at in range(slot * count, (slot + 1) * count):
            number, *held = struct.unpack_from(HELD, raw, at * HELD_BYTES)
            found[number] = Held(*held)
        return found

    def _area_of(self, region: int, side: int) -> "Area":
        for number, area, other in self._places:
            if number == region:
                return other if side else area
        raise NoRegion


def _as_one(parts: "list[tuple[Area, int]]") -> "Area":
    """One area, or several that look like it."""
    return parts[0][0] if len(parts) == 1 else Span(parts)  # type: ignore[return-value]


def _packed(assemblies: "list[Assembly]") -> bytes:
    return b"".join(
        [
            struct.pack(HELD, number, *assembly[number].origin(), assembly[number].digest)
            for assembly in assemblies
            for number in sorted(assembly)
        ]
    )
