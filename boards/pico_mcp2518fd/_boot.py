"""Runs first on every start: mounts the filesystem, which keeps to its part of the flash.

Replaces MicroPython's own _boot.py, which makes one filesystem of all that rp2.Flash covers and
formats it when it finds something else. The length is that of `filesystem` in board.toml.
"""

import rp2
import vfs

device = rp2.Flash(start=0, len=262_144)
try:
    filesystem = vfs.VfsLfs2(device, progsize=256)  # type: ignore[abstract]  # so say the stubs
except OSError:
    vfs.VfsLfs2.mkfs(device, progsize=256)
    filesystem = vfs.VfsLfs2(device, progsize=256)  # type: ignore[abstract]
vfs.mount(filesystem, "/")
