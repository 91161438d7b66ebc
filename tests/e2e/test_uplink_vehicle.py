"""A whole vehicle whose feeder has no office but a server: HTTPS on 127.0.0.1, with a token or
with the vehicle's certificate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from garage import Garage
from oem_vehicle import stored
from served import premises, running
from wires import Cable

from muptane.bench.courier import Bounds, Courier
from muptane.bench.feeder import Carried, OfficeSource
from muptane.bench.plan import VehiclePlan
from muptane.bench.uplink import Uplink
from muptane.oem.errors import Replayed, Unreachable
from muptane.oem.inventory import ManifestReceived
from muptane.oem.office import Office
from muptane.oem.web.access import Tokens
from muptane.oem.web.server import tls
from uptane import errors, ids
from uptane.errors import PeerRefused

ECUS = ("gateway", "brake", "door")
ALL_THERE_IS = {"deltas": True, "decrypts": True}
HURRIED = Bounds(step_s=2.0, file_s=20.0, tries=2)


class Near(Garage):
    """The sedan of an office in a folder; its feeder takes the files from the office's object."""

    has: dict[str, Any] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "office"
        self.carried: list[Carried] = []
        super().__init__(folder / "vehicle")

    def planned(self) -> VehiclePlan:
        plan = super().planned()
        ecus = [ecu.model_copy(update=self.has) for ecu in plan.ecu]
        return plan.model_copy(update={"ecu": ecus})

    def founded(self) -> Office:
        self.folder.mkdir(parents=True)
        return Office.create(self.world.seconds, premises(self.folder), seed=b"garage")

    def source(self) -> OfficeSource:
        return OfficeSource(self.office, self.plan.vin, self.carried.append)

    def story(self) -> tuple[list[bytes], list[Carried]]:
        """Every manifest of the vehicle as it came, and every file that was carried."""
        return [row.raw for row in stored(self.office, ManifestReceived)], self.carried


class Far(Near):
    """The same; its feeder has a courier to the server at `port`, and nothing of the office."""

    def courier(self, port: int) -> Courier:
        return Courier(f"https://127.0.0.1:{port}", self.token, self.trust, HURRIED)

    @contextmanager
    def served(self, folder: Path, by_certificate: bool = False) -> Iterator[int]:
        authority = Authority(folder)
        context = tls(*authority.vouch("server", ["server"], "127.0.0.1"), authority.file)
        self.token, shown = "", None
        if by_certificate:
            shown = authority.vouch("vehicle", [self.plan.vin])
        else:
            tokens = Tokens(self.folder)
            self.token = tokens.make(self.plan.vin, self.office.now())
            tokens.close()
        self.trust = authority.trusting(shown)
        with running(self.folder, self.world.seconds, context) as server:
            yield server.port

    def drive(self, port: int) -> OfficeSource:
        """One cycle, with everything from there."""
        far = Uplink(self.courier(port))
        source = OfficeSource(far, self.plan.vin, self.carried.append)
        try:
            self.cycle(source)
        finally:
            far.close()
        return source


def update(garage: Near, cycle: Callable[[], OfficeSource]) -> None:
    """Release 2 for all, and word of it."""
    with garage:
        for name in ECUS:
            garage.publish(name, 2)
        for _ in range(2):
            assert cycle().refused is None
        assert {garage.release(name) for name in ECUS} == {2}
        assert [garage.refusals(name) for name in ECUS] == [[], [], []]


def test_a_vehicle_is_updated_from_a_server_as_from_an_office(tmp_path: Path) -> None:
    """R-05, R-08, R-33, R-60, S-35, S-37, V-40: the final reports, and every file on the way, are
    the same to the byte, by token and by certificate."""
    near = Near(tmp_path / "near")

    def directly() -> OfficeSource:
        source = near.source()
        near.cycle(source)
        return source

    update(near, directly)
    manifests, carried = near.story()
    assert len(manifests) == 2
    assert {one.kind for one in carried} >= {ids.KIND_METADATA, ids.KIND_IMAGE, ids.KIND_TIME}
    for name in ("token", "certificate"):
        far = Far(tmp_path / name)
        with far.served(tmp_path, name == "certificate") as port:
            update(far, lambda far=far, port=port: far.drive(port))
        assert far.story() == (manifests, carried)


class Private(Far):
    has = ALL_THERE_IS


def test_what_is_made_for_one_vehicle_comes_by_its_own_part(tmp_path: Path) -> None:
    """S-28, V-24, R-09: confidential images, as encrypted deltas, over a cable that breaks."""
    garage = Private(tmp_path / "garage")
    with garage.served(tmp_path) as port, garage:
        for name in ECUS:
            ecu = garage.vehicle_ecu(name)
            content = garage.content[name] + bytes(2)
            number = ecu.number * 100 + 2
            garage.office.release_image(number, content, [ecu.hardware], 2, True)
            garage.office.assign(garage.plan.vin, ecu.number, number)
        for broken_at in (4_000, 3_000):
            with Cable(port, {1: broken_at}.get) as cable:
                assert garage.drive(cable.port).refused is None
                assert cable.calls > 1  # an idle line is closed besides, by the wall's clock
        assert {garage.release(name) for name in ECUS} == {2}
    kinds = {(one.repository, one.kind) for one in garage.carried if one.bytes}
    assert (ids.DIRECTOR, ids.KIND_DELTA) in kinds
    assert (ids.IMAGE, ids.KIND_IMAGE) not in kinds


def test_a_server_that_goes_away_costs_the_cycle_and_no_more(tmp_path: Path) -> None:
    """S-38, E-22: the vehicle ends its cycle by its own rules and keeps what it runs; the feeder
    says why. The next cycle, with the server back, is a whole one."""
    garage = Far(tmp_path / "garage")
    with garage.served(tmp_path) as port, garage:
        garage.publish("door", 2)
        with Cable(port, lambda call: 6_000 if call == 1 else 0) as cable:
            far = Uplink(garage.courier(cable.port))
            source = OfficeSource(far, garage.plan.vin, garage.carried.append)
            with pytest.raises(PeerRefused) as caught:
                garage.cycle(source)
            far.close()
        assert isinstance(source.refused, Unreachable)
        assert caught.value.args == (errors.Withheld.number,)
        assert garage.release("door") == 1
        for _ in range(2):
            assert garage.drive(port).refused is None
        assert garage.release("door") == 2


def test_a_manifest_that_was_handed_in_before_directs_nothing(tmp_path: Path) -> None:
    """R-13, E-73: somebody on the way sends an old one instead; the feeder hears the Director's
    own words."""
    garage = Far(tmp_path / "garage")
    with garage.served(tmp_path) as port, garage:
        garage.drive(port)
        (old,) = (row.raw for row in stored(garage.office, ManifestReceived))

        class Thief(Uplink):
            def accept_manifest(self, vehicle: str, raw: bytes) -> None:
                super().accept_manifest(vehicle, old)

        source = OfficeSource(Thief(garage.courier(port)), garage.plan.vin, lambda carried: None)
        garage.cycle(source)
        assert isinstance(source.refused, Replayed)
        assert "came after" in str(source.refused)
