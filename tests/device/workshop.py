"""An ECU (see `ecu`) with what a workshop asks for: DTCs, security access, authentication.

`attacks` is the list for the next version report, which the diagnosis reads and nothing here
clears; `application.muted` is what CommunicationControl does. Not a test file.
"""

from ecu import Ecu, ask
from uptane.crypto import hmac
from uptane.crypto.suite import Suite
from uptane.uds.diagnosis import Diagnosis

SECRET = bytes(range(32))
SEED_BYTES = 16
PROGRAMMING, EXTENDED, DEFAULT = b"\x10\x02", b"\x10\x03", b"\x10\x01"


class Thing:
    """Something with attributes."""


class Workshop(Ecu):
    def __init__(self, secret=SECRET, heard=None):
        self.diagnosis = None
        Ecu.__init__(self, heard=heard)
        self.attacks = []
        self.reports = self
        self.application = Thing()
        self.application.muted = False
        self.identity = Thing()
        self.identity.access = secret
        self.board = Thing()
        self.board.clock = self.clock
        self.board.suite = Suite()
        self.board.random = self.random
        self.drawn = 0
        self.diagnosis = Diagnosis(self, self.services)

    def random(self, count):
        self.drawn += 1
        return bytes([self.drawn]) * count

    def note(self, number):
        """As uptane.main has it."""
        Ecu.note(self, number)
        self.diagnosis.noted(number)
        if number not in self.attacks:
            self.attacks.append(number)

    def session_changed(self, session):
        Ecu.session_changed(self, session)
        self.diagnosis.session_changed(session)

    def restart(self):
        """What is left after a reset: the list for the report."""
        after = Workshop(self.identity.access)
        after.attacks = self.attacks
        return after


def proof(service, challenge, secret=SECRET):
    """Of knowing the secret, for a challenge of that service."""
    return hmac.tag(Suite().sha256, secret, (bytes((service,)), challenge))


def unlock(ecu):
    """Security access."""
    seed = ask(ecu, b"\x27\x01")[2:]
    assert ask(ecu, b"\x27\x02" + proof(0x27, seed)) == b"\x67\x02"
