"""Signatures that do not add up: revoked keys, a key counted twice, signatures made for other
purposes; and one benign case, strange signatures beside good ones.

Rules: E-39, E-42 to E-47, V-05, V-06, V-07, V-91, T-06, T-27.
"""

from __future__ import annotations

from typing import Any

from muptane.bench.attacks.attack import INSTALLS, attack, everywhere, fully
from muptane.bench.attacks.places import AT_THE_WIRE, BENIGN, DIRECTOR_KEYS
from muptane.bench.attacks.stage import Stage
from muptane.bench.factory import seed_of
from muptane.oem.keys import Holders, Signer
from uptane import ids
from uptane.errors import (
    BadEnvelope,
    BelowThreshold,
    VersionMismatch,
    WrongFormat,
    WrongType,
)

ONLINE = (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


@attack(
    ids=("E-39", "V-71", "V-74.3", "T-15"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def revoked_keys_reused(stage: Stage) -> None:
    """go on with keys that the maker has revoked"""
    for role in ONLINE:
        stage.office.rotate(ids.DIRECTOR, role)
    stage.settle_and_offer()
    for role in ONLINE:
        stage.director.role(role).version += 5
    stage.director.publish(*ONLINE)


@attack(
    ids=("E-39", "V-71.2"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def root_withheld_from_whom_it_would_save(stage: Stage) -> None:
    """forge directions with a key that was revoked, once the ECU has followed the Root"""
    for role in ONLINE:
        stage.office.rotate(ids.DIRECTOR, role)
    stage.withheld |= {ids.KIND_IMAGE, ids.KIND_TIME}
    stage.director.withhold(ids.TIMESTAMP)
    stage.director.withhold(ids.TARGETS)
    stage.feed()  # the Roots alone arrive
    stage.withheld.clear()
    stage.director.served.clear()
    stage.look()
    stage.director.publish(*ONLINE)


def want_two(stage: Stage) -> Signer:
    """The maker lets two keys hold the Director's Targets; one of them is stolen."""
    stolen, other = Signer.from_seed(b"two", "stolen"), Signer.from_seed(b"two", "other")
    two = Holders.of(stolen, other, threshold=2)
    stage.office.director.rotate({ids.TARGETS: two}, stage.office.now())
    stage.settle_and_offer()
    stage.director.steal(ids.TARGETS, (stolen,))
    return stolen


@attack(
    ids=("E-43", "V-74.3", "T-27"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot"),
)
def one_signature_of_two(stage: Stage) -> None:
    """direct a vehicle with one key where two are needed"""
    want_two(stage)
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-43", "V-74.3", "T-27"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot"),
)
def one_signature_twice(stage: Stage) -> None:
    """meet a threshold of two by one key's signature, repeated"""
    want_two(stage)

    def twice(envelope: list[Any]) -> None:
        envelope[3] = envelope[3] * 2

    stage.director.targets.forge = twice
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-43", "E-45", "V-05"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot"),
)
def one_key_under_two_names(stage: Stage) -> None:
    """meet a threshold of two by one key's signature under the other key's identifier"""
    want_two(stage)
    other = Signer.from_seed(b"two", "other").key.kid

    def renamed(envelope: list[Any]) -> None:
        protected, _, value = envelope[3][0]
        pair = [envelope[3][0], [protected, {ids.HEADER_KID: other}, value]]
        envelope[3] = sorted(pair, key=lambda entry: bytes(entry[1][ids.HEADER_KID]))

    stage.director.targets.forge = renamed
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-43", "V-06"),
    expected=everywhere(BadEnvelope),
    power=AT_THE_WIRE,
)
def no_signature_at_all(stage: Stage) -> None:
    """pass directions without a signature"""

    def bare(envelope: list[Any]) -> None:
        envelope[3] = []

    stage.director.targets.forge = bare
    stage.director.serve(ids.TARGETS)


@attack(ids=("E-44", "V-91"), expected=everywhere(INSTALLS), power=BENIGN)
def strange_signatures_beside_the_good_one(stage: Stage) -> None:
    """accept a file that others have signed as well, or have tried to"""
    stranger = Signer.from_seed(b"stranger").key.kid

    def beside(envelope: list[Any]) -> None:
        protected, _, value = envelope[3][0]
        envelope[3].append([protected, {ids.HEADER_KID: stranger}, bytes(len(value))])

    stage.director.targets.forge = beside
    stage.director.serve(ids.TARGETS)


@attack(
    ids=("E-46", "V-07"),
    expected=fully(BelowThreshold),
    power=AT_THE_WIRE,
)
def snapshot_as_timestamp(stage: Stage) -> None:
    """pass one role's file as another's"""
    stage.director.serve(ids.TIMESTAMP, stage.director.snapshot.raw)


@attack(
    ids=("E-46", "V-07"),
    expected=everywhere(WrongType),
    power=AT_THE_WIRE,
    keys=("director.timestamp", "director.snapshot", "director.targets"),
)
def targets_of_another_type(stage: Stage) -> None:
    """sign something else with the key of Targets, and for their purpose"""
    stage.director.targets.fields[ids.KEY_TYPE] = ids.SNAPSHOT
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-46", "V-07", "V-78"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def targets_signed_for_the_other_repository(stage: Stage) -> None:
    """use a signature that was made for another repository"""
    live = stage.director.targets
    live.context = type(live.context)(ids.TARGETS, stage.office.images.identity, ids.TARGETS)
    stage.director.publish(ids.TARGETS)


@attack(
    ids=("E-46", "V-78"),
    expected=fully(VersionMismatch, partial=BelowThreshold),
    power=AT_THE_WIRE,
)
def image_targets_as_directions(stage: Stage) -> None:
    """pass the Image repository's Targets as the Director's"""
    stage.director.serve(ids.TARGETS, stage.image.targets.raw)


@attack(ids=("E-47", "V-46"), expected=everywhere(BadEnvelope), power=AT_THE_WIRE)
def timestamp_as_attestation(stage: Stage) -> None:
    """pass a signed role file as the time"""
    raw = stage.director.timestamp.raw
    stage.time = lambda nonces: raw


@attack(
    ids=("E-47", "V-78"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("director.timestamp",),
)
def time_signed_by_another_role(stage: Stage) -> None:
    """set clocks with a key of the Director that is not the time source's"""
    signer = stage.holders("director.timestamp")[0]
    stage.time = lambda nonces: stage.attest(nonces, 86400, signer)


@attack(
    ids=("E-47", "V-43"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
)
def directions_signed_by_an_ecu(stage: Stage) -> None:
    """direct a vehicle with the key of one of its ECUs"""
    stage.director.steal(ids.TARGETS, (Signer(seed_of(stage.maker.plan, stage.victim)),))
    stage.director.serve(ids.TARGETS)


@attack(
    ids=("E-42", "V-07"),
    expected=everywhere(WrongFormat),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
)
def another_format(stage: Stage) -> None:
    """have a file read by the rules of another version of the format"""
    stage.director.targets.fields[ids.KEY_FORMAT] = 2
    stage.director.publish(ids.TARGETS)
