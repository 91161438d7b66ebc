"""Metadata without end: every role's file, longer than its cap or than it was announced.

Rules: E-19, V-71.2.2, V-72.1, V-73.1, V-74.1, T-14, T-52. Images: `arbitrary_software`.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import attack, everywhere, fully
from muptane.bench.attacks.places import AT_THE_WIRE, MIRROR
from muptane.bench.attacks.stage import Stage
from muptane.bench.attacks.update import SUPPLIER_ROLE
from muptane.bench.liar import LyingRepository
from uptane import ids
from uptane.errors import TooLong

MORE = bytes(20_000)


def lengthen(liar: LyingRepository, role: int) -> None:
    """Serve a role's honest file with more behind it."""
    liar.serve(role, liar.role(role).raw + MORE)


@attack(ids=("E-19", "V-71.2.2"), expected=everywhere(TooLong), power=AT_THE_WIRE)
def root_without_end(stage: Stage) -> None:
    """fill an ECU's memory by a Root"""
    stage.director.roots[stage.root_version() + 1] = stage.director.role(ids.ROOT).raw + MORE


@attack(ids=("E-19", "V-72.1"), expected=fully(TooLong), power=AT_THE_WIRE)
def timestamp_without_end(stage: Stage) -> None:
    """fill an ECU's memory by a Timestamp"""
    lengthen(stage.director, ids.TIMESTAMP)


@attack(ids=("E-19", "V-73.1", "T-14"), expected=fully(TooLong), power=AT_THE_WIRE)
def snapshot_without_end(stage: Stage) -> None:
    """fill an ECU's memory by a Snapshot"""
    lengthen(stage.director, ids.SNAPSHOT)


@attack(ids=("E-19", "V-74.1"), expected=everywhere(TooLong), power=AT_THE_WIRE)
def directions_without_end(stage: Stage) -> None:
    """fill an ECU's memory by directions"""
    lengthen(stage.director, ids.TARGETS)


@attack(ids=("E-19", "V-74.1"), expected=fully(TooLong), power=MIRROR)
def image_targets_without_end(stage: Stage) -> None:
    """fill an ECU's memory by Targets of the Image repository"""
    lengthen(stage.image, ids.TARGETS)


@attack(ids=("E-19", "V-74.1", "V-76.1"), expected=fully(TooLong), power=MIRROR, supplied=True)
def supplier_without_end(stage: Stage) -> None:
    """fill an ECU's memory by a supplier's file"""
    lengthen(stage.image, SUPPLIER_ROLE)
