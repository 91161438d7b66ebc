"""A target that asks: a Primary that feeds a Secondary which may say anything.

An input is what the Secondary answers, as steps (`conversations.steps`): bytes as they are, the
honest frame of a response with those bytes behind it, responsePending, silence, or a message that
trickles in. What the Primary relays is real: its shelf, its peer, the feeding, the client.
"""

from fuzz.conversations import NEGATIVE, number, steps
from fuzz.finding import Finding, claim
from uptane import cbor, cose
from uptane.errors import Negative, PeerRefused, Refusal
from uptane.ids import (
    FORMAT,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_VERSION,
    ROOT,
)
from uptane.limits import EXCHANGE_MS_MAX, LATER_MS_MAX, REPORT_BYTES_MAX, WANTS_MAX
from uptane.meta.wants import Want
from uptane.primary import Peer
from uptane.shelf import Shelf
from uptane.uds.client import Client
from uptane.uds.feeding import Feeding, Held
from wire import Clock

BLOCK_BYTES = 258
TURNS_MAX = 20_000
FILE = bytes(600)
DIGEST = b"\xaa" * 32
HEAD = {KEY_FORMAT: FORMAT, KEY_TYPE: ROOT, KEY_NUMBER: ROOT, KEY_VERSION: 3, KEY_EXPIRES: 9}
ROOT_FILE = cose.write_sign(cbor.dumps(HEAD), [(bytes(8), bytes(64))])


class Hostile:
    """The client's end of a transport, with a server behind it that reads from a script."""

    def __init__(self, script):
        self.script = script
        self.at = 0
        self.message = None
        self.asked = b""
        self.trickling = 0
        self.sent_bytes = 0

    def taken(self):
        self.message = None

    def idle(self):
        return True

    def abort(self):
        self.trickling = 0

    def frames_left(self):
        return self.trickling

    def send(self, message, length=-1):
        claim(length <= len(message), "a request fits its buffer")
        self.asked = bytes(message if length < 0 else message[:length])
        self.sent_bytes += len(self.asked)
        self.trickling = 0

    def speak(self):
        """What arrives next, if the client is ready for it; False once it is silent for ever."""
        if self.message is not None or self.at >= len(self.script):
            return self.at < len(self.script)
        kind, data = self.script[self.at]
        self.at += 1
        kind %= 8
        asked = self.asked
        self.trickling = 0
        if kind == 0 and data:
            self.message = memoryview(data)
        elif kind == 1:
            self.message = memoryview(b"\x7f" + asked[:1] + b"\x78")
        elif kind == 2:
            self.trickling = 1 + number(data) % 600
        elif kind != 3:  # the honest beginning, as long as this service has it
            head = {0x31: 4, 0x36: 2}.get(asked[0], 1)
            honest = bytes((asked[0] + 0x40 & 0xFF,)) + asked[1:head]
            self.message = memoryview(honest + data)
        return True


class Library:
    """What a Primary's shelf takes from: its records, which hold a third Root, and its depot."""

    def __init__(self):
        self.records = self.depot = self
        self.passed = {}

    def read(self, record):
        if not 0x100 <= record < 0x300:
            return None
        return ROOT_FILE if record & 0xFF == ROOT else FILE

    def find(self, digest, offset):
        return Held(FILE, offset) if digest == DIGEST and offset < len(FILE) else None


class Host:
    """Runs the Primary's side; time passes when it waits."""

    def __init__(self, script):
        self.clock = Clock(1000)
        self.line = Hostile(script)
        self.peer = Peer(2, Client(self.line, self.clock))
        shelf = Shelf(Library(), self.peer)
        shelf.raw_time = FILE[:120]
        self.feeding = Feeding(self.peer.client, shelf, bytearray(BLOCK_BYTES))
        self.fetched = 0

    def task(self):
        yield from self.feeding.begin()
        yield from self.feeding.serve(self.clock)
        yield from self.feeding.end()

    def run(self):
        task = self.task()
        answer = None
        for _ in range(TURNS_MAX):
            try:
                said = task.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(said, Want):
                self.fetched += 1
                answer = FILE if self.fetched & 1 else None
            elif said is not None:
                claim(said > self.clock.now_ms, "it waits for a time to come")
                self.line.speak()
                self.clock.now_ms = min(said, self.clock.now_ms + 200)
        raise Finding("it never ends")


def client(raw):
    script = steps(raw)
    host = Host(script)
    refused = []
    begun_ms = host.clock.now_ms
    try:
        host.run()
    except Negative as negative:
        refused = [Negative.number, NEGATIVE + negative.args[0]]
    except PeerRefused as ended:
        refused = [PeerRefused.number, ended.args[0]]
    except Refusal as refusal:
        refused = [refusal.number]
    # each step of the script answers one request at most, the last request is not answered
    spent_ms = host.clock.now_ms - begun_ms
    claim(spent_ms <= (len(script) + 1) * EXCHANGE_MS_MAX + LATER_MS_MAX, "time is bounded")
    bytes_max = (len(script) + 1) * (BLOCK_BYTES + REPORT_BYTES_MAX)
    claim(host.line.sent_bytes <= bytes_max, "no more is sent than was asked for")
    claim(host.fetched <= WANTS_MAX, "what it fetches for a peer is bounded")
    return refused
