"""The stm32 CAN controller behind `machine.CAN`: three transmit mailboxes, two FIFOs of three.

Physics for tests of the driver: `send` refuses an identifier that already waits (unless told that
the order does not matter), mailboxes are sent by identifier or, `chronological`, by age; `flags()`
reports one finished mailbox at a time and keeps saying IRQ_RX while a frame waits; a full FIFO
loses the frame. The bus side is `sent`, `deliver`, `bus_off`.
It does not model: time, error counters, FD. The bench has its own, which lives on the bus.
"""

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Handler: TypeAlias = Callable[[Any], object]

EXTENDED = 1 << 29  # of a can_id on the bus side: 29 bits
IDENTIFIER = 0x1FFFFFFF
FIFO_FRAMES = 3


class BxCan:
    FLAG_RTR = 1
    FLAG_EXT_ID = 2
    FLAG_UNORDERED = 16
    IRQ_TX = 1
    IRQ_RX = 2
    IRQ_STATE = 8
    FILTERS_MAX = 14
    STATE_ACTIVE = 1
    STATE_BUS_OFF = 4

    def __init__(self, chronological: bool = False) -> None:
        self._chronological = chronological
        self._mailboxes: list[tuple[int, int, bytes] | None] = [None, None, None]
        self._age = 0
        self._finished: list[int] = []  # mailboxes sent but not yet reported
        self._fifos: list[list[tuple[int, bytes, int]]] = [[], []]
        self._filters: list[tuple[int, int, int]] = []
        self._handler: Handler | None = None
        self._off = self._worse = False
        self._known: list[tuple[object, memoryview]] = []
        self.lost = 0
        # Called in the middle of `send`: an interrupt may come there.
        self.before_send: Callable[[], object] | None = None

    # --- the software side ---
    def irq(
        self, handler: "Handler | None" = None, trigger: int = 0, hard: bool = False
    ) -> "BxCan":
        if handler is not None:
            self._handler = handler
        return self

    def flags(self) -> int:
        flags = self.IRQ_RX if self._fifos[0] or self._fifos[1] else 0
        if self._worse:
            self._worse = False
            flags |= self.IRQ_STATE
        if self._finished:
            index = self._finished.pop(0)
            self._mailboxes[index] = None
            flags |= self.IRQ_TX | index << 16
        return flags

    def set_filters(self, filters: "list[tuple[int, int, int]] | None") -> None:
        self._filters = [(0, 0, 0), (0, 0, 2)] if filters is None else list(filters)
        if len(self._filters) > self.FILTERS_MAX:
            raise ValueError("too many filters")
        for identifier, mask, flags in self._filters:
            limit = 1 << 29 if flags & self.FLAG_EXT_ID else 1 << 11
            if not 0 <= identifier < limit or not 0 <= mask < limit:
                raise ValueError("invalid id")

    def send(self, can_id: int, data: bytes, flags: int = 0) -> "int | None":
        if self._off:
            raise OSError
        if can_id >> (29 if flags & self.FLAG_EXT_ID else 11):
            raise ValueError("invalid id")
        if self.before_send is not None:
            self.before_send()
        key = can_id | (EXTENDED if flags & self.FLAG_EXT_ID else 0)
        free = -1
        for index in range(2, -1, -1):
            waiting = self._mailboxes[index]
            if waiting is None:
                free = index
            elif waiting[1] & IDENTIFIER == can_id and not flags & self.FLAG_UNORDERED:
                return None
        if free < 0:
            return None
        self._age += 1
        self._mailboxes[free] = (self._age, key, bytes(data))
        return free

    def recv(self, into: "list[Any]") -> "list[Any] | None":
        for fifo in self._fifos:
            if fifo:
                can_id, data, flags = fifo.pop(0)
                # The real one shrinks the memoryview in place over the same memory.
                backing = self._backing(into)
                backing[: len(data)] = data
                into[0] = can_id
                into[1] = backing[: len(data)]
                into[2] = flags
                into[3] = 0
                return into
        return None

    def _backing(self, into: "list[Any]") -> "Any":
        """The 8 bytes behind a list: kept beside it, because Python cannot grow a memoryview."""
        for known, backing in self._known:
            if known is into:
                return backing
        self._known.append((into, into[1]))
        return into[1]

    def get_counters(self, into: "list[int]") -> "list[int]":
        """Of the eight, how many frames wait to be sent; the rest is not modelled."""
        into[5] = self.pending()
        return into

    def state(self) -> int:
        return self.STATE_BUS_OFF if self._off else self.STATE_ACTIVE

    def restart(self) -> None:
        self._off = False
        self._mailboxes = [None, None, None]
        self._finished = []

    # --- the bus side ---
    def pending(self) -> int:
        return len([m for m in self._mailboxes if m is not None]) - len(self._finished)

    def sent(self) -> "tuple[int, bytes]":
        """The next frame by arbitration leaves; the interrupt comes."""
        best = -1
        best_rank = 0
        for index, mailbox in enumerate(self._mailboxes):
            if mailbox is None or index in self._finished:
                continue
            rank = mailbox[0] if self._chronological else mailbox[1]
            if best < 0 or rank < best_rank:
                best = index
                best_rank = rank
        mailbox = self._mailboxes[best]
        if best < 0 or mailbox is None:
            raise IndexError
        self._finished.append(best)
        self._interrupt()
        return mailbox[1], mailbox[2]

    def deliver(self, can_id: int, data: bytes, remote: bool = False) -> None:
        extended = self.FLAG_EXT_ID if can_id & EXTENDED else 0
        for at, (identifier, mask, flags) in enumerate(self._filters):
            if flags & self.FLAG_EXT_ID == extended and (can_id ^ identifier) & mask == 0:
                fifo = self._fifos[at % 2]
                if len(fifo) == FIFO_FRAMES:
                    self.lost += 1
                    return
                fifo.append((can_id & IDENTIFIER, data, extended | (1 if remote else 0)))
                self._interrupt()
                return

    def bus_off(self) -> None:
        self._off = self._worse = True
        self._interrupt()

    def _interrupt(self) -> None:
        if self._handler is not None:
            self._handler(self)
