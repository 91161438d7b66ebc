"""The zip file of a delivery: read whatever it is, never more than its bounds, never half.

Bytes that are cut, flipped or made by other tools are either the delivery that was written, or
refused; nothing is unpacked into a folder, and a bomb is refused before it goes off.
"""

import json
import time
import tracemalloc
import zipfile
from io import BytesIO
from struct import pack_into

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from muptane.oem.archive import CONTENTS_BYTES_MAX, DELIVERY_BYTES_MAX, Delivery, read_delivery
from muptane.oem.errors import Malformed, OemRefusal, TooLarge
from muptane.oem.targets import entry_of

IMAGE = b"firmware " * 40
DELIVERY = Delivery.of(
    ("Brakes Ltd", 20), {(20, 3): b"a role file"}, {203: (entry_of(IMAGE, [20], 3), IMAGE)}
)
RAW = DELIVERY.write()
QUICK = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def zipped(files: list[tuple[str, bytes]], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", kind) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


def contents(**changes: object) -> bytes:
    return json.dumps({**json.loads(DELIVERY.raw_contents), **changes}).encode()


def test_a_delivery_is_read_as_it_was_written() -> None:
    """S-06, S-08: the same delivery is the same bytes; repacked by another tool it is the same
    delivery."""
    assert read_delivery(RAW) == DELIVERY and DELIVERY.write() == RAW
    assert read_delivery(zipped(list(DELIVERY.named().items()))) == DELIVERY
    with zipfile.ZipFile(BytesIO(RAW)) as archive:
        names = ["contents.json", "metadata/3.targets.20.cbor", "images/203.bin"]
        assert archive.namelist() == names and archive.testzip() is None


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "images/204.bin", "images/", "a\\b"])
def test_a_file_that_is_not_named_is_refused(name: str) -> None:
    """E-61: whatever its name would mean to a folder."""
    with pytest.raises(Malformed, match="not named"):
        read_delivery(zipped([*DELIVERY.named().items(), (name, b"")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_contents_say_is_there_once_and_whole() -> None:
    named = DELIVERY.named()
    first, *others = named.items()
    for files in (
        others,
        [first, others[0]],
        [*named.items(), others[0]],
        [first, others[0], (others[1][0], IMAGE[:-1])],
        [first, (others[0][0], b"another file"), others[1]],
    ):
        with pytest.raises(OemRefusal):
            read_delivery(zipped(list(files)))


IMAGES = json.loads(DELIVERY.raw_contents)["images"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"role": 3},
        {"role": "20"},
        {"supplier": "a\nb"},
        {"supplier": ""},
        {"more": 1},
        {"images": IMAGES * 2},
        {"images": [{**IMAGES[0], "hardware": []}]},
        {"images": [{**IMAGES[0], "hardware": [21, 20]}]},
        {"images": [{**IMAGES[0], "length": -1}]},
        {"images": [{**IMAGES[0], "sha256": "A" * 64}]},
        {"images": [{**IMAGES[0], "number": 2**32}]},
        {"images": [{**IMAGES[0], "regions": [[1, 5]]}]},
        {"roles": [{"role": 20, "version": 0, "sha256": "0" * 64}]},
        {"roles": None},
    ],
)
def test_contents_are_held_against_their_model(change: dict[str, object]) -> None:
    """E-61, T-23: and it is said which field is wrong."""
    files = {**DELIVERY.named(), "contents.json": contents(**change)}
    with pytest.raises(Malformed, match=r"contents\.json: "):
        read_delivery(zipped(list(files.items())))


def bomb() -> bytes:
    """64 MB of nothing that deflate to a few KB, said to be the image of 360 bytes."""
    files = {**DELIVERY.named(), "images/203.bin": bytes(64 << 20)}
    return zipped(list(files.items()))


def lying_bomb() -> bytes:
    """The same, and the directory says that there are 360 bytes."""
    raw = bytearray(bomb())
    at = raw.rindex(b"PK\x01\x02")
    pack_into("<L", raw, at + 24, len(IMAGE))
    return bytes(raw)


def many_files() -> bytes:
    return zipped([(f"images/{number}.bin", b"") for number in range(400)])


def endless_directory() -> bytes:
    """The end of a zip file that promises a directory of half a gigabyte."""
    raw = bytearray(RAW)
    pack_into("<L", raw, len(raw) - 10, 1 << 29)
    return bytes(raw)


def zip64() -> bytes:
    return RAW[:-22] + b"PK\x06\x07" + bytes(16) + RAW[-22:]


def large_contents() -> bytes:
    return zipped([("contents.json", b" " * (CONTENTS_BYTES_MAX + 1))])


def deep_contents() -> bytes:
    return zipped([("contents.json", b"[" * 100_000)])


@pytest.mark.parametrize(
    "make",
    [bomb, lying_bomb, many_files, endless_directory, zip64, large_contents, deep_contents],
)
def test_a_bomb_does_not_go_off(make) -> None:  # type: ignore[no-untyped-def]
    """S-06, T-52: refused with little memory, and soon."""
    raw = make()
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises((TooLarge, Malformed)):
        read_delivery(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20 and time.process_time() - began < 5


def test_more_than_a_delivery_is_not_looked_at() -> None:
    with pytest.raises(TooLarge):
        read_delivery(bytes(DELIVERY_BYTES_MAX + 1))


@seed(5)
@QUICK
@given(st.data())
def test_damaged_bytes_are_the_delivery_or_refused(data: st.DataObject) -> None:
    """E-91: cut, flipped, doubled: only an OemRefusal comes out, never something else."""
    raw = bytearray(RAW if data.draw(st.booleans()) else zipped(list(DELIVERY.named().items())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "double", "insert"]))
        if kind == "set":
            raw[at] = data.draw(st.integers(0, 255))
        elif kind == "cut" and len(raw) > 1:
            del raw[at:]
        elif kind == "double":
            raw += raw[at:]
        else:
            raw[at:at] = data.draw(st.binary(max_size=30))
        if not raw:
            break
    try:
        found = read_delivery(bytes(raw))
    except OemRefusal:
        return
    assert found == DELIVERY
