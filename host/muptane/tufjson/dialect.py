"""The policy records of clients that speak JSON, beside the one that devices ship.

A record is the device's, and the fields in which JSON can be read in two ways. A fresh JsonPolicy
chooses what devices do wherever JSON can say it; TUF is what the published suites of TUF clients
expect. tests/host/test_tufjson_policy.py lists every field in which TUF differs.
Rules: T-06, T-09, T-12, T-14, T-17, T-18, T-23, T-24, T-26, T-27, T-28, T-34, T-52.
"""

from muptane.tufjson.names import ACROSS, IN_SEGMENT
from uptane.ids import ALG_SHA256, SNAPSHOT, TARGETS, TIMESTAMP
from uptane.meta.policy import (
    AFTER_ITS_OWN,
    ATTESTED_EVER,
    EMPTY_TARGETS,
    SAME_VERSION,
    Policy,
)

ALG_SHA512 = -44

STORED_COUNTS = 3  # T-09: a Timestamp of the stored version is no news, whatever it holds

MANDATORY = 1  # T-14: a file is named with length and hashes
OPTIONAL = 2  # length and hashes count where they are given

WHOLE_CYCLE = 1  # T-17: a cycle is stored at its end, or nothing of it
EACH_ROLE = 2  # each role is stored once it is verified, and stays until another takes its place

HOLDERS = 1  # T-27: a holder without a key, or a threshold that cannot be met, refuses the file
SIGNATURES = 2  # it only never meets its threshold; but a kid that signs twice refuses the file


class JsonPolicy(Policy):
    """What devices do, as far as JSON can say it."""

    def __init__(self) -> None:
        super().__init__()
        self.t14_named = MANDATORY
        self.t17_commits = WHOLE_CYCLE
        self.t26_star = ACROSS
        self.t27_counting = HOLDERS


class TufPolicy(JsonPolicy):
    """TUF 1.0."""

    def __init__(self) -> None:
        super().__init__()
        self.t09_equal_version = STORED_COUNTS
        self.t12_falls_with = {
            TIMESTAMP: (TIMESTAMP, SNAPSHOT),
            SNAPSHOT: (TIMESTAMP, SNAPSHOT, TARGETS),  # the floor of Targets is in the Snapshot
            TARGETS: (TARGETS,),
        }
        self.t14_named = OPTIONAL
        self.t17_commits = EACH_ROLE
        self.t23_search = (256, 32, 32, 64_000_000)
        self.t24_terminating = AFTER_ITS_OWN
        self.t26_star = IN_SEGMENT
        self.t27_counting = SIGNATURES
        self.t34_hashes = (ALG_SHA256, ALG_SHA512)
        self.t52_bytes_max = (512_000, 16_384, 2_000_000, 5_000_000)


class UptaneJsonPolicy(JsonPolicy):
    """Two repositories in JSON: the device's way, in sizes of JSON and on the system's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.t09_equal_version = SAME_VERSION  # a JSON file holds its signatures
        self.t18_vehicle = EMPTY_TARGETS  # as the Standard has it; no JSON dialect says more
        self.t28_time_for_install = ATTESTED_EVER
        self.t34_hashes = (ALG_SHA256, ALG_SHA512)
        self.t52_bytes_max = (65_536, 16_384, 65_536, 1_000_000)


TUF = TufPolicy()
UPTANE_JSON = UptaneJsonPolicy()
