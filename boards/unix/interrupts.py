"""What `machine.CAN.irq` returns: handler and triggers of an emulated controller, and its flags.

The world has spoken (`woken`): buffers have finished, frames or a worse state have come. The
handler is called once for all of it and takes one event at a time from `flags`, which is also what
makes a finished transmit buffer free again; without IRQ_TX as a trigger it is free at once.
It is called between two slices of computing, never within one.
"""

from boards.unix.silicon import Core

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any

IRQ_TX = 1
IRQ_RX = 2
IRQ_TX_FAILED = 4
IRQ_STATE = 8
INDEX_SHIFT = 16
STATE_ACTIVE = 1


class Irq:
    def __init__(self, core: Core, can: object) -> None:
        self._core = core
        self._can = can
        self.handler: "Callable[[Any], object] | None" = None
        self._trigger = self._flags = 0
        self.state = STATE_ACTIVE  # as it was last seen
        self._handling = False

    def set(
        self,
        handler: "Callable[[Any], object] | None" = None,
        trigger: int = 0,
        hard: bool = False,
    ) -> None:
        """As `machine.CAN.irq` is called."""
        if handler is not None and not callable(handler):
            raise ValueError("handler must be None or callable")
        self.handler = handler
        self.trigger(trigger)

    def trigger(self, trigger: "int | None" = None) -> int:
        """The old triggers; new ones, if given."""
        old = self._trigger
        if trigger is not None:
            if trigger & ~(IRQ_TX | IRQ_RX | IRQ_STATE):
                raise ValueError(f"trigger {trigger:#010x} unsupported")
            self._trigger = trigger
            self._core.watch = 1 if trigger & IRQ_STATE else 0
        return old

    def flags(self) -> int:
        """What happened since; of several finished buffers the first."""
        core = self._core
        flags, self._flags = self._flags, 0
        if self._trigger & IRQ_RX and core.taken < core.received:
            flags |= IRQ_RX
        if self._trigger & IRQ_TX:
            index = core.finished()
            if index >= 0:
                flags |= IRQ_TX | index << INDEX_SHIFT
                if core.free(index):
                    flags |= IRQ_TX_FAILED
        return flags

    def woken(self) -> None:
        core = self._core
        if core.state > self.state:
            self._flags |= self._trigger & IRQ_STATE
        self.state = core.state
        finished = core.finished()
        if not self._trigger & IRQ_TX:
            while finished >= 0:
                core.free(finished)
                finished = core.finished()
        unread = self._trigger & IRQ_RX and core.taken < core.received
        if self.handler and not self._handling and (self._flags or finished >= 0 or unread):
            self._handling = True
            self.handler(self._can)
            self._handling = False
