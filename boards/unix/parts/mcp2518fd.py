"""The Microchip MCP2518FD as its SPI pins show it (DS20006027, DS20005678): registers, message
RAM, FIFOs, filters.

Physics for tests and for the bench: SPI instructions byte by byte, which registers may be written
in which mode, modes that are requested and come, FIFOs of message objects in RAM (UINC, TXREQ,
FRESET, full, empty, overrun), filters with masks, the interrupt pin, error counters and bus-off,
which resets the FIFOs to send. The bus side is `arbitrate`/`sent` and `deliver`.
It is stricter than silicon: what the data sheet forbids raises `Misuse`.
It does not model: bit timing (only kept), the transmit queue and its events, timestamps, CRC,
sleep, the half-full flags, attempts that are limited, filters on data.
"""

from boards.unix.parts.mcp2518fd_ram import (
    FILTER_CONTROL,
    FILTER_OBJECT,
    Fifo,
    Message,
    error_bytes,
    matching,
)

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Handler: TypeAlias = Callable[[Any], object]

NORMAL_FD = 0
CONFIGURATION = 4
NORMAL_CLASSIC = 6
RAM = 0x400
RAM_END = 0xC00
FIFO = 0x05C  # C1FIFOCON1; 12 bytes for each of 31 FIFOs
TIMING_END = 0x010


class Misuse(Exception):
    """The data sheet forbids what the software did."""


class Mcp2518fd:
    """`cs(level)`, `write`, `write_readinto`: the SPI side; `interrupt()`: the level of INT."""

    IRQ_FALLING = 4

    def __init__(self) -> None:
        self.registers = bytearray(RAM)
        self.ram = bytearray(RAM_END - RAM)
        self.mode = CONFIGURATION
        self.busy_looks = 0  # so many looks at the mode until the bus is idle and it changes
        self.errors = (0, 0)  # of transmission, of reception
        self._fifos: dict[int, Fifo] = {}
        self._selected = False
        self._taken = 0  # bytes of the instruction so far
        self._instruction = 0
        self._address = 0
        self._handler: Handler | None = None
        self._level = 1
        self._power_up()

    # --- SPI ----------------------------------------------------------------------------------
    def cs(self, level: int) -> None:
        if level == 0:
            self._selected = True
            self._taken = 0
            return
        self._selected = False
        if RAM < self._address <= RAM_END and self._address % 4:
            raise Misuse("RAM is accessed by the word")
        self._follow()

    def write(self, out: bytes) -> None:
        for value in out:
            self._transfer(value)

    def write_readinto(self, out: bytes, into: bytearray) -> None:
        for at in range(len(out)):
            into[at] = self._transfer(out[at])

    def _transfer(self, value: int) -> int:
        if not self._selected:
            raise Misuse("SPI traffic without chip select")
        self._taken += 1
        if self._taken == 1:
            self._instruction = value >> 4
            self._address = (value & 0x0F) << 8
            return 0
        if self._taken == 2:
            self._address |= value
            self._begin()
            return 0
        address = self._address
        self._address += 1
        if self._instruction == 3:
            return self._get(address)
        self._put(address, value)
        return 0

    def _begin(self) -> None:
        if self._instruction == 0:
            if self.mode != CONFIGURATION:
                raise Misuse("reset outside of configuration mode")
            self._power_up()
        elif self._instruction not in (2, 3):
            raise Misuse(f"unknown instruction {self._instruction}")
        elif RAM <= self._address < RAM_END and self._address % 4:
            raise Misuse("RAM is accessed by the word")

    def _get(self, address: int) -> int:
        if RAM <= address < RAM_END:
            return self.ram[address - RAM]
        if address == 0xE01:
            return 0x04  # OSC: the oscillator is ready
        if address >= RAM:
            return 0
        at = (address - FIFO) % 12
        fifo = self._fifos.get((address - FIFO) // 12)
        if FIFO <= address < FILTER_CONTROL and at >= 4:
            if fifo is None:
                return 0
            low, high = fifo.user_address() & 0xFF, fifo.user_address() >> 8
            return (fifo.status(), fifo.index(), 0, 0, low, high, 0, 0)[at - 4]
        if address == 0x002:
            if self.busy_looks:
                self.busy_looks -= 1
                if not self.busy_looks:
                    self._change_mode()
            return self.mode << 5 | self.registers[2] & 0x1F
        if address == 0x01C:
            return self._flags()
        if 0x034 <= address <= 0x037:
            return error_bytes(self.errors, self.mode == CONFIGURATION)[address - 0x034]
        return self.registers[address]

    def _put(self, address: int, value: int) -> None:
        if RAM <= address < RAM_END:
            self.ram[address - RAM] = value
        elif address == 0x003:
            self.registers[3] = value & ~0x08
            if value & 0x08:
                self._abort()
            if not self.busy_looks:
                self._change_mode()
        elif FIFO <= address < FILTER_CONTROL:
            self._put_fifo(address, (address - FIFO) // 12, (address - FIFO) % 12, value)
        elif address < RAM:
            self._check(address)
            self.registers[address] = value

    def _check(self, address: int) -> None:
        """May this register be written now?"""
        if address < TIMING_END and self.mode != CONFIGURATION:
            raise Misuse(f"register 0x{address:03x} outside of configuration mode")
        at = (address - FILTER_OBJECT) // 8
        if 0 <= at < 32 and self.registers[FILTER_CONTROL + at] & 0x80:
            raise Misuse("a filter is changed while it is on")

    def _put_fifo(self, address: int, number: int, at: int, value: int) -> None:
        fifo = self._fifos.get(number)
        if at == 1:
            self._command(fifo, value)
        elif at == 4 and fifo is not None:
            fifo.overrun = fifo.overrun and value & 8 != 0
        elif at in (0, 2, 3):
            fixed = 0x80 if at == 0 else 0 if at == 2 else 0xFF
            if (self.registers[address] ^ value) & fixed and self.mode != CONFIGURATION:
                raise Misuse("a FIFO is laid out in configuration mode")
            self.registers[address] = value

    def _command(self, fifo: "Fifo | None", value: int) -> None:
        if fifo is None:
            if value & 3:
                raise Misuse("a FIFO that is not laid out")
            return
        if value & 4:
            fifo.reset()
        if value & 1 and fifo.sends:
            if fifo.count == fifo.depth:
                raise Misuse("a full FIFO is filled")
            fifo.count += 1
        elif value & 1:
            if fifo.count == 0:
                raise Misuse("an empty FIFO is emptied")
            fifo.tail = (fifo.tail + 1) % fifo.depth
            fifo.count -= 1
        if value & 2:
            fifo.requested = fifo.count

    def _power_up(self) -> None:
        for at in range(len(self.registers)):
            self.registers[at] = 0
        self.registers[0:4] = b"\x60\x07\x18\x04"
        self.mode = CONFIGURATION
        self.errors = (0, 0)
        self._fifos = {}

    def _abort(self) -> None:
        for fifo in self._fifos.values():
            if fifo.sends:
                fifo.reset()

    def _change_mode(self) -> None:
        self.mode = self.registers[3] & 7
        if self.mode == CONFIGURATION:
            self.errors = (0, 0)
            self._fifos = {}
            return
        if self.registers[2] & 0x18:
            raise Misuse("the transmit queue and its events are not modelled")
        base = 0
        for number in range(31):
            control = self.registers[FIFO + 12 * number : FIFO + 12 * number + 4]
            if any(control):
                fifo = self._fifos.setdefault(number, Fifo(control, base))
                base += fifo.depth * fifo.object_bytes
        if base > len(self.ram):
            raise Misuse("the FIFOs do not fit the RAM")

    # --- the interrupt pin ---
    def interrupt(self) -> int:
        return 0 if self._flags() & self.registers[0x01E] else 1

    def _flags(self) -> int:
        """The lower byte of C1INT: 1 something can be sent, 2 something came."""
        flags = 0
        for number, fifo in self._fifos.items():
            if self.registers[FIFO + 12 * number] & fifo.status() & 0x0F:
                flags |= 1 if fifo.sends else 2
        return flags

    def irq(self, handler: "Handler", trigger: int, hard: bool = False) -> None:
        self._handler = handler

    def _follow(self) -> None:
        """The software sees an edge, not a level."""
        level = self.interrupt()
        fell = self._level and not level
        self._level = level
        if fell and self._handler is not None:
            self._handler(self)

    # --- the bus side ---
    def arbitrate(self) -> "Message | None":
        """The frame that takes part in the next arbitration, or None."""
        fifo = self._sender()
        if fifo is None:
            return None
        at = fifo.base + fifo.tail * fifo.object_bytes
        message = Message.of(self.ram, at)
        if len(message.data) > fifo.payload or (message.fd and self.mode != NORMAL_FD):
            raise Misuse("a frame that this set-up cannot send")
        return message

    def sent(self) -> "Message | None":
        """That frame left without error."""
        message = self.arbitrate()
        fifo = self._sender()
        if fifo is not None:
            fifo.tail = (fifo.tail + 1) % fifo.depth
            fifo.count -= 1
            fifo.requested -= 1
            self._follow()
        return message

    def _on_bus(self) -> bool:
        return self.mode in (NORMAL_FD, NORMAL_CLASSIC) and self.errors[0] < 256

    def _sender(self) -> "Fifo | None":
        if not self._on_bus():
            return None
        for fifo in self._fifos.values():
            if fifo.sends and fifo.requested:
                return fifo
        return None

    def deliver(self, message: "Message") -> bool:
        """A frame from the bus; False if no FIFO took it."""
        if not self._on_bus() or (message.fd and self.mode != NORMAL_FD):
            return False  # in classic mode an error frame, in truth
        fifo = self._fifos.get(matching(self.registers, message.can_id) - 1)
        if fifo is None:
            return False
        if len(message.data) > fifo.payload:
            raise Misuse("a FIFO of frames that are too short")
        if fifo.count == fifo.depth:
            fifo.overrun = True
            return False
        message.put(self.ram, fifo.base + fifo.head() * fifo.object_bytes)
        fifo.count += 1
        self._follow()
        return True

    def count_errors(self, transmit: int, receive: int) -> None:
        """Set the error counters, as faults on the bus would; bus-off drops what was to be
        sent, and ends (transmit 0) after 128 idle periods."""
        self.errors = (transmit, receive)
        if transmit > 255:
            self._abort()
            self._follow()
