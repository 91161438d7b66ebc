"""Attacks as files: a sample of them is played here, all of them by `make attacks`.

The sample is fixed: one or two of every theme, against every kind of verification that it names.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from muptane.bench import plan
from muptane.bench.attacks.attack import (
    ACCEPTED,
    ATTACKS,
    DETECTED,
    INSTALLS,
    Attack,
    Outcome,
    everywhere,
)
from muptane.bench.attacks.engine import Broken, Grounds
from muptane.bench.attacks.forgery import base_of, encrypted, packed, patch_of, send, send_patch
from muptane.bench.attacks.index import THEMES, of_theme, threats
from muptane.bench.attacks.places import rotate_director
from muptane.bench.attacks.stage import KEYS, Stage
from muptane.bench.firmware import ROOT, available
from muptane.refusals import ADVICE
from uptane import ids
from uptane.algorithms import FORM_DELTA, FORM_ENCRYPTED, FORM_PLAIN
from uptane.errors import Rollback, WrongHash

SEDAN = plan.load(ROOT / "vehicles" / "sedan.toml")
SAMPLE = (
    "director_targets_replayed",
    "supplier_dropped",
    "frozen_for_days",
    "update_after_dropped_targets",
    "directions_of_another_vehicle",
    "supplier_expired",
    "time_hoarded",
    "director_key_stolen",
    "image_altered",
    "image_cut_short",
    "delta_signed_too_short",
    "plain_image_before_its_primary",
    "wrap_of_another_ecu",
    "encrypted_delta_to_other_bytes",
    "ecu_of_another_vehicle_named",
    "director_versions_driven_up",
    "one_signature_twice",
    "strange_signatures_beside_the_good_one",
    "terminating_delegation_passed_over",
    "key_twice_in_a_map",
    "directions_without_end",
    "install_after_a_new_cycle_began",
    "attack_flag_suppressed",
    "other_bytes_spread",
    "broadcast_that_never_comes",
    "report_replayed",
)
ON_MICROPYTHON = ("director_key_stolen", "old_release_directed", "other_bytes_spread")


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    yield Grounds(SEDAN, "cpython", tmp_path_factory.mktemp("grounds"))


def play(grounds: Grounds, *names: str) -> list[Outcome]:
    parts = [(ATTACKS[name], level) for name in names for level in ATTACKS[name].expected]
    return list(grounds.play_all(parts, jobs=1))


@pytest.mark.parametrize("name", SAMPLE)
def test_an_attack_ends_as_its_file_says(grounds: Grounds, name: str) -> None:
    """V-36: the verdict, the state that it leaves, and the next honest update."""
    outcomes = play(grounds, name)
    assert [outcome for outcome in outcomes if not outcome.ok] == []


@pytest.mark.skipif(not available(), reason="there is no MicroPython wheel for this machine")
def test_attacks_end_the_same_on_the_real_interpreter(tmp_path: Path) -> None:
    """V-36"""
    outcomes = play(Grounds(SEDAN, "micropython", tmp_path), *ON_MICROPYTHON)
    assert len(outcomes) == 8
    assert [outcome for outcome in outcomes if not outcome.ok] == []


# --- the engine can say no ----------------------------------------------------------------------


def nothing(stage: Stage) -> None:
    """let an honest update pass"""


def made_up(expected: Any, play: Any, keys: tuple[str, ...] = ()) -> Attack:
    return Attack("made_up", ("V-36",), "", "", play, everywhere(expected), keys)


def test_without_a_lie_the_update_installs(grounds: Grounds) -> None:
    """V-36: the sanity check of every attack; and a wrong verdict is not ok."""
    parts = [(made_up(INSTALLS, nothing), level) for level in ("primary", "full", "partial")]
    for outcome in grounds.play_all(parts, jobs=1):
        assert outcome.ok
        assert not outcome.state_unchanged
    [wrong] = grounds.play_all([(made_up(Rollback, nothing), "full")])
    assert wrong.observed == INSTALLS
    assert not wrong.ok


def test_without_the_keys_an_edited_file_is_not_signed(grounds: Grounds) -> None:
    """E-30: an attack can do no more than its power says."""

    def edit(stage: Stage) -> None:
        stage.directed[1] += 1
        stage.director.publish()

    stolen = ("director.timestamp", "director.snapshot", "director.targets")
    without, with_keys = grounds.play_all(
        [(made_up(WrongHash, edit), "partial"), (made_up(WrongHash, edit, stolen), "partial")]
    )
    assert ADVICE[int(without.observed)].name == "BelowThreshold"
    assert with_keys.observed != without.observed


def test_forged_parcels_are_sound_where_they_tell_the_truth(grounds: Grounds) -> None:
    """E-80, E-81: what lies about deltas and wraps are made of. A patch written by hand installs,
    on a ground whose images travel just so."""
    stolen = ("director.timestamp", "director.snapshot", "director.targets")

    def tell(stage: Stage) -> str:
        assert set(stage.custom) == {ids.CUSTOM_DELTA, ids.CUSTOM_ENCRYPTED}
        old, new = base_of(stage), stage.content
        extra = new[len(old) :]
        assert extra and new.startswith(old)
        steps = packed(len(old)) + bytes(len(old)) + packed(len(extra)) + extra + packed(0)
        patch = patch_of(stage, steps)
        send_patch(stage, patch)
        send(stage, encrypted(stage, patch, said=(ids.KIND_DELTA, b"")))
        stage.director.publish()
        return stage.feed_the_image()

    form = FORM_DELTA | FORM_ENCRYPTED
    told = replace(made_up(INSTALLS, tell, stolen), form=form, heal=rotate_director)
    [outcome] = grounds.play_all([(told, "full")])
    assert outcome.ok and not outcome.state_unchanged


def test_a_ground_is_built_once_for_each_form(grounds: Grounds) -> None:
    """V-36: and is the planned vehicle in all else."""
    for form in (FORM_PLAIN, FORM_ENCRYPTED):
        travels = replace(made_up(INSTALLS, nothing), form=form)
        ground = grounds.of(travels)
        assert grounds.of(travels) is ground
        assert not ground.plan.bus.broadcast
        assert ground.maker.confidential == bool(form)
        had = {"deltas": False, "decrypts": bool(form)}
        assert ground.plan.ecu == [ecu.model_copy(update=had) for ecu in SEDAN.ecu]
    spread = grounds.of(replace(made_up(INSTALLS, nothing), broadcast=True))
    assert spread is not grounds.of(made_up(INSTALLS, nothing)) and spread.plan.bus.broadcast


def test_a_change_of_state_and_a_vehicle_that_does_not_recover_are_seen(grounds: Grounds) -> None:
    """V-36"""

    def confess(stage: Stage) -> int:
        stage.feed()  # the honest update
        return Rollback.number

    def unplug(stage: Stage) -> int:
        stage.vehicle.ecus["brake"].node.power_off()
        return Rollback.number

    changed, lost = grounds.play_all(
        [(made_up(Rollback, confess), "full"), (made_up(Rollback, unplug), "full")]
    )
    assert not changed.state_unchanged and not changed.ok
    assert lost.state_unchanged and not lost.recovers and not lost.ok
    assert changed.told == () and "brake does not answer (NoReply)" in lost.told
    assert any(said.startswith("gateway runs image 102, boot state 0") for said in lost.told)


def test_an_attack_that_breaks_is_not_passed_over(grounds: Grounds) -> None:
    """V-36"""

    def fall(stage: Stage) -> None:
        raise ValueError

    with pytest.raises(Broken):
        list(grounds.play_all([(made_up(Rollback, fall), "full")]))


# --- the list -----------------------------------------------------------------------------------


def test_every_attack_has_a_theme_an_aim_and_a_reason() -> None:
    """V-36"""
    assert sum(len(of_theme(module)) for module in THEMES) == len(ATTACKS)
    for one in ATTACKS.values():
        assert one.aim and one.ids and one.expected and set(one.keys) <= set(KEYS), one.name
        for verdict in one.expected.values():
            assert not isinstance(verdict, str) or verdict in (INSTALLS, ACCEPTED, DETECTED)


def test_the_document_of_threats_is_todays() -> None:
    """V-36"""
    assert (ROOT / "docs" / "threats.md").read_text() == threats()


def test_the_data_of_an_outcome_says_what_was_stolen() -> None:
    """V-36: as docs/threats.md does."""
    stolen = Outcome(ATTACKS["director_key_stolen"], "full", Rollback.number, True, True)
    assert ATTACKS["director_key_stolen"].keys
    for key in ATTACKS["director_key_stolen"].keys:
        assert key in str(stolen.as_json()["power"])
    assert str(stolen.as_json()["power"]) in threats()
