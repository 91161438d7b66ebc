"""Whoever holds all keys may sign nonsense: it ends in a numbered refusal, never in a fault.

A value anywhere in a file is replaced by another, and the file signed anew by its right keys. The
session runs without HTTP, on a port of two dictionaries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tuf_shop import NOW, Shop

from muptane.tufjson.session import Session
from muptane.tufjson.signatures import identity, verify
from muptane.tufjson.text import canonical
from uptane.errors import Refusal

PATH = "a/door.bin"
NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.text(max_size=3) | st.floats()
    | st.sampled_from(["root", "targets", "A", "2030-01-01T00:00:00Z", "\ud800", "a/*", "[", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)  # fmt: skip


class Memory:
    """A port: what is served, and what is stored."""

    def __init__(self, served: Mapping[str, bytes], root: bytes) -> None:
        self.served = served
        self.files: dict[str, bytes | None] = {"root.json": root}

    def stored(self, repository: int, file: str) -> bytes | None:
        return self.files.get(file)

    def fetch(self, repository: int, file: str, cap: int) -> bytes | None:
        return self.served.get(file)

    def commit(self, repository: int, files: Mapping[str, bytes | None]) -> None:
        self.files.update(files)

    def verify(self, kind: str, scheme: str, public: str, message: bytes, sign: bytes) -> bool:
        return verify(kind, scheme, public, message, sign)

    def identity(self, public: str) -> str:
        return identity(public)


def make_shop() -> Shop:
    shop = Shop(names_hashes=False)
    shop.delegate("targets", "A", path_hash_prefixes=["zz"])
    shop.delegate("targets", "B", paths=["a/*"], terminating=True)
    shop.list_image("B", PATH, b"release 1")
    shop.publish("root", "A", "B", "targets")
    return shop


SHOP = make_shop()
FILES = {"2.root.json": "root", "timestamp.json": "timestamp", "2.snapshot.json": "snapshot",
         "2.targets.json": "targets", "2.B.json": "B"}  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    keys = value if isinstance(value, dict) else range(len(value))
    if not isinstance(value, dict | list):
        return []
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def session(served: Mapping[str, bytes]) -> Any:
    port = Memory(served, SHOP.raws["1.root.json"])
    return Session(port, int(NOW.timestamp())).refresh(PATH)


def test_the_honest_shop_is_followed() -> None:
    """V-76: or the rest here would show nothing."""
    assert session(SHOP.raws)["length"] == len(b"release 1")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_signed_nonsense_is_refused_by_number(file: str, data: st.DataObject) -> None:
    """E-60"""
    value = json.loads(SHOP.raws[file])
    container, key = data.draw(st.sampled_from(places(value["signed"])))
    container[key] = data.draw(NONSENSE)
    try:
        message = canonical(value["signed"])
    except Refusal:
        message = b""
    signatures = [signer.sign(message) for signer in SHOP.signers[FILES[file]]]
    value["signatures"] = [{"keyid": one.keyid, "sig": one.signature} for one in signatures]
    try:
        session({**SHOP.raws, file: json.dumps(value).encode()})
    except Refusal as refusal:
        assert refusal.number > 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_unsigned_nonsense_is_refused_by_number(file: str, data: st.DataObject) -> None:
    """E-60: bytes that change, or an envelope that is something else."""
    raw = bytearray(SHOP.raws[file])
    if data.draw(st.booleans()):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    else:
        value = json.loads(raw)
        value[data.draw(st.sampled_from(["signed", "signatures"]))] = data.draw(NONSENSE)
        raw = bytearray(json.dumps(value).encode())
    try:
        session({**SHOP.raws, file: bytes(raw)})
    except Refusal as refusal:
        assert refusal.number > 0
