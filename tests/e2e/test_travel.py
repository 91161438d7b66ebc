"""Images that come as deltas, encrypted, or both, to a whole vehicle: the sedan of a maker who
does so wherever an ECU can take it."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from garage import APPLICATIONS, Garage, Lying

from muptane.bench.feeder import Carried, OfficeSource, feed
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes
from muptane.oem.pack import pack_application
from uptane import errors, ids
from uptane.errors import Negative, PeerRefused
from vectors.deltas import noise

ECUS = ("gateway", "brake", "door")


class Able(Garage):
    """ECUs of `able` patch and decrypt; what was carried to the vehicle is written down."""

    able = ECUS
    has: dict[str, Any] = {"deltas": True, "decrypts": True}

    def planned(self) -> VehiclePlan:
        plan = super().planned()
        ecus = [
            ecu.model_copy(update=self.has) if ecu.name in self.able else ecu for ecu in plan.ecu
        ]
        return plan.model_copy(update={"ecu": ecus})

    def source(self) -> OfficeSource:
        self.carried: list[Carried] = []
        return OfficeSource(self.office, self.plan.vin, self.carried.append)

    def release_next(self, name: str, release: int, confidential: bool) -> bytes:
        """The next release of an ECU's application: the one before with a little changed."""
        ecu = self.vehicle_ecu(name)
        content = self.content[name] + bytes([release])
        number = ecu.number * 100 + release
        self.office.release_image(number, content, [ecu.hardware], release, confidential)
        self.office.assign(self.plan.vin, ecu.number, number)
        self.content[name] = content
        return content

    def installed(self, name: str) -> bytes:
        """The image in the slot that the ECU's flash says is confirmed."""
        raw = self.vehicle.records(name).read(ids.RECORD_BOOT)
        assert raw is not None
        image = bytearray(len(self.content[name]))
        self.vehicle.slot(name, raw[1]).read_into(0, memoryview(image))
        return bytes(image)


@pytest.mark.parametrize("nodes", ["cpython", "micropython"])
@pytest.mark.parametrize("confidential", [False, True])
def test_a_vehicle_is_updated_by_deltas(tmp_path: Path, nodes: Nodes, confidential: bool) -> None:
    """S-26, S-27, S-28, S-29, S-31, V-13, V-65, R-09: in the clear and encrypted; what crosses
    the bus is a small part of the image, and comes from the Director."""
    with Able(tmp_path, nodes) as garage:
        for name in ECUS:
            garage.release_next(name, 2, confidential)
        garage.cycle()
        carried = [one for one in garage.carried if one.kind in (ids.KIND_IMAGE, ids.KIND_DELTA)]
        assert {(one.repository, one.kind) for one in carried} == {(ids.DIRECTOR, ids.KIND_DELTA)}
        assert sum(one.bytes or 0 for one in carried) < 300
        garage.cycle()
        for name in ECUS:
            assert garage.release(name) == 2, (name, garage.refusals(name))
            assert garage.installed(name) == garage.content[name]
            assert garage.refusals(name) == []


class Blind(Able):
    """The gateway has no key, and patches nothing."""

    able = ("brake", "door")


def small_blocks(settings: dict[str, Any]) -> None:
    """Slots and cells of 4 KB blocks, as of SPI NOR: a delta has checkpoints between them."""
    places = settings["slots"] + settings["depot"]
    regions = settings["flash"]["regions"]
    for region in regions:
        if any(region[0] <= place[0] < region[0] + region[1] * region[2] for place in places):
            region[2] *= region[1] // 4096
            region[1], region[3] = 4096, 45_000
    for place in places:
        place[2] *= place[1] // 4096
        place[1] = 4096


class Large(Able):
    """Images of 30 KB more, of which a release changes three."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, change=small_blocks)

    def publish(self, name: str, release: int, content: bytes | None = None) -> bytes:
        application = self.vehicle_ecu(name).application
        content = pack_application(APPLICATIONS / f"{application}_1") + noise(7, 30_000)
        return super().publish(name, release, content)

    def release_next(self, name: str, release: int, confidential: bool) -> bytes:
        self.content[name] = self.content[name][:-3000] + noise(release, 3000)
        return super().release_next(name, release, confidential)


class Sealed(Able):
    """No ECU patches, so a confidential image travels whole."""

    has = {"decrypts": True}


def test_a_primary_hands_on_what_it_cannot_open(tmp_path: Path) -> None:
    """V-13, V-48, S-28: the gateway has no key and no old image of the brake; it holds the
    ciphertext against the Director's hash, and never sees the image."""
    with Blind(tmp_path) as garage:
        for name in Blind.able:
            garage.release_next(name, 2, True)
        garage.cycle()
        assert [garage.release(name) for name in Blind.able] == [2, 2]
        flash = garage.vehicle.ecus["gateway"].flash.read_bytes()
        for name in Blind.able:
            assert garage.content[name][-200:] not in flash
            assert garage.installed(name) == garage.content[name]


def test_a_transfer_of_a_delta_survives_the_loss_of_power(tmp_path: Path) -> None:
    """E-79, S-26, V-13: the vehicle goes off, again and again, while an encrypted delta is on its
    way; the office serves the same bytes, and the next cycle ends it."""
    with Large(tmp_path) as garage:
        content = garage.release_next("brake", 2, True)
        for wait_s in (6.0, 2.0, 5.0):
            saved, ended = begin_until_checkpoint(garage, wait_s)
            garage.vehicle.power_off()
            garage.vehicle.power_on()
            garage.world.run(lambda ended=ended: bool(ended), 600)
            assert garage.vehicle.records("brake").read(ids.RECORD_CHECKPOINT) == saved
        garage.cycle()
        assert garage.release("brake") == 2 and garage.installed("brake") == content


def begin_until_checkpoint(garage: Able, seconds: float) -> tuple[bytes, list[Any]]:
    """Begin a cycle and let it come to where the brake stored a checkpoint, or has one of before
    and some seconds are over. Returns that, and a list that gets what the feeder ends with."""
    station = garage.vehicle.station("gateway")
    ended: list[Any] = []
    station.start(feed(station, garage.source()), ended.append)
    garage.vehicle.run(seconds)
    while not ended:
        saved = garage.vehicle.records("brake").read(ids.RECORD_CHECKPOINT)
        if saved is not None:
            return saved, ended
        garage.vehicle.run(0.03)
    raise AssertionError(f"the cycle ended without a checkpoint: {ended}")


@pytest.mark.parametrize("decrypts", [True, False])
def test_a_symmetric_key_opens_an_image_only_where_there_is_code_for_it(
    tmp_path: Path, decrypts: bool
) -> None:
    """V-65, V-24, R-44: the key alone does not tell; an ECU that could not decrypt is not sent
    what it would wait for in vain, and the office says why."""

    class Symmetric(Able):
        able = ("door",)
        has = {"key": "symmetric", "decrypts": decrypts}

    with Symmetric(tmp_path) as garage:
        garage.release_next("door", 2, True)
        garage.cycle()
        assert garage.release("door") == (2 if decrypts else 1)
        assert garage.refusals("door") == ([] if decrypts else [errors.NoImage.number])
        said = [sentence for _, _, sentence in garage.office.director.oddities()]
        assert any("no key for decryption" in sentence for sentence in said) != decrypts


# What a feeder that lies serves in the place of a ciphertext, and the refusal of it.
def plain_image(garage: Able, raw: bytes) -> bytes:
    return garage.content["brake"]


def another_ciphertext(garage: Able, raw: bytes) -> bytes:
    return sha256(b"no key of ours").digest() * (len(raw) // 32) + bytes(len(raw) % 32)


def one_bit(garage: Able, raw: bytes) -> bytes:
    return raw[:100] + bytes((raw[100] ^ 1,)) + raw[101:]


@pytest.mark.parametrize(
    ("lie", "refusal"),
    [
        (plain_image, errors.EncryptionDiffers),
        (another_ciphertext, errors.WrongHash),
        (one_bit, errors.WrongHash),
    ],
)
def test_what_is_not_the_ciphertext_is_refused_by_the_primary(
    tmp_path: Path, lie: Callable[[Able, bytes], bytes], refusal: type[errors.Refusal]
) -> None:
    """E-80, V-13, V-84: the plain image under the ciphertext's name, another ciphertext, one with
    a flipped bit. Nothing is installed, and the honest one is taken afterwards."""
    with Sealed(tmp_path) as garage:
        garage.release_next("brake", 2, True)
        file = (ids.DIRECTOR, ids.KIND_IMAGE, garage.vehicle_ecu("brake").number * 100 + 2)
        with pytest.raises((PeerRefused, Negative)):
            garage.cycle(Lying(garage, file, lambda raw: lie(garage, raw)))
        garage.vehicle.run(6)
        assert refusal.number in garage.refusals("gateway")
        assert garage.release("brake") == 1
        garage.cycle()
        assert garage.release("brake") == 2
