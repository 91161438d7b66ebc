"""A Primary whose cells do not hold the images of its Secondaries (V-48)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from garage import Lying
from test_travel import Able, small_blocks

from uptane import errors, ids
from uptane.errors import PeerRefused
from vectors.deltas import noise

BLOCK_BYTES = 4096
TAKERS = ("brake", "door")


def cells(*blocks: int) -> Callable[[dict[str, Any]], None]:
    """The gateway's depot has cells of so many blocks of 4 KB."""

    def change(settings: dict[str, Any]) -> None:
        small_blocks(settings)
        if settings["name"] == "gateway":
            address = settings["depot"][0][0]
            settings["depot"] = [
                [address + sum(blocks[:at]) * BLOCK_BYTES, BLOCK_BYTES, count]
                for at, count in enumerate(blocks)
            ]

    return change


class Opaque(Able):
    """Brake and door take opaque images of 30 KB."""

    able = ()

    def publish(self, name: str, release: int, content: bytes | None = None) -> bytes:
        if name in TAKERS:
            content = noise(release + len(name), 30_000)
        return super().publish(name, release, content)


@pytest.mark.parametrize("blocks", [(3,), (8, 2), (1, 1)])
def test_what_has_no_room_is_hashed_first_and_comes_again_in_parts(
    tmp_path: Path, blocks: tuple[int, ...]
) -> None:
    """V-48, V-64: Secondary by Secondary, as much at a time as a cell holds; what fits comes
    once."""
    with Opaque(tmp_path, change=cells(*blocks)) as garage:
        for name in TAKERS:
            garage.publish(name, 2)
        garage.cycle()
        for name in TAKERS:
            assert garage.release(name) == 2, garage.refusals(name)
            assert garage.installed(name) == garage.content[name]
        came = [one.number for one in garage.carried if one.kind == ids.KIND_IMAGE]
        windows = -(-30_000 // (blocks[-1] * BLOCK_BYTES))
        often = [came.count(garage.vehicle_ecu(name).number * 100 + 2) for name in TAKERS]
        whole = sum(count * BLOCK_BYTES >= 30_000 for count in blocks[:-1])
        assert sorted(often) == sorted([1] * whole + [1 + windows] * (2 - whole))


def test_what_is_another_the_second_time_is_refused_by_who_takes_it(tmp_path: Path) -> None:
    """V-48, V-92, E-78, E-31: the Primary cannot tell then; the Secondary hashes what it has."""
    with Opaque(tmp_path, change=cells(3)) as garage:
        garage.publish("brake", 2)
        times: list[int] = []

        def lie(raw: bytes) -> bytes:
            times.append(1)
            return raw if len(times) == 1 else raw[:-1] + bytes((raw[-1] ^ 1,))

        file = (ids.IMAGE, ids.KIND_IMAGE, garage.vehicle_ecu("brake").number * 100 + 2)
        garage.cycle(Lying(garage, file, lie))
        assert len(times) > 1 and garage.release("brake") == 1
        assert errors.WrongHash.number in garage.refusals("brake")
        garage.cycle()
        assert garage.release("brake") == 2


def test_what_is_wrong_on_the_first_pass_reaches_nobody(tmp_path: Path) -> None:
    """V-48, T-35, E-31."""
    with Opaque(tmp_path, change=cells(3)) as garage:
        garage.publish("brake", 2)
        file = (ids.IMAGE, ids.KIND_IMAGE, garage.vehicle_ecu("brake").number * 100 + 2)
        with pytest.raises(PeerRefused):
            garage.cycle(Lying(garage, file, lambda raw: raw[:-1] + b"?"))
        garage.vehicle.run(6)
        assert errors.WrongHash.number in garage.refusals("gateway")
        assert garage.refusals("brake") == []
        garage.cycle()
        assert garage.release("brake") == 2
