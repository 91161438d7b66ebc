"""A Secondary without a spare slot: what arrives overwrites what it runs, and it comes back."""

from pathlib import Path
from typing import Any

import pytest
from garage import Lying
from test_expiry import Unheard
from test_travel import Able, begin_until_checkpoint, small_blocks

from muptane.bench.provisioning import new_ecus
from muptane.bench.vehicle import Nodes
from muptane.oem.authority import DAY_S
from muptane.oem.pack import pack_application
from uptane import errors, ids
from uptane.errors import PeerRefused
from uptane.uds.codes import DID_BOOT
from vectors.deltas import noise

TAKER = "brake"
PLACE = (65_536, 4096)  # bytes of the brake's flash for its image, and what it erases at once
WAYS = ((False, False), (True, False), (False, True), (True, True))  # deltas, confidential


def one_place(settings: dict[str, Any]) -> None:
    small_blocks(settings)
    if settings["name"] == TAKER:
        settings["slots"][0][2] = PLACE[0] // PLACE[1]


class Lone(Able):
    """The brake has one place, for an opaque image of 30 KB; the other ECUs are the sedan's."""

    able = (TAKER,)

    def __init__(
        self, folder: Path, nodes: Nodes = "cpython", deltas: bool = False, decrypts: bool = False
    ) -> None:
        self.has = {"in_place": True, "deltas": deltas, "decrypts": decrypts}
        super().__init__(folder, nodes, change=one_place)

    def open_books(self) -> None:
        ecus = [
            ecu if ecu.place is None else ecu.model_copy(update={"place": PLACE})
            for ecu in new_ecus(self.office, self.plan)
        ]
        self.office.register_vehicle(self.plan.vin, ecus)

    def publish(self, name: str, release: int, content: bytes | None = None) -> bytes:
        if name == TAKER:
            content = self.first = noise(7, 30_000)
        return super().publish(name, release, content)

    def release_next(self, name: str, release: int, confidential: bool) -> bytes:
        self.content[name] = self.content[name][:-3000] + noise(release, 3000)
        return super().release_next(name, release, confidential)

    def rewritten(self) -> bool:
        """Is the first image no longer what lies there?"""
        place = bytearray(len(self.first))
        self.vehicle.slot(TAKER, 0).read_into(0, memoryview(place))
        return bytes(place) != self.first

    def boot(self) -> int:
        """BOOT_... as the brake says it."""
        return self.vehicle.station(TAKER).read(DID_BOOT)[0]

    def release_crash(self, folder: Path, release: int) -> None:
        """An application that crashes as soon as it runs."""
        folder.mkdir()
        (folder / "app.py").write_text(
            "def start(cabin):\n    pass\n\n\ndef step(now_ms):\n    return 1 // 0\n"
        )
        ecu = self.vehicle_ecu(TAKER)
        number = ecu.number * 100 + release
        self.office.release_image(number, pack_application(folder), [ecu.hardware], release)
        self.office.assign(self.plan.vin, ecu.number, number)


@pytest.mark.parametrize(
    ("nodes", "deltas", "confidential"),
    [*(("cpython", *way) for way in WAYS), ("micropython", True, True)],
)
def test_an_image_overwrites_the_one_that_runs(
    tmp_path: Path, nodes: Nodes, deltas: bool, confidential: bool
) -> None:
    """V-58, V-62, V-13, S-29, S-30, T-32: whole or as a delta, in the clear or encrypted; before
    that the Primary has fetched the image that is overwritten."""
    with Lone(tmp_path, nodes, deltas, confidential) as garage:
        old = garage.vehicle_ecu(TAKER).number * 100 + 1
        garage.release_next(TAKER, 2, confidential)
        garage.cycle()
        kind = ids.KIND_DELTA if deltas else ids.KIND_IMAGE
        carried = [(one.repository, one.kind, one.number) for one in garage.carried]
        images = [one for one in carried if one[1] in (ids.KIND_IMAGE, ids.KIND_DELTA)]
        assert images == [(ids.DIRECTOR, kind, old + 1), (ids.IMAGE, ids.KIND_IMAGE, old)]
        garage.cycle()
        assert garage.release(TAKER) == 2, garage.refusals(TAKER)
        assert garage.installed(TAKER) == garage.content[TAKER]
        assert garage.refusals(TAKER) == [] and garage.boot() == ids.BOOT_CONFIRMED


@pytest.mark.parametrize(
    ("nodes", "deltas"), [("cpython", False), ("cpython", True), ("micropython", True)]
)
def test_it_goes_on_after_the_loss_of_power(tmp_path: Path, nodes: Nodes, deltas: bool) -> None:
    """E-79, V-58, V-90, T-32: the vehicle goes off, again and again, while the image is being
    overwritten. Nothing runs then, the ECU says so and answers; it goes on where it was, with what
    the Primary has kept."""
    with Lone(tmp_path, nodes, deltas, True) as garage:
        content = garage.release_next(TAKER, 2, True)
        saved: bytes | None = None
        for _ in range(2 if deltas else 1):
            saved = cut_while_overwriting(garage, saved)
            garage.vehicle.power_on()
            garage.vehicle.run(0.5)
            assert garage.vehicle.records(TAKER).read(ids.RECORD_CHECKPOINT) == saved
            assert garage.boot() == ids.BOOT_REWRITING
            assert errors.Overwritten.number in garage.refusals(TAKER)
        garage.carried.clear()
        garage.cycle()
        kinds = {one.kind for one in garage.carried}
        assert not kinds & {ids.KIND_IMAGE, ids.KIND_DELTA}, "the Primary had them"
        assert garage.release(TAKER) == 2 and garage.installed(TAKER) == content


def cut_while_overwriting(garage: Lone, before: bytes | None = None) -> bytes:
    """Begin a cycle and switch the vehicle off when the image is being overwritten, further than
    that checkpoint; returns the newest."""
    saved, ended = begin_until_checkpoint(garage, 1.0)
    while saved == before or not garage.rewritten():
        garage.vehicle.run(0.03)
        saved = garage.vehicle.records(TAKER).read(ids.RECORD_CHECKPOINT) or b""
    garage.vehicle.power_off()
    garage.world.run(lambda: bool(ended), 600)
    return saved


def test_it_comes_back_where_what_was_begun_may_not_go_on(tmp_path: Path) -> None:
    """V-58, T-42, T-32: the directions expire while the vehicle is off, and nobody has new ones.
    The update is refused; the image that ran before is back, from what the gateway has kept."""
    with Lone(tmp_path, deltas=True) as garage:
        garage.release_next(TAKER, 2, False)
        cut_while_overwriting(garage)
        garage.vehicle.run(2 * DAY_S)
        garage.vehicle.power_on()
        garage.vehicle.run(0.5)
        assert garage.boot() == ids.BOOT_REWRITING
        with pytest.raises(PeerRefused) as refusal:
            garage.cycle(Unheard(garage.office, garage.plan.vin, lambda carried: None))
        assert refusal.value.args == (errors.Expired.number,)
        garage.vehicle.run(6)
        assert garage.boot() == ids.BOOT_CONFIRMED and garage.release(TAKER) == 1
        assert not garage.rewritten()
        garage.office.refresh()
        garage.cycle()
        assert garage.release(TAKER) == 2
        assert garage.installed(TAKER) == garage.content[TAKER]


def test_a_copy_that_nobody_has_leaves_an_ecu_that_answers_and_takes_the_next_image(
    tmp_path: Path,
) -> None:
    """V-58, V-62, E-79: the maker withholds the image before, so the gateway has no copy, and says
    so. The new one crashes: the ECU has none that runs until the next release comes, whole."""
    with Lone(tmp_path / "car", deltas=True) as garage:
        old = (ids.IMAGE, ids.KIND_IMAGE, garage.vehicle_ecu(TAKER).number * 100 + 1)
        garage.release_crash(tmp_path / "crash", 2)
        garage.cycle(Lying(garage, old, lambda raw: None))
        assert errors.Withheld.number in garage.refusals("gateway")
        garage.vehicle.run(5)
        assert garage.boot() == ids.BOOT_REWRITING
        garage.release_next(TAKER, 3, False)
        garage.cycle(Lying(garage, old, lambda raw: None))
        garage.cycle(Lying(garage, old, lambda raw: None))
        assert garage.release(TAKER) == 3 and garage.boot() != ids.BOOT_REWRITING
        assert garage.installed(TAKER) == garage.content[TAKER]


def test_an_image_that_is_withheld_has_not_stopped_the_one_that_runs(tmp_path: Path) -> None:
    """V-58, E-16, T-32: nor has one that is not the signed one; then the honest one comes."""
    with Lone(tmp_path) as garage:
        garage.release_next(TAKER, 2, False)
        new = (ids.DIRECTOR, ids.KIND_IMAGE, garage.vehicle_ecu(TAKER).number * 100 + 2)
        for lie in (lambda raw: None, lambda raw: raw[:40] + bytes((raw[40] ^ 1,)) + raw[41:]):
            with pytest.raises(PeerRefused):
                garage.cycle(Lying(garage, new, lie))
            garage.vehicle.run(6)
            assert garage.boot() == ids.BOOT_CONFIRMED and not garage.rewritten()
        garage.cycle()
        assert garage.release(TAKER) == 2


def test_an_image_that_crashes_is_undone_from_the_copy_at_the_primary(tmp_path: Path) -> None:
    """V-58, V-67, E-79: its trials over, the ECU has none that runs; the next cycle brings the
    confirmed one back, from the gateway, and with it the ECU runs."""
    with Lone(tmp_path / "car", deltas=True) as garage:
        old = garage.content[TAKER]
        garage.release_crash(tmp_path / "crash", 2)
        garage.cycle()
        garage.vehicle.run(5)
        assert garage.boot() == ids.BOOT_REWRITING
        assert errors.TrialFailed.number in garage.refusals(TAKER)
        garage.carried.clear()
        garage.cycle()
        assert not {one.kind for one in garage.carried} & {ids.KIND_IMAGE, ids.KIND_DELTA}
        assert garage.boot() == ids.BOOT_REVERTED
        assert garage.release(TAKER) == 1 and garage.installed(TAKER)[: len(old)] == old
        garage.content[TAKER] = old
        garage.release_next(TAKER, 3, False)
        garage.cycle()
        assert garage.release(TAKER) == 3
        assert garage.installed(TAKER) == garage.content[TAKER]
