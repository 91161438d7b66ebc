"""Roots that a maker never made: signed by one side only, thresholds that cannot be, keys that are
none; and one benign case, a vehicle that missed several Roots.

Rules: E-40 to E-42, E-45, V-05, V-08, V-71.2.3, T-27.
"""

from __future__ import annotations

from typing import Any

from muptane.bench.attacks.attack import INSTALLS, attack, everywhere
from muptane.bench.attacks.places import AT_THE_WIRE, BENIGN
from muptane.bench.attacks.stage import Stage
from muptane.oem.keys import Key, Signer
from uptane import ids
from uptane.errors import (
    BadKey,
    BadThreshold,
    BelowThreshold,
)

ONLINE = (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def replace_key(root_fields: dict[int, Any], role: int, signer: Signer) -> None:
    """Let a role of a Root be held by one key alone."""
    root_fields[ids.KEY_KEYS].append(dict(signer.key.cose_key))
    root_fields[ids.KEY_ROLES][role] = [1, [signer.key.kid]]
    used = {kid for _, kids in root_fields[ids.KEY_ROLES].values() for kid in kids}
    by_kid = {Key.from_cose(key).kid: key for key in root_fields[ids.KEY_KEYS]}
    root_fields[ids.KEY_KEYS] = [by_kid[kid] for kid in sorted(by_kid) if kid in used]


@attack(
    ids=("E-40", "V-71.2.3"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
)
def root_signed_by_the_new_key_only(stage: Stage) -> None:
    """found a Root of the attacker's own upon the maker's"""
    thief = Signer.from_seed(b"thief")
    root = stage.director.next_root()
    replace_key(root.fields, ids.ROOT, thief)
    stage.director.serve_root(root, (thief,))


@attack(
    ids=("E-40", "V-71.2.3"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def root_signed_by_the_old_key_only(stage: Stage) -> None:
    """pass a Root whose new key nobody has"""
    root = stage.director.next_root()
    replace_key(root.fields, ids.ROOT, Signer.from_seed(b"nobody"))
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(ids=("E-41", "V-71.2", "V-50"), expected=everywhere(INSTALLS), power=BENIGN)
def roots_rotated_while_away(stage: Stage) -> None:
    """follow three Roots of each repository in one cycle"""
    for repository in (ids.DIRECTOR, ids.IMAGE):
        for role in ONLINE:
            stage.office.rotate(repository, role)


@attack(
    ids=("E-42", "V-08", "T-27"),
    expected=everywhere(BadThreshold),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def threshold_of_zero(stage: Stage) -> None:
    """have files accepted that nobody signed"""
    root = stage.director.next_root()
    root.roles[ids.TARGETS][0] = 0
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(
    ids=("E-42", "V-08", "T-27"),
    expected=everywhere(BadThreshold),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def threshold_beyond_the_keys(stage: Stage) -> None:
    """lock a role for ever by a threshold that its keys cannot meet"""
    root = stage.director.next_root()
    root.roles[ids.TARGETS][0] = 9
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(
    ids=("E-45", "V-05"),
    expected=everywhere(BadKey),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def key_identifier_of_no_key(stage: Stage) -> None:
    """name a key in a Root that is not the hash of any"""
    root = stage.director.next_root()
    root.roles[ids.TARGETS] = [1, [bytes(8)]]
    stage.director.serve_root(root, stage.holders("director.root"))


@attack(
    ids=("E-45", "V-05"),
    expected=everywhere(BadKey),
    power=AT_THE_WIRE,
    keys=("director.root",),
)
def one_key_listed_twice(stage: Stage) -> None:
    """raise the number of a role's keys by listing one of them twice"""
    root = stage.director.next_root()
    root.keys.append(root.keys[-1])
    stage.director.serve_root(root, stage.holders("director.root"))
