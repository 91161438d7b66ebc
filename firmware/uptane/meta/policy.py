"""What this project chose where the Standard leaves a choice, as one record of data.

A field stands for one trap (T-) and only where code reads it; other dialects are other records
(they live on the host), so a choice is a value that can be listed, not a branch that is hidden.
Devices ship exactly one record, DEVICE. Traps that need no field, because one module knows one
way: T-06 cose (received bytes are verified); T-08 T-10 T-11 T-15 T-42 trusted; T-13 partial;
T-14 roles; T-16 full; T-17 T-18 partial and full (one Commit, last); T-19 files (the high-water
mark); T-20 T-21 T-53 decision; T-20 T-25 T-26 delegation; T-23 T-41 resolver; T-27 verify; T-40
files and trusted; T-52 limits; T-29 T-30 T-31 attested_time; T-35
T-36 full and decision.
Rules: T-09, T-12, T-18, T-22, T-24, T-28, T-34.
"""

from uptane.ids import ALG_SHA256, SNAPSHOT, TARGETS, TIMESTAMP
from uptane.limits import METADATA_BYTES_MAX, SEARCH_MAX

SAME_PAYLOAD = 1  # a file of the stored version must be the stored payload (E-15)
SAME_VERSION = 2  # any file of the stored version will do, as the Standard permits

EVERY_TARGETS = 1  # each Director Targets names the vehicle it is for
EMPTY_TARGETS = 2  # only the ones without an image do (V-10)

ABORTS = 1  # an applicable delegation whose file is missing or bad ends the search in a refusal
PASSED_OVER = 2  # it yields nothing, and the search goes on

BEFORE_ITS_OWN = 1  # a terminating role ends the search if it does not list the image itself
AFTER_ITS_OWN = 2  # it is ended after the delegations of that role, too, were searched (TUF)

ATTESTED_NOW = 1  # a new install needs a time attested in this cycle
ATTESTED_EVER = 2  # the last attested time will do


class Policy:
    """One field per trap. `falls_with` maps a role whose stored file a new Root no longer
    authorises to the roles whose stored files are deleted with it. `search` bounds the steps of
    Root in a cycle, and of delegated files the depth, the number for one image, and the bytes in
    a cycle. `bytes_max` are by role; a delegated file has the last.
    """

    def __init__(self) -> None:
        self.t09_equal_version = SAME_PAYLOAD
        self.t12_falls_with = {
            TIMESTAMP: (TIMESTAMP, SNAPSHOT),  # V-71.4
            SNAPSHOT: (TIMESTAMP, SNAPSHOT),
            TARGETS: (TARGETS,),
        }
        self.t18_vehicle = EVERY_TARGETS
        self.t22_bad_delegation = ABORTS
        self.t23_search = SEARCH_MAX
        self.t24_terminating = BEFORE_ITS_OWN
        self.t28_time_for_install = ATTESTED_NOW
        # each listed hash must be one of these, and match
        self.t34_hashes: tuple[int, ...] = (ALG_SHA256,)
        self.t52_bytes_max = METADATA_BYTES_MAX


DEVICE = Policy()
