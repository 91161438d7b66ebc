"""ECUs with one planted fault each, so that the properties can be seen to fail."""

from tests.property.nodes import Make
from uptane import cose
from uptane.errors import Refusal
from uptane.ids import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from uptane.meta.attested_time import AttestedTime
from uptane.meta.files import Files
from uptane.meta.policy import SAME_VERSION, Policy
from uptane.meta.roles import Head
from uptane.meta.trusted import Trusted


def policy_with(**fields):
    policy = Policy()
    vars(policy).update(fields)
    return policy


class EqualVersionsDiffer(Make):
    """T-09: the policy that the Standard permits."""

    policy = policy_with(t09_equal_version=SAME_VERSION)


class TargetsNeverFall(Make):
    """T-12: the letter of V-71.4, which leaves a fast-forwarded Targets in place."""

    policy = policy_with(
        t12_falls_with={
            TIMESTAMP: (TIMESTAMP, SNAPSHOT),
            SNAPSHOT: (TIMESTAMP, SNAPSHOT),
            TARGETS: (),
        }
    )


class EverythingFalls(Make):
    """T-12: any key that changes resets all of them."""

    policy = policy_with(
        t12_falls_with=dict.fromkeys(
            (TIMESTAMP, SNAPSHOT, TARGETS), (TIMESTAMP, SNAPSHOT, TARGETS)
        )
    )


class Floorless(Files):
    def check_version(self, role, version, payload):
        pass


class NoFloor(Make):
    """E-08, E-12: versions are not compared."""

    files = Floorless


class Leaping(Trusted):
    def update_root(self, raw):
        trusted = self.root.version
        try:
            self.root.version = Head(cose.read_sign(raw).payload, ROOT).version - 1
            return (yield from super().update_root(raw))
        except Refusal:
            self.root.version = trusted
            raise


class RootsSkip(Make):
    """T-10: any Root with both signatures will do."""

    trusted = Leaping


class Backwards(AttestedTime):
    def _check_step(self, seconds):
        pass


class TimeFalls(Make):
    """V-81: whatever a time key says is taken."""

    clock = Backwards


class Stubborn(AttestedTime):
    def root_changed(self, root):
        return {}


class TimeStays(Make):
    """V-82: the time of a key that was dropped stays."""

    clock = Stubborn


class ReleasesFall(Make):
    """T-21: the release counter is not looked at."""

    forgets_installed = True


FAULTS = (
    EqualVersionsDiffer,
    TargetsNeverFall,
    EverythingFalls,
    NoFloor,
    RootsSkip,
    TimeFalls,
    TimeStays,
    ReleasesFall,
)
