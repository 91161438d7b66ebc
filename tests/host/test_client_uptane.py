"""`muptane client --director-url`: two JSON repositories, by the device's full verification."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from test_client_stories import BOTH
from tuf.api.metadata import MetaFile
from tuf_shop import PAST, Shop, served

from muptane.tufjson.client import Client, Ecu
from uptane import errors
from uptane.ids import DIRECTOR, IMAGE

DOOR = Ecu("door-0001", "door-hw", None)
PATH = "door.bin"


class Vehicle:
    """A client of two shops that agree on release 1 of the door's image."""

    def __init__(self, folder: Path, shops: dict[int, Shop], urls: dict[int, str], nodes: str):
        self.director, self.image = shops[DIRECTOR], shops[IMAGE]
        self.folder = folder
        self.url = urls[IMAGE]
        addresses = {number: f"{urls[number]}/metadata" for number in urls}
        self.client = Client(folder / "metadata", addresses, nodes)
        roots = []
        for number in (IMAGE, DIRECTOR):
            roots.append(folder / f"{number}.root.json")
            roots[-1].write_bytes(shops[number].raws["1.root.json"])
        self.client.begin(*roots)
        self.release(1)

    def release(self, release: int) -> None:
        content = b"release %d" % release
        self.image.list_image("targets", PATH, content)
        self.custom(self.image, {"hardwareIds": ["door-hw"], "releaseCounter": release})
        self.image.publish("targets")
        self.direct(content, release)

    def direct(self, content: bytes, release: int, hardware: str = "door-hw") -> None:
        self.director.list_image("targets", PATH, content)
        ecus = {"door-0001": {"hardwareId": hardware}}
        self.custom(self.director, {"ecuIdentifiers": ecus, "releaseCounter": release})
        self.director.publish("targets")

    def custom(self, shop: Shop, custom: dict[str, Any]) -> None:
        shop.targets.targets[PATH].unrecognized_fields["custom"] = custom

    def update(self, ecu: Ecu = DOOR) -> bytes:
        self.client.download(PATH, f"{self.url}/targets", self.folder / "targets", ecu)
        return (self.folder / "targets" / PATH).read_bytes()

    def refuses(self, refusal: type[errors.Refusal], ecu: Ecu = DOOR) -> None:
        before = self.trusted()
        with pytest.raises(errors.Refusal) as raised:
            self.update(ecu)
        assert type(raised.value) is refusal
        assert self.trusted() == before

    def trusted(self) -> dict[str, bytes]:
        """What is stored, but for Roots."""
        files = (self.folder / "metadata").rglob("*.json")
        return {str(file): file.read_bytes() for file in files if file.name != "root.json"}


@contextmanager
def driven(folder: Path, nodes: str = "cpython") -> Iterator[Vehicle]:
    shops = {number: Shop(names_hashes=True) for number in (DIRECTOR, IMAGE)}
    with served(shops[DIRECTOR]) as director, served(shops[IMAGE]) as image:
        yield Vehicle(folder, shops, {DIRECTOR: director, IMAGE: image}, nodes)


@pytest.mark.parametrize("nodes", BOTH)
def test_an_image_on_which_both_agree_is_taken(tmp_path: Path, nodes: str) -> None:
    """V-75: and the next release, and whoever the Director names if nobody is said."""
    with driven(tmp_path, nodes) as vehicle:
        assert vehicle.update() == b"release 1"
        vehicle.release(2)
        assert vehicle.update(Ecu()) == b"release 2"
        names = sorted(path.parent.name for path in tmp_path.rglob("targets.json"))
        assert names == ["director", "image"]


@pytest.mark.parametrize("nodes", BOTH)
def test_a_directors_key_alone_installs_nothing(tmp_path: Path, nodes: str) -> None:
    """E-32, V-75.10, T-17: and nothing of the cycle is stored."""
    with driven(tmp_path, nodes) as vehicle:
        vehicle.update()
        vehicle.direct(b"anything", 1)
        vehicle.refuses(errors.ImagesDiffer)
        vehicle.direct(b"release 1", 7)
        vehicle.refuses(errors.ImagesDiffer)


def test_a_timestamp_has_to_say_length_and_hash(tmp_path: Path) -> None:
    """V-19, T-14: of either repository, as those of devices do; TUF leaves it open."""
    with driven(tmp_path) as vehicle:
        for shop in (vehicle.director, vehicle.image):
            honest = shop.timestamp.snapshot_meta.to_dict()
            for left_out in ("length", "hashes"):
                setattr(shop.timestamp.snapshot_meta, left_out, None)
                shop.publish_timestamp()
                vehicle.refuses(errors.BadShape)
                shop.timestamp.snapshot_meta = MetaFile.from_dict(deepcopy(honest))
            shop.publish_timestamp()
        assert vehicle.update() == b"release 1"


def test_an_image_is_for_its_hardware(tmp_path: Path) -> None:
    """V-86, T-20: by both repositories."""
    with driven(tmp_path) as vehicle:
        vehicle.refuses(errors.WrongHardware, Ecu("door-0001", "roof-hw", None))
        vehicle.direct(b"release 1", 1, "roof-hw")
        vehicle.refuses(errors.ImagesDiffer, Ecu("door-0001", "roof-hw", None))


def test_whoever_is_not_named_gets_nothing(tmp_path: Path) -> None:
    """V-60"""
    with driven(tmp_path) as vehicle, pytest.raises(errors.NoImage):
        vehicle.update(Ecu("roof-0001", "roof-hw", None))


def test_a_director_does_not_delegate(tmp_path: Path) -> None:
    """V-74.6, E-48"""
    with driven(tmp_path) as vehicle:
        vehicle.director.delegate("targets", "A")
        vehicle.director.publish("A", "targets")
        vehicle.refuses(errors.DirectorDelegates)


def test_a_supplier_may_speak_for_an_image(tmp_path: Path) -> None:
    """V-15, V-76: in the Image repository."""
    with driven(tmp_path) as vehicle:
        vehicle.image.delegate("targets", "supplier", paths=["door*"])
        vehicle.image.roles["supplier"].targets = dict(vehicle.image.targets.targets)
        vehicle.image.targets.targets.clear()
        vehicle.image.publish("supplier", "targets")
        assert vehicle.update() == b"release 1"
        vehicle.image.roles["supplier"].expires = PAST
        vehicle.image.publish("supplier")
        vehicle.refuses(errors.Expired)


def test_two_images_for_one_ecu_are_refused(tmp_path: Path) -> None:
    """V-74.7, E-49"""
    with driven(tmp_path) as vehicle:
        shop = vehicle.director
        shop.list_image("targets", "other.bin", b"other")
        fields = shop.targets.targets[PATH].unrecognized_fields
        shop.targets.targets["other.bin"].unrecognized_fields.update(fields)
        shop.publish("targets")
        vehicle.refuses(errors.EcuTwice)


def test_a_stored_file_of_a_supplier_is_held_against_its_hash(tmp_path: Path) -> None:
    """V-74, T-14: an image that was withdrawn at the same version is not there any more."""
    with driven(tmp_path) as vehicle:
        shop = vehicle.image
        shop.delegate("targets", "supplier", paths=["door*"])
        shop.roles["supplier"].targets = dict(shop.targets.targets)
        shop.targets.targets.clear()
        shop.publish("supplier", "targets")
        assert vehicle.update() == b"release 1"
        shop.roles["supplier"].targets.clear()
        shop.publish("supplier", bump=0)
        shop.publish_snapshot()
        vehicle.director.publish("targets")
        vehicle.refuses(errors.NotOnImageRepository)
