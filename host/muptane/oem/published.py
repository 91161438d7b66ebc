"""What the name of a published file says, and what its bytes say of themselves.

The names are those of V-21 as `image_repository` gives them, and one more, of an empty file in the
place of an image that was collected, `spent.<sha256>.<number>`: its number is never used again.
Nothing is verified here: a file may claim what it likes.
Rules: V-21, V-85, E-61, T-53.
"""

import re
from dataclasses import dataclass

from muptane.oem.envelopes import read_sign
from muptane.oem.errors import OemRefusal
from muptane.oem.image_repository import NAMES, TIMESTAMP_NAME
from muptane.oem.metadata import BYTES_MAX, Role, Root, Snapshot, Timestamp
from muptane.oem.targets import Targets
from uptane import ids

SPENT = "spent."
_ROLE = re.compile(rf"([1-9][0-9]*)\.({'|'.join(NAMES)})(?:\.([1-9][0-9]*))?\.cbor")
_IMAGE = re.compile(r"(spent\.)?([0-9a-f]{64})\.(0|[1-9][0-9]*)")
MODELS: dict[int, type[Role]] = {
    ids.ROOT: Root,
    ids.TIMESTAMP: Timestamp,
    ids.SNAPSHOT: Snapshot,
    ids.TARGETS: Targets,
}


@dataclass(frozen=True)
class RoleName:
    """A role file; `number`: the role, 16.. for a delegated one; `version` 0: the Timestamp."""

    number: int
    version: int

    @property
    def type(self) -> int:
        return min(self.number, ids.TARGETS)

    def __str__(self) -> str:
        name = NAMES[self.type] if self.number == self.type else f"role {self.number}"
        return f"{name} {self.version}" if self.version else name


@dataclass(frozen=True)
class ImageName:
    """An image, or (`spent`) the mark that there was one."""

    number: int
    digest: bytes
    spent: bool = False


def read_name(name: str) -> RoleName | ImageName | None:
    """What `name` stands for; None: a map, or nothing of ours."""
    if name == TIMESTAMP_NAME:
        return RoleName(ids.TIMESTAMP, 0)
    if found := _IMAGE.fullmatch(name):
        return ImageName(int(found[3]), bytes.fromhex(found[2]), found[1] is not None)
    found = _ROLE.fullmatch(name)
    if found is None:
        return None
    version, role, delegated = int(found[1]), NAMES.index(found[2]), found[3]
    if role == ids.TIMESTAMP or (delegated is not None and role != ids.TARGETS):
        return None
    number = role if delegated is None else int(delegated)
    if delegated is not None and not ids.DELEGATED_FIRST <= number <= ids.DELEGATED_LAST:
        return None
    return RoleName(number, version)


def spent_name(image: ImageName) -> str:
    return f"{SPENT}{image.digest.hex()}.{image.number}"


def read_role(raw: bytes, role: int) -> Role | None:
    """What a file of this type of role claims; None: it is no such file."""
    try:
        return MODELS[role].from_payload(read_sign(raw, BYTES_MAX[role])[0])
    except OemRefusal:
        return None
