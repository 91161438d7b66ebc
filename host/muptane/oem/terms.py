"""What a supplier and the car maker tell each other before the first delivery, as two small files.

A `Card` is the supplier's: his name, the public keys that will sign, and the key by which he
vouches for hashes. `Terms` are the maker's answer: which role he is, of which repository, which
image numbers and hardware he may list, and for how long what he signs may live. Neither is secret
nor signed: each side reads the words of the file aloud to the other (`spoken`), once.
Rules: V-15, R-36, S-08, S-10.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from muptane.oem.archive import Hex, SupplierName
from muptane.oem.authority import DAY_S
from muptane.oem.delegations import Delegate, Range, RoleNumber
from muptane.oem.errors import BadKey, Malformed, TooLarge
from muptane.oem.fields import U32, Strict, sha256
from muptane.oem.keys import Key
from uptane import limits

FILE_BYTES_MAX = 16 * 1024
DAYS_MAX = 366

PublicHex = Annotated[str, Field(pattern="^([0-9a-f]{64}|04[0-9a-f]{128})$")]
Days = Annotated[int, Field(ge=1, le=DAYS_MAX)]


class Exchanged(Strict):
    """A file that both sides keep, in JSON."""

    format: Literal[1] = 1

    def write(self) -> bytes:
        return (self.model_dump_json(indent=1) + "\n").encode()

    def digest(self) -> bytes:
        """Of what it says, in whatever layout: what is read aloud."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return sha256(said.encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Refuses with Malformed, TooLarge."""
        try:
            with path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        except OSError as fault:
            raise Malformed(f"{path} cannot be read: {fault.strerror or fault}") from fault
        if len(raw) > FILE_BYTES_MAX:
            raise TooLarge(f"{path} has more than {FILE_BYTES_MAX} bytes")
        try:
            return cls.model_validate_json(raw)
        except ValidationError as fault:
            first = fault.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "whole"
            name = cls.__name__.lower()
            raise Malformed(f"{path} is not a {name} file: {where}: {first['msg']}") from fault


class Card(Exchanged):
    """Who a supplier is. `keys`: public keys of his role, `threshold` of which sign; none: the
    car maker signs for him. `contact`: the Ed25519 key of his lists of hashes."""

    supplier: SupplierName
    threshold: Annotated[int, Field(ge=0, le=limits.KEYS_MAX)]
    keys: Annotated[tuple[PublicHex, ...], Field(max_length=limits.KEYS_MAX)]
    contact: Hex

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a key stands there twice")
        if not min(1, len(self.keys)) <= self.threshold <= len(self.keys):
            raise ValueError(f"{self.threshold} of {len(self.keys)} keys is no threshold")
        if self.contact in self.keys:
            raise ValueError("the key that vouches for hashes is not one that signs metadata")
        try:
            for public in (*self.keys, self.contact):
                Key(bytes.fromhex(public))
        except BadKey as fault:
            raise ValueError(str(fault)) from fault
        return self

    def public_keys(self) -> tuple[Key, ...]:
        return tuple(Key(bytes.fromhex(public)) for public in self.keys)


def delegate_of(role: int, threshold: int, cards: list[Card]) -> Delegate:
    """Role `role`, held by all keys of the cards. Refuses with Malformed."""
    keys = tuple(key for card in cards for key in card.public_keys())
    try:
        return Delegate(number=role, threshold=threshold, keys=keys)
    except ValidationError as fault:
        raise Malformed(f"role {role}: {fault.errors()[0]['msg']}") from fault


class Terms(Exchanged):
    """What the car maker leaves to role `role` of the Image repository `repository`, its identity.
    `hardware`: None is all. `threshold`: how many of the role's keys sign. `signs`: the supplier
    does, and not the maker for him. `vouches`: each delivery needs hashes by a second channel."""

    maker: SupplierName
    supplier: SupplierName
    role: RoleNumber
    repository: Hex
    ranges: Annotated[tuple[Range, ...], Field(min_length=1, max_length=limits.RANGES_MAX)]
    hardware: Annotated[tuple[U32, ...], Field(min_length=1)] | None
    days: Days
    threshold: Annotated[int, Field(ge=1, le=limits.KEYS_MAX)]
    signs: bool
    vouches: bool

    @property
    def lifetime_s(self) -> int:
        """Seconds that a file of his may be valid."""
        return self.days * DAY_S
