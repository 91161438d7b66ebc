"""`muptane client` and the images that it brings: where they go, and what is left of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tuf_customer import opened

from muptane.tufjson import folder
from uptane import errors


@pytest.mark.parametrize(
    ("path", "name"),
    [(".", "%2E"), ("..", "%2E%2E"), ("../x", "..%2Fx"), ("%2E", "%252E"), ("...", "...")],
)
def test_no_image_leaves_its_folder(tmp_path: Path, path: str, name: str) -> None:
    """E-61: whatever it is called, and nothing else is there afterwards."""
    with opened(tmp_path) as (shop, customer):
        shop.list_image("targets", path, b"release 1")
        shop.images = _Any(b"release 1")
        shop.publish("targets")
        before = _files(tmp_path)
        customer.client.download(path, f"{customer.address}/targets", customer.targets)
        new = _files(tmp_path) - before - {f"metadata/{role}.json" for role in ROLES}
        assert new == {f"targets/{name}"}
        assert (customer.targets / name).read_bytes() == b"release 1"


def test_an_image_that_is_called_like_half_of_another_stays(tmp_path: Path) -> None:
    """E-61: no name of an image is one that is written to on the way."""
    with opened(tmp_path) as (shop, customer):
        for path in (".door.bin.new", "door.bin"):
            shop.list_image("targets", path, path.encode())
        shop.publish("targets")
        customer.download(".door.bin.new")
        customer.download("door.bin")
        assert customer.targets.joinpath(".door.bin.new").read_bytes() == b".door.bin.new"
        shop.images = dict.fromkeys(shop.images, b"!")
        customer.targets.joinpath("door.bin").unlink()
        customer.refuses(errors.WrongLength, "door.bin")
        assert [file.name for file in customer.targets.iterdir()] == [".door.bin.new"]


def test_what_cannot_be_put_in_its_place_is_gone(tmp_path: Path) -> None:
    """V-51: and what stands there stays."""
    place = tmp_path / "taken"
    (place / "full").mkdir(parents=True)
    with pytest.raises(OSError):
        folder.replace(place, b"file")
    assert _files(tmp_path) == set() and (place / "full").is_dir()
    with pytest.raises(KeyboardInterrupt), folder.replacing(tmp_path / "file") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert _files(tmp_path) == set()
    folder.replace(tmp_path / "file", b"whole")
    assert _files(tmp_path) == {"file"}


ROLES = ("timestamp", "snapshot", "targets")


class _Any(dict[str, bytes]):
    """Serves one image at every address."""

    def __init__(self, image: bytes) -> None:
        super().__init__()
        self._image = image

    def get(self, *_: object) -> bytes:
        return self._image


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
