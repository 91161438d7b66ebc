"""The clock of an ECU, moved, frozen or fed with other people's attestations.

Rules: E-05, E-17, E-18, V-81, V-82, R-60 to R-63, T-28 to T-31.
"""

from __future__ import annotations

from collections.abc import Sequence

from muptane.bench.attacks.attack import ACCEPTED, attack, everywhere
from muptane.bench.attacks.places import AT_THE_WIRE, rotate_time
from muptane.bench.attacks.stage import Stage
from muptane.oem.keys import Signer
from uptane.errors import BelowThreshold, NotMyNonce, TimeBackwards, TimeTooFar, TooLong

YEAR_S = 365 * 86400


@attack(ids=("E-18", "R-62", "T-30"), expected=everywhere(NotMyNonce), power=AT_THE_WIRE)
def time_of_another_vehicle(stage: Stage) -> None:
    """set a clock by an attestation that another vehicle asked for"""
    stage.time = lambda nonces: stage.attest([b"\x5a" * 8])


@attack(ids=("E-18", "E-71", "R-62", "V-81"), expected=everywhere(NotMyNonce), power=AT_THE_WIRE)
def time_hoarded(stage: Stage) -> None:
    """keep an attestation back and play it in a later cycle"""
    kept: list[bytes] = []

    def keep(nonces: Sequence[bytes]) -> bytes:
        kept.append(stage.attest(nonces))
        return kept[0]

    stage.time = keep
    stage.informed()
    stage.time = lambda nonces: kept[0]


@attack(ids=("E-18", "T-30"), expected=everywhere(NotMyNonce), power=AT_THE_WIRE)
def time_hoarded_over_a_reset(stage: Stage) -> None:
    """keep an attestation back until the ECU has forgotten that it asked"""
    kept: list[bytes] = []

    def keep(nonces: Sequence[bytes]) -> None:
        kept.append(stage.attest(nonces))

    stage.time = keep
    stage.feed()
    stage.restart()
    stage.look()
    stage.time = lambda nonces: kept[0]


@attack(
    ids=("E-18", "V-81", "R-62"),
    expected=everywhere(TimeBackwards),
    power=AT_THE_WIRE,
    keys=("time",),
)
def time_set_back(stage: Stage) -> None:
    """bring expired metadata back to life by setting clocks back"""
    stage.time = lambda nonces: stage.attest(nonces, -YEAR_S)


@attack(
    ids=("E-17", "T-29"),
    expected=everywhere(TimeTooFar),
    power=AT_THE_WIRE,
    keys=("time",),
)
def time_set_far_ahead(stage: Stage) -> None:
    """lock an ECU by a clock of the next century"""
    stage.time = lambda nonces: stage.attest(nonces, 70 * YEAR_S)


@attack(
    ids=("E-17", "V-82", "T-31"),
    expected=everywhere(ACCEPTED),
    power=AT_THE_WIRE,
    keys=("time",),
    limit="everything has expired until a Root drops the stolen key, which puts the clock back",
    heal=rotate_time,
)
def time_set_ahead(stage: Stage) -> str | int:
    """stop all updates by setting clocks some years ahead"""
    stage.time = lambda nonces: stage.attest(nonces, 3 * YEAR_S)
    stage.feed()
    moved = f"{stage.victim.name} time" in stage.changes()
    return ACCEPTED if moved else stage.observed()


@attack(ids=("E-18", "V-46"), expected=everywhere(BelowThreshold), power=AT_THE_WIRE)
def time_by_a_stranger(stage: Stage) -> None:
    """set a clock with a key that no Root names"""
    stranger = Signer.from_seed(b"stranger")
    stage.time = lambda nonces: stage.attest(nonces, 5, stranger)


@attack(
    ids=("E-18", "E-39", "V-82"),
    expected=everywhere(BelowThreshold),
    power=AT_THE_WIRE,
    keys=("time",),
)
def time_by_a_revoked_key(stage: Stage) -> None:
    """go on attesting with a time key that the maker has revoked"""
    stolen = stage.holders("time")[0]
    rotate_time(stage)
    stage.settle_and_offer()
    stage.time = lambda nonces: stage.attest(nonces, YEAR_S, stolen)


@attack(ids=("E-19", "V-81"), expected=everywhere(TooLong), power=AT_THE_WIRE)
def time_without_end(stage: Stage) -> None:
    """fill an ECU's memory by an attestation"""
    stage.time = lambda nonces: stage.attest(nonces) + bytes(4000)
