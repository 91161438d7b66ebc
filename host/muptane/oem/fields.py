"""The kinds of value that payloads are made of, as pydantic types with their bounds.

They follow docs/pouf.cddl name by name. Nothing converts: a bool is no integer here, and a
list no tuple. Relations between values are the models' business.
Rules: V-04, T-07, T-23.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from uptane import ids, limits

U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
VEHICLE_ID_CHARS_MAX = 32


def _whole_sha256(hashes: dict[int, bytes]) -> dict[int, bytes]:
    """Of the algorithms that there are, devices know this one, and how long its digests are."""
    if len(hashes.get(ids.ALG_SHA256, bytes(limits.DIGEST_BYTES))) != limits.DIGEST_BYTES:
        raise ValueError(f"a SHA-256 has {limits.DIGEST_BYTES} bytes")
    return hashes


U32 = Annotated[int, Field(ge=0, le=U32_MAX)]
Version = Annotated[int, Field(ge=1, le=limits.VERSION_MAX)]
Seconds = Annotated[int, Field(ge=0, le=U64_MAX)]
Digest = Annotated[bytes, Field(min_length=limits.DIGEST_BYTES, max_length=limits.DIGEST_BYTES)]
Nonce = Annotated[bytes, Field(min_length=limits.NONCE_BYTES, max_length=limits.NONCE_BYTES)]
VehicleId = Annotated[
    str, Field(min_length=1, max_length=VEHICLE_ID_CHARS_MAX, pattern="^[ -~]+$")
]
Hashes = Annotated[
    dict[int, bytes], Field(min_length=1, max_length=4), AfterValidator(_whole_sha256)
]
Custom = dict[Annotated[int, Field(ge=0)], Any]


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def hashes_of(content: bytes) -> dict[int, bytes]:
    return {ids.ALG_SHA256: sha256(content)}


def ascending(values: Sequence[int]) -> bool:
    return all(low < high for low, high in pairwise(values))


def is_vehicle_id(text: str) -> bool:
    """Whether a vehicle may be called so: what a transport says is any text."""
    return 0 < len(text) <= VEHICLE_ID_CHARS_MAX and text.isascii() and text.isprintable()


class Strict(BaseModel):
    """No conversion, no unknown field, no change afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
