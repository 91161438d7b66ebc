"""Reads one file out of a ROMFS image, for ECUs that run inside CPython.

It reads with the device's own reader (uptane.port.romfs), as a board without `vfs.VfsRom` does;
MicroPython mounts the same bytes. It does not tell a missing file from a damaged image: both give
None. Format: MicroPython's docs/reference/romfs.
"""

from __future__ import annotations

from uptane.port.romfs import RomFs


def read_file(image: bytes, path: str) -> bytes | None:
    """The content of a file, or None."""
    try:
        content = RomFs(image).open(path, "rb").read()
    except OSError:
        return None
    return content if isinstance(content, bytes) else None
