"""The names of files in a URL: those of V-21, and what they mean to an office.

`3.root.cbor`, `timestamp.cbor`, `5.targets.16.cbor`, `2.map.cbor`, `<sha256>.<number>` for an
image and `<sha256>.<number>.delta` for a delta. A name without a version is the newest. One file
has one name, and no name has a meaning to a filesystem. Whether there is such a file is not known
here.
Rules: V-21, E-61.
"""

import re
from typing import NamedTuple

from muptane.oem.fields import U32_MAX
from muptane.oem.image_repository import NAMES
from muptane.oem.maps import map_name
from uptane import ids
from uptane.limits import DIGEST_BYTES, VERSION_MAX

_NUMBER = "0|[1-9][0-9]{0,9}"
_ROLE = re.compile(rf"(?:({_NUMBER})\.)?({'|'.join(NAMES)})(?:\.({_NUMBER}))?\.cbor")
_MAP = re.compile(rf"({_NUMBER})\.map\.cbor")
_IMAGE = re.compile(rf"([0-9a-f]{{{2 * DIGEST_BYTES}}})\.({_NUMBER})(\.delta)?")


class File(NamedTuple):
    """`kind`: ids.KIND_...; `detail`: a version (0: the newest), the SHA-256 of what travels, or
    None for a map, whose number is enough."""

    kind: int
    number: int
    detail: int | bytes | None

    @property
    def changes(self) -> bool:
        """May other bytes come under the same name tomorrow?"""
        return self.kind == ids.KIND_METADATA and self.detail == 0


def read_name(name: str) -> File | None:
    """What a name means; None: it is no name of a file."""
    if found := _ROLE.fullmatch(name):
        return _role(*found.groups())
    if (found := _MAP.fullmatch(name)) and 1 <= int(found[1]) <= U32_MAX:
        return File(ids.KIND_MAP, int(found[1]), None)
    if (found := _IMAGE.fullmatch(name)) and int(found[2]) <= U32_MAX:
        kind = ids.KIND_DELTA if found[3] else ids.KIND_IMAGE
        return File(kind, int(found[2]), bytes.fromhex(found[1]))
    return None


def _role(version: str | None, name: str, number: str | None) -> File | None:
    role = NAMES.index(name)
    if number is not None:
        role = int(number)
        if name != NAMES[ids.TARGETS] or not ids.DELEGATED_FIRST <= role <= ids.DELEGATED_LAST:
            return None
    if version is None:
        return File(ids.KIND_METADATA, role, 0)
    if role == ids.TIMESTAMP or not 1 <= int(version) <= VERSION_MAX:
        return None
    return File(ids.KIND_METADATA, role, int(version))


def name_of(kind: int, number: int, detail: object) -> str | None:
    """The name of the file that a feeder is asked for; None: it has none."""
    if kind == ids.KIND_METADATA and isinstance(detail, int):
        return _role_name(number, detail)
    if kind == ids.KIND_MAP:
        return map_name(number)
    if kind in (ids.KIND_IMAGE, ids.KIND_DELTA) and isinstance(detail, bytes):
        ending = ".delta" if kind == ids.KIND_DELTA else ""
        return f"{detail.hex()}.{number}{ending}" if len(detail) == DIGEST_BYTES else None
    return None


def _role_name(role: int, version: int) -> str | None:
    head = f"{version}." if version else ""
    if role >= ids.DELEGATED_FIRST:
        return f"{head}{NAMES[ids.TARGETS]}.{role}.cbor"
    return f"{head}{NAMES[role]}.cbor" if 0 <= role < len(NAMES) else None
