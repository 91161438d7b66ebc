"""Bundles that go together, led by somebody who lies.

A commit or rollback is a routine that anybody on the bus may send. It acts only on what its ECU
has verified, tried and seen healthy for just that bundle; so a liar may part a bundle, no more.
Rules: E-06, E-23, E-50, S-39, S-43, S-44, S-45.
"""

from __future__ import annotations

from muptane.bench.attacks.attack import (
    ACCEPTED,
    BACKOFFICE,
    DETECTED,
    FULL,
    INSTALLS,
    PARTIAL,
    PRIMARY,
    attack,
    everywhere,
)
from muptane.bench.attacks.diagnostics import ask
from muptane.bench.attacks.places import (
    AT_THE_WIRE,
    DIRECTOR_KEYS,
    ON_THE_BUS,
    rotate_director,
)
from muptane.bench.attacks.reports import hand_in, two_secondaries, vehicle_manifest
from muptane.bench.attacks.stage import Stage
from muptane.bench.maker import image_number
from muptane.bench.plan import EcuPlan
from muptane.oem import bundles
from uptane import ids, limits
from uptane.errors import BadShape, BundleBroken, BundleUndone, NothingStaged, UnknownEcu

COMMIT, ROLLBACK = b"\x31\x01\x02\x04", b"\x31\x01\x02\x05"
LEADER = "a compromised Primary"
SECONDARIES = {FULL: INSTALLS, PARTIAL: INSTALLS}
IN_DOUBT_S = limits.HELD_MS_MAX / 1000 + 10
UNCHANGED_S = 1.0


def word(routine: bytes, bundle: int) -> bytes:
    return routine + bundle.to_bytes(4, "big")


def direct(stage: Stage, ecus: tuple[EcuPlan, ...]) -> int:
    """The office wants the release at stake on these ECUs, all or none; returns the bundle."""
    for ecu in ecus:
        stage.maker.release(ecu, stage.release)
    images = {ecu.number: image_number(ecu, stage.release) for ecu in ecus}
    number = stage.office.assign_bundle(stage.vin, images)
    stage.redirect()
    return number


def alone(stage: Stage) -> int:
    """A bundle of the victim's image alone, whose metadata it has, and no more."""
    number = direct(stage, (stage.victim,))
    stage.informed()
    return number


def held(stage: Stage, ecu: EcuPlan) -> None:
    """Somebody in the Primary's place has an ECU try its image; it waits for a word then."""
    stage.feed(name=ecu.name)


def tell(stage: Stage, ecu: EcuPlan, request: bytes) -> None:
    stage.vehicle.station(ecu.name).request(request)
    stage.vehicle.run(UNCHANGED_S)


@attack(
    ids=("E-06", "E-23", "S-45"),
    expected=SECONDARIES,
    power=LEADER,
    secondaries=2,
    limit="each ECU verified and tried its image for that bundle; that the other one was told "
    "something else it cannot see, and the reports show it",
)
def bundle_parted_by_its_leader(stage: Stage) -> None:
    """have one ECU confirm its part of a bundle, and another go back"""
    ecus = two_secondaries(stage)
    number = direct(stage, ecus)
    other = ecus[1] if ecus[0].name == stage.victim.name else ecus[0]
    for ecu in ecus:
        held(stage, ecu)
    tell(stage, other, word(ROLLBACK, number))
    tell(stage, stage.victim, word(COMMIT, number))


@attack(ids=("E-06", "E-23", "S-45"), expected={BACKOFFICE: DETECTED}, power=LEADER, secondaries=2)
def parted_bundle_seen(stage: Stage) -> str:
    """have one ECU confirm its part of a bundle, another go back, and nobody know"""
    ecus = two_secondaries(stage)
    number = direct(stage, ecus)
    for ecu in ecus:
        held(stage, ecu)
    tell(stage, ecus[0], word(COMMIT, number))
    stage.vehicle.run(IN_DOUBT_S)  # the other one hears nothing
    raw = vehicle_manifest(stage)
    stage.look()
    hand_in(stage, raw)  # it is taken, and what it says is noted
    stage.look()
    named = [why for _, _, why in stage.office.director.oddities() if "is broken" in why]
    states = {one.ecu: one.state for one in stage.office.bundle_results(stage.vin)}
    expected = {ecus[0].number: bundles.INSTALLED, ecus[1].number: bundles.UNDONE}
    return DETECTED if named and states == expected else ACCEPTED


@attack(
    ids=("E-23", "S-45"),
    expected=SECONDARIES,
    power=LEADER,
    secondaries=2,
    limit="both bundles are the Director's own; the reports name the bundle that each ECU tried",
)
def ecus_shown_two_bundles(stage: Stage) -> None:
    """let one ECU confirm its part of an older bundle, and another its part of a newer one"""
    ecus = two_secondaries(stage)
    other = ecus[1] if ecus[0].name == stage.victim.name else ecus[0]
    older = direct(stage, ecus)
    held(stage, other)
    stage.release += 1
    newer = direct(stage, ecus)
    held(stage, stage.victim)
    tell(stage, other, word(COMMIT, older))
    tell(stage, stage.victim, word(COMMIT, newer))


@attack(
    ids=("E-50", "S-45", "T-36"),
    expected={PRIMARY: UnknownEcu},
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def bundle_with_an_ecu_of_another_vehicle(stage: Stage) -> None:
    """have a vehicle wait for ever for an ECU that it has not"""
    bundle = [1, ids.BUNDLE_TOGETHER, 1, [stage.victim.number, 4_000_000]]
    stage.director.targets.fields[ids.KEY_BUNDLE] = bundle
    stage.director.publish()


@attack(
    ids=("S-43", "S-44", "E-60"),
    expected=everywhere(BadShape),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    heal=rotate_director,
)
def bundle_of_no_known_kind(stage: Stage) -> None:
    """direct a bundle that each ECU takes for something else"""
    bundle = [1, ids.BUNDLE_TOGETHER + 1, 1, [stage.victim.number]]
    stage.director.targets.fields[ids.KEY_BUNDLE] = bundle
    stage.director.publish()


@attack(ids=("S-39", "E-77", "S-45"), expected=everywhere(NothingStaged), power=ON_THE_BUS)
def commit_of_what_was_never_tried(stage: Stage) -> str | int:
    """have an image confirmed that is verified, and was not seen healthy"""
    number = alone(stage)
    ask(stage, word(COMMIT, number))
    return stage.observed()


@attack(
    ids=("S-39", "E-23", "S-45"),
    expected={FULL: NothingStaged, PARTIAL: NothingStaged},
    power=ON_THE_BUS,
)
def commit_of_another_bundle(stage: Stage) -> str | int:
    """have an image confirmed by a word that was meant for another bundle"""
    number = alone(stage)
    held(stage, stage.victim)
    ask(stage, word(COMMIT, number - 1), word(COMMIT, number + 1))
    stage.vehicle.run(IN_DOUBT_S)
    return stage.observed()


@attack(
    ids=("E-06", "S-45"),
    expected={FULL: BundleUndone, PARTIAL: BundleUndone},
    power=ON_THE_BUS,
    limit="anybody on the bus can hold up an update; a bundle, until it is confirmed",
)
def bundle_rolled_back_by_a_tester(stage: Stage) -> str | int:
    """keep a vehicle from its update by undoing its bundle"""
    number = alone(stage)
    held(stage, stage.victim)
    ask(stage, word(ROLLBACK, number))
    return stage.observed()


@attack(ids=("S-39", "E-06"), expected=everywhere(BundleBroken), power=ON_THE_BUS)
def rollback_of_what_is_confirmed(stage: Stage) -> str | int:
    """roll an ECU back to the image before its bundle"""
    number = direct(stage, (stage.victim,))
    stage.settle_and_offer()
    ask(stage, word(ROLLBACK, number))
    return stage.observed()


@attack(ids=("S-39", "V-67"), expected=everywhere(INSTALLS), power=ON_THE_BUS)
def rollback_of_an_ecus_own_trial(stage: Stage) -> None:
    """end a trial that is of no bundle, by the routine for those of bundles"""
    stage.feed()
    ask(stage, *[word(ROLLBACK, bundle) for bundle in (0, 1, 2)])
