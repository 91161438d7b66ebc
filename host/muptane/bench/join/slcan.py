"""slcan: the serial line of LAWICEL's CAN232 and its many children, over a socket.

Lines end with a carriage return. `S6` chooses a bit rate (only the bus's own is taken), `O` joins
the bus, `L` joins it listening, `C` leaves; `tiiildd..` is a frame, `T` one of 29 bits, `r` and
`R` remote ones, `d`, `D`, `b`, `B` FD frames as CANable 2 has them. `V` and `N` name the device.
What is understood is answered with a carriage return, a frame with `z` or `Z` before it, the rest
with a bell. There are no timestamps (`Z0`).

Sources: LAWICEL CAN232 manual v3; CANable 2 firmware, for FD.
"""

from __future__ import annotations

from muptane.bench.can.frames import FD_LENGTHS, Frame, fault_of
from muptane.bench.join.member import Broken, Dialect, Member
from muptane.identifiers import EXTENDED, EXTENDED_MAX

END, BELL = b"\r", b"\a"
LINE_BYTES_MAX = 1 + 8 + 1 + 128
BITRATES = (10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000)
DATA_BITRATES = {"0": 0, "2": 2_000_000, "5": 5_000_000}
STANDARD_DIGITS, EXTENDED_DIGITS = 3, 8
IGNORED = "sMmWQXU"  # bit timing registers, filters, options of the chip: taken, without effect


class Slcan(Dialect):
    """A line each way."""

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self._text = b""
        self._open = False
        self._answers = {"V": b"V1013", "N": b"N0001", "F": b"F00", "Z": b""}

    def take(self, raw: bytes) -> None:
        self._text += raw
        while END in self._text:
            line, _, self._text = self._text.partition(END)
            if line.strip(b"\n"):
                self._obey(line.strip(b"\n").decode("ascii", "replace"))
        if len(self._text) > LINE_BYTES_MAX:
            raise Broken("a line without an end")

    def _obey(self, line: str) -> None:
        letter = line[0]
        if letter in "tTrRdDbB":
            answer = self._send(line)
        elif letter in "OLC":
            answer = self._switch(letter)
        elif letter in "SY":
            answer = b"" if self._is_rate(letter, line[1:]) else None
        elif letter in IGNORED:
            answer = b""
        else:
            answer = self._answers.get(letter)
        self.member.say(BELL if answer is None else answer + END)

    def _switch(self, letter: str) -> bytes | None:
        """On or off the bus, or listening; None when it is that already."""
        if letter == "C":
            self._open = False
            return b""
        if self._open:
            return None
        if self.member.port is None:
            self.member.join("slcan")
        if self.member.port is not None:
            self.member.port.silent = letter == "L"
            self.member.bus.filters_changed()
        self._open = True
        return b""

    def _is_rate(self, letter: str, code: str) -> bool:
        """Whether that is the rate of the bus, which nobody can change."""
        bus = self.member.bus
        if letter == "Y":
            return DATA_BITRATES.get(code) in (0, bus.data_bitrate)
        return code.isdecimal() and int(code) in range(9) and BITRATES[int(code)] == bus.bitrate

    def _send(self, line: str) -> bytes | None:
        port = self.member.port
        frame = _frame(line)
        if frame is None or port is None or not self._open or port.silent:
            return None
        if fault_of(frame) or (frame.fd and not self.member.bus.data_bitrate):
            return None
        self.member.send(frame)
        return b"Z" if line[0].isupper() else b"z"

    def frame(self, frame: Frame) -> bytes:
        if not self._open:
            return b""
        letter = (
            "r" if frame.remote is not None else "b" if frame.brs else "d" if frame.fd else "t"
        )
        name = f"{frame.id:03X}"
        if frame.id & EXTENDED:
            letter, name = letter.upper(), f"{frame.id & EXTENDED_MAX:08X}"
        length = len(frame.data) if frame.remote is None else frame.remote
        return f"{letter}{name}{FD_LENGTHS.index(length):X}{frame.data.hex().upper()}\r".encode()

    def refusal(self, why: str) -> bytes:
        return BELL


def _frame(line: str) -> Frame | None:
    """A frame out of its line; None when it is none."""
    kind, extended = line[0].lower(), line[0].isupper()
    end = 1 + (EXTENDED_DIGITS if extended else STANDARD_DIGITS)
    try:
        can_id, length = int(line[1:end], 16), FD_LENGTHS[int(line[end : end + 1], 16)]
        data = bytes.fromhex(line[end + 1 :])
    except (ValueError, IndexError):
        return None
    can_id |= EXTENDED if extended else 0
    if kind == "r":
        return None if data else Frame(can_id, remote=length)
    return Frame(can_id, data, kind in "db", kind == "b") if len(data) == length else None
