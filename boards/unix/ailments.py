"""What can be wrong with a flash part, beside a cut of its power: the faults that `nor` suffers.

An ailment says which cells a stroke does not change (`weak`), and may change what is read. All of
them report success, as chips do that nobody asks for their status: whoever does not read back
believes them. Cells and bits are chosen by the seed, the same on both interpreters.

`of` makes them from plain data, so that a MicroPython process is told its ailments by its settings
file. What passes with time (a lie that was told) is known only to the object.
Rules: E-79, E-89.
"""

from boards.unix.nor import Noise

if False:  # for the type checker
    from collections.abc import Iterable

WEAK_EVERY = 61  # bytes: of a worn block, the distance of cells that wore out


class Ailment:
    """Of the cells from `start` on; this one ails nothing."""

    def __init__(self, start: int, size: int, seed: int = 0) -> None:
        self.start = start
        self.size = size
        self._noise = Noise(seed)

    def weak(self, address: int, size: int, erasing: bool) -> "Iterable[int] | None":
        """Addresses of bytes that keep what they hold in that stroke; None: all do."""
        return ()

    def read(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Change what is read from there on."""

    def _part(self, address: int, size: int) -> range:
        """The addresses that are mine."""
        end = min(address + size, self.start + self.size)
        return range(max(address, self.start), end)


class Stuck(Ailment):
    """Nothing changes these cells any more."""

    def weak(self, address: int, size: int, erasing: bool) -> "Iterable[int] | None":
        return None if len(self._part(address, size)) else ()


class Worn(Ailment):
    """Some bytes have worn out: they are neither erased nor programmed."""

    def weak(self, address: int, size: int, erasing: bool) -> "Iterable[int] | None":
        return [at for at in self._part(address, size) if at % WEAK_EVERY == 0]


class Lie(Ailment):
    """The next stroke there is not done at all, once."""

    def weak(self, address: int, size: int, erasing: bool) -> "Iterable[int] | None":
        if not len(self._part(address, size)):
            return ()
        self.size = 0
        return None


class Unsteady(Ailment):
    """One bit of some bytes reads as it likes, until they are erased again. `young`: the stroke
    is still to come that leaves them so."""

    young = False

    def weak(self, address: int, size: int, erasing: bool) -> "Iterable[int] | None":
        if erasing and not self.young and len(self._part(address, size)):
            self.size = 0
        self.young = False
        return ()

    def read(self, address: int, buffer: "bytearray | memoryview") -> None:
        for at in self._part(address, len(buffer)):
            if at % WEAK_EVERY == 0 and self._noise.byte() & 1:
                buffer[at - address] ^= 1 << at // WEAK_EVERY % 8


KINDS = {"stuck": Stuck, "worn": Worn, "lie": Lie, "unsteady": Unsteady}


def of(told: "list[list[object]]") -> "list[Ailment]":
    """From [[kind, start, bytes, seed], ...]."""
    return [KINDS[str(kind)](*numbers) for kind, *numbers in told]  # type: ignore[arg-type]
