"""Where an attacker stands, in words: the sentences that `Attack.power` begins with; and what he
steals together. Beside these words an attack names its stolen keys. And what a maker does about
keys that were stolen, before his vehicles take updates again (R-39).
"""

from __future__ import annotations

from muptane.bench.attacks.stage import Stage
from uptane import ids

AT_THE_WIRE = "a place on the way to the ECU: at its feeder, or as its Primary on the bus"
MIRROR = "a mirror of the Image repository, or a place on the way to the ECU"
ON_THE_BUS = "a tester on the vehicle's bus"
AS_PRIMARY = "a compromised Primary, or a place between Primary and back office"
BENIGN = "nobody: this must not be refused"

DIRECTOR_KEYS = ("director.timestamp", "director.snapshot", "director.targets")
IMAGE_KEYS = ("image.timestamp", "image.snapshot", "image.targets")


def rotate_director(stage: Stage) -> None:
    """What a maker does whose Director's online keys were stolen."""
    for role in (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS):
        stage.office.rotate(ids.DIRECTOR, role)


def rotate_both(stage: Stage) -> None:
    """The same, of both repositories."""
    rotate_director(stage)
    for role in (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS):
        stage.office.rotate(ids.IMAGE, role)


def rotate_time(stage: Stage) -> None:
    """What a maker does whose time key was stolen (V-82). A cycle that brings the Root puts an
    ECU's clock back to nothing, the next one attests the time by the new key: for a Secondary,
    which is served only when its Primary's clock is right, that is one cycle more.
    """
    stage.office.rotate(ids.DIRECTOR, ids.TIME)
    stage.settle()
    stage.settle()
