"""The MCP2515 CAN controller as its SPI instructions and registers (Microchip DS20001801).

Set-up, single frames and status; the queues, the order of frames and the interrupt are in
`can_mcp2515`. It does not do: one-shot, sleep, the RTS and RXnBF pins.
"""

if False:  # for the type checker; both compilers drop the block
    from shapes import Filter, Output, Spi

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits
IDENTIFIER = 0x1FFFFFFF
NO_DEVICE = 19  # errno.ENODEV

# instructions
RESET = 0xC0
READ = 0x03
READ_RX = 0x90  # + 4 * buffer
WRITE = 0x02
LOAD_TX = 0x40  # + 2 * buffer
READ_STATUS = 0xA0
BIT_MODIFY = 0x05
# registers
CANSTAT = 0x0E
CANCTRL = 0x0F
CNF3 = 0x28
CANINTE = 0x2B
CANINTF = 0x2C
EFLG = 0x2D
TXB0CTRL = 0x30  # + 0x10 * buffer
RXB0CTRL = 0x60
RXB1CTRL = 0x70
FILTERS = ((0x00, 0x04), (0x08, 0x10, 0x14, 0x18))  # of receive buffer 0, of 1
MASKS = (0x20, 0x24)
# bits
STATUS_RX0 = 0x01
STATUS_RX1 = 0x02
STATUS_TXREQ = 0x04  # << 2 * buffer
STATUS_TXREQ_ALL = 0x54
STATUS_SENT = 0xA8
INTF_SENT = 0x1C
INTE_RX_TX = 0x1F
EFLG_BUS_OFF = 0x20
EFLG_PASSIVE = 0x18
EFLG_WARNING = 0x01
EFLG_OVERRUNS = 0xC0
MODE_MASK = 0xE0
MODE_NORMAL = 0x00
MODE_CONFIGURATION = 0x80
MODE_POLLS = 200
TXREQ = 0x08
ROLLOVER = 0x04
ANY_FRAME = 0x60  # receive without filters
IDE = 0x08
STANDARD_REMOTE = 0x10
EXTENDED_REMOTE = 0x40
MESSAGE_BYTES = 14  # instruction, 4 of identifier, length, data


def bit_timing(crystal_hz: int, bitrate: int) -> "tuple[int, int, int]":
    """CNF1, CNF2, CNF3 for an exact bit rate with its sample point near 75 %.

    ValueError: this crystal cannot make this rate."""
    for prescaler in range(64):
        clock = 2 * (prescaler + 1) * bitrate
        quanta = crystal_hz // clock
        if crystal_hz % clock or not 8 <= quanta <= 20:
            continue
        after = (quanta + 2) // 4  # phase segment 2
        before = quanta - 1 - after  # propagation and phase segment 1, 1..8 each
        phase = before // 2
        propagation = before - phase
        return prescaler, 0x80 | phase - 1 << 3 | propagation - 1, after - 1
    raise ValueError


def identifier_bytes(can_id: int) -> "tuple[int, int, int, int]":
    """SIDH, SIDL, EID8, EID0 of an identifier, or of a mask."""
    if can_id & EXTENDED:
        return (
            can_id >> 21 & 0xFF,
            can_id >> 13 & 0xE0 | IDE | can_id >> 16 & 0x03,
            can_id >> 8 & 0xFF,
            can_id & 0xFF,
        )
    return can_id >> 3 & 0xFF, can_id << 5 & 0xE0, 0, 0


class Mcp2515:
    """`spi`: mode 0, up to 10 MHz; `cs`: the chip select, low active."""

    def __init__(self, spi: "Spi", cs: "Output") -> None:
        self._spi = spi
        self._cs = cs
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._three = bytearray(3)
        self._four = bytearray(4)
        self._load = bytearray(MESSAGE_BYTES)
        self.message = bytearray(MESSAGE_BYTES)  # what read_message read, from index 1

    def reset(self, timing: "tuple[int, int, int]", filters: "list[Filter]") -> None:
        """From any state to a node on the bus. OSError(ENODEV): nothing answers."""
        self._one[0] = RESET
        self._write(self._one)
        self._await(MODE_CONFIGURATION)
        for at, value in enumerate(timing):
            self.write(CNF3 + 2 - at, value)
        self._set_filters(filters)
        self.write(CANINTE, INTE_RX_TX)
        self.write(CANCTRL, MODE_NORMAL)
        self._await(MODE_NORMAL)

    def status(self) -> int:
        """READ STATUS: what came in, what waits to go out (STATUS_...)."""
        raw = self._two
        raw[0] = READ_STATUS
        self._exchange(raw)
        return raw[1]

    def register(self, address: int) -> int:
        raw = self._three
        raw[0] = READ
        raw[1] = address
        self._exchange(raw)
        return raw[2]

    def write(self, address: int, value: int) -> None:
        raw = self._three
        raw[0] = WRITE
        raw[1] = address
        raw[2] = value
        self._write(raw)

    def modify(self, address: int, mask: int, value: int) -> None:
        raw = self._four
        raw[0] = BIT_MODIFY
        raw[1] = address
        raw[2] = mask
        raw[3] = value
        self._write(raw)

    def read_message(self, buffer: int) -> None:
        """Receive buffer 0 or 1 into `message`; the buffer is free again."""
        self.message[0] = READ_RX + 4 * buffer
        self._exchange(self.message)

    def load_message(self, buffer: int, can_id: int, data: bytes) -> None:
        """Fill transmit buffer 0, 1 or 2, which must be free; it is sent when TXREQ is set."""
        raw = self._load
        raw[0] = LOAD_TX + 2 * buffer
        raw[1], raw[2], raw[3], raw[4] = identifier_bytes(can_id)
        raw[5] = len(data)
        for at in range(len(data)):
            raw[6 + at] = data[at]
        self._write(raw)

    def _await(self, mode: int) -> None:
        for _ in range(MODE_POLLS):
            if self.register(CANSTAT) & MODE_MASK == mode:
                return
        raise OSError(NO_DEVICE)

    def _set_filters(self, filters: "list[Filter]") -> None:
        """The chip has two masks, for 2 and 4 filters; where ours do not fit it lets everything
        in, so the driver looks at every frame once more. Frames of the first filter's mask find
        buffer 1 as a spare when they fill buffer 0."""
        plan: list[tuple[int, list[int]]] = []  # mask and identifiers, one for each buffer
        for can_id, mask in filters:
            extended = can_id & EXTENDED
            key = mask & (IDENTIFIER if extended else 0x7FF) | extended
            same = [ids for known, ids in plan if known == key]
            if same:
                same[0].append(can_id)
            else:
                plan.append((key, [can_id]))
        if len(plan) == 1:
            key, ids = plan[0]
            plan = [(key, ids[:2]), (key, ids[2:] or ids)]
        elif len(plan) == 2 and len(plan[0][1]) > 2:
            plan.reverse()
        fits = len(plan) == 2 and len(plan[0][1]) <= 2 and len(plan[1][1]) <= 4
        # A mask of nothing does better without filters: both buffers take every frame.
        fits = fits and plan[0][0] & IDENTIFIER != 0 and plan[1][0] & IDENTIFIER != 0
        self.write(RXB0CTRL, ROLLOVER if fits else ROLLOVER | ANY_FRAME)
        self.write(RXB1CTRL, 0 if fits else ANY_FRAME)
        if fits:
            for buffer in (0, 1):
                key, ids = plan[buffer]
                self._write_identifier(MASKS[buffer], key)
                for at, address in enumerate(FILTERS[buffer]):
                    self._write_identifier(address, ids[at % len(ids)])

    def _write_identifier(self, address: int, can_id: int) -> None:
        for at, value in enumerate(identifier_bytes(can_id)):
            self.write(address + at, value)

    def _write(self, raw: bytearray) -> None:
        self._cs(0)
        self._spi.write(raw)
        self._cs(1)

    def _exchange(self, raw: bytearray) -> None:
        self._cs(0)
        self._spi.write_readinto(raw, raw)
        self._cs(1)
