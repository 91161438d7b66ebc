"""`muptane client` and files that are none, or not those of their role.

What is refused before a signature is looked at, and what a good signature does not save.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tuf_customer import opened, spoiled

from uptane import errors


@pytest.mark.parametrize(
    ("file", "lie", "refusal"),
    [
        ("timestamp.json", b"", errors.BadShape),
        ("timestamp.json", b"[" * 100_000, errors.TooLong),
        ("timestamp.json", b"[" * 10_000, errors.BadShape),
        ("timestamp.json", b'"\xff"', errors.BadShape),
        ("timestamp.json", b'{"signed": {}}', errors.BadShape),
        ("timestamp.json", b'{"signed": [], "signatures": []}', errors.BadShape),
        ("2.snapshot.json", b'{"signed": {}, "signatures": [7]}', errors.BadShape),
        ("2.root.json", b'{"signed": {"a": 1.5}, "signatures": []}', errors.BelowThreshold),
    ],
)
def test_malformed_files_are_refused(
    tmp_path: Path, file: str, lie: bytes, refusal: type[errors.Refusal]
) -> None:
    """E-60"""
    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        shop.publish("targets")
        shop.raws[file] = lie
        customer.refuses(refusal)
        assert customer.has("targets") == 1


def test_a_role_signed_as_another_is_refused(tmp_path: Path) -> None:
    """E-46, V-07: where one key holds both."""
    with opened(tmp_path) as (shop, customer):
        shop.signers["timestamp"] = shop.signers["snapshot"]
        shop.root.roles["timestamp"].keyids[:] = shop.root.roles["snapshot"].keyids
        shop.publish("root")
        shop.raws["timestamp.json"] = shop.raws["2.snapshot.json"]
        customer.refuses(errors.WrongType)
        raw = shop.signed("timestamp", shop.timestamp)
        shop.raws["timestamp.json"] = spoiled(raw, spec_version="2.0.0")
        customer.refuses(errors.BelowThreshold)


def test_stored_files_that_are_none_are_brought_anew(tmp_path: Path) -> None:
    """V-90, E-60: all but the Root, without which nothing can be trusted."""
    with opened(tmp_path) as (shop, customer):
        for role in ("timestamp", "snapshot", "targets"):
            customer.refresh()
            file = customer.metadata / f"{role}.json"
            good = file.read_bytes()
            for lie in (b"", b"{}", spoiled(good, version=0), spoiled(good, meta=7, targets=7)):
                file.write_bytes(lie)
                customer.refresh()
                assert file.read_bytes() == good
        (customer.metadata / "root.json").write_bytes(b"{}")
        customer.refuses(errors.BadShape)


def test_a_root_to_begin_with_has_to_be_signed(tmp_path: Path) -> None:
    """V-22, E-39: or nothing is asked for."""
    with opened(tmp_path) as (shop, customer):
        raw = shop.raws["1.root.json"]
        customer.begin(spoiled(raw, signatures=[]))
        customer.refuses(errors.BelowThreshold)
        customer.begin(spoiled(raw, version=None))
        customer.refuses(errors.BadShape)
        assert customer.asked() == []
