"""Directions that a Director may not give, or that are valid and still do harm.

Rules: E-06, E-16, E-22, E-23, E-48, E-49, E-50, V-10, V-60, V-74.6, V-74.7, V-74.8, T-12, T-36.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import (
    ACCEPTED,
    FULL,
    INSTALLS,
    PARTIAL,
    PRIMARY,
    attack,
    everywhere,
)
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import Stage
from muptane.oem.delegations import Delegate, Delegation, write_delegations
from muptane.oem.keys import Holders, Signer
from uptane import ids, limits
from uptane.errors import DirectorDelegates, EcuTwice, NoImage, ReleaseTooFar, UnknownEcu


@attack(
    ids=("E-48", "V-74.6", "R-03"),
    expected=everywhere(DirectorDelegates),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def director_delegates(stage: Stage) -> None:
    """leave directions to somebody else"""
    delegate = Delegate.of(16, Holders.of(Signer.from_seed(b"friend")))
    leave = Delegation(ranges=((0, 0xFFFFFFFF),), roles=(delegate,))
    stage.director.targets.fields[ids.KEY_DELEGATIONS] = write_delegations([leave])
    stage.director.publish()


@attack(
    ids=("E-49", "V-74.7"),
    expected=everywhere(EcuTwice),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def ecu_named_twice(stage: Stage) -> None:
    """direct two images to one ECU, so that two verifiers choose differently"""
    stage.director.targets.images[stage.number + 1] = dict(stage.directed)
    stage.director.publish()


@attack(
    ids=("E-50", "V-74.8", "T-36"),
    expected={PRIMARY: UnknownEcu, FULL: INSTALLS, PARTIAL: INSTALLS},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="only a Primary knows which ECUs a vehicle has; a Secondary knows its own name",
    heal=rotate_director,
)
def ecu_of_another_vehicle_named(stage: Stage) -> None:
    """replay directions that are for other ECUs as well"""
    stage.directed[ids.ENTRY_ECUS] = [stage.victim.number, 4_000_000]
    stage.director.publish()


@attack(
    ids=("E-50", "V-60", "T-19"),
    expected={FULL: ACCEPTED, PARTIAL: ACCEPTED},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="the ECU keeps its last directions, and remembers how new these were",
    heal=rotate_director,
)
def victim_not_named(stage: Stage) -> str | int:
    """make an ECU forget its directions by others that do not name it"""
    del stage.director.targets.images[stage.number]
    stage.director.publish()
    stage.feed()
    observed = stage.observed()
    return ACCEPTED if observed == NoImage.number else observed


@attack(
    ids=("E-16", "V-71.4", "T-12"),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="versions are driven up to their end; a Root with new keys puts them back",
    heal=rotate_director,
)
def director_versions_driven_up(stage: Stage) -> None:
    """lock an ECU out of all later directions"""
    for role in (ids.TARGETS, ids.SNAPSHOT, ids.TIMESTAMP):
        stage.director.role(role).version = limits.VERSION_MAX
    stage.director.publish()


def raise_release(stage: Stage) -> None:
    """The maker's next release counter is beyond what the thief burnt (R-41)."""
    rotate_director(stage)
    stage.release = 5000


@attack(
    ids=("E-16", "T-12", "T-21"),
    expected={PARTIAL: INSTALLS},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="release counters never go down: the maker has to go beyond what was burnt",
    heal=raise_release,
)
def release_counter_driven_up(stage: Stage) -> None:
    """have honest releases refused for a counter that is too low"""
    match = {ids.MATCH_HARDWARE: [stage.victim.hardware], ids.MATCH_RELEASE: 5000}
    stage.directed[ids.ENTRY_MATCH] = match
    stage.director.publish()


@attack(
    ids=("E-16", "T-21"),
    expected={PARTIAL: ReleaseTooFar},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def release_counters_used_up(stage: Stage) -> None:
    """leave the maker no release counter that is higher"""
    match = {ids.MATCH_HARDWARE: [stage.victim.hardware], ids.MATCH_RELEASE: 0xFFFFFFFF}
    stage.directed[ids.ENTRY_MATCH] = match
    stage.director.publish()


@attack(
    ids=("E-22",),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit="each image is genuine; that they do not fit together nobody in the vehicle knows",
    heal=rotate_director,
)
def mix_and_match(stage: Stage) -> None:
    """combine genuine images that were never tested together"""
    for number, entry in list(stage.director.targets.images.items()):
        if entry[ids.ENTRY_ECUS] != [stage.victim.number]:
            del stage.director.targets.images[number]
    stage.director.publish()


@attack(
    ids=("E-23",),
    expected={FULL: INSTALLS, PARTIAL: INSTALLS},
    power="a compromised Primary",
    limit="both sets of directions are the Director's own; the manifest shows what came of it",
)
def bundles_of_two_days_mixed(stage: Stage) -> None:
    """give one Secondary yesterday's directions and another today's"""
    older = {
        role: stage.director.honest(role, 0) for role in (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
    }
    stage.maker.release(stage.victim, stage.release + 1)
    stage.maker.assign(stage.victim, stage.release + 1)
    stage.redirect()
    stage.director.served.update(older)
    stage.release += 1


@attack(ids=("E-35", "V-75.6"), expected=everywhere(ACCEPTED), power=AT_THE_WIRE)
def nothing_new_is_nothing_to_do(stage: Stage) -> None:
    """pass what the ECU has already"""
    stage.settle()
