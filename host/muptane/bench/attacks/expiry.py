"""Files whose time is over, one of each role and repository, signed by their own keys.

Rules: E-53, V-71.3, V-72.4, V-73.7, V-74.5, T-11, T-29.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import attack, everywhere, fully
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, IMAGE_KEYS, MIRROR
from muptane.bench.attacks.stage import Stage
from muptane.bench.attacks.update import SUPPLIER_ROLE
from muptane.bench.liar import LyingRepository
from uptane import ids
from uptane.errors import Expired


def expire(stage: Stage, liar: LyingRepository, role: int) -> None:
    """End the life of a file at the second that is now (T-29)."""
    liar.role(role).expires = stage.office.now()
    liar.publish(role)


def renew_roots(stage: Stage) -> None:
    """What a maker does whose Roots have expired: one more of each."""
    for repository in (ids.DIRECTOR, ids.IMAGE):
        stage.office.rotate(repository, ids.ROOT)


@attack(
    ids=("E-53", "V-71.3", "T-11"),
    expected=everywhere(Expired),
    power=AT_THE_WIRE,
    heal=renew_roots,
)
def director_root_expired(stage: Stage) -> None:
    """keep an ECU on a Root of the Director that nobody renewed"""
    stage.later(366)
    stage.redirect()


@attack(
    ids=("E-53", "V-72.4"),
    expected=fully(Expired),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def director_timestamp_expired(stage: Stage) -> None:
    """pass an expired Timestamp of the Director"""
    expire(stage, stage.director, ids.TIMESTAMP)


@attack(ids=("E-53", "V-73.7"), expected=fully(Expired), power=AT_THE_WIRE, keys=DIRECTOR_KEYS)
def director_snapshot_expired(stage: Stage) -> None:
    """pass an expired Snapshot of the Director"""
    expire(stage, stage.director, ids.SNAPSHOT)


@attack(
    ids=("E-53", "V-74.5"), expected=everywhere(Expired), power=AT_THE_WIRE, keys=DIRECTOR_KEYS
)
def director_targets_expired(stage: Stage) -> None:
    """pass expired directions"""
    expire(stage, stage.director, ids.TARGETS)


@attack(ids=("E-53", "V-72.4"), expected=fully(Expired), power=MIRROR, keys=IMAGE_KEYS)
def image_timestamp_expired(stage: Stage) -> None:
    """pass an expired Timestamp of the Image repository"""
    expire(stage, stage.image, ids.TIMESTAMP)


@attack(ids=("E-53", "V-73.7"), expected=fully(Expired), power=MIRROR, keys=IMAGE_KEYS)
def image_snapshot_expired(stage: Stage) -> None:
    """pass an expired Snapshot of the Image repository"""
    expire(stage, stage.image, ids.SNAPSHOT)


@attack(ids=("E-53", "V-74.5"), expected=fully(Expired), power=MIRROR, keys=IMAGE_KEYS)
def image_targets_expired(stage: Stage) -> None:
    """pass expired Targets of the Image repository"""
    expire(stage, stage.image, ids.TARGETS)


@attack(
    ids=("E-53", "E-56", "V-74.5", "V-76.1"),
    expected=fully(Expired),
    power=MIRROR,
    keys=("supplier", "image.timestamp", "image.snapshot"),
    supplied=True,
)
def supplier_expired(stage: Stage) -> None:
    """pass a supplier's expired file"""
    expire(stage, stage.image, SUPPLIER_ROLE)
