"""Older metadata and images brought back, by whoever sits on the wire or holds online keys.

Rules: E-08 to E-15, E-71, V-71, V-72, V-73, V-74.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import INSTALLS, attack, everywhere, fully
from muptane.bench.attacks.places import (
    AT_THE_WIRE,
    DIRECTOR_KEYS,
    IMAGE_KEYS,
    MIRROR,
    rotate_director,
)
from muptane.bench.attacks.stage import Stage
from muptane.bench.maker import image_number
from uptane import ids
from uptane.errors import (
    BadShape,
    ImagesDiffer,
    ReleaseRollback,
    RoleDropped,
    Rollback,
    RootSkipped,
    SameVersionDiffers,
    SnapshotMismatch,
    VersionMismatch,
)


@attack(ids=("E-08", "V-72.3"), expected=fully(Rollback), power=AT_THE_WIRE)
def director_timestamp_replayed(stage: Stage) -> None:
    """hide an update behind an older Timestamp of the Director"""
    stage.director.replay(ids.TIMESTAMP)


@attack(ids=("E-08", "V-72.3"), expected=fully(Rollback), power=MIRROR)
def image_timestamp_replayed(stage: Stage) -> None:
    """hide a release behind an older Timestamp of the Image repository"""
    stage.image.replay(ids.TIMESTAMP)


@attack(ids=("E-09", "E-24", "V-73.2"), expected=fully(SnapshotMismatch), power=AT_THE_WIRE)
def director_snapshot_replayed(stage: Stage) -> None:
    """put an older Snapshot of the Director under its newest Timestamp"""
    stage.director.replay(ids.SNAPSHOT)


@attack(ids=("E-09", "E-24", "V-73.2"), expected=fully(SnapshotMismatch), power=MIRROR)
def image_snapshot_replayed(stage: Stage) -> None:
    """put an older Snapshot of the Image repository under its newest Timestamp"""
    stage.image.replay(ids.SNAPSHOT)


@attack(
    ids=("E-10", "V-73.5"),
    expected=fully(Rollback),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot"),
)
def director_targets_listed_lower(stage: Stage) -> None:
    """bring back old directions by a Snapshot that lists them"""
    stage.director.replay(ids.TARGETS)
    stage.director.snapshot.versions[ids.TARGETS] = 1
    stage.director.publish()


@attack(
    ids=("E-10", "V-73.5"),
    expected=fully(Rollback),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot"),
    supplied=True,
)
def supplier_listed_lower(stage: Stage) -> None:
    """bring back a supplier's old file by a Snapshot that lists it"""
    stage.image.snapshot.versions[16] = 1
    stage.image.publish()


@attack(
    ids=("E-11", "V-73.6"),
    expected=fully(RoleDropped),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot"),
    supplied=True,
)
def supplier_dropped(stage: Stage) -> None:
    """make a supplier's file disappear from the Snapshot"""
    del stage.image.snapshot.versions[16]
    stage.image.publish()


@attack(
    ids=("E-11", "V-73.6"),
    expected=fully(RoleDropped),
    power=MIRROR,
    keys=("image.timestamp", "image.snapshot"),
    supplied=True,
)
def targets_dropped(stage: Stage) -> None:
    """make the top-level Targets disappear from the Snapshot"""
    del stage.image.snapshot.versions[ids.TARGETS]
    stage.image.publish()


@attack(
    ids=("E-11", "V-18"),
    expected=fully(BadShape),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot"),
)
def snapshot_emptied(stage: Stage) -> None:
    """have a Snapshot of the Director that lists nothing"""
    stage.director.snapshot.versions.clear()
    stage.director.publish()


@attack(
    ids=("E-12", "E-71", "V-74.2", "V-74.4"),
    expected=fully(VersionMismatch, partial=Rollback),
    power=AT_THE_WIRE,
)
def director_targets_replayed(stage: Stage) -> None:
    """have the ECU follow old directions"""
    stage.director.replay(ids.TARGETS)


@attack(ids=("E-12", "V-74.2"), expected=fully(VersionMismatch), power=MIRROR)
def image_targets_replayed(stage: Stage) -> None:
    """hide a release behind old Targets of the Image repository"""
    stage.image.replay(ids.TARGETS)


@attack(ids=("E-12", "V-74.2"), expected=fully(VersionMismatch), power=MIRROR, supplied=True)
def supplier_replayed(stage: Stage) -> None:
    """hide a release behind the supplier's old file"""
    stage.image.replay(16)


@attack(
    ids=("E-13", "V-71.2.4", "T-10"),
    expected=everywhere(Rollback),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def root_version_unchanged(stage: Stage) -> None:
    """replace the Director's Root by another one of the same version"""
    root = stage.director.next_root()
    root.version -= 1
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(
    ids=("E-13", "V-71.2.4", "T-10"),
    expected=everywhere(RootSkipped),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def root_version_skipped(stage: Stage) -> None:
    """jump over a Root that would have revoked a key"""
    root = stage.director.next_root()
    root.version += 1
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(
    ids=("E-13", "V-71.2.4", "T-10"),
    expected=fully(RootSkipped),
    power=MIRROR,
    keys=("image.root",),
)
def image_root_version_skipped(stage: Stage) -> None:
    """jump over a Root of the Image repository"""
    root = stage.image.next_root()
    root.version += 1
    stage.image.serve_root(root, stage.holders("image.root"))


@attack(
    ids=("E-14", "V-63", "V-75.10.2", "T-21"),
    expected=everywhere(ReleaseRollback),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def old_release_directed(stage: Stage) -> None:
    """install a release with a known hole, which the Image repository still lists"""
    old = image_number(stage.victim, 1)
    stage.direct(old, stage.office.images.images[old].as_map())
    stage.director.publish()


@attack(
    ids=("E-14", "V-75.10.2", "T-04"),
    expected=fully(ImagesDiffer, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="a partial Secondary has only the Director's word for a release counter",
    heal=rotate_director,
)
def old_release_relabelled(stage: Stage) -> None:
    """install a release with a known hole, under a release counter of the thief's choice"""
    old = image_number(stage.victim, 1)
    entry = stage.direct(old, stage.office.images.images[old].as_map())
    entry[ids.ENTRY_MATCH] = {**entry[ids.ENTRY_MATCH], ids.MATCH_RELEASE: stage.release}
    stage.director.publish()


@attack(
    ids=("E-15", "T-09"),
    expected=everywhere(SameVersionDiffers),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def director_targets_of_one_version_differ(stage: Stage) -> None:
    """tell one ECU this and another that under the same version"""
    stage.director.targets.version = stage.version_held(stage.director, ids.TARGETS)
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-15", "T-09"),
    expected=fully(SameVersionDiffers),
    power=MIRROR,
    keys=IMAGE_KEYS,
)
def image_targets_of_one_version_differ(stage: Stage) -> None:
    """list other images under the same version"""
    stage.image.targets.version = stage.version_held(stage.image, ids.TARGETS)
    stage.image.publish(ids.TARGETS)


@attack(
    ids=("E-15", "T-09"),
    expected=fully(SameVersionDiffers),
    power=AT_THE_WIRE,
    keys=("director.timestamp",),
)
def timestamps_of_one_version_differ(stage: Stage) -> None:
    """name another Snapshot under the same version of the Timestamp"""
    stage.director.timestamp.version = stage.version_held(stage.director, ids.TIMESTAMP)
    stage.director.serve(ids.TIMESTAMP)
