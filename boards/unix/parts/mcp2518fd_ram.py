"""What an MCP2518FD holds: FIFOs of message objects in its RAM, error counters (DS20005678).

A FIFO is laid out when the chip leaves configuration mode. A message object is a word with the
identifier, a word with length and format, and the data, in whole words.
It does not hold: timestamps, sequence numbers, the index of the filter that matched.
"""

FILTER_CONTROL = 0x1D0
FILTER_OBJECT = 0x1F0
EXTENDED = 1 << 29  # of a can_id on the bus side: 29 bits
LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
PAYLOADS = (8, 12, 16, 20, 24, 32, 48, 64)


class Fifo:
    """One of the 31: its objects lie in the RAM from `base` on."""

    def __init__(self, control: "list[int] | bytearray", base: int) -> None:
        self.sends = control[0] & 0x80 != 0
        self.depth = (control[3] & 0x1F) + 1
        self.payload = PAYLOADS[control[3] >> 5]
        self.object_bytes = 8 + self.payload
        self.base = base
        self.reset()

    def reset(self) -> None:
        self.tail = self.count = self.requested = 0
        self.overrun = False

    def head(self) -> int:
        return (self.tail + self.count) % self.depth

    def user_address(self) -> int:
        """Where the software writes, or reads, next."""
        index = self.head() if self.sends else self.tail
        return self.base + index * self.object_bytes

    def status(self) -> int:
        full = self.count == self.depth
        if self.sends:
            return (0 if full else 1) | (4 if self.count == 0 else 0)
        return (1 if self.count else 0) | (4 if full else 0) | (8 if self.overrun else 0)

    def index(self) -> int:
        """FIFOCI: what is sent next, or where the next frame comes to lie."""
        return self.tail if self.sends else self.head()


class Message:
    """A frame; `switched`: its data has the other bit rate."""

    def __init__(self, can_id: int, data: bytes, fd: bool = False, remote: bool = False) -> None:
        self.can_id = can_id
        self.data = data
        self.fd = fd
        self.switched = fd
        self.remote = remote

    @classmethod
    def of(cls, ram: bytearray, at: int) -> "Message":
        """A message object to send. IndexError: a classic frame of more than 8 bytes."""
        flags = ram[at + 4]
        fd = flags & 0x80 != 0
        length = (LENGTHS if fd else LENGTHS[:9])[flags & 0x0F]
        can_id = identifier_of(ram, at, flags & 0x10 != 0)
        message = cls(can_id, bytes(ram[at + 8 : at + 8 + length]), fd, flags & 0x20 != 0)
        message.switched = flags & 0x40 != 0
        return message

    def put(self, ram: bytearray, at: int) -> None:
        """As a message object that was received."""
        extended = self.can_id & EXTENDED != 0
        standard = self.can_id >> 18 & 0x7FF if extended else self.can_id
        rest = self.can_id & 0x3FFFF if extended else 0
        word = standard | rest << 11
        for byte in range(4):
            ram[at + byte] = word >> 8 * byte & 0xFF
        flags = LENGTHS.index(len(self.data)) | (0x10 if extended else 0)
        flags |= (0xC0 if self.fd else 0) | (0x20 if self.remote else 0)
        ram[at + 4] = flags
        ram[at + 8 : at + 8 + len(self.data)] = self.data


def identifier_of(words: bytearray, at: int, extended: bool) -> int:
    """The identifier in the first word of a message, of a filter or of a mask."""
    word = words[at] | words[at + 1] << 8 | words[at + 2] << 16 | (words[at + 3] & 0x1F) << 24
    if extended:
        return EXTENDED | (word & 0x7FF) << 18 | word >> 11
    return word & 0x7FF


def error_bytes(errors: "tuple[int, int]", off: bool) -> "tuple[int, int, int, int]":
    """C1TREC of the counters of transmission and reception; `off`: configuration mode."""
    transmit, receive = errors
    state = 0x20 if transmit > 255 or off else 0
    state |= (0x10 if transmit > 127 else 0) | (0x08 if receive > 127 else 0)
    state |= (0x04 if 95 < transmit < 128 else 0) | (0x02 if 95 < receive < 128 else 0)
    return receive & 0xFF, transmit & 0xFF, state | (1 if state & 6 else 0), 0


def matching(registers: bytearray, can_id: int) -> int:
    """The number of the FIFO into which the first matching filter leads, or 0."""
    for at in range(32):
        control = registers[FILTER_CONTROL + at]
        if control & 0x80:
            words = registers[FILTER_OBJECT + 8 * at : FILTER_OBJECT + 8 * at + 8]
            wanted = identifier_of(words, 0, words[3] & 0x40 != 0)
            mask = identifier_of(words, 4, wanted & EXTENDED != 0) & ~EXTENDED
            if words[7] & 0x40:
                mask |= EXTENDED
            if (wanted ^ can_id) & mask == 0:
                return control & 0x1F
    return 0
