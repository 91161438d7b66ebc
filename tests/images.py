"""Two consecutive builds of a real microcontroller firmware, where somebody has put them.

They are City Hub (STM32F030) builds out of the npm package `@pybricks/firmware` (MIT) and serve as
opaque images of realistic size and difference. They are not part of the project: they are looked
for in an optional folder beside the checkout; a test skips with `MISSING` where they are absent.

It does not fetch anything, and it does not trust names: a file of another hash counts as absent.
"""

from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "../shared/images"

OLDER = "cityhub-7.27.0.bin"
NEWER = "cityhub-7.28.0.bin"
SHA256 = {
    OLDER: "54b34fb2035cc22f57eaec48e54b9a38d6772e563f0bfcf9b084e45a88d073f3",
    NEWER: "975ce4b16a24f7de4deccd87157cc96fd4cc15a6eb01c5f72c80e174d9d45a9d",
}
MISSING = (
    "no real firmware builds in ../shared/images: put cityhub-7.27.0.bin and cityhub-7.28.0.bin "
    "there (firmware-base.bin of the npm package @pybricks/firmware, by version)"
)


def available() -> bool:
    """Whether both builds are there, with the content that tests expect."""
    return all(_genuine(name) for name in SHA256)


def path(name: str) -> Path:
    """The path of `OLDER` or `NEWER`; ask `available` first."""
    return FOLDER / name


def older() -> bytes:
    """The bytes of version 7.27.0."""
    return path(OLDER).read_bytes()


def newer() -> bytes:
    """The bytes of version 7.28.0."""
    return path(NEWER).read_bytes()


def _genuine(name: str) -> bool:
    file = path(name)
    return file.is_file() and sha256(file.read_bytes()).hexdigest() == SHA256[name]
