"""Reading a file out of a ROMFS image: what mpremote wrote is read, what is damaged is no file."""

import random

import pytest
from mpremote.romfs import VfsRomWriter

from boards.unix.nor import Geometry, Nor
from muptane.bench.chips import Applications
from muptane.bench.romfs import read_file
from uptane.errors import BadApplication
from uptane.store.area import Area
from vectors.romfs import FILES, IMAGE

BLOCK_BYTES = 4096


def packed(files):
    writer = VfsRomWriter()
    for name, content in files.items():
        writer.mkfile(name, content)
    return bytes(writer.finalise())


@pytest.mark.parametrize("length", [0, 1, 100, 127, 128, 129, 5000, 16_383, 16_384, 70_000])
def test_a_file_of_any_length_is_read_as_it_was_written(length):
    content = random.Random(length).randbytes(length)
    image = packed({"first": b"1", "app.source": content, "zlast": b"2"})
    assert read_file(image, "app.source") == content
    assert read_file(image, "first") == b"1"
    assert read_file(image, "zlast") == b"2"


def test_files_in_folders_and_by_pointer_are_read():
    for path, content in FILES:
        assert read_file(IMAGE, path) == content


def test_a_file_that_is_not_there_is_none():
    image = packed({"app.mpy": b"x", "app.sourc": b"y", "app.sources": b"z"})
    assert read_file(image, "app.source") is None
    assert read_file(packed({}), "app.source") is None


@pytest.mark.parametrize("image", [b"", b"\xd2", b"\xd2\xcd\x31", b"plain bytes", b"\xff" * 100])
def test_what_is_no_romfs_holds_no_file(image):
    assert read_file(image, "app.source") is None


def test_a_truncated_image_holds_no_file():
    image = packed({"app.source": b"print(1)" * 10, "other": b"x" * 300})
    for length in range(len(image)):
        assert read_file(image[:length], "app.source") is None


def test_damaged_images_never_raise():
    image = packed({"app.source": b"print(1)" * 10, "other": b"x" * 30})
    chance = random.Random(3)
    for _ in range(20_000):
        damaged = bytearray(image)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(3, len(damaged))] = chance.randrange(256)
        found = read_file(bytes(damaged), "app.source")
        assert found is None or isinstance(found, bytes)


# --- mounted in an ECU that runs inside CPython -------------------------------------------------


@pytest.fixture
def mount(tmp_path):
    """Mounts what is in a slot, as an ECU does at boot."""
    path = tmp_path / "flash"
    path.write_bytes(b"")
    with path.open("r+b", buffering=0) as file:
        nor = Nor(file, Geometry([(0, BLOCK_BYTES, 4, 1)], 4, 1, 256), lambda us: None)
        area = Area(nor, BLOCK_BYTES, BLOCK_BYTES, 3, 4)

        def mounting(image):
            for block in range(3):
                area.erase(block)
            area.program(0, image + b"\xff" * (-len(image) % 4))
            return Applications(nor).mount(area, len(image))

        yield mounting


def application(source):
    return packed({"app.mpy": b"bytecode", "app.source": source})


def test_an_application_is_a_module_of_its_own(mount):
    source = b"count = 0\ndef start(cabin): pass\ndef step(now_ms):\n return now_ms + 1\n"
    first, second = mount(application(source)), mount(application(source))
    assert first is not second
    first.count = 5
    assert second.count == 0
    assert first.step(7) == 8


def test_an_opaque_image_is_not_mounted(mount):
    assert mount(b"any bytes at all") is None


@pytest.mark.parametrize(
    "image",
    [
        b"\xd2\xcd\x31",
        b"\xd2\xcd\x31\x80\x80\x7f",
        packed({"other": b"x"}),
        application(b"def start(:\n"),
        application(b"def start(cabin): pass\n"),
        application(b"start = step = 5\n"),
        application(b"import nothing_of_that_name\n"),
        application(b"1 / 0\n"),
        application(b"\xff\xfe"),
        application(b"\0"),
    ],
)
def test_an_application_that_cannot_be_started_is_refused(mount, image):
    """As on a board: whatever the image does, it is a refusal and not a surprise."""
    with pytest.raises(BadApplication):
        mount(image)
