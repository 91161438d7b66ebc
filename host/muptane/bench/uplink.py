"""An office behind a server: what a feeder needs of one, fetched over HTTP(S).

An `Uplink` has the shape of an office, so a feeder that has one brings the same bytes. It bounds
what comes, keeps the images of a cycle for the wants that ask for them again, verifies nothing and
decides nothing: every byte is judged by the ECUs. While it waits the world stands still, so a run
in virtual time is the same from a server as from an office; it is not for a run in real time.
Rules: R-05, R-08, R-33, E-19, E-20, S-37.
"""

from __future__ import annotations

from urllib.parse import quote

from muptane.bench.courier import Courier
from muptane.oem.encoding import encode
from muptane.oem.maps import is_director
from muptane.oem.web.names import name_of
from uptane import ids, limits

IMAGE_BYTES_MAX = 64 * 1024 * 1024  # of one image, and of all that are kept


class Uplink:
    """Where `courier` goes there is the office. Refuses like it, and like the office."""

    def __init__(self, courier: Courier, image_bytes_max: int = IMAGE_BYTES_MAX) -> None:
        self._courier = courier
        self._image_bytes_max = image_bytes_max
        self._kept: dict[str, bytes] = {}

    def answer(
        self, vehicle: str, repository: int, kind: int, number: int, detail: object
    ) -> bytes | None:
        """The file that a vehicle wants, whole, or None; as Office.answer."""
        if kind == ids.KIND_TIME:
            path = f"{_part_of(vehicle)}/time"
            return self._courier.post(path, encode(detail), limits.TIME_BYTES_MAX)
        name = name_of(kind, number, detail)
        if name is None:
            return None
        root = (kind, number) == (ids.KIND_METADATA, ids.ROOT)
        private = is_director(repository) and not root
        path = f"{_part_of(vehicle) if private else '/v1'}/{repository}/{name}"
        found = self._kept.get(path)
        if found is None:
            found = self._courier.get(path, self._bytes_max(kind, number), private)
        if found is not None and kind in (ids.KIND_IMAGE, ids.KIND_DELTA):
            self._keep(path, found)
        return found

    def accept_manifest(self, vehicle: str, raw: bytes) -> None:
        """Hand in what a vehicle sent; what the Director decided is in the vehicle's Targets."""
        self._courier.post(f"{_part_of(vehicle)}/manifest", raw, 0)

    def close(self) -> None:
        self._courier.close()

    def _bytes_max(self, kind: int, number: int) -> int:
        if kind == ids.KIND_METADATA:
            return limits.METADATA_BYTES_MAX[min(number, ids.TARGETS)]
        return limits.MAP_BYTES_MAX if kind == ids.KIND_MAP else self._image_bytes_max

    def _keep(self, path: str, raw: bytes) -> None:
        """For a want that goes on in the middle, and for the next ECU that wants the same."""
        held = sum(len(one) for name, one in self._kept.items() if name != path)
        if held + len(raw) > self._image_bytes_max:
            self._kept.clear()
        self._kept[path] = raw


def _part_of(vehicle: str) -> str:
    return f"/v1/vehicles/{quote(vehicle, safe='')}"
