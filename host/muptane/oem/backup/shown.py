"""An Image repository that lies somewhere, to be read and never published to.

What `ImageRepository.open` verifies need not be a folder that stands: it may be one generation of
it while newer ones follow, or what a backup contains. It verifies nothing itself.
Rules: S-19.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from muptane.oem.errors import Malformed


class Shown:
    """A store of `names`, whose bytes `read_file` gives."""

    def __init__(self, names: Iterable[str], read_file: Callable[[str], bytes]) -> None:
        self._names = sorted(names)
        self._known = frozenset(self._names)
        self._read_file = read_file

    def read(self, name: str) -> bytes | None:
        return self._read_file(name) if name in self._known else None

    def names(self) -> list[str]:
        return list(self._names)

    def publish(self, files: Mapping[str, bytes], without: Collection[str] = ()) -> None:
        raise Malformed("this repository can only be read")
