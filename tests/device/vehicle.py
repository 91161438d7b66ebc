"""ECUs as far as the decisions go: records, a clock, and what each cycle decided."""

from claims import raises
from maker import BRAKE, DOOR, GATEWAY, NOW, VEHICLE, Oem, drive, kid_of
from memory import SUITE
from uptane import cbor
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    RECORD_MAP,
    RECORD_METADATA,
    RECORD_TIME,
    ROOT,
    TIME,
)
from uptane.meta import delegation, full, partial
from uptane.meta.attested_time import AttestedTime
from uptane.meta.decision import Ecu, Installed
from uptane.meta.files import Files
from uptane.meta.mapping import Map
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted


class Node:
    """One ECU of the vehicle that `oem` feeds."""

    number = DOOR
    policy = DEVICE

    def __init__(self, oem):
        self.oem = oem
        self.wants = []
        self.installed = {GATEWAY: None, BRAKE: None, DOOR: None}
        time_kid = kid_of(oem.director.keys[TIME][0])
        self.records = {
            RECORD_METADATA + ROOT: oem.director.files[ROOT, 1],
            RECORD_METADATA + 0x100 + ROOT: oem.image.files[ROOT, 1],
            RECORD_TIME: cbor.dumps([NOW, time_kid]),
        }
        self.records.update(oem.provisioned)
        self.fresh = True
        self.ticks_ms = 0

    def trusted(self, number):
        files = Files(SUITE, delegation, self.policy, number, self.records.get)
        return Trusted(files, self.map().repositories[number])

    def map(self):
        oem = self.oem
        return Map(oem.director.identity, oem.image.identity, self.records.get(RECORD_MAP))

    def clock(self):
        identity = self.oem.director.identity
        clock = AttestedTime(SUITE, bytes, identity, self.records.get(RECORD_TIME), 0)
        clock.fresh = self.fresh
        return clock

    def ecu(self):
        return Ecu(self.number, 10 * self.number, VEHICLE, self.installed[self.number])

    def refresh(self):
        """Run one cycle and return its Decision."""
        self.wants = []
        return drive(self.cycle(), self.oem, self.records, self.wants)

    def update(self):
        """Run one cycle, install and confirm what it decided, and return the Decision."""
        decision = self.refresh()
        for number in decision.new:
            entry = decision.entries[number]
            digest = entry.hashes[ALG_SHA256]
            self.installed[number] = Installed(entry.number, digest, entry.release)
        return decision

    def release(self):
        installed = self.installed[self.number]
        return installed and installed.release


class Partial(Node):
    """The door module."""

    def cycle(self):
        return partial.refresh(self.trusted(DIRECTOR), self.ecu(), self.clock(), self.ticks_ms)


class Full(Node):
    """The brake controller."""

    number = BRAKE

    def cycle(self):
        current = self.map()
        repositories = {number: self.trusted(number) for number in current.repositories}
        return full.refresh(repositories, current, self.ecu(), self.clock(), self.ticks_ms)


class Primary(Full):
    """The gateway, which knows the three ECUs and what they report."""

    number = GATEWAY

    def ecu(self):
        own = self.installed[self.number]
        return Ecu(self.number, 10 * self.number, VEHICLE, own, self.installed)


def updated(kind, maker=Oem):
    """Return an OEM and a node of `kind` that took two honest updates."""
    oem = maker()
    node = kind(oem)
    for release in (1, 2):
        oem.publish(release)
        node.update()
        assert node.release() == release
    return oem, node


def prove(kind, lie, refusal, maker=Oem):
    """Legal updates, then the lie: refused as stated, state unchanged, an honest one taken."""
    oem, node = updated(kind, maker)
    before = dict(node.records)
    lie(oem)
    raises(refusal, node.refresh)
    assert node.records == before
    oem.repent()
    oem.publish(9)
    node.update()
    assert node.release() == 9


def installs(kind, lie, maker=Oem):
    """The edge of the promise: after legal updates the lie succeeds. Return the node."""
    oem, node = updated(kind, maker)
    lie(oem)
    node.update()
    return node
