"""An ECU as far as the diagnostic services act on one: a cycle with whatever task a test gives it.

`told` holds what the services asked of it, `noted` the refusals it was told of, `answers` what its
cycle was given for its wants. Real: channels, server, services, cycle. Not a test file.
"""

from uptane.crypto.suite import nothing
from uptane.cycle import Cycle
from uptane.limits import BLOCK_BYTES, REPLY_BYTES_MAX
from uptane.link.isotp import Channel
from uptane.pace import Pace
from uptane.uds.codes import NRC_RESPONSE_PENDING
from uptane.uds.hearing import Hearing
from uptane.uds.server import Server
from uptane.uds.services import Services
from uptane.uds.transfer import Transfer
from wire import Clock, Wire

MESSAGE_BYTES = 1026
BITRATE = 500_000
IDLE_MS = 600_000
ECU_ID = b"\x00\x00\x00\x07"


class Kept:
    """Records that a cycle commits: a list of what it stored."""

    def __init__(self):
        self.commits = []

    def commit(self, changes):
        self.commits.append(changes)


class Ecu:
    """The server's side of `wire`; the tester's is wire.left."""

    def __init__(self, two_blocks=True, heard=None):
        self.clock = Clock(1000)
        self.records = Kept()
        self.noted = []
        self.told = []
        self.answers = []
        self.has_staged = False
        self.on_trial = False
        self.too_often = False
        self.settled = True
        self.trial = self
        pace = Pace(BITRATE, IDLE_MS)
        self.cycle = Cycle(self.records, self.clock, self.note, nothing, pace)
        self.block_bytes = BLOCK_BYTES
        self.two_blocks = two_blocks
        self.heard = heard
        transfer = Transfer(self) if heard is None else Hearing(self, heard)
        self.services = Services(self, transfer)
        self.wire = Wire(Channel(MESSAGE_BYTES), Channel(MESSAGE_BYTES), self.clock)
        self.all_asked = Channel(7)
        channels = (self.wire.right, self.all_asked)
        self.server = Server(channels, self.services, bytearray(REPLY_BYTES_MAX))

    # --- what services ask of an ECU --------------------------------------------------------

    def note(self, number):
        self.noted.append(number)

    def begin_cycle(self):
        self.told.append(("cycle",))
        self.cycle.begin(self._wanting([]))
        return not self.too_often

    def install_after_response(self):
        if self.has_staged:
            self.told.append(("install",))
        return self.has_staged

    def reset_after_response(self):
        self.told.append(("reset",))
        return not self.on_trial

    def settle(self, bundle, commit):
        self.told.append(("commit" if commit else "rollback", bundle))
        return self.settled

    def session_changed(self, session):
        self.told.append(("session", session))

    def staged(self):
        return self.has_staged

    def read(self, did):
        return ECU_ID if did == 0xF18C else None

    # --- what its cycle is made to do -------------------------------------------------------

    def _wanting(self, wants):
        for want in wants:
            answer = yield want
            self.answers.append(answer)

    def want(self, *wants):
        """Let the cycle want these files, one after the other."""
        self.cycle.begin(self._wanting(wants))
        self.finish()

    def work(self, slices, slice_ms):
        """Let the cycle compute."""
        self.cycle.begin(self._working(slices, slice_ms))

    def _working(self, slices, slice_ms):
        for _ in range(slices):
            self.clock.now_ms += slice_ms
            yield

    def sleep(self, until_ms):
        """Let the cycle wait for frames."""
        self.cycle.begin(self._sleeping(until_ms))
        self.cycle.step()

    def _sleeping(self, until_ms):
        yield until_ms

    def refuse(self, refusal):
        """Let the cycle end in a refusal."""
        self.cycle.begin(self._refusing(refusal))
        self.finish()

    def _refusing(self, refusal):
        raise refusal
        yield

    def finish(self):
        """Let the cycle compute as long as it wants to."""
        while self.cycle.computing():
            self.cycle.step()

    # --- the loop of an ECU -----------------------------------------------------------------

    def loop(self):
        """One round of the main loop, as uptane.main has it; True while there is work."""
        self.wire.settle()
        self.server.step(self.clock.now_ms)
        self.wire.settle()
        self.services.transfer.step()
        self.cycle.step()
        self.wire.settle()
        return self.server.busy() or self.cycle.computing() or self.services.transfer.writing()

    def hear(self, request):
        """Send a request; return every response to it."""
        left = self.wire.left
        left.taken()
        left.send(request)
        return self.listen()

    def hear_all(self, request):
        """Send a request to all ECUs; return every response to it."""
        frame = bytes((len(request),)) + request
        self.all_asked.feed(memoryview(frame), self.clock.now_ms)
        return self.listen()

    def listen(self):
        heard = []
        left = self.wire.left
        busy = True
        while busy:
            busy = self.loop()
            if left.message is not None:
                heard.append(bytes(left.message))
                left.taken()
        return heard


def ask(ecu, request):
    """The final response to a request, or None if there is none."""
    heard = [reply for reply in ecu.hear(request) if reply[2:3] != bytes((NRC_RESPONSE_PENDING,))]
    assert len(heard) < 2
    return heard[0] if heard else None


def negative(ecu, request):
    """The code of the negative response that a request has to get."""
    reply = ask(ecu, request)
    assert reply is not None and len(reply) == 3, reply
    assert reply[0] == 0x7F and reply[1] == request[0], reply
    return reply[2]
