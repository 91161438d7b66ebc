"""Which piece of an emulated board's flash belongs to whom, by its settings
(muptane.bench.settings). It is the same for the ECU itself and for a bench that reads or writes a
flash while its ECU is off. It checks nothing: `muptane.boards` has.
"""

from boards.unix.nor import Nor
from uptane.store.area import Area

if False:  # for the type checker
    from typing import Any


def area(settings: "dict[str, Any]", nor: Nor, name: str, index: int = -1) -> Area:
    """`name`: records, or with an index slots or depot."""
    place = settings[name] if index < 0 else settings[name][index]
    return Area(nor, place[0], place[1], place[2], settings["flash"]["program_bytes"])


def regions(settings: "dict[str, Any]", nor: Nor) -> "list[tuple[int, Area, Area]]":
    """(REGION_..., place, other place) of the regions beside the application."""
    unit = settings["flash"]["program_bytes"]
    return [
        (region, Area(nor, *(place + [unit])), Area(nor, *(other + [unit])))
        for region, place, other in settings["regions"]
    ]


def areas(settings: "dict[str, Any]", nor: Nor, name: str) -> "list[Area]":
    return [area(settings, nor, name, index) for index in range(len(settings[name]))]
