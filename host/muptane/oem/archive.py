"""A delivery as it travels from a supplier to the car maker: one zip file that any tool opens.

`contents.json` says what else is in it, `metadata/3.targets.20.cbor` are files of delegated roles,
signed or not, `images/203.bin` are images. Reading believes nothing: exactly the named files are
there, of the sizes and hashes that are named; sizes are bounded before anything is unpacked, and
nothing is ever unpacked into a folder, so names lead nowhere. Signatures are not looked at: see
`inspection`.
Rules: S-06, S-08, E-61.
"""

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from struct import Struct
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from muptane.oem.delegations import RoleNumber
from muptane.oem.errors import Malformed, TooLarge
from muptane.oem.fields import U32, Strict, Version, sha256
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.targets import Entry, Part
from uptane import ids, limits

DELIVERY_BYTES_MAX = 256 * 1024 * 1024  # of the archive, and of all that is in it
CONTENTS_BYTES_MAX = 256 * 1024
DIRECTORY_BYTES_MAX = 64 * 1024  # of zip's own list of files, which is read before any bound
FILES_MAX = 1 + limits.DELEGATED_ROLES_MAX + limits.ITEMS_MAX
CONTENTS = "contents.json"
END = Struct("<4s4H2LH")  # zip's end of central directory record, without a comment
ZIP64_LOCATOR = b"PK\x06\x07"
ZIP64_LOCATOR_BYTES = 20
ENCRYPTED = 1  # a flag of a file in a zip archive
MADE = (1980, 1, 1, 0, 0, 0)  # as zip counts: the same content is the same bytes

Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
SupplierName = Annotated[str, Field(min_length=1, max_length=64, pattern="^[ -~]+$")]


class RoleLine(Strict):
    """One role file."""

    role: RoleNumber
    version: Version
    sha256: Hex

    @property
    def name(self) -> str:
        return f"metadata/{self.version}.targets.{self.role}.cbor"


class ImageLine(Strict):
    """One image: what its entry is to say of it. `regions`: ((REGION_..., bytes), ...)."""

    number: U32
    length: Annotated[int, Field(ge=0, le=DELIVERY_BYTES_MAX)]
    sha256: Hex
    hardware: Annotated[tuple[U32, ...], Field(min_length=1, max_length=limits.ITEMS_MAX)]
    release: U32
    regions: Annotated[tuple[Part, ...], Field(max_length=limits.REGIONS_MAX)] = ()

    @property
    def name(self) -> str:
        return f"images/{self.number}.bin"

    @classmethod
    def of(cls, number: int, entry: Entry) -> Self:
        return cls(
            number=number,
            length=entry.length,
            sha256=entry.hashes[ids.ALG_SHA256].hex(),
            hardware=entry.hardware,
            release=entry.release,
            regions=entry.regions,
        )

    def entry(self) -> Entry:
        """ValidationError, where only an entry knows what is wrong."""
        return Entry(
            length=self.length,
            hashes={ids.ALG_SHA256: bytes.fromhex(self.sha256)},
            hardware=self.hardware,
            release=self.release,
            regions=self.regions,
        )


class Contents(Strict):
    """What a delivery says of itself: by whom, as which role, and every other file in it."""

    format: Literal[1] = 1
    supplier: SupplierName
    role: RoleNumber
    roles: Annotated[tuple[RoleLine, ...], Field(max_length=limits.DELEGATED_ROLES_MAX)] = ()
    images: Annotated[tuple[ImageLine, ...], Field(max_length=limits.ITEMS_MAX)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        for listed in ([one.role for one in self.roles], [one.number for one in self.images]):
            if len(set(listed)) != len(listed):
                raise ValueError("a role or an image is listed twice")
        for image in self.images:
            image.entry()
        return self


@dataclass(frozen=True)
class Delivery:
    """What is in the archive: `contents` and the bytes that say it, `files` by role, `images` by
    number, each as the contents have them."""

    contents: Contents
    raw_contents: bytes
    files: Mapping[int, bytes]
    images: Mapping[int, bytes]

    @classmethod
    def of(
        cls,
        sender: tuple[str, int],
        files: Mapping[tuple[int, int], bytes],
        images: Mapping[int, tuple[Entry, bytes]],
    ) -> Self:
        """By `sender` (supplier, role): role files by (role, version), images with entries.
        Malformed: more than one delivery can say."""
        try:
            contents = Contents(
                supplier=sender[0],
                role=sender[1],
                roles=tuple(
                    RoleLine(role=role, version=version, sha256=sha256(raw).hex())
                    for (role, version), raw in files.items()
                ),
                images=tuple(
                    ImageLine.of(number, entry) for number, (entry, _) in sorted(images.items())
                ),
            )
        except ValidationError as fault:
            raise Malformed(f"no delivery can say that: {_brief(fault)}") from fault
        return cls(
            contents,
            contents.model_dump_json(indent=1).encode(),
            {role: raw for (role, _), raw in files.items()},
            {number: content for number, (_, content) in images.items()},
        )

    @property
    def entries(self) -> dict[int, Entry]:
        """What the sender says of each image; only a signature makes it more than that."""
        return {one.number: one.entry() for one in self.contents.images}

    def named(self) -> dict[str, bytes]:
        """Every file by its name in the archive."""
        made = {CONTENTS: self.raw_contents}
        made |= {one.name: self.files[one.role] for one in self.contents.roles}
        return made | {one.name: self.images[one.number] for one in self.contents.images}

    def write(self) -> bytes:
        """The archive; the same delivery is the same bytes."""
        made = BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in self.named().items():
                archive.writestr(zipfile.ZipInfo(name, MADE), content)
        if made.tell() > DELIVERY_BYTES_MAX:
            raise TooLarge(f"{made.tell()} bytes; a delivery has {DELIVERY_BYTES_MAX} at most")
        return made.getvalue()


def read_delivery(raw: bytes) -> Delivery:
    """What an archive holds, of the sizes and hashes that it says. Malformed, TooLarge."""
    if len(raw) > DELIVERY_BYTES_MAX:
        raise TooLarge(f"{len(raw)} bytes; a delivery has {DELIVERY_BYTES_MAX} at most")
    _check_directory(raw)
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as fault:
        # ValidationError is a ValueError; zipfile has no one exception for what is damaged
        raise Malformed(f"not a delivery: {_brief(fault)}") from fault


def _check_directory(raw: bytes) -> None:
    """Bound what zipfile reads when it opens an archive."""
    if len(raw) < END.size:
        raise Malformed(f"{len(raw)} bytes are no zip archive")
    mark, *_, files, directory_bytes, _, comment_bytes = END.unpack(raw[-END.size :])
    if mark != b"PK\x05\x06" or comment_bytes:
        raise Malformed("not a zip archive, or cut short, or followed by something else")
    before = raw[: -END.size]
    if before[-ZIP64_LOCATOR_BYTES:].startswith(ZIP64_LOCATOR):
        raise Malformed("a zip64 archive; deliveries are smaller than that")
    if files > FILES_MAX or directory_bytes > DIRECTORY_BYTES_MAX:
        raise TooLarge(f"{files} files in one archive; a delivery has {FILES_MAX} at most")


def _read(archive: zipfile.ZipFile) -> Delivery:
    infos = archive.infolist()
    by_name = {info.filename: info for info in infos}
    if len(by_name) != len(infos):
        raise Malformed("two files of the archive have the same name")
    if sum(info.file_size for info in infos) > DELIVERY_BYTES_MAX:
        raise TooLarge(f"the archive unpacks to more than {DELIVERY_BYTES_MAX} bytes")
    if CONTENTS not in by_name:
        raise Malformed(f"the archive has no {CONTENTS}, so it is not a delivery")
    raw_contents = _unpack(archive, by_name.pop(CONTENTS), CONTENTS_BYTES_MAX)
    contents = Contents.model_validate_json(raw_contents)
    named = {one.name for one in contents.roles} | {one.name for one in contents.images}
    _check_names(named, by_name)
    roles_max = BYTES_MAX[ids.TARGETS]
    files = {
        one.role: _checked(one, _unpack(archive, by_name[one.name], roles_max))
        for one in contents.roles
    }
    images = {
        one.number: _checked(one, _unpack(archive, by_name[one.name], one.length))
        for one in contents.images
    }
    for one in contents.images:
        if len(images[one.number]) != one.length:
            raise Malformed(f"{one.name} has not the {one.length} bytes that {CONTENTS} says")
    return Delivery(contents, raw_contents, files, images)


def _check_names(named: set[str], found: Iterable[str]) -> None:
    there = set(found)
    if missing := sorted(named - there):
        raise Malformed(f"{missing[0]} is named in {CONTENTS} and is not in the archive")
    if strangers := sorted(there - named):
        raise Malformed(f"{strangers[0]!r} is in the archive and not named in {CONTENTS}")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, bytes_max: int) -> bytes:
    """Never more than `bytes_max` are unpacked, whatever the archive says of them."""
    if info.flag_bits & ENCRYPTED:
        raise Malformed(f"{info.filename} is encrypted")
    if info.file_size > bytes_max:
        raise TooLarge(f"{info.filename} unpacks to {info.file_size} of {bytes_max} bytes")
    with archive.open(info) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise TooLarge(f"{info.filename} unpacks to more than {bytes_max} bytes")
    return content


def _checked(line: RoleLine | ImageLine, content: bytes) -> bytes:
    if sha256(content).hex() != line.sha256:
        raise Malformed(f"{line.name} has another SHA-256 than {CONTENTS} says")
    return content


def _brief(fault: Exception) -> str:
    """The first thing that is wrong, in one line."""
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{CONTENTS}: {where or 'whole'}: {first['msg']}"
    return str(fault).partition("\n")[0]
