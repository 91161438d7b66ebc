"""A ROMFS image read in Python, for firmware that is built without `vfs.VfsRom`.

stm32 and rp2 compile VfsRom only into boards that have a ROMFS partition; neither the PYBv1.1 nor
the Pico has one. `RomFs` is a read-only filesystem for `vfs.mount`: the image stays where it is,
a file is copied into the heap when it is opened (VfsRom would execute .mpy files in place).

Every length is checked against the image. It does not write.
Format: MicroPython docs/reference/romfs.
"""

import io

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Iterator

    from shapes import Buffer

HEADER = b"\xd2\xcd\x31"
DATA = 2
DATA_POINTER = 3
DIRECTORY = 4
FILE = 5
IS_DIRECTORY = 0x4000
IS_FILE = 0x8000
NO_ENTRY = 2  # errno.ENOENT
NO_FILESYSTEM = 19  # errno.ENODEV


class RomFs:
    """OSError(ENODEV): the image is not a whole ROMFS."""

    def __init__(self, image: "Buffer") -> None:
        self._image = memoryview(image)
        if bytes(self._image[: len(HEADER)]) != HEADER:
            raise OSError(NO_FILESYSTEM)
        self._end = len(self._image)
        length, self._start = self._number(len(HEADER))
        self._end = self._start + length
        if self._end > len(self._image):
            raise OSError(NO_FILESYSTEM)

    # --- the protocol of vfs.mount ---
    def mount(self, readonly: bool, mkfs: bool) -> None:
        pass

    def umount(self) -> None:
        pass

    def chdir(self, path: str) -> None:
        pass

    def getcwd(self) -> str:
        return "/"

    def stat(self, path: str) -> "tuple[int, ...]":
        kind, start, end = self._find(path)
        if kind == DIRECTORY:
            return (IS_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        first, last = self._content(start, end)
        return (IS_FILE, 0, 0, 0, 0, 0, last - first, 0, 0, 0)

    def open(self, path: str, mode: str) -> "io.BytesIO | io.StringIO":
        kind, start, end = self._find(path)
        if kind != FILE:
            raise OSError(NO_ENTRY)
        first, last = self._content(start, end)
        content = bytes(self._image[first:last])
        return io.BytesIO(content) if "b" in mode else io.StringIO(str(content, "utf8"))

    def ilistdir(self, path: str) -> "Iterator[tuple[str, int, int, int]]":
        kind, start, end = self._find(path)
        if kind != DIRECTORY:
            raise OSError(NO_ENTRY)
        for name, inner, first, last in self._entries(start, end):
            try:
                text = str(name, "utf8")
            except UnicodeError:
                raise OSError(NO_FILESYSTEM)
            if inner == DIRECTORY:
                yield text, IS_DIRECTORY, 0, 0
            else:
                begin, end = self._content(first, last)
                yield text, IS_FILE, 0, end - begin

    # --- records ---
    def _number(self, at: int) -> "tuple[int, int]":
        """A number of 7 bits a byte, highest first; and where it ends."""
        value = 0
        while True:
            if at >= self._end or value >> 24:
                raise OSError(NO_FILESYSTEM)
            byte = self._image[at]
            at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at

    def _records(self, at: int, end: int) -> "Iterator[tuple[int, int, int]]":
        """(kind, start, end) of each."""
        while at < end:
            kind, at = self._number(at)
            length, at = self._number(at)
            if length > end - at:
                raise OSError(NO_FILESYSTEM)
            yield kind, at, at + length
            at += length

    def _entries(self, at: int, end: int) -> "Iterator[tuple[bytes, int, int, int]]":
        """(name, kind, start, end) of the files and directories in one directory."""
        for kind, start, stop in self._records(at, end):
            if kind in (FILE, DIRECTORY):
                length, at = self._number(start)
                if length > stop - at:
                    raise OSError(NO_FILESYSTEM)
                name = bytes(self._image[at : at + length])
                yield name, kind, at + length, stop

    def _find(self, path: str) -> "tuple[int, int, int]":
        kind, start, end = DIRECTORY, self._start, self._end
        for part in path.split("/"):
            if part:
                kind, start, end = self._step(part, kind, start, end)
        return kind, start, end

    def _step(self, part: str, kind: int, start: int, end: int) -> "tuple[int, int, int]":
        if kind == DIRECTORY:
            for name, inner, first, last in self._entries(start, end):
                if name == part.encode():
                    return inner, first, last
        raise OSError(NO_ENTRY)

    def _content(self, start: int, end: int) -> "tuple[int, int]":
        for kind, first, last in self._records(start, end):
            if kind == DATA:
                return first, last
            if kind == DATA_POINTER:
                length, at = self._number(first)
                offset, _ = self._number(at)
                if offset + length > len(self._image):
                    raise OSError(NO_FILESYSTEM)
                return offset, offset + length
        raise OSError(NO_FILESYSTEM)
