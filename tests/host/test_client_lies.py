"""`muptane client` against a TUF repository that lies: what is refused, and what stays trusted.

Each is a legal beginning, the lie, the refusal, and the trusted state as it was.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from test_client_stories import BOTH, sampled
from tuf_customer import opened, spoiled
from tuf_shop import PAST, Shop

from muptane.tufjson.fetch import Unreachable
from uptane import errors

FORGED = "ab" * 64


@pytest.mark.parametrize(
    ("role", "nodes"), sampled(["timestamp", "snapshot", "targets"], "targets")
)
def test_no_role_goes_back(tmp_path: Path, role: str, nodes: str) -> None:
    """E-08..E-12, V-72, V-73, V-74: by whoever holds the keys of all roles above it."""
    with opened(tmp_path, nodes) as (shop, customer):
        shop.publish("targets")
        shop.publish("targets")
        customer.refresh()
        assert customer.versions() == (1, 3, 3, 3)
        if role == "timestamp":
            shop.timestamp.version = 1
            shop.publish_timestamp()
        elif role == "snapshot":
            shop.snapshot.version = 1
            shop.publish_snapshot()
        else:
            shop.targets.version = 1
            shop.publish("targets")
        customer.refuses(errors.Rollback)
        kept = {"timestamp": (1, 3, 3, 3), "snapshot": (1, 3, 3, 3), "targets": (1, 4, 3, 3)}
        assert customer.versions() == kept[role]
        assert customer.asked()[-1] == {
            "timestamp": "timestamp.json", "snapshot": "timestamp.json",
            "targets": "4.snapshot.json",
        }[role]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "nodes"), sampled(["root", "timestamp", "snapshot", "targets"], "snapshot")
)
def test_what_expired_is_refused(tmp_path: Path, role: str, nodes: str) -> None:
    """E-04, T-11: a Root is stored all the same, and then ends it."""
    with opened(tmp_path, nodes) as (shop, customer):
        customer.refresh()
        (shop.roles.get(role) or getattr(shop, role)).expires = PAST
        shop.publish("root", "targets")
        customer.refuses(errors.Expired)
        place = ("root", "timestamp", "snapshot", "targets").index(role)
        new = (2, 2, 2, 2)[: max(place, 1)]
        assert customer.versions() == new + (1, 1, 1, 1)[len(new) :]


@pytest.mark.parametrize("role", ["2.root", "timestamp", "2.snapshot", "2.targets"])
def test_a_signature_that_is_none_is_refused(tmp_path: Path, role: str) -> None:
    """E-44: the bytes around it are those of an honest file."""
    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        shop.publish("root", "targets")
        raw = shop.raws[f"{role}.json"]
        signatures = [{**one, "sig": FORGED} for one in json.loads(raw)["signatures"]]
        for lie in (signatures, []):
            shop.raws[f"{role}.json"] = spoiled(raw, signatures=lie)
            customer.refuses(errors.BelowThreshold)
        assert customer.has("targets") == 1


@pytest.mark.parametrize("nodes", BOTH)
def test_a_threshold_counts_keys(tmp_path: Path, nodes: str) -> None:
    """E-43, T-27: not kids, and not signatures."""
    with opened(tmp_path, nodes) as (shop, customer):
        customer.refresh()
        signer = shop.signers["snapshot"][0]
        twin = signer.public_key.to_dict()
        shop.root.roles["snapshot"].threshold = 2
        shop.root.roles["snapshot"].keyids.append("another name")
        shop.root.keys["another name"] = signer.public_key.from_dict("another name", twin)
        shop.publish("root", "targets")
        raw = shop.raws["2.snapshot.json"]
        once = json.loads(raw)["signatures"]
        again = [*once, {"keyid": "another name", "sig": once[0]["sig"]}]
        shop.raws["2.snapshot.json"] = spoiled(raw, signatures=again)
        customer.refuses(errors.BelowThreshold)
        shop.raws["2.snapshot.json"] = spoiled(raw, signatures=once * 2)
        customer.refuses(errors.BadEnvelope)
        assert customer.versions() == (2, 2, 1, 1)


def test_a_threshold_that_nobody_can_meet_spoils_its_role_alone(tmp_path: Path) -> None:
    """E-42, T-27: the Root that says so is taken."""
    with opened(tmp_path) as (shop, customer):
        customer.refresh()
        shop.root.roles["snapshot"].threshold = 3
        shop.root.roles["snapshot"].keyids.append("no such key")
        shop.publish("root", "targets")
        customer.refuses(errors.BelowThreshold)
        assert customer.versions() == (2, 2, 1, 1)


def test_a_root_needs_the_old_keys_and_the_new(tmp_path: Path) -> None:
    """E-39, V-71"""
    with opened(tmp_path) as (shop, customer):
        old = tuple(shop.signers["root"])
        shop.change_keys("root")
        new = shop.signers["root"]
        shop.publish("root")
        customer.refuses(errors.BelowThreshold)
        shop.signers["root"] = list(old)
        shop.publish("root", bump=0)
        customer.refuses(errors.BelowThreshold)
        shop.signers["root"] = [*old, *new]
        shop.publish("root", bump=0)
        customer.refresh()
        assert customer.has("root") == 2


def test_no_root_is_skipped(tmp_path: Path) -> None:
    """E-40, T-10"""
    with opened(tmp_path) as (shop, customer):
        shop.publish("root")
        shop.publish("root")
        honest = shop.raws["2.root.json"]
        shop.raws["2.root.json"] = shop.raws["3.root.json"]
        customer.refuses(errors.RootSkipped)
        shop.raws["2.root.json"] = shop.raws["1.root.json"]
        customer.refuses(errors.Rollback)
        shop.raws["2.root.json"] = honest
        customer.refresh()
        assert customer.has("root") == 3


def test_roots_without_end_end(tmp_path: Path) -> None:
    """T-23: and those that were taken stay."""
    with opened(tmp_path) as (shop, customer):
        for _ in range(5):
            shop.publish("root")
        from muptane.tufjson.dialect import TUF  # here, to shorten a chain of 256

        bounds = TUF.t23_search
        TUF.t23_search = (3, *bounds[1:])
        try:
            customer.refuses(errors.TooLong)
            assert customer.versions() == (4, 0, 0, 0)
        finally:
            TUF.t23_search = bounds
        customer.refresh()
        assert customer.has("root") == 6


@pytest.mark.parametrize("hashes", [False, True])
def test_files_of_different_days_do_not_mix(tmp_path: Path, hashes: bool) -> None:
    """E-13, E-14, V-73, V-74"""
    shop = Shop()
    shop.names_hashes = hashes
    shop.publish("targets")
    with opened(tmp_path, shop=shop) as (shop, customer):
        customer.refresh()
        shop.publish("targets")
        honest = dict(shop.raws)
        shop.raws["3.snapshot.json"] = shop.raws["2.snapshot.json"]
        customer.refuses(errors.SnapshotMismatch)
        shop.raws = dict(honest)
        shop.raws["3.targets.json"] = shop.raws["2.targets.json"]
        customer.refuses(errors.WrongHash if hashes else errors.VersionMismatch)
        assert customer.versions() == (1, 3, 3, 2)
        shop.raws = honest
        customer.refresh()
        assert customer.versions() == (1, 3, 3, 3)


@pytest.mark.parametrize("said", ["length", "hash", "both"])
def test_another_snapshot_of_the_named_version_is_refused(tmp_path: Path, said: str) -> None:
    """V-19, T-14, V-73: well signed, of the right version, and not the one that Timestamp names by
    whichever it gives of length and hash; a longer one, and one of the same length."""
    with opened(tmp_path, shop=Shop(names_hashes=True)) as (shop, customer):
        customer.refresh()
        shop.publish_snapshot()
        named = shop.timestamp.snapshot_meta
        named.length = None if said == "hash" else named.length
        named.hashes = None if said == "length" else named.hashes
        shop.publish_timestamp(0)
        honest = shop.raws["2.snapshot.json"]
        shop.snapshot.expires += timedelta(seconds=1)
        same_length = shop.signed("snapshot", shop.snapshot)
        assert len(same_length) == len(honest)
        for lie in (honest + b" ", same_length)[: 1 if said == "length" else 2]:
            shop.raws["2.snapshot.json"] = lie
            customer.refuses(errors.SnapshotMismatch)
        assert customer.versions() == (1, 2, 1, 1)
        shop.raws["2.snapshot.json"] = honest
        customer.refresh()
        assert customer.versions() == (1, 2, 2, 1)


def test_a_role_does_not_leave_the_snapshot(tmp_path: Path) -> None:
    """T-40, E-12"""
    with opened(tmp_path) as (shop, customer):
        shop.delegate("targets", "supplier")
        shop.publish("supplier", "targets")
        customer.refresh()
        del shop.roles["supplier"], shop.snapshot.meta["supplier.json"]
        shop.publish("targets")
        customer.refuses(errors.RoleDropped)


def test_data_without_end_is_not_read(tmp_path: Path) -> None:
    """E-19, E-20, T-52: metadata by the cap of its role, an image by its listed length."""
    with opened(tmp_path) as (shop, customer):
        shop.list_image("targets", "door.bin", b"release 1")
        shop.publish("targets")
        honest = dict(shop.raws)
        for file in ("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"):
            shop.raws = {**honest, file: honest.get(file, b"{}") + b" " * 5_100_000}
            customer.refuses(errors.TooLong)
        shop.raws = honest
        shop.images = {path: content + b"!" for path, content in shop.images.items()}
        customer.refuses(errors.TooMuch, "door.bin")


@pytest.mark.parametrize("nodes", BOTH)
def test_another_image_is_not_kept(tmp_path: Path, nodes: str) -> None:
    """V-48, E-21: nor is the good one lost."""
    with opened(tmp_path, nodes) as (shop, customer):
        shop.list_image("targets", "door.bin", b"release 1")
        shop.list_image("targets", "roof.bin", b"release 2")
        shop.publish("targets")
        assert customer.download("door.bin") == b"release 1"
        shop.images = dict.fromkeys(shop.images, b"release 6")
        customer.refuses(errors.WrongHash, "roof.bin")
        shop.images = dict.fromkeys(shop.images, b"short")
        customer.refuses(errors.WrongLength, "roof.bin")
        shop.images = {}
        customer.refuses(errors.Withheld, "roof.bin")
        assert [file.name for file in customer.targets.iterdir()] == ["door.bin"]


def test_an_unknown_kind_of_key_signs_nothing(tmp_path: Path) -> None:
    """T-27: and spoils nothing, as long as others meet the threshold."""
    with opened(tmp_path) as (shop, customer):
        strange = CryptoSigner.generate_ed25519()
        strange.public_key.keytype = strange.public_key.scheme = "rot13"
        shop.root.add_key(strange.public_key, "timestamp")
        shop.publish("root")
        customer.refresh()
        shop.root.roles["timestamp"].threshold = 2
        shop.signers["timestamp"].append(strange)
        shop.publish("root")
        customer.refuses(errors.BelowThreshold)


def test_a_server_that_is_away_is_not_the_end_of_the_roots(tmp_path: Path) -> None:
    """E-02, V-71: whoever drops requests is told from whoever has no newer Root; all stays."""
    with opened(tmp_path) as (_, customer):
        customer.refresh()
    with pytest.raises(Unreachable):  # it is closed now
        customer.refresh()
    assert customer.versions() == (1, 1, 1, 1)
