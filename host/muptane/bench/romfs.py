"""Reads one file out of a ROMFS image, for ECUs that run inside CPython.

MicroPython mounts the same bytes with `vfs.VfsRom`. Files at the top level only; an image that is
not ROMFS, or has no such file, gives None. Format: MicroPython's docs/reference/romfs.
"""

from __future__ import annotations

HEADER = b"\xd2\xcd\x31"
VERBATIM = 2
FILE = 5


def read_file(image: bytes, name: str) -> bytes | None:
    """The content of the file `name`, or None."""
    if not image.startswith(HEADER):
        return None
    size, at = _uint(image, len(HEADER))
    end = at + size
    while at < end:
        kind, length, body = _record(image, at)
        at = body + length
        if kind == FILE:
            name_length, start = _uint(image, body)
            if image[start : start + name_length] == name.encode():
                kind, length, content = _record(image, start + name_length)
                if kind == VERBATIM:
                    return image[content : content + length]
    return None


def _record(image: bytes, at: int) -> tuple[int, int, int]:
    """Kind, length and place of the body of the record at `at`."""
    kind, at = _uint(image, at)
    length, at = _uint(image, at)
    return kind, length, at


def _uint(image: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, highest first, and where it ends."""
    value = 0
    while True:
        byte = image[at]
        value = value << 7 | byte & 0x7F
        at += 1
        if byte < 0x80:
            return value, at
