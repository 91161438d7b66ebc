"""Mounting an application from its slot: a ROMFS image whose `app` has `start` and `step`.

The image is read where it lies, or copied file by file where the firmware has no VfsRom. The
application's modules are found last on the path, so none of them hides one of ours.

An image without ROMFS's first bytes is opaque: it is for someone else to run, and not mounted.
It does not verify anything (the slot's content was, before it was confirmed), and does not keep
an application from harming the updater it runs beside (docs/threats.md, E-37).
Rules: E-37.
"""

import sys

from uptane.errors import BadApplication
from uptane.port.romfs import HEADER, RomFs

if False:  # for the type checker; both compilers drop the block
    from typing import Any

    from shapes import Cell, Memory, Mounts

MOUNTED = "/app"
# What the top level of an application may raise: all that Python itself raises but a request to
# exit. Errors of the application's own making end as they do in `step`: by a reset.
FAULTS = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class Applications:
    """`vfs`: the module; `memory(address, length)`: the flash as memory, for instance
    uctypes.bytearray_at."""

    def __init__(self, vfs: "Mounts", memory: "Memory") -> None:
        self._vfs = vfs
        self._memory = memory
        self._known: list[str] | None = None  # modules loaded before the application

    def mount(self, area: "Cell", length: int) -> "Any":
        """Mount the image of `length` bytes in a slot: its module `app`, or None if it is opaque.

        BadApplication: a damaged ROMFS, no `app`, or it fails while it is imported."""
        self.unmount()
        image = memoryview(self._memory(area.address, length))
        if bytes(image[: len(HEADER)]) != HEADER:
            return None
        make = getattr(self._vfs, "VfsRom", RomFs)
        try:
            filesystem = make(image)
            self._vfs.mount(filesystem, MOUNTED)
        except (OSError, ValueError):
            raise BadApplication from None
        self._known = list(sys.modules)
        sys.path.append(MOUNTED)
        try:
            app = __import__("app")
            startable = callable(app.start) and callable(app.step)
        except FAULTS:
            startable = False
        if not startable:
            self.unmount()
            raise BadApplication
        return app

    def unmount(self) -> None:
        """Let the application go; nothing happens if none is mounted."""
        if self._known is None:
            return
        for name in list(sys.modules):
            if name not in self._known:
                del sys.modules[name]
        self._known = None
        sys.path.remove(MOUNTED)
        self._vfs.umount(MOUNTED)
