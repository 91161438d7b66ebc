"""The Microchip MCP2515 as its SPI pins show it (DS20001801): registers, buffers, filters.

Physics for tests and for the bench: SPI instructions byte by byte, which registers may be written
in which mode, acceptance filters with rollover, transmit order by priority and buffer, interrupt
flags and pin, error counters. The bus side is `arbitrate`/`sent` and `deliver`.
It is stricter than silicon: what the data sheet forbids raises `Misuse`.
It does not model: bit timing (only kept), one-shot, sleep, the RTS and RXnBF pins, CLKOUT.
"""

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Handler: TypeAlias = Callable[[Any], object]

EXTENDED = 1 << 29  # of a can_id on the bus side: 29 bits
CONFIGURATION = 4
NORMAL = 0
TXREQ = 0x08
# BIT MODIFY works on these; on others it writes the whole byte.
MODIFIABLE = (0x0C, 0x0D, 0x0F, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x30, 0x40, 0x50, 0x60, 0x70)
FILTERS = ((0x00, 0x04), (0x08, 0x10, 0x14, 0x18))


class Misuse(Exception):
    """The data sheet forbids what the software did."""


class Mcp2515:
    """`cs(level)`, `write`, `write_readinto`: the SPI side; `interrupt()`: the level of INT."""

    IRQ_FALLING = 4

    def __init__(self) -> None:
        self.registers = bytearray(128)
        self.mode = CONFIGURATION
        self._selected = False
        self._taken = bytearray()  # bytes of the instruction so far
        self._address = 0
        self._handler: Handler | None = None
        self._level = 1
        self._power_up()

    # --- SPI ----------------------------------------------------------------------------------
    def cs(self, level: int) -> None:
        if level == 0:
            self._selected = True
            self._taken = bytearray()
            return
        self._selected = False
        if self._taken and self._taken[0] & 0xF9 == 0x90:  # READ RX BUFFER frees the buffer
            self.registers[0x2C] &= ~(2 if self._taken[0] & 4 else 1) & 0xFF
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
        self._taken.append(value)
        count = len(self._taken)
        instruction = self._taken[0]
        if instruction == 0xC0:
            self._power_up()
        elif instruction == 0xA0:
            return self._status() if count > 1 else 0
        elif instruction == 0x03 and count > 2:
            return self._next_read()
        elif instruction in (0x03, 0x02) and count == 2:
            self._address = value
        elif instruction == 0x02 and count > 2:
            self._put(self._address, value)
            self._address += 1
        elif instruction == 0x05 and count == 4:
            self._modify(self._taken[1], self._taken[2], value)
        elif instruction & 0xF9 == 0x90:
            return self._read_buffer(instruction, count)
        elif instruction & 0xF8 == 0x40:
            self._load_buffer(instruction, count, value)
        elif instruction & 0xF8 == 0x80 and count == 1:
            for buffer in range(3):
                if instruction >> buffer & 1:
                    self._put(0x30 + 0x10 * buffer, self.registers[0x30 + 0x10 * buffer] | TXREQ)
        elif instruction not in (0x03, 0x02, 0x05):
            raise Misuse(f"unknown instruction 0x{instruction:02x}")
        return 0

    def _read_buffer(self, instruction: int, count: int) -> int:
        if count == 1:
            self._address = 0x61 + (0x10 if instruction & 4 else 0) + (5 if instruction & 2 else 0)
            return 0
        return self._next_read()

    def _next_read(self) -> int:
        address = self._address
        self._address += 1
        if address & 0x0F == 0x0E:
            return self.mode << 5
        if address & 0x0F == 0x0F:
            return self.registers[0x0F]
        if address < 0x28 and address & 0x0C != 0x0C and self.mode != CONFIGURATION:
            return 0  # filters and masks read as zero
        return self.registers[address]

    def _load_buffer(self, instruction: int, count: int, value: int) -> None:
        if count == 1:
            which = instruction & 7
            if which > 5:
                raise Misuse("no such transmit buffer")
            self._address = 0x31 + 0x10 * (which >> 1) + (5 if which & 1 else 0)
            return
        self._put(self._address, value)
        self._address += 1

    def _put(self, address: int, value: int) -> None:
        if address & 0x0F == 0x0E:
            return  # CANSTAT: read only
        if address & 0x0F == 0x0F:
            self.registers[0x0F] = value
            self._change_mode()
            return
        locked = (address < 0x28 and address & 0x0C != 0x0C) or 0x28 <= address <= 0x2A
        if locked and self.mode != CONFIGURATION:
            raise Misuse(f"register 0x{address:02x} outside of configuration mode")
        row = address & 0xF0
        if row in (0x30, 0x40, 0x50) and address & 0x0F and self.registers[row] & TXREQ:
            raise Misuse("transmit buffer written while it waits to be sent")
        if row in (0x30, 0x40, 0x50) and not address & 0x0F:
            value &= 0x0B
        self.registers[address] = value

    def _modify(self, address: int, mask: int, value: int) -> None:
        if address not in MODIFIABLE:
            mask = 0xFF
        self._put(address, self.registers[address] & ~mask & 0xFF | value & mask)

    def _status(self) -> int:
        flags = self.registers[0x2C]
        status = flags & 3
        for buffer in range(3):
            if self.registers[0x30 + 0x10 * buffer] & TXREQ:
                status |= 4 << 2 * buffer
            if flags >> 2 + buffer & 1:
                status |= 8 << 2 * buffer
        return status

    def _power_up(self) -> None:
        for at in range(len(self.registers)):
            self.registers[at] = 0
        self.registers[0x0F] = 0x87
        self.mode = CONFIGURATION

    def _change_mode(self) -> None:
        wanted = self.registers[0x0F] >> 5
        waiting = [b for b in (0x30, 0x40, 0x50) if self.registers[b] & TXREQ]
        if wanted != CONFIGURATION or not waiting:
            self.mode = wanted

    # --- the interrupt pin ---
    def interrupt(self) -> int:
        return 0 if self.registers[0x2C] & self.registers[0x2B] else 1

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
    def arbitrate(self) -> "tuple[int, bytes] | None":
        """The frame that takes part in the next arbitration: (can_id, data), or None."""
        buffer = self._next_buffer()
        if buffer < 0 or self.mode != NORMAL:
            return None
        at = 0x31 + 0x10 * buffer
        length = self.registers[at + 4] & 0x0F
        return self._identifier(at), bytes(self.registers[at + 5 : at + 5 + length])

    def sent(self) -> "tuple[int, bytes] | None":
        """That frame left without error; its transmit flag is raised."""
        frame = self.arbitrate()
        if frame is not None:
            buffer = self._next_buffer()
            self.registers[0x30 + 0x10 * buffer] &= ~TXREQ & 0xFF
            self.registers[0x2C] |= 4 << buffer
            self._change_mode()
            self._follow()
        return frame

    def deliver(self, can_id: int, data: bytes, remote: bool = False) -> bool:
        """A frame from the bus; False if no buffer took it."""
        if self.mode != NORMAL:
            return False
        for buffer in (0, 1):
            if self._accepts(buffer, can_id):
                rolls = buffer == 0 and self.registers[0x60] & 4
                if self.registers[0x2C] & 1 << buffer:
                    if not rolls or self.registers[0x2C] & 2:
                        self.registers[0x2D] |= 0x80 if rolls or buffer else 0x40
                        return False
                    self._fill(1, can_id, data, remote)
                else:
                    self._fill(buffer, can_id, data, remote)
                return True
        return False

    def count_errors(self, transmit: int, receive: int) -> None:
        """Set the error counters, as faults on the bus would."""
        worst = max(transmit, receive)
        flags = self.registers[0x2D] & 0xC0
        flags |= 0x20 if transmit > 255 else 0
        flags |= (0x10 if transmit >= 128 else 0) | (0x08 if receive >= 128 else 0)
        flags |= (0x04 if transmit >= 96 else 0) | (0x02 if receive >= 96 else 0)
        flags |= 1 if worst >= 96 else 0
        self.registers[0x2D] = flags

    def _next_buffer(self) -> int:
        best = -1
        rank = -1
        for buffer in range(3):
            control = self.registers[0x30 + 0x10 * buffer]
            if control & TXREQ and (control & 3) * 3 + buffer > rank:
                rank = (control & 3) * 3 + buffer
                best = buffer
        return best

    def _identifier(self, at: int) -> int:
        high, low, eid8, eid0 = self.registers[at : at + 4]
        can_id = high << 3 | low >> 5
        if low & 0x08:
            return EXTENDED | can_id << 18 | (low & 3) << 16 | eid8 << 8 | eid0
        return can_id

    def _accepts(self, buffer: int, can_id: int) -> bool:
        if self.registers[0x60 + 0x10 * buffer] >> 5 & 3 == 3:
            return True
        for at in FILTERS[buffer]:
            wanted = self._identifier(at)
            if (wanted ^ can_id) & EXTENDED:
                continue
            high, low, eid8, eid0 = self.registers[0x20 + 4 * buffer : 0x24 + 4 * buffer]
            mask = high << 3 | low >> 5
            if can_id & EXTENDED:
                mask = mask << 18 | (low & 3) << 16 | eid8 << 8 | eid0
            elif eid8 or eid0:
                raise Misuse("a mask that filters standard frames by their data")
            if (wanted ^ can_id) & mask == 0:
                return True
        return False

    def _fill(self, buffer: int, can_id: int, data: bytes, remote: bool) -> None:
        at = 0x61 + 0x10 * buffer
        if can_id & EXTENDED:
            self.registers[at] = can_id >> 21 & 0xFF
            self.registers[at + 1] = can_id >> 13 & 0xE0 | 0x08 | can_id >> 16 & 3
            self.registers[at + 2] = can_id >> 8 & 0xFF
            self.registers[at + 3] = can_id & 0xFF
            self.registers[at + 4] = len(data) | (0x40 if remote else 0)
        else:
            self.registers[at] = can_id >> 3
            self.registers[at + 1] = can_id << 5 & 0xE0 | (0x10 if remote else 0)
            self.registers[at + 4] = len(data)
        self.registers[at + 5 : at + 5 + len(data)] = data
        self.registers[0x2C] |= 1 << buffer
        self._follow()
