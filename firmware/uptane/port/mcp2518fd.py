"""The MCP2518FD CAN FD controller as its SPI instructions and registers (Microchip DS20006027,
family manual DS20005678), set up as one FIFO to send and one to receive.

Message RAM, 2,048 bytes: FIFO 1 sends 7 frames in the order they came; FIFO 2 receives 21 of CAN
FD, 32 of classic CAN. Registers are read and written by the byte, RAM by the word of 4 bytes.
It does not do: the transmit queue and its events, timestamps, sleep, the other pins, CRC on SPI
(erratum DS80000789: one read in very many is spoiled, and ISO-TP or a signature finds out).
"""

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer, Filter, Output, Spi

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits; still a small integer
NO_DEVICE = 19  # errno.ENODEV
FILTERS_MAX = 32
LENGTHS = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0c\x10\x14\x18\x20\x30\x40"  # by code

# instructions, in the first byte beside the upper 4 bits of the address
WRITE = 0x20
READ = 0x30
# registers
CON_MODE = 0x002  # byte 2 of C1CON: the mode that is
CON_REQUEST = 0x003  # byte 3: the mode that is wanted
NBTCFG = 0x004  # and DBTCFG, TDC
INTE = 0x01E  # bytes 2 and 3 of C1INT
TREC_STATE = 0x036  # byte 2 of C1TREC
TX = 0x05C  # C1FIFOCON1; its status and its user address follow, 4 bytes each
RX = 0x068  # C1FIFOCON2
FLTCON = 0x1D0  # a byte for each filter
FLTOBJ = 0x1F0  # 8 bytes for each: object and mask
RAM = 0x400
OSC_READY = 0xE01  # byte 1 of OSC
# bits
MODE_FD = 0
MODE_CONFIGURATION = 4
MODE_CLASSIC = 6
ABORT_ALL = 0x08
MODE_POLLS = 200
OSCRDY = 0x04
INTE_RX_TX = 0x03
TREC_BUS_OFF = 0x20
TREC_PASSIVE = 0x18
TREC_WARNING = 0x07
TXEN = 0x80
NOT_FULL_INTERRUPT = 0x01  # of the FIFO to send
NOT_EMPTY_INTERRUPT = 0x01  # of the FIFO to receive
UINC = 0x01  # in byte 1 of C1FIFOCON
TXREQ = 0x02
FRESET = 0x04
RETRY_ALWAYS = 0x60
FIFO_NOT_FULL = 0x01  # to send
FIFO_NOT_EMPTY = 0x01  # to receive
FIFO_EMPTY = 0x04  # to send
FIFO_FULL = 0x04  # to receive
FIFO_OVERRUN = 0x08
TO_FIFO_2 = 0x82  # a filter that is on
IDE = 0x10
RTR = 0x20
FD_SWITCHED = 0xC0  # FDF, BRS
FDF = 0x80
TX_FRAMES = 7


def bit_timing(clock_hz: int, bitrate: int, data_bitrate: int = 0) -> bytes:
    """C1NBTCFG, C1DBTCFG, C1TDC for exact bit rates with their sample points near 80 %.
    `clock_hz`: of the crystal, 40 or 20 MHz; `data_bitrate`: 0 for classic CAN.

    ValueError: this clock cannot make these rates."""
    for prescaler in range(32):
        quanta = clock_hz // (prescaler + 1) // bitrate
        data_quanta = clock_hz // (prescaler + 1) // (data_bitrate or bitrate)
        if quanta * (prescaler + 1) * bitrate != clock_hz or not 8 <= quanta <= 385:
            continue
        after = (quanta + 2) // 5
        nominal = (after - 1, after - 1, quanta - after - 2, prescaler)
        if not data_bitrate:
            return bytes(nominal + (0, 0, 0, 0, 0, 0, 0, 0))
        if data_quanta * (prescaler + 1) * data_bitrate != clock_hz or not 5 <= data_quanta <= 40:
            continue
        after = (data_quanta + 2) // 5
        before = data_quanta - after - 1
        # The transmitter looks at its own bits later by as much as the line takes: measured.
        offset = min(before * (prescaler + 1), 63)
        data = (after - 1, after - 1, before - 1, prescaler)
        return bytes(nominal + data + (0, offset, 2, 0))
    raise ValueError


def length_code(length: int) -> int:
    """DLC of data of a length that CAN FD knows."""
    if length <= 8:
        return length
    return 6 + length // 4 if length <= 24 else 11 + length // 16


class Mcp2518fd:
    """`spi`: mode 0, up to 17 MHz; `cs`: the chip select, low active; `fd`: frames are sent in FD
    format with their bit rate switched, and may have 64 bytes."""

    def __init__(self, spi: "Spi", cs: "Output", fd: bool) -> None:
        self._spi = spi
        self._cs = cs
        self.mode = MODE_FD if fd else MODE_CLASSIC
        self.frame_bytes = 64 if fd else 8
        self._three = bytearray(3)
        self._look = bytearray(10)
        self._head = bytearray(10)  # instruction, and the first two words of a message
        self._pad = [bytes(n) for n in range(4)]
        data = memoryview(bytearray(self.frame_bytes))
        codes = LENGTHS if fd else LENGTHS[:9]
        self._views = [data[:length] for length in codes]
        self._words = [data[: (length + 3) // 4 * 4] for length in codes]
        self.object_bytes = 8 + self.frame_bytes
        self.rx_frames = 21 if fd else 32
        self.can_id = 0  # of the message read last
        self.remote = False

    def reset(self, timing: bytes, filters: "list[Filter]") -> None:
        """From any state to a node on the bus. OSError(ENODEV): nothing answers."""
        self.write(CON_REQUEST, ABORT_ALL | MODE_CONFIGURATION)  # RESET is for this mode only
        self._await(CON_MODE, 0xE0, MODE_CONFIGURATION << 5)
        self._write(b"\x00\x00")
        self._await(CON_MODE, 0xE0, MODE_CONFIGURATION << 5)
        self._await(OSC_READY, OSCRDY, OSCRDY)
        self.write(CON_MODE, 0)  # no transmit queue, no events: the RAM is for the FIFOs
        self._write_all(NBTCFG, timing)
        size = 0xE0 if self.frame_bytes > 8 else 0
        self._write_all(TX, bytes((TXEN, FRESET, RETRY_ALWAYS, size | TX_FRAMES - 1)))
        self._write_all(RX, bytes((NOT_EMPTY_INTERRUPT, FRESET, 0, size | self.rx_frames - 1)))
        self.set_filters(filters)
        self.write(INTE, INTE_RX_TX)
        self.write(CON_REQUEST, self.mode)
        self._await(CON_MODE, 0xE0, self.mode << 5)

    def set_filters(self, filters: "list[Filter]") -> None:
        """Into the FIFO comes what one of up to 32 filters lets in; ValueError: more of them."""
        if len(filters) > FILTERS_MAX:
            raise ValueError
        self._write_all(FLTCON, bytes(FILTERS_MAX))
        for at, (can_id, mask) in enumerate(filters):
            words = bytearray(8)
            _put_identifier(words, 0, can_id)
            _put_identifier(words, 4, mask & ~EXTENDED | can_id & EXTENDED)
            words[3] |= 0x40 if can_id & EXTENDED else 0
            words[7] |= 0x40  # and the length of the identifier counts
            self._write_all(FLTOBJ + 8 * at, words)
            self.write(FLTCON + at, TO_FIFO_2)

    def look(self, fifo: int) -> int:
        """Status (FIFO_...) of TX or RX; its user address is kept for the next message."""
        raw = self._look
        raw[0] = READ
        raw[1] = fifo + 4
        self._exchange(raw)
        return raw[2]

    def waiting(self) -> int:
        """Frames in RX by the last `look`. Its head may lag (erratum DS80000789): a hint."""
        raw = self._look
        if raw[2] & FIFO_FULL:
            return self.rx_frames
        tail = (raw[6] | raw[7] << 8) // self.object_bytes * self.object_bytes
        first = TX_FRAMES * self.object_bytes
        return (raw[3] - (tail - first) // self.object_bytes) % self.rx_frames

    def read_message(self) -> memoryview:
        """The data of the message at the tail of RX, after a `look` at it; its identifier is in
        `can_id`. Valid until the next call."""
        raw = self._head
        self._point(READ)
        self._cs(0)
        self._spi.write_readinto(raw, raw)
        code = raw[6] & 0x0F
        if code > 8 and not raw[6] & FDF:
            code = 8
        words = self._words[code]
        if code:
            self._spi.write_readinto(words, words)
        self._cs(1)
        self.write(RX + 1, UINC)
        can_id = raw[2] | (raw[3] & 7) << 8
        if raw[6] & IDE:
            can_id = EXTENDED | can_id << 18 | (raw[5] & 0x1F) << 13 | raw[4] << 5 | raw[3] >> 3
        self.can_id = can_id
        self.remote = raw[6] & RTR != 0
        return self._views[code]

    def write_message(self, can_id: int, data: "Buffer") -> None:
        """Put a frame behind the last one in TX, after a `look` that found room, to be sent."""
        raw = self._head
        self._point(WRITE)
        _put_identifier(raw, 2, can_id)
        length = len(data)
        raw[6] = length_code(length) | (IDE if can_id & EXTENDED else 0)
        if self.mode == MODE_FD:
            raw[6] |= FD_SWITCHED
        raw[7] = raw[8] = raw[9] = 0
        self._cs(0)
        self._spi.write(raw)
        if length:
            self._spi.write(data)
            if length & 3:
                self._spi.write(self._pad[4 - (length & 3)])
        self._cs(1)
        self.write(TX + 1, UINC | TXREQ)

    def register(self, address: int) -> int:
        """One byte."""
        raw = self._three
        raw[0] = READ | address >> 8
        raw[1] = address & 0xFF
        self._exchange(raw)
        return raw[2]

    def write(self, address: int, value: int) -> None:
        """One byte."""
        raw = self._three
        raw[0] = WRITE | address >> 8
        raw[1] = address & 0xFF
        raw[2] = value
        self._write(raw)

    def _point(self, instruction: int) -> None:
        """At the message where the last `look` was."""
        address = RAM + (self._look[6] | self._look[7] << 8)
        self._head[0] = instruction | address >> 8
        self._head[1] = address & 0xFF

    def _await(self, address: int, mask: int, value: int) -> None:
        for _ in range(MODE_POLLS):
            if self.register(address) & mask == value:
                return
        raise OSError(NO_DEVICE)

    def _write_all(self, address: int, values: "Buffer") -> None:
        self._write(bytes((WRITE | address >> 8, address & 0xFF)) + bytes(values))

    def _write(self, raw: "Buffer") -> None:
        self._cs(0)
        self._spi.write(raw)
        self._cs(1)

    def _exchange(self, raw: bytearray) -> None:
        self._cs(0)
        self._spi.write_readinto(raw, raw)
        self._cs(1)


def _put_identifier(raw: bytearray, at: int, can_id: int) -> None:
    """The first word of a message, of a filter or of a mask: 11 bits, then the other 18."""
    standard = can_id >> 18 & 0x7FF if can_id & EXTENDED else can_id & 0x7FF
    rest = can_id & 0x3FFFF if can_id & EXTENDED else 0
    raw[at] = standard & 0xFF
    raw[at + 1] = standard >> 8 | rest << 3 & 0xF8
    raw[at + 2] = rest >> 5 & 0xFF
    raw[at + 3] = rest >> 13
