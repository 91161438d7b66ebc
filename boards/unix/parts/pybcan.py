"""The stm32 CAN controllers as `pyb.CAN` shows them: a bxCAN, or an FDCAN with `fd=True`.

Physics for tests of the driver, after MicroPython's documentation and what its C does (1.28): a
bxCAN has three mailboxes, sent by identifier and then by their number, and FIFOs of three; an
FDCAN sends in order from a FIFO and takes FD frames. The callback comes when a frame finds the
FIFO empty (0), fills it (1) or is lost (2), and again only after the FIFO was emptied. `recv`
writes as many bytes as came. It is stricter than silicon: what would wait, or write past the
memory given, raises `Misuse`. The bus side is `sent`, `deliver`, `bus_off`.
It does not model: time, error counters, loopback, ranges and lists of identifiers, FIFO 1.
"""

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Handler: TypeAlias = Callable[[Any, int], None]

EXTENDED = 1 << 29  # of a can_id on the bus side: 29 bits
IDENTIFIER = 0x1FFFFFFF
TIMED_OUT = 110  # errno.ETIMEDOUT
ERROR_ACTIVE = 1
BUS_OFF = 4
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


class Misuse(Exception):
    """The silicon would wait, or spoil memory, or refuse."""


class PybCan:
    """What both controllers share."""

    fifo_frames = 3
    buffers = 3

    def __init__(self) -> None:
        self._fifo: list[tuple[int, bytes, bool]] = []
        self._handler: Handler | None = None
        self._armed = True  # the interrupt for a frame in an empty FIFO
        self._off = False
        self._known: list[tuple[object, memoryview]] = []
        self._filters: list[tuple[int, bool, int, int, int]] = []  # index, long, id, mask, bits
        self.waiting: list[tuple[int, bytes] | None] = []
        self.formats: list[tuple[bool, bool]] = []  # of the frames sent: FD, bit rate switched
        # Called in the middle of `send`: an interrupt may come there.
        self.before_send: Callable[[], object] | None = None

    # --- the software side ---
    def rxcallback(self, fifo: int, handler: "Handler") -> None:
        if fifo:
            raise Misuse("FIFO 1 is not modelled")
        self._handler = handler

    def any(self, fifo: int) -> bool:
        return fifo == 0 and bool(self._fifo)

    def recv(self, fifo: int, into: "list[Any]") -> "list[Any]":
        if not self.any(fifo):
            raise Misuse("recv of an empty FIFO waits")
        can_id, data, remote = self._fifo.pop(0)
        backing = self._backing(into)
        if len(backing) < len(data):
            raise Misuse("recv writes past the memory")
        backing[: len(data)] = data
        into[0] = can_id & IDENTIFIER
        into[1] = can_id & EXTENDED != 0
        into[2] = remote
        into[3] = 0
        into[4] = backing[: len(data)]  # the real one is resized in place
        if not self._fifo:
            self._armed = True
        return into

    def _backing(self, into: "list[Any]") -> memoryview:
        """The memory behind a list: kept beside it, because Python cannot grow a memoryview."""
        for known, backing in self._known:
            if known is into:
                return backing
        backing = memoryview(into[4])
        self._known.append((into, backing))
        return backing

    def clearfilter(self, bank: int, extframe: bool = False) -> None:
        self._filters = [f for f in self._filters if f[:2] != (bank, extframe)]

    def state(self) -> int:
        return BUS_OFF if self._off else ERROR_ACTIVE

    def restart(self) -> None:
        self._off = False

    # --- the bus side ---
    def pending(self) -> int:
        return len([frame for frame in self.waiting if frame is not None])

    def deliver(self, can_id: int, data: bytes, remote: bool = False) -> bool:
        """A frame from the bus; False if it was not accepted, or lost."""
        marked = can_id & IDENTIFIER | (EXTENDED if can_id & EXTENDED else 0)
        for _, _, wanted, mask, bits in self._filters:
            if (self._compared(marked) ^ wanted) & mask & bits == 0:
                break
        else:
            return False
        if len(self._fifo) == self.fifo_frames:
            self._call(2)
            return False
        self._fifo.append((can_id, data, remote))
        if len(self._fifo) == self.fifo_frames:
            self._call(1)
        if self._armed and self._fifo:
            self._armed = False
            self._call(0)
        return True

    def _compared(self, marked: int) -> int:
        return marked

    def bus_off(self) -> None:
        self._off = True

    def _call(self, reason: int) -> None:
        if self._handler is not None:
            self._handler(self, reason)


class BxCan(PybCan):
    """Classic CAN, three mailboxes."""

    MASK16 = 0
    MASK32 = 2

    def __init__(self) -> None:
        super().__init__()
        self.waiting = [None, None, None]

    def setfilter(
        self, bank: int, mode: int, fifo: int, params: "tuple[int, ...]", extframe: bool = False
    ) -> None:
        """MASK16 compares the first 11 bits only: those of a 29-bit identifier, too."""
        if fifo or not 0 <= bank < 14 or (mode == self.MASK32) != extframe:
            raise Misuse("filter")
        self.clearfilter(bank)
        if mode == self.MASK32:
            wanted, mask = params
            self._filters.append((bank, False, wanted | EXTENDED, mask | EXTENDED, -1))
            return
        for at in (0, 2):
            if params[at] >> 11 or params[at + 1] >> 11:
                raise Misuse("11 bits")
            self._filters.append((bank, False, params[at] << 18, params[at + 1] << 18, IDENTIFIER))

    def _compared(self, marked: int) -> int:
        return marked if marked & EXTENDED else marked << 18

    def send(self, data: bytes, can_id: int, extframe: bool = False) -> None:
        if len(data) > 8:
            raise ValueError
        if None not in self.waiting:
            raise OSError(16)  # EBUSY
        if self.before_send is not None:
            self.before_send()
        at = self.waiting.index(None)
        self.waiting[at] = (can_id | (EXTENDED if extframe else 0), bytes(data))
        self.formats.append((False, False))

    def info(self, into: "list[int]") -> "list[int]":
        into[5] = self.pending()
        into[6] = len(self._fifo)
        return into

    def sent(self) -> "tuple[int, bytes]":
        """The next frame by arbitration leaves; no interrupt tells."""
        best = -1
        for at, frame in enumerate(self.waiting):
            mailbox = self.waiting[best] if best >= 0 else None
            if frame is not None and (mailbox is None or _rank(frame[0]) < _rank(mailbox[0])):
                best = at
        frame = self.waiting[best] if best >= 0 else None
        if frame is None or self._off:
            raise IndexError
        self.waiting[best] = None
        return frame


class FdCan(PybCan):
    """CAN FD, a FIFO to send of `buffers` frames, 24 frames to receive (H7)."""

    MASK = 2
    fifo_frames = 24

    def setfilter(
        self, bank: int, mode: int, fifo: int, params: "tuple[int, int]", extframe: bool = False
    ) -> None:
        if fifo or mode != self.MASK or not 0 <= bank < (8 if extframe else 28):
            raise Misuse("filter")
        wanted, mask = params
        if wanted >> (29 if extframe else 11) or mask >> (29 if extframe else 11):
            raise Misuse("length of identifier")
        self.clearfilter(bank, extframe)
        mark = EXTENDED if extframe else 0
        self._filters.append((bank, extframe, wanted | mark, mask | EXTENDED, -1))

    def send(
        self,
        data: bytes,
        can_id: int,
        extframe: bool = False,
        fdf: bool = False,
        brs: bool = False,
    ) -> None:
        if len(data) not in FD_LENGTHS or (len(data) > 8 and not fdf):
            raise ValueError
        if len(self.waiting) == self.buffers:
            raise OSError(TIMED_OUT)
        if self.before_send is not None:
            self.before_send()
        self.waiting.append((can_id | (EXTENDED if extframe else 0), bytes(data)))
        self.formats.append((fdf, brs))

    def info(self, into: "list[int]") -> "list[int]":
        """Its count of frames to send is that of an event FIFO which is not used: always 0."""
        into[5] = 0
        into[6] = len(self._fifo)
        return into

    def sent(self) -> "tuple[int, bytes]":
        frame = self.waiting[0]
        if frame is None or self._off:
            raise IndexError
        self.waiting.pop(0)
        return frame


def _rank(can_id: int) -> int:
    """Lower is sent first: the first 11 bits, then the length, then the rest."""
    if can_id & EXTENDED:
        return (can_id & IDENTIFIER) << 1 | 1
    return can_id << 19
