"""NOR flash as physics: erasing sets the bits of a whole block, programming only clears bits.

Stricter than silicon: programming what is not erased, misaligned or out of range is a bug of the
caller and raises StrictFlash. A *stroke* is what the chip does in one go: the erase of a block, or
the program of one page (for parts that have none, of one program unit). A power cut falls inside
a stroke and tears it: a torn program leaves any mix of old and new bits, a torn erase leaves
garbage that may read differently each time. After a cut nothing works until `power_on()`.

What is wrong with a part besides that is an *ailment* (boards.unix.ailments): worn or stuck cells,
a stroke that is not done, cells that read differently each time. An ailing part is programmed as
silicon is, onto whatever is there: its owner may have been lied to.

It does NOT model disturbed neighbours or ECC. Content lives in the store that is given (a file
opened 'r+b', unbuffered, or io.BytesIO); which blocks read unsteadily after a torn erase stands
in the list `unsteady`, which the bench may hand on to the part's next life.
Rules: E-79, E-89.
"""

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any

    from boards.unix.ailments import Ailment
    from storage import Buffer, Store

CHUNK = 512
TEARS = 8  # kinds of torn stroke


class StrictFlash(ValueError):
    """Our own code did to the flash what a driver may not do."""


class PowerCut(BaseException):
    """The supply is gone: nothing on the device may catch this."""


class Geometry:
    """`regions`: [(address, block bytes, blocks, us to erase a block), ...], ascending.

    `program_us` is the time of one stroke; `page_bytes` the most that one stroke programs."""

    def __init__(
        self,
        regions: "list[tuple[int, int, int, int]]",
        program_bytes: int,
        program_us: int,
        page_bytes: int = 0,
    ) -> None:
        self.regions = regions
        self.program_bytes = program_bytes
        self.program_us = program_us
        self.page_bytes = page_bytes or program_bytes
        self.base = regions[0][0]
        address, block_bytes, blocks, _ = regions[-1]
        self.end = address + block_bytes * blocks

    def block(self, address: int) -> "tuple[int, int, int, int]":
        """(index, start, bytes, us to erase) of the block that holds an address."""
        index = 0
        for start, block_bytes, blocks, erase_us in self.regions:
            if start <= address < start + block_bytes * blocks:
                within = (address - start) // block_bytes
                return index + within, start + within * block_bytes, block_bytes, erase_us
            index += blocks
        raise StrictFlash

    def blocks(self) -> int:
        return sum([blocks for _, _, blocks, _ in self.regions])


class Noise:
    """xorshift32: the same bytes for the same seed on both interpreters."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF or 1

    def byte(self) -> int:
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state >> 11 & 0xFF


class Nor:
    """A part of that geometry; `charge(us)` is told what each stroke takes."""

    def __init__(
        self, store: "Store", geometry: Geometry, charge: "Callable[[int], object]"
    ) -> None:
        self._store = store
        self.geometry = geometry
        self._charge = charge
        self.strokes = 0
        self.erased = [0] * geometry.blocks()  # times, per block
        self._cut_at = -1
        self._tear = 0
        self._noise = Noise(0)
        # (start, bytes) of blocks that a torn erase left half charged
        self.unsteady: list[tuple[int, int]] = []
        self.ailments: list[Ailment] = []
        # Is told of each stroke before it is done: (address, bytes, is it an erase?).
        self.before: "Callable[[int, int, bool], object] | None" = None
        self.off = False
        self._fill(store.seek(0, 2), geometry.end - geometry.base)  # a new part comes erased

    # --- what a driver does ---------------------------------------------------------------------

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        self._check(address, len(buffer), 1)
        self.peek(address, buffer)
        if self.unsteady:
            self._waver(address, buffer)
        for ailment in self.ailments:
            ailment.read(address, buffer)

    def program(self, address: int, data: "Buffer") -> None:
        """Clear the bits that are 0 in `data`; every unit must read erased."""
        self._check(address, len(data), self.geometry.program_bytes)
        view = memoryview(data)
        page_bytes = self.geometry.page_bytes
        done = 0
        while done < len(view):
            size = min(page_bytes - (address + done) % page_bytes, len(view) - done)
            self._program_page(address + done, view[done : done + size])
            done += size

    def erase(self, address: int) -> None:
        """Erase the block that starts there."""
        self._check(address, 1, 1)
        index, start, size, erase_us = self.geometry.block(address)
        if start != address:
            raise StrictFlash
        if self.before:
            self.before(start, size, True)
        self.erased[index] += 1
        if self._stroke(erase_us):
            self._tear_erase(start, size)
            raise PowerCut
        weak = self._weak(start, size, True)
        if weak is None:
            return
        if (start, size) in self.unsteady:
            self.unsteady.remove((start, size))
        self._fill(start - self.geometry.base, start + size - self.geometry.base)
        for at, cells in weak:
            self.poke(at, cells)

    # --- what a bench does ----------------------------------------------------------------------

    def cut_after(self, strokes: int, tear: int, seed: int) -> None:
        """Let so many more strokes through, then cut the power inside the next one; `tear`
        0..TEARS-1 is how far it got, `seed` fixes its bits."""
        self._cut_at = self.strokes + strokes
        self._tear = tear
        self._noise = Noise(seed)

    def power_on(self) -> None:
        self.off = False
        self._cut_at = -1

    def peek(self, address: int, buffer: "bytearray | memoryview") -> None:
        """What the cells hold, whatever the pins would say."""
        self._store.seek(address - self.geometry.base)
        self._store.readinto(buffer)

    def poke(self, address: int, data: "Buffer") -> None:
        """Change cells behind everybody's back: rot."""
        self._store.seek(address - self.geometry.base)
        self._store.write(data)

    # --- physics --------------------------------------------------------------------------------

    def _check(self, address: int, size: int, unit: int) -> None:
        if self.off:
            raise PowerCut
        geometry = self.geometry
        if address < geometry.base or address + size > geometry.end:
            raise StrictFlash
        if address % unit or size % unit:
            raise StrictFlash

    def _stroke(self, us: int) -> bool:
        """Count a stroke and its time; True if the power goes during it."""
        self.strokes += 1
        self._charge(us)
        self.off = self.strokes - 1 == self._cut_at
        return self.off

    def _program_page(self, address: int, data: memoryview) -> None:
        if self.before:
            self.before(address, len(data), False)
        old = bytearray(len(data))
        self.peek(address, old)
        if old != b"\xff" * len(old):
            if not self.ailments:
                raise StrictFlash
            data = memoryview(bytes([a & b for a, b in zip(old, data)]))
        if self._stroke(self.geometry.program_us):
            self.poke(address, self._torn(old, data))
            raise PowerCut
        weak = self._weak(address, len(data), False)
        if weak is None:
            return
        self.poke(address, data)
        for at, cells in weak:
            self.poke(at, cells)

    def _weak(
        self, address: int, size: int, erasing: bool
    ) -> "list[tuple[int, bytearray]] | None":
        """The cells that a stroke there does not change, and what they hold; None: it changes
        nothing."""
        cells = []
        for ailment in self.ailments:
            found = ailment.weak(address, size, erasing)
            if found is None:
                return None
            for at in found:
                old = bytearray(1)
                self.peek(at, old)
                cells.append((at, old))
        return cells

    def _torn(self, old: bytearray, new: memoryview) -> bytearray:
        """What an interrupted program leaves; every bit is the old one or the new one."""
        noise, tear, middle = self._noise, self._tear, len(old) // 2
        torn = bytearray(old)
        for i in range(len(old)):
            if tear == 1 or (tear == 3 and i < middle) or (tear == 4 and i > middle):
                torn[i] = new[i]
            elif tear == 2 or (tear in (3, 4) and i == middle):
                torn[i] = old[i] & (new[i] | noise.byte())
            elif tear == 5:  # nearly done
                torn[i] = old[i] & (new[i] | (noise.byte() & noise.byte() & noise.byte()))
            elif tear == 6:  # hardly begun
                torn[i] = old[i] & (new[i] | noise.byte() | noise.byte() | noise.byte())
            elif tear == 7 and i % 2:
                torn[i] = new[i]
        return torn

    def _tear_erase(self, start: int, size: int) -> None:
        """What an interrupted erase leaves. Chips clear all bits before they set them."""
        noise, tear = self._noise, self._tear
        begin, end = start - self.geometry.base, start + size - self.geometry.base
        middle = begin + size // 2
        if tear == 0:
            return
        if tear in (1, 7):
            self._fill(begin, end)
        elif tear == 3:
            self._fill(begin, middle)
        elif tear == 4:
            self._fill(middle, end)
        elif tear == 5:
            self._fill(begin, end, 0)
        else:
            pattern = bytearray([noise.byte() for _ in range(CHUNK)])
            for at in range(begin, end, CHUNK):
                page = bytearray(min(CHUNK, end - at))  # never the neighbour's cells
                self.peek(at + self.geometry.base, page)
                for i in range(len(page)):
                    page[i] = page[i] | pattern[i] if tear == 2 else pattern[i]
                self.poke(at + self.geometry.base, page)
        if tear in (2, 6, 7):
            self.unsteady.append((start, size))

    def _waver(self, address: int, buffer: "bytearray | memoryview") -> None:
        noise = self._noise
        for start, size in self.unsteady:
            end = min(len(buffer), start + size - address)
            for i in range(max(start - address, 0), end):
                buffer[i] ^= noise.byte() & noise.byte() & noise.byte()

    def _fill(self, begin: int, end: int, value: int = 0xFF) -> None:
        self._store.seek(begin)
        page = memoryview(bytes([value]) * CHUNK)
        while begin < end:
            begin += self._store.write(page[: min(CHUNK, end - begin)]) or 0


def part_of(store: "Store", figures: "dict[str, Any]", charge: "Callable[[int], object]") -> Nor:
    """The part that the settings of a board describe (`flash`): its figures and what it ails from.

    `cut`, if it is there, is what `cut_after` is told; `ailments` is for `ailments.of`."""
    geometry = Geometry(
        figures["regions"], figures["program_bytes"], figures["program_us"], figures["page_bytes"]
    )
    nor = Nor(store, geometry, charge)
    if "cut" in figures:
        nor.cut_after(*figures["cut"])
    if "ailments" in figures:
        from boards.unix import ailments  # here, because a sound part has no use for it

        nor.ailments = ailments.of(figures["ailments"])
    return nor
