"""`muptane client` and the images that it brings: where they go, and what is left of others."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from tuf_customer import opened

from muptane.tufjson import folder
from muptane.tufjson.images import Unwritable
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
    """V-35: and what stands there stays."""
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


def test_an_image_is_never_whole_in_memory(tmp_path: Path) -> None:
    """E-20, T-52: 32 MB in less than 2; nor to look whether it is there, nor if it is too much."""
    image = bytes(32_000_000)
    with opened(tmp_path) as (shop, customer):
        shop.list_image("targets", "door.bin", image)
        shop.list_image("targets", "roof.bin", image[1:])
        shop.publish("targets")
        customer.refresh()
        shop.images = dict.fromkeys(shop.images, image)
        tracemalloc.start()
        try:
            for path in ("door.bin", "door.bin"):
                customer.client.download(path, f"{customer.address}/targets", customer.targets)
            with pytest.raises(errors.TooMuch):
                customer.client.download("roof.bin", f"{customer.address}/t", customer.targets)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len([asked for asked in customer.asked() if "door.bin" in asked]) == 1
        assert _files(customer.targets) == {"door.bin"}
        assert (customer.targets / "door.bin").stat().st_size == len(image)
        assert peak_bytes < 2_000_000


def test_what_no_disk_has_room_for_is_not_fetched(tmp_path: Path) -> None:
    """E-20: whoever signs a length of 10^15 does not fill the disk first."""
    with opened(tmp_path) as (shop, customer):
        shop.list_image("targets", "door.bin", b"release 1")
        shop.targets.targets["door.bin"].length = 10**15
        shop.publish("targets")
        with pytest.raises(Unwritable, match=r"1000000000000000 bytes and there is room for \d+"):
            customer.download("door.bin")
        assert not [asked for asked in customer.asked() if "door.bin" in asked]
        assert _files(customer.targets) == set()


def test_a_disk_that_fills_up_is_told_in_a_sentence(tmp_path: Path) -> None:
    """V-35: and no half of an image stays there."""
    with opened(tmp_path) as (shop, customer):
        shop.list_image("targets", "door.bin", bytes(100_000))
        shop.publish("targets")
        code = (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
            "from muptane.cli.main import app; app()"
        )
        options = ["--metadata-dir", customer.metadata, "--metadata-url"]
        options += [f"{customer.address}/metadata", "--target-name", "door.bin"]
        options += ["--target-base-url", f"{customer.address}/targets"]
        options += ["--target-dir", customer.targets, "download"]
        command = [sys.executable, "-c", code, "client", *map(str, options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == (
            f"{customer.targets}: the image cannot be written: File too large. Nothing of it was "
            "kept. Make room or name another --target-dir\n"
        )
        assert _files(customer.targets) == set()


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
