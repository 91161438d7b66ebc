"""Targets that are talked to: a channel fed with frames, a server, a client of a hostile server.

An input is a list of steps, each a kind (1 byte), a length (1 byte) and as many bytes; so whatever
the fuzzer makes of it is a conversation. What a peer refused in it is returned, in order: numbers
of refusals, and NEGATIVE plus the code of each negative response.
"""

from fuzz.finding import Finding, claim
from uptane.errors import FlashFault, Refusal
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_METADATA, KIND_REPORT, LOCAL, TARGETS
from uptane.limits import N_BS_MS, N_CR_MS, REPLY_BYTES_MAX, WAIT_FRAMES_MAX
from uptane.link.isotp import Channel
from uptane.meta.wants import Want
from uptane.uds.server import Server
from workshop import Workshop

STEPS_MAX = 24
NEGATIVE = 1000
BUFFER_BYTES = 256  # of the channel: long messages overflow it
LONGEST_BYTES = 64  # of a frame
LONG_BYTES = 4097  # of a message whose length takes 32 bits
FILLER = bytes(range(256)) * 17
ROUNDS_MAX = 200  # of a server over one request
PICTURE_BYTES = 3000


def steps(raw):
    """[(kind, bytes), ...] of an input."""
    found = []
    at = 0
    while at + 1 < len(raw) and len(found) < STEPS_MAX:
        length = raw[at + 1]
        found.append((raw[at], bytes(raw[at + 2 : at + 2 + length])))
        at += 2 + length
    return found


def number(data):
    return int.from_bytes(data[:2], "big")


# --- ISO-TP --------------------------------------------------------------------------------------


FRAME_BYTES = (8, 64, 8, 64)  # by form of the conversation
ADDRESSES = (-1, -1, 0, 5)  # before everything else in each frame


class Line:
    """One channel, its bus and its clock, in the hands of whoever sends it frames."""

    def __init__(self, form):
        self.frame_bytes = FRAME_BYTES[form]
        self.head = ADDRESSES[form] >= 0
        self.address = bytes((ADDRESSES[form],)) if self.head else b""
        self.channel = Channel(BUFFER_BYTES, self.frame_bytes, ADDRESSES[form], ADDRESSES[form])
        self.channel.block_size = (0, 0, 2, 1)[form]
        self.now_ms = 0
        self.refused = []

    def attempt(self, call, *arguments):
        try:
            call(*arguments)
        except Refusal as refusal:
            self.refused.append(refusal.number)

    def put(self):
        """Let the channel send one frame; False if it has none now."""
        frame = self.channel.frame(self.now_ms)
        if frame is None:
            return False
        claim(len(frame) in (8, 12, 16, 20, 24, 32, 48, 64), "a frame has a length of CAN FD")
        claim(len(frame) <= self.frame_bytes, "a frame is no longer than its bus allows")
        claim(frame[self.head] >> 4 <= 3, "a frame is of one of four kinds")
        self.channel.sent(self.now_ms)
        return True

    def step(self, kind, data):
        channel = self.channel
        kind %= 8
        if kind == 0:
            self.attempt(channel.feed, memoryview(data[:LONGEST_BYTES]), self.now_ms)
        elif kind == 1:
            self.now_ms += number(data)
        elif kind == 2:
            self.put()
        elif kind == 3:
            channel.left(self.now_ms * 1000)
        elif kind == 4:
            length = number(data) % 512
            length = LONG_BYTES if length == 511 else length or 1
            self.attempt(channel.send, FILLER, length)
        elif kind == 5:
            channel.taken()
        elif kind == 6:
            self.attempt(channel.poll, self.now_ms)
        elif self.put():
            channel.left(self.now_ms * 1000)
        message = channel.message
        claim(message is None or 0 < len(message) <= BUFFER_BYTES, "a message fits its buffer")
        claim(0 <= channel.frames_left() <= BUFFER_BYTES // 7 + 1, "what is missing is bounded")

    def rest(self):
        """The peer is silent from now on: soon there is nothing left to wait for."""
        channel = self.channel
        for _ in range(WAIT_FRAMES_MAX):
            while self.put():
                channel.left(self.now_ms * 1000)
            channel.left(self.now_ms * 1000)
            due_ms = channel.due_ms()
            if channel.leaving:
                due_ms = self.now_ms + channel.rest_us // 1000
            if due_ms is None:
                break
            claim(due_ms - self.now_ms <= N_BS_MS + N_CR_MS, "no wait is longer than its timer")
            self.now_ms = max(due_ms, self.now_ms + 1)
            self.attempt(channel.poll, self.now_ms)
            self.attempt(channel.poll, self.now_ms)
        channel.taken()
        self.attempt(channel.feed, memoryview(self.address + b"\x02\x3e\x00"), self.now_ms)
        claim(channel.message == b"\x3e\x00", "the next message is received")


def channel(raw):
    line = Line(raw[0] >> 6 if raw else 0)
    for kind, data in steps(raw):
        line.step(kind, data)
    line.rest()
    return line.refused


# --- UDS, the server's side ----------------------------------------------------------------------


class Mailbox:
    """The server's end of a transport that loses nothing and takes no time."""

    def __init__(self):
        self.message = None
        self.responses = []

    def taken(self):
        self.message = None

    def idle(self):
        return True

    def send(self, message, length=-1):
        claim(length <= len(message), "a response fits its buffer")
        self.responses.append(bytes(message if length < 0 else message[:length]))


class Sink:
    """The slot of an image: takes the next bytes, unless it is `worn`."""

    worn = False
    written = 0

    def write(self, offset, data):
        if self.worn:
            raise FlashFault
        claim(offset == self.written, "only the next bytes are written")
        self.written += len(data)
        claim(self.written <= PICTURE_BYTES, "no more is written than was wanted")


class Tested(Workshop):
    """The ECU of the device tests, without frames between it and the tester."""

    def __init__(self, heard=None):
        self.refused = []
        Workshop.__init__(self, heard=heard)
        self.mailbox = Mailbox()
        self.server = Server((self.mailbox,), self.services, bytearray(REPLY_BYTES_MAX))
        self.sink = Sink()

    def note(self, number):
        Workshop.note(self, number)
        self.refused.append(number)

    def request(self, message):
        """Let the server answer; what it says is held against the form of a response."""
        mailbox = self.mailbox
        mailbox.responses = []
        mailbox.message = memoryview(message)
        for _ in range(ROUNDS_MAX):
            self.server.step(self.clock.now_ms)
            self.services.transfer.step()
            self.cycle.step()
            if not self.server.busy() and not self.cycle.computing():
                break
        else:
            raise Finding("a request is never answered")
        for response in mailbox.responses:
            self.judge(message, response)

    def judge(self, request, response):
        if response[0] == 0x7F:
            claim(len(response) == 3 and response[1] == request[0], "a negative response")
            if response[2] != 0x78:
                self.refused.append(NEGATIVE + response[2])
        else:
            claim(response[0] == request[0] + 0x40, "a positive response")

    def wanted(self, which, cap):
        """Let the cycle want a file, an image, or have its report fetched."""
        if which == 0:
            self.want(Want(DIRECTOR, KIND_METADATA, TARGETS, 2, cap))
        elif which == 1:
            want = Want(IMAGE, KIND_IMAGE, 101, bytes(32), PICTURE_BYTES)
            self.sink = want.sink = Sink()
            self.want(want)
        else:
            want = Want(LOCAL, KIND_REPORT, 0, None, len(FILLER[: cap % 512]))
            want.offer = FILLER[: cap % 512]
            self.want(want)

    def step(self, kind, data):
        kind %= 8
        value = number(data)
        if kind <= 2 and data:
            self.request(data)
        elif kind == 3 and data:
            self.request(b"\x36" + data[:1] + FILLER[: number(data[1:]) % 1025])
        elif kind == 4:
            self.clock.now_ms += value
            self.services.transfer.step()
        elif kind == 5:
            self.wanted(value % 3, value)
        elif kind == 6:
            self.has_staged = bool(value & 1)
            self.on_trial = bool(value & 2)
            self.sink.worn = bool(value & 4)
        elif value & 1:
            self.work(value % 16, value >> 8)
        else:
            self.sleep(self.clock.now_ms + value)
        claim(len(self.records.commits) == 0, "nothing was stored that no cycle stores")
        claim(all([one in self.attacks for one in self.noted]), "no attack is forgotten")


def served(ecu, raw):
    for kind, data in steps(raw):
        ecu.step(kind, data)
    answers = len(ecu.answers)
    ecu.request(b"\x3e\x00")
    claim(ecu.mailbox.responses[-1:] == [b"\x7e\x00"], "the server still answers")
    claim(len(ecu.answers) == answers, "a tester's presence answers no want")
    return ecu.refused


def server(raw):
    """Any requests, in any state of the ECU."""
    return served(Tested(), raw)


def transfer(raw):
    """The same, from where a transfer may begin: the first byte says of what."""
    ecu = Tested()
    ecu.request(b"\x10\x02")
    ecu.wanted(raw[0] % 3 if len(raw) else 0, 600)
    return served(ecu, raw[1:])
