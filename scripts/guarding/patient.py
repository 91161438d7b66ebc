"""A small part with records on it, what was ever committed to them, and whether they keep it.

`hold` and `go_on` raise Bad where the store broke its word: a value is what was committed, or
refused if it may be, and never an older one; the next mount works, and so does the next commit.
It plays no fault: scripts.guarding.records does.
Rules: E-79, E-87, E-89.
"""

from __future__ import annotations

import io
import struct
from binascii import crc32
from collections.abc import Callable, Mapping

from boards.unix.ailments import Ailment
from boards.unix.nor import Geometry, Nor
from muptane.bench.faults.judge import BRICKED, CORRUPT, ROLLED_BACK, Bad
from scripts.guarding.guards import Store
from uptane.errors import FlashFault, Rotten

Values = dict[int, bytes]
Changes = Mapping[int, bytes | None]
Shape = tuple[int, int, int, int]  # block bytes, blocks, program unit, bytes of a stroke

SHAPES: tuple[Shape, ...] = ((512, 4, 4, 64), (1024, 2, 32, 32))
GRAIN_MIN = 16
MAGIC = 0xB5
IDENTITY, COUNTER, ROOT, TARGETS, SNAPSHOT = 1, 3, 0x100, 0x103, 0x102
BEFORE: Changes = {IDENTITY: b"who I am", COUNTER: b"1", ROOT: b"root 1", TARGETS: b"targets 1"}
CHANGES: Changes = {COUNTER: b"2", ROOT: b"root 2", TARGETS: b"targets 2"}
NEXT: Changes = {4: b"next"}
MANY = 12  # commits that go through every bank


def once(number: int) -> bool:
    """May one rotten place cost it? By docs/flash.md."""
    return number >= 0x100 and number & 0xFF != 0


def nothing(number: int) -> bool:
    return False


def anything(number: int) -> bool:
    return True


class Wavering(Ailment):
    """These bits of one byte read as they like."""

    bits = 0

    def read(self, address: int, buffer: bytearray | memoryview) -> None:
        for at in self._part(address, len(buffer)):
            if self._noise.byte() & 1:
                buffer[at - address] ^= self.bits


class Patient:
    """A part, the records on it, and what was ever committed to them."""

    def __init__(self, store: Store, shape: Shape, image: bytes = b"") -> None:
        self.store, self.shape = store, shape
        block_bytes, blocks, unit, page = shape
        self.bank_bytes = block_bytes * (blocks // 2)
        self.grain = max(GRAIN_MIN, unit)
        geometry = Geometry([(0, block_bytes, blocks, 900)], unit, 10, page)
        self.cells = io.BytesIO(image)
        self.nor = Nor(self.cells, geometry, lambda us: None)
        self.ever: dict[int, set[bytes]] = {}
        self.mount()

    def mount(self) -> None:
        """A reset, with the power steady from then on."""
        self.nor.power_on()
        self.boot()

    def boot(self) -> None:
        block_bytes, blocks, unit, _ = self.shape
        self.records = self.store.records(self.store.area(self.nor, 0, block_bytes, blocks, unit))
        self.records.mount()

    def commit(self, changes: Changes) -> None:
        for number, value in changes.items():
            if value is not None:
                self.ever.setdefault(number, set()).add(value)
        self.records.commit(changes)

    def image(self) -> bytes:
        return self.cells.getvalue()

    def flip(self, address: int, bits: int = 1) -> None:
        cell = bytearray(1)
        self.nor.peek(address, cell)
        self.nor.poke(address, bytes((cell[0] ^ bits,)))

    def waver(self, address: int, bits: int, seed: int) -> None:
        """From now on these bits read as they like."""
        ailment = Wavering(address, 1, seed)
        ailment.bits = bits
        self.nor.ailments.append(ailment)

    def newest(self) -> int:
        """Where the newest bank starts."""
        starts = range(0, len(self.image()), self.bank_bytes)
        return max(starts, key=self._sequence)

    def _sequence(self, at: int) -> int:
        return self.image()[at + 4] if self._whole(at) else 0

    def commits(self) -> list[tuple[int, int, int, int]]:
        """(intent, first copy, second copy, end) of each commit of the newest bank."""
        at, found = self.newest(), []
        while whole := self._whole(at):
            found.append(whole)
            at = whole[3]
        return found

    def _whole(self, at: int) -> tuple[int, int, int, int] | None:
        """The same of the commit at that place, if its copies are equal and sound."""
        image = self.image()
        if image[at] != MAGIC:
            return None
        copy, body = struct.unpack_from("<HH", image, at + 8)
        first = at + self.grain
        second = first + copy * self.grain
        end = second + (copy + body) * self.grain
        one, two = image[first:second], image[second : 2 * second - first]
        sound = copy and one == two and crc32(one[:-4]) == int.from_bytes(one[-4:], "little")
        return (at, first, second, end) if sound else None

    # --- judging --------------------------------------------------------------------------------

    def hold(self, states: list[Values], may_rot: Callable[[int], bool]) -> Values:
        """It holds one of these states, but for what may rot; returns which. Bad."""
        numbers = {number for state in states for number in state} | set(self.ever)
        if not set(self.records.numbers()) <= numbers:
            raise Bad(CORRUPT, f"numbers that never were: {self.records.numbers()}")
        found = {number: self._read(number) for number in sorted(numbers)}
        for state in states:
            wrong = [n for n, value in found.items() if value != state.get(n)]
            if all(found[n] is False and may_rot(n) for n in wrong):
                return state
        wrong = [n for n, value in found.items() if value != states[0].get(n)]
        told = f"{[(hex(n), found[n]) for n in wrong]} instead of {states[-1]}"
        if any(found[n] is False and not may_rot(n) for n in wrong):
            raise Bad(BRICKED, f"refused: {told}")
        known = all(found[n] in (None, False) or found[n] in self.ever[n] for n in wrong)
        raise Bad(ROLLED_BACK if known else CORRUPT, told)

    def rotten(self, state: Values) -> list[int]:
        return [number for number in state if self._read(number) is False]

    def _moved(self, state: Values, may_rot: Callable[[int], bool]) -> Values:
        """It goes through every bank, and what is refused stays so."""
        for count in range(MANY // 2):
            self.commit({SNAPSHOT: bytes([count]) * 150})
            state = applied(state, {SNAPSHOT: bytes([count]) * 150})
            self.hold([state], may_rot)
        return state

    def _read(self, number: int) -> bytes | bool | None:
        """The value; False: it is refused."""
        try:
            value: bytes | None = self.records.read(number)
        except Rotten:
            return False
        return value

    def go_on(self, state: Values, may_rot: Callable[[int], bool], ails: bool = False) -> None:
        """After a second reset it is the same; the next commit works, and lasts."""
        self.mount()
        self.hold([state], may_rot)
        rotten = self.rotten(state)
        anew: Changes = dict.fromkeys(rotten[:1], b"anew")
        for changes in (NEXT, {**NEXT, **anew}, {TARGETS: b"targets 3" * 4}):
            try:
                self.commit(changes)
            except FlashFault:
                if ails:
                    return
                raise
            state = applied(state, changes)
            self.hold([state], lambda n: may_rot(n) and n not in changes)  # noqa: B023
            self.mount()
            self.hold([state], lambda n: may_rot(n) and n not in changes)  # noqa: B023
            if rotten and changes is NEXT:
                state = self._moved(state, may_rot)


def applied(state: Values, changes: Changes) -> Values:
    return {n: v for n, v in {**state, **changes}.items() if v is not None}


# --- where a play begins ------------------------------------------------------------------------


def fresh(store: Store, shape: Shape) -> tuple[Patient, Values]:
    patient = Patient(store, shape)
    patient.commit(BEFORE)
    return patient, applied({}, BEFORE)


def full(store: Store, shape: Shape) -> tuple[Patient, Values]:
    """The next commit has to move house, into a bank that was used before."""
    patient, state = fresh(store, shape)
    for count in range(2 * MANY):
        image = patient.image()
        changes: Changes = {SNAPSHOT: b"%03d" % count + bytes(150)}
        erased = sum(patient.nor.erased)
        patient.commit(changes)
        if sum(patient.nor.erased) > erased and max(patient.nor.erased) > 2:
            break
        state = applied(state, changes)
    again = Patient(store, shape, image)
    again.ever = patient.ever
    return again, state


def aged(store: Store, shape: Shape) -> tuple[Patient, Values]:
    """Not long ago it moved house, and was not reset since; some commits lie in its bank."""
    patient, state = full(store, shape)
    for changes in (CHANGES, {COUNTER: b"3"}, {ROOT: b"root 3"}):
        patient.commit(changes)
        state = applied(state, changes)
    return patient, state


def copied(patient: Patient) -> Patient:
    """Another ECU with the same cells, after its reset."""
    other = Patient(patient.store, patient.shape, patient.image())
    other.ever = {number: set(values) for number, values in patient.ever.items()}
    return other


SCENES: dict[str, Callable[[Store, Shape], tuple[Patient, Values]]] = {
    "append": fresh,
    "move": full,
}
