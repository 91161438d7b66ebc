"""The three kinds of ECU, whose every Commit is judged by `laws` before it is stored."""

from claims import run
from maker import BRAKE, DOOR, GATEWAY, VEHICLE
from tests.property import laws, reading
from tests.property.makers import Sodium, evil_digest
from uptane.errors import Refusal
from uptane.ids import ALG_SHA256, DIRECTOR, IMAGE, RECORD_TIME, TARGETS
from uptane.meta import delegation
from uptane.meta.attested_time import AttestedTime
from uptane.meta.decision import Ecu, Installed
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted
from uptane.meta.wants import Commit
from vehicle import Full, Partial, Primary

SODIUM = Sodium()


class Make:
    """What an ECU is made of; a planted fault is another make."""

    policy = DEVICE
    files = Files
    trusted = Trusted
    clock = AttestedTime
    forgets_installed = False


class Judged:
    """What the three kinds share: a clock that lives, a cycle that is judged step by step."""

    make = Make

    def __init__(self, oem):
        super().__init__(oem)
        self.counter = 0  # as `store.slots` keeps it: the release of the last confirmed image
        self.nonces = 0
        self.kept = []  # attestations of before, for replays
        self.reboot()

    def reboot(self):
        identity = self.oem.director.identity
        stored = self.records.get(RECORD_TIME)
        self.attested = self.make.clock(SODIUM, self.random, identity, stored, self.ticks_ms)

    def random(self, length):
        self.nonces += 1
        return bytes([self.number, *self.nonces.to_bytes(length - 1, "big")])

    def clock(self):
        return self.attested

    def trusted(self, number):
        make = self.make
        files = make.files(SODIUM, delegation, make.policy, number, self.records.get)
        return make.trusted(files, self.map().repositories[number])

    def now(self):
        return self.attested.now(self.ticks_ms)

    def wait(self, seconds):
        before = self.now()
        self.ticks_ms += 1000 * seconds
        assert self.now() == before + seconds

    def ask(self):
        """Begin a cycle: return the nonce."""
        self.attested.start_cycle()
        return self.attested.nonce(self.ticks_ms)

    def hear(self, raw):
        """Take an attestation or refuse it."""
        before, records = self.now(), dict(self.records)
        root = self.trusted(DIRECTOR).root
        try:
            commit = run(self.attested.accept(raw, root, self.ticks_ms, []))
        except Refusal:
            assert self.records == records and self.now() == before
            return
        laws.judge_attestation(self.records, commit.changes)
        self.store(commit.changes)
        # Local ticks may have run ahead of the truth; what was attested is the floor (V-81).
        assert self.now() == reading.clock(self.records)[0]
        self.kept.append(raw)

    def judged_cycle(self, answer, wants_max=None):
        """Run a cycle, or its begin up to so many wants. Return the Decision, or None when it
        was broken off or refused.
        """
        cycle = self.cycle()
        reply, wants, ended = None, 0, False
        try:
            while True:
                step = cycle.send(reply)
                reply = None
                if isinstance(step, Commit):
                    assert not ended
                    ended = not laws.is_root_step(step.changes)
                    self.take(step.changes)
                elif step is not None:
                    if wants == wants_max:
                        cycle.close()
                        return None
                    wants += 1
                    reply = answer(step)
        except StopIteration as stop:
            return stop.value
        except Refusal:
            assert not ended  # what was refused left nothing behind but steps of Root
            return None

    def take(self, changes):
        judge = laws.judge_root_step if laws.is_root_step(changes) else laws.judge_candidates
        judge(self.records, changes)
        before = self.now()
        self.store(changes)
        if laws.is_root_step(changes) and changes.get(RECORD_TIME, 0) is None:
            return
        assert RECORD_TIME not in changes and self.now() >= before

    def store(self, changes):
        """In place: the cycle that runs reads them again."""
        after = laws.applied(self.records, changes)
        self.records.clear()
        self.records.update(after)

    def confirm(self, decision):
        """Install and confirm what was decided."""
        for number in decision.new:
            entry = decision.entries[number]
            self.check_origin(entry)
            assert self.attested.fresh
            digest = entry.hashes[ALG_SHA256]
            self.installed[number] = Installed(entry.number, digest, entry.release)
            if number == self.number:
                assert entry.release >= self.counter  # T-21
                self.counter = entry.release

    def check_origin(self, entry):
        """Only who stole the keys of every say gets an image of his own in."""
        if entry.hashes[ALG_SHA256] == evil_digest(entry.number):
            says = (
                {(DIRECTOR, TARGETS)}
                if self.number == DOOR
                else {
                    (DIRECTOR, TARGETS),
                    (IMAGE, TARGETS),
                }
            )
            assert says <= self.oem.ever_stolen

    def ecu(self):
        own = None if self.make.forgets_installed else self.installed[self.number]
        registered = self.installed if self.number == GATEWAY else None
        return Ecu(self.number, 10 * self.number, VEHICLE, own, registered)

    def knows_time_key(self):
        """May the newest time key attest under the Root that is stored?"""
        stored = self.records[reading.record_of(DIRECTOR, reading.ROOT)]
        newest = reading.fields(self.oem.director.files[reading.ROOT, 0])
        _, kids = newest[reading.ROLES][reading.TIME]
        return reading.authorises(stored, reading.TIME, set(kids))


class JudgedDoor(Judged, Partial):
    """The door module."""


class JudgedBrake(Judged, Full):
    """The brake controller."""


class JudgedGateway(Judged, Primary):
    """The gateway."""


KINDS = {DOOR: JudgedDoor, BRAKE: JudgedBrake, GATEWAY: JudgedGateway}


def nodes_of(oem, make=Make):
    """The three ECUs of a vehicle, all of one make."""
    return {n: type(KINDS[n].__name__, (KINDS[n],), {"make": make})(oem) for n in KINDS}
