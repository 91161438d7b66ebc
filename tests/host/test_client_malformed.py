"""`muptane client` and files that are none, or not those of their role.

What is refused before a signature is looked at, and what a good signature does not save.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from test_client_stories import BOTH, muptane
from tuf.api.metadata import MetaFile
from tuf_customer import opened, spoiled
from tuf_shop import PAST, Shop

from muptane.tufjson import text
from muptane.tufjson.codec import Codec
from muptane.tufjson.dialect import UPTANE_JSON
from muptane.tufjson.names import ROLES, Names
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


@pytest.mark.parametrize("nodes", BOTH)
def test_unsigned_bytes_do_not_keep_the_client_busy(tmp_path: Path, nodes: str) -> None:
    """E-19, T-27: neither with signatures by nobody nor with a number that has no end."""
    many = [{"keyid": f"{kid:05x}", "sig": ""} for kid in range(120_000)]
    digits = b'{"signed": {"a": ' + b"1" * 1_000_000 + b'}, "signatures": []}'
    with opened(tmp_path, nodes) as (shop, customer):
        raw = shop.raws["1.targets.json"]
        for lie, refusal in (
            (spoiled(raw, signatures=many), errors.TooLong),
            (digits, errors.BadShape),
        ):
            shop.raws["1.targets.json"] = lie
            began_s = time.process_time() + os.times().children_user
            customer.refuses(refusal)
            assert time.process_time() + os.times().children_user - began_s < 10
        shop.raws["1.targets.json"] = raw
        customer.refresh()


def test_what_is_signed_is_written_once_for_all_signatures() -> None:
    """E-19: and up to 256 of them are looked at; python-tuf signs no file that often."""
    codec = Codec(Names(), UPTANE_JSON)
    one = {"keyid": "a", "sig": "00"}
    raw = json.dumps({"signed": {"a": 1}, "signatures": [one] * 256}).encode()
    assert len(codec.read_sign(raw).signatures) == 256
    assert codec.sign_parts(raw, b"") == (b'{"a":1}',)
    assert codec.sign_parts(raw, b"")[0] is codec.sign_parts(raw, b"")[0]
    with pytest.raises(errors.TooLong):
        codec.read_sign(json.dumps({"signed": {}, "signatures": [one] * 257}).encode())


def test_a_row_of_digits_may_be_long() -> None:
    """E-19: signatures are hexadecimal, and some have few letters."""
    assert text.parse(b'"' + b"1" * 2047 + b'"') == "1" * 2047
    for before in (0, 1, 2047):
        with pytest.raises(errors.BadShape):
            text.parse(b" " * before + b'"' + b"1" * 4096 + b'"')


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


def test_a_stored_root_has_to_be_signed(tmp_path: Path) -> None:
    """V-22, E-39: or nothing is asked for."""
    with opened(tmp_path) as (shop, customer):
        raw = shop.raws["1.root.json"]
        file = customer.metadata / "root.json"
        file.write_bytes(spoiled(raw, signatures=[]))
        customer.refuses(errors.BelowThreshold)
        file.write_bytes(spoiled(raw, version=None))
        customer.refuses(errors.BadShape)
        assert customer.asked() == []


@pytest.mark.parametrize("nodes", BOTH)
def test_what_is_no_signed_root_is_no_beginning(tmp_path: Path, nodes: str) -> None:
    """V-22, E-39: and the Root that is trusted already stays; an expired one is a beginning."""
    with opened(tmp_path, nodes) as (shop, customer):
        raw = shop.raws["1.root.json"]
        for lie, refusal in (
            (b"{}", errors.BadShape),
            (b"no JSON", errors.BadShape),
            (shop.raws["timestamp.json"], errors.WrongType),
            (spoiled(raw, signatures=[]), errors.BelowThreshold),
            (spoiled(raw, version=7), errors.BelowThreshold),
        ):
            with pytest.raises(errors.Refusal) as raised:
                customer.begin(lie)
            assert type(raised.value) is refusal
            assert (customer.metadata / "root.json").read_bytes() == raw
        shop.root.expires = PAST
        customer.begin(shop.signed("root", shop.root))
        customer.refuses(errors.Expired)


def test_a_client_begins_with_all_of_its_roots_or_with_none(tmp_path: Path) -> None:
    """V-22"""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(Shop().raws["1.root.json"])
    bad.write_bytes(b"{}")
    urls = ["--director-url", "http://127.0.0.1:1/", "--metadata-dir", tmp_path / "m"]
    done = muptane(*urls, "init", good)
    assert (done.returncode, "--director-root" in done.stderr) == (2, True)
    for roots in ((good, bad), (bad, good), (good, tmp_path / "nowhere.json")):
        assert muptane(*urls, "--director-root", roots[0], "init", roots[1]).returncode == 1
        assert not (tmp_path / "m").exists()
    assert muptane(*urls, "--director-root", good, "init", good).returncode == 0
    assert len(list((tmp_path / "m").rglob("root.json"))) == 2


def test_no_more_roles_are_numbered_than_there_is_room_for() -> None:
    """T-23: the next would be a record of another repository."""
    names = Names()
    last = 0
    with pytest.raises(errors.TooLong):
        for count in range(ROLES):
            last = names.number(f"role {count}")
    assert last == ROLES - 1
    assert names.number("role 0") < ROLES and names.number("targets") == 3


def test_a_snapshot_of_too_many_roles_is_refused(tmp_path: Path) -> None:
    """T-23: whoever signs it."""
    with opened(tmp_path) as (shop, customer):
        shop.snapshot.meta.update({f"{count:x}.json": MetaFile(1) for count in range(66_000)})
        shop.publish_snapshot()
        raw = json.loads(shop.raws["2.snapshot.json"])
        shop.raws["2.snapshot.json"] = json.dumps(raw, separators=(",", ":")).encode()
        customer.refuses(errors.TooLong)
