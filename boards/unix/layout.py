"""The flash of an emulated board, by its settings (muptane.bench.settings): the part, and what of
it belongs to whom. It is made the same way for the ECU itself and for a bench that reads or writes
a flash while its ECU is off. It checks nothing: `muptane.boards` has.
"""

from boards.unix.nor import Geometry, Nor
from uptane.store.area import Area

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any

    from storage import Store


def part(settings: "dict[str, Any]", store: "Store", charge: "Callable[[int], object]") -> Nor:
    flash = settings["flash"]
    return Nor(
        store,
        Geometry(
            flash["regions"], flash["program_bytes"], flash["program_us"], flash["page_bytes"]
        ),
        charge,
    )


def area(settings: "dict[str, Any]", nor: Nor, name: str, index: int = -1) -> Area:
    """`name`: records, or with an index slots or depot."""
    place = settings[name] if index < 0 else settings[name][index]
    return Area(nor, place[0], place[1], place[2], settings["flash"]["program_bytes"])


def areas(settings: "dict[str, Any]", nor: Nor, name: str) -> "list[Area]":
    return [area(settings, nor, name, index) for index in range(len(settings[name]))]
