"""A Primary that leads a bundle, and its ECUs, without a bus: what tests of a leader begin with.

The slots, records and trials of every ECU are real; requests are handed over, and time passes when
the leader waits. An ECU that `fails` crashes on trial; one that is `deaf` does not answer; one
that is `slow` says that its response is pending for as long as somebody listens. Not a test file.
"""

from slotted_ecu import Ecu as Flash
from slotted_ecu import provisioned, staged
from uptane import cbor
from uptane.bundle import Leader
from uptane.errors import Negative, NoReply, SlowRetrieval
from uptane.ids import BOOT_CONFIRMED, REPORT_BOOT
from uptane.limits import EXCHANGE_MS_MAX, SECONDARY_MS_MAX
from uptane.meta.wants import Commit
from uptane.trial import Trial

BUNDLE = (7, 1, 2)
NUMBERS = (2, 3)
GATEWAY = 1
STEADY_MS = 2000
BOOT_MS = 300
ENDLESS = 10000
PROVISIONED, STAGED = provisioned().content(), staged().content()


class Clock:
    now_ms = 1000

    def ticks_ms(self):
        return self.now_ms


class Pace:
    floor = 1


class Directions:
    """What a cycle decided: these ECUs have an image to install, all as one bundle, if any."""

    expires = 1

    def __init__(self, new, bundle=BUNDLE, bundled=(GATEWAY,) + NUMBERS):
        self.new = new
        self.led = bundle
        self.bundled = bundled if bundle else ()
        self.bundle = bundle if GATEWAY in self.bundled else None
        self.entries = {number: number for number in new}

    def entry(self, number):
        return self.entries[number] if number in self.new else None


class Part:
    """One ECU: it has verified its new image, and lives by the clock."""

    def __init__(self, clock, number, fails=False, ready=True):
        self.clock = clock
        self.ecu = number
        self.fails = fails
        self.deaf = self.slow = False
        self.budget_ms = SECONDARY_MS_MAX
        self.noted = []
        self.staged = ready
        self.report = b"\x82" + cbor.dumps(cbor.dumps({REPORT_BOOT: BOOT_CONFIRMED}))
        self.flash = Flash(STAGED if ready else PROVISIONED)
        self.boot()

    def boot(self):
        self.flash.start()
        self.since_ms = self.clock.now_ms + BOOT_MS
        self.trial = Trial(self.flash.slots, self.noted.append)
        self.trial.directed(Directions([self.ecu]))

    def live(self):
        """What it does by itself."""
        lived_ms = self.clock.now_ms - self.since_ms
        crashes = self.trial.on and self.fails and lived_ms > 0
        if crashes or self.trial.watch(lived_ms > STEADY_MS, self.clock.now_ms):
            self.boot()

    def install(self):
        assert self.trial.choose(0)
        self.trial.begin()
        self.boot()

    def answer(self, message):
        if self.deaf or self.clock.now_ms < self.since_ms:
            raise NoReply
        if message[0] == 0x22:
            return bytes((0x62, 0xFD, 2, self.trial.boot_state(self.clock.now_ms)))
        routine = message[3]
        if routine == 3:
            self.install()
        elif not self.trial.settle(int.from_bytes(message[4:], "big"), routine == 4):
            raise Negative(0x22)
        return b"\x71" + message[1:4]

    # --- what a leader has of it: a client ----------------------------------------------------

    def allow(self, budget_ms, floor):
        self.budget_ms = budget_ms

    def request(self, message):
        if self.slow:
            yield self.clock.now_ms + min(self.budget_ms, EXCHANGE_MS_MAX)
            raise SlowRetrieval
        yield self.clock.now_ms + 10
        reply = self.answer(bytes(message))
        if self.trial.watch(False, self.clock.now_ms):
            self.boot()
        return reply

    client = property(lambda self: self)

    def image(self):
        """1: the old one runs, 2: the new one does; confirmed."""
        assert not self.trial.on
        return self.flash.slots.release()


class Vehicle(Part):
    """The Primary, and its Secondaries; also what a Leader sees of its ECU and its cycle."""

    def __init__(self, own=True, fails=()):
        self.clock = Clock()
        self.verified = own
        self.pace = Pace()
        self.cycle = self
        self.peers = [Part(self.clock, number, number in fails) for number in NUMBERS]
        self.clients = [(peer.ecu, peer) for peer in self.peers]
        self.task = None
        super().__init__(self.clock, GATEWAY, GATEWAY in fails, own)
        self.identity = self
        self.clock.now_ms += BOOT_MS

    records = property(lambda self: self.flash.records)
    slots = property(lambda self: self.flash.slots)

    def note(self, number):
        self.noted.append(number)

    def running(self):
        return self.task is not None

    def begin(self, task):
        self.task = task

    def boot(self):
        super().boot()
        self.task = None
        self.verified = False
        self.leader = Leader(self)

    def lead(self):
        """Begin the bundle of all that have an image."""
        new = [part.ecu for part in [self] + self.peers if part.staged]
        self.verified = self.staged
        self.begin(self.leader.lead(self.peers, Directions(new)))

    def step(self):
        """One step of what the Primary does, or of what it waits for. False: it has nothing to
        do any more."""
        for peer in self.peers:
            peer.live()
        if self.task is None:
            self.live()
            self.leader.watch(self.clock.now_ms)
            if self.task is None:
                self.clock.now_ms += 50
                return self.trial.on or self.leader.due_ms is not None
        try:
            said = next(self.task)
        except StopIteration:
            self.task = None
            if self.verified:
                self.install()
            return True
        if isinstance(said, Commit):
            self.records.commit(said.changes)
        else:
            self.clock.now_ms = said
        return True

    def finish(self):
        """Until it has nothing to do; then what its ECUs run."""
        for _ in range(ENDLESS):
            if not self.step():
                break
        for _ in range(ENDLESS):
            if not [peer for peer in self.peers if peer.trial.on]:
                break
            self.clock.now_ms += 1000
            for peer in self.peers:
                peer.live()
        return [part.image() for part in [self] + self.peers]
