"""`muptane client` against an honest TUF repository of python-tuf's making.

The stories are those of the published suites for TUF clients, in our words; the lies are in
test_client_lies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tuf_customer import opened
from tuf_shop import LATER, PAST, Shop, served

from muptane.bench import firmware
from uptane.errors import BelowThreshold, NotProvisioned, WrongHash, WrongLength

NEEDS_WHEEL = pytest.mark.skipif(not firmware.available(), reason="no wheel")
BOTH = ["cpython", pytest.param("micropython", marks=NEEDS_WHEEL)]


def sampled(cases: Iterable[str], *samples: str) -> list[Any]:
    """Every case with CPython, and these with MicroPython, too."""
    decided = [pytest.param(sample, "micropython", marks=NEEDS_WHEEL) for sample in samples]
    return [*((case, "cpython") for case in cases), *decided]


def muptane(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command itself."""
    command = [sys.executable, "-c", "from muptane.cli.main import app; app()", "client"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_the_command_keeps_to_the_protocol_of_the_suites(tmp_path: Path) -> None:
    """V-71, V-85: init, refresh, download; 0, 1 with a sentence, 2 for a wrong call."""
    shop = Shop()
    shop.list_image("targets", "app/door.bin", b"release 1")
    shop.publish("targets")
    root = tmp_path / "1.json"
    root.write_bytes(shop.raws["1.root.json"])
    trusted = ["--metadata-dir", tmp_path / "m"]
    with served(shop) as address:
        there = [*trusted, "--metadata-url", f"{address}/metadata"]
        assert muptane(*trusted, "init", root).returncode == 0
        assert shop.asked == []
        target = ["--target-name", "app/door.bin", "--target-base-url", f"{address}/targets"]
        done = muptane(*there, *target, "--target-dir", tmp_path / "t", "download")
        assert (done.returncode, done.stderr) == (0, "")
        shop.raws["timestamp.json"] = b"{}"
        done = muptane(*there, "refresh")
        assert done.returncode == 1
        assert "refused (9 BadShape)" in done.stderr
        assert muptane(*trusted, "refresh").returncode == 2
    assert [file.read_bytes() for file in (tmp_path / "t").iterdir()] == [b"release 1"]
    names = sorted(file.name for file in (tmp_path / "m").iterdir())
    assert names == ["root.json", "snapshot.json", "targets.json", "timestamp.json"]


@pytest.mark.parametrize("nodes", BOTH)
def test_a_first_refresh_asks_for_each_role_once(tmp_path: Path, nodes: str) -> None:
    """V-71..V-74: and the next one for news only."""
    with opened(tmp_path, nodes) as (shop, customer):
        customer.refresh()
        assert customer.asked() == [
            "2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json",
        ]  # fmt: skip
        assert customer.versions() == (1, 1, 1, 1)
        for role in ("1.root", "timestamp", "1.snapshot", "1.targets"):
            kept = customer.metadata / f"{role.split('.')[-1]}.json"
            assert kept.read_bytes() == shop.raws[f"{role}.json"]
        customer.refresh()
        assert customer.asked() == ["2.root.json", "timestamp.json"]


@pytest.mark.parametrize("nodes", BOTH)
def test_keys_of_every_kind_are_rotated_over_several_roots(tmp_path: Path, nodes: str) -> None:
    """V-71, T-10, T-27: each Root by the old and the new keys; a client that slept takes all."""
    with opened(tmp_path, nodes) as (shop, customer):
        for kind in ("ecdsa", "rsa", "ed25519"):
            old = tuple(shop.signers.pop("root"))
            shop.root.roles["root"].keyids.clear()
            shop.add_key("root", kind)
            shop.add_key("root")
            shop.root.roles["root"].threshold = 2
            shop.publish("root", by=old)
        customer.refresh()
        assert customer.versions() == (4, 4, 4, 1)


def test_a_root_that_expired_on_the_way_is_no_obstacle(tmp_path: Path) -> None:
    """T-11"""

    with opened(tmp_path) as (shop, customer):
        shop.root.expires = PAST
        shop.publish("root")
        shop.root.expires = LATER
        shop.publish("root")
        customer.refresh()
        assert customer.has("root") == 3


def test_a_timestamp_of_the_same_version_is_no_news(tmp_path: Path) -> None:
    """T-09, E-15: the stored one counts, whatever the other says."""
    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        kept = shop.raws["timestamp.json"]
        shop.timestamp.snapshot_meta.version = 100
        shop.publish_timestamp(0)
        customer.refresh()
        assert (customer.metadata / "timestamp.json").read_bytes() == kept


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_versions_driven_up_are_undone_by_new_keys(tmp_path: Path, role: str) -> None:
    """T-12, E-16: fast-forward recovery, of Targets by the keys of the Snapshot."""
    with opened(tmp_path) as (shop, customer):
        content = shop.roles.get(role) or getattr(shop, role)
        content.version = 99
        shop.publish("targets")
        customer.refresh()
        assert customer.has(role) == 100
        for rotated in {"timestamp", "snapshot" if role != "timestamp" else role}:
            shop.change_keys(rotated)
        content.version = 4
        shop.publish("root", "targets")
        customer.refresh()
        assert customer.has(role) == 5


def test_what_expired_here_still_helps_to_find_what_is_new(tmp_path: Path) -> None:
    """T-42"""

    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        shop.timestamp.expires = PAST
        shop.publish_timestamp(0)
        (customer.metadata / "timestamp.json").write_bytes(shop.raws["timestamp.json"])
        shop.timestamp.expires = LATER
        shop.publish("targets")
        customer.refresh()
        assert customer.versions() == (1, 2, 2, 2)


def test_fields_that_nobody_knows_are_signed_too(tmp_path: Path) -> None:
    """V-07: they are allowed, and nothing of them may be changed."""
    with opened(tmp_path) as (shop, customer):
        shop.root.unrecognized_fields["colour"] = {"paint": ["blue", 1, None, True, 'a"\\é']}
        shop.publish("root")
        customer.refresh()
        assert customer.has("root") == 2
        shop.publish("root")
        shop.raws["3.root.json"] = shop.raws["3.root.json"].replace(b"blue", b"grey")
        customer.refuses(BelowThreshold)
        assert customer.has("root") == 2


def test_a_repository_without_versions_in_names(tmp_path: Path) -> None:
    """V-21: no consistent snapshots; Root has its version all the same."""
    shop = Shop()
    shop.root.consistent_snapshot = False
    shop.list_image("targets", "door.bin", b"release 1")
    shop.publish("root", "targets")
    with opened(tmp_path, shop=shop) as (shop, customer):
        assert customer.download("door.bin") == b"release 1"
        assert customer.asked() == [
            "2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json",
            "targets/door.bin",
        ]  # fmt: skip


@pytest.mark.parametrize("nodes", BOTH)
def test_an_image_is_fetched_once_and_again_when_it_changed(tmp_path: Path, nodes: str) -> None:
    """V-61, V-66: what lies there and fits is not fetched."""
    with opened(tmp_path, nodes) as (shop, customer):
        shop.list_image("targets", "a/b/door.bin", b"release 1")
        shop.publish("targets")
        assert customer.download("a/b/door.bin") == b"release 1"
        customer.asked()
        assert customer.download("a/b/door.bin") == b"release 1"
        assert customer.asked() == ["2.root.json", "timestamp.json"]
        shop.list_image("targets", "a/b/door.bin", b"release 2")
        shop.publish("targets")
        assert customer.download("a/b/door.bin") == b"release 2"
        assert len(list(customer.targets.iterdir())) == 1


def test_a_file_that_is_written_anew_is_signed_all_the_same(tmp_path: Path) -> None:
    """T-06: by design of TUF's JSON, a signature covers what was read and not the bytes; a length
    and a hash, where they are given, are those of the bytes that came."""
    for names_hashes in (False, True):
        shop = Shop(names_hashes=names_hashes)
        raw = shop.raws["1.targets.json"]
        shop.raws["1.targets.json"] = again = json.dumps(json.loads(raw)).encode()
        assert again != raw
        folder = tmp_path / str(names_hashes)
        folder.mkdir()
        with opened(folder, shop=shop) as (shop, customer):
            if names_hashes:
                customer.refuses(WrongLength)
                shop.raws["1.targets.json"] = raw[:-1] + b" "
                customer.refuses(WrongHash)
            else:
                customer.refresh()
                assert (customer.metadata / "targets.json").read_bytes() == again


def test_names_with_hashes_are_followed(tmp_path: Path) -> None:
    """V-73, V-74: where what is named is what is there."""
    shop = Shop()
    shop.names_hashes = True
    shop.publish("targets")
    with opened(tmp_path, shop=shop) as (shop, customer):
        customer.refresh()
        shop.publish("targets")
        customer.refresh()
        assert customer.versions() == (1, 3, 3, 3)


def test_without_a_root_nothing_is_asked(tmp_path: Path) -> None:
    """V-22"""
    with opened(tmp_path) as (shop, customer):
        (customer.metadata / "root.json").unlink()
        customer.refuses(NotProvisioned)
        assert customer.asked() == []
