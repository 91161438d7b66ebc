"""An image, from an address into a file: hashed as it comes, never whole in memory.

Nothing is fetched where a file that fits lies already, or where there is no room for the length
that the metadata says. What does not turn out to be the image is taken away again; the file that
was there stays. It does NOT decide what the image should be.
Rules: V-61, V-66, T-34, E-03, E-20, E-21.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muptane.tufjson.connections import Opener
from muptane.tufjson.dialect import ALG_SHA512
from muptane.tufjson.fetch import CHUNK_BYTES, Absent, Patience, chunks, for_image
from muptane.tufjson.folder import replacing
from uptane.errors import TooMuch, Withheld, WrongHash, WrongLength
from uptane.ids import ALG_SHA256

HASHES = {str(ALG_SHA256): "sha256", str(ALG_SHA512): "sha512"}


class Unwritable(Exception):
    """There is no room for the image, or it cannot be written for another reason."""


class Hashes:
    """Every hash of one image, as its bytes come; found: {name: digest}."""

    def __init__(self, found: Mapping[str, bytes]) -> None:
        self._found = found
        self._made = {name: hashlib.new(HASHES[name]) for name in found}

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        for made in self._made.values():
            made.update(chunk)

    def fit(self) -> bool:
        """Are all of them as they should be?"""
        return all(made.digest() == self._found[name] for name, made in self._made.items())


def bring(address: str, found: Mapping[str, Any], place: Path, patience: Patience) -> None:
    """Have an image in its place; found: its length and hashes. Unreachable, Unwritable; Withheld,
    TooMuch, WrongLength, WrongHash: then whatever was in its place still is."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if _is_there(found, place):
            return
        free = shutil.disk_usage(place.parent).free
        if found["length"] > free:
            raise Unwritable(
                f"{place.parent}: the image has {found['length']} bytes and there is room for "
                f"{free}; nothing was fetched. Make room or name another --target-dir"
            )
        _fetch(address, found, place, for_image(patience, found["length"]))
    except OSError as error:
        raise Unwritable(
            f"{place.parent}: the image cannot be written: {error.strerror}. Nothing of it was "
            "kept. Make room or name another --target-dir"
        ) from error


def _is_there(found: Mapping[str, Any], place: Path) -> bool:
    if not place.is_file() or place.stat().st_size != found["length"]:
        return False
    hashes = Hashes(found["hashes"])
    with place.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            hashes.update(chunk)
    return hashes.fit()


def _fetch(address: str, found: Mapping[str, Any], place: Path, opener: Opener) -> None:
    length: int = found["length"]
    hashes = Hashes(found["hashes"])
    count = 0
    with replacing(place) as file:
        try:
            for chunk in chunks(address, length, opener):
                count += len(chunk)
                if count > length:
                    raise TooMuch
                hashes.update(chunk)
                file.write(chunk)
        except Absent:
            raise Withheld from None
        if count < length:
            raise WrongLength
        if not hashes.fit():
            raise WrongHash
