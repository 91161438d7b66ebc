"""`muptane client` and delegations: the order of the search, patterns, bins, and their lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from test_client_stories import BOTH, sampled
from tuf_customer import opened
from tuf_shop import LATER, PAST, Shop

from uptane import errors

# (by, role, terminating, pattern) ...; the order in which the roles are asked for what is nowhere
GRAPHS = {
    "one": ([("targets", "A")], "A"),
    "two in their order": ([("targets", "A"), ("targets", "B")], "AB"),
    "depth first": ([("targets", "A"), ("targets", "B"), ("A", "C"), ("C", "D")], "ACDB"),
    "a role is asked once": ([("targets", "A"), ("targets", "B"), ("A", "C"), ("B", "C")], "ACB"),
    "in a circle": ([("targets", "A"), ("A", "B"), ("B", "C"), ("C", "A")], "ABC"),
    "terminating": ([("targets", "A"), ("targets", "B"), ("A", "C", True), ("A", "D")], "AC"),
    "and its own below": ([("targets", "A", True), ("targets", "B"), ("A", "C")], "AC"),
    "not for this path": ([("targets", "A", False, "*.py"), ("targets", "B"), ("A", "C")], "B"),
}


@pytest.mark.parametrize(("graph", "nodes"), sampled(GRAPHS, "depth first", "and its own below"))
def test_roles_are_searched_in_order(tmp_path: Path, graph: str, nodes: str) -> None:
    """V-17, V-76, T-24: by priority, depth first, as TUF has terminating ones."""
    edges, order = GRAPHS[graph]
    with opened(tmp_path, nodes) as (shop, customer):
        for by, role, *rest in edges:
            paths = list(rest[1:]) or ["*"]
            shop.delegate(by, role, terminating=bool(rest[:1] and rest[0]), paths=paths)
        shop.publish(*shop.roles)
        for name in shop.roles:
            if name != "targets":
                assert shop.roles[name].version == 2
        customer.refuses(errors.NotOnImageRepository, "nowhere")
        assert customer.asked()[4:] == [f"2.{role}.json" for role in order]
        for role in order:
            assert customer.has(role) == 2


@pytest.mark.parametrize("nodes", BOTH)
def test_images_are_found_where_paths_lead(tmp_path: Path, nodes: str) -> None:
    """V-16, T-26: a star stays in its part of the path; who is not delegated to is not heard."""
    with opened(tmp_path, nodes) as (shop, customer):
        shop.delegate("targets", "docs", paths=["*.md", "*.doc"])
        shop.delegate("targets", "releases", paths=["releases/*/*"])
        shop.delegate("releases", "x", paths=["releases/x/*"])
        shop.delegate("releases", "y", paths=["releases/y/*.zip"])
        images = {
            "docs": "README.md", "x": "releases/x/v1", "y": "releases/y/v1.zip",
        }  # fmt: skip
        for role, path in images.items():
            shop.list_image(role, path, path.encode())
        shop.list_image("y", "releases/z/v1.zip", b"of somebody else")
        shop.publish(*shop.roles)
        for path in images.values():
            assert customer.download(path) == path.encode()
        customer.asked()
        customer.refuses(errors.NotOnImageRepository, "releases/z/v1.zip")
        customer.refuses(errors.NotOnImageRepository, "deeper/README.md")
        assert customer.asked() == ["2.root.json", "timestamp.json"] * 2


@pytest.mark.parametrize("nodes", BOTH)
def test_bins_are_found_by_the_hash_of_the_path(tmp_path: Path, nodes: str) -> None:
    """V-16, T-26: one bin for each path, and no other is asked."""
    with opened(tmp_path, nodes) as (shop, customer):
        bins = shop.make_bins(3)
        path = "a/door.bin"
        name = bins[hashlib.sha256(path.encode()).digest()[0] >> 5]
        shop.list_image(name, path, b"release 1")
        shop.publish(*shop.roles)
        assert customer.download(path) == b"release 1"
        assert customer.asked()[4] == f"2.{name}.json"
        customer.refuses(errors.NotOnImageRepository, "another")


def test_delegations_by_prefix_of_the_hash(tmp_path: Path) -> None:
    """V-16"""
    with opened(tmp_path) as (shop, customer):
        digest = hashlib.sha256(b"door.bin").hexdigest()
        other = "0" if digest[0] != "0" else "1"
        shop.delegate("targets", "A", path_hash_prefixes=[other])
        shop.delegate("targets", "B", path_hash_prefixes=["ffff", digest[:2]])
        shop.list_image("A", "door.bin", b"not for A to say")
        shop.list_image("B", "door.bin", b"release 1")
        shop.publish(*shop.roles)
        assert customer.download("door.bin") == b"release 1"


@pytest.mark.parametrize("role", ["?", "#", "/role", "../role", "a b", "ü"])
def test_no_name_of_a_role_leaves_its_place(tmp_path: Path, role: str) -> None:
    """V-21, T-07: neither in addresses nor in the folder."""
    with opened(tmp_path) as (shop, customer):
        shop.delegate("targets", role)
        shop.publish(*shop.roles)
        customer.refuses(errors.NotOnImageRepository, "nowhere")
        assert customer.asked()[-1] == shop.file(role, 2)
        assert len(list(customer.metadata.iterdir())) == 5
        assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["trusted.json"]


@pytest.mark.parametrize("name", ["root", "timestamp", "snapshot", "targets", ""])
def test_nobody_delegates_to_a_top_level_role(tmp_path: Path, name: str) -> None:
    """E-46, E-56"""
    with opened(tmp_path) as (shop, customer):
        shop.delegate("targets", "A")
        assert shop.targets.delegations.roles is not None
        shop.targets.delegations.roles["A"].name = name
        shop.publish("targets")
        customer.refuses(errors.BadShape, "nowhere")


def test_lies_of_a_delegated_role_end_the_search(tmp_path: Path) -> None:
    """T-22, T-41, E-56..E-59: missing, other bytes, expired, by other keys."""
    shop = Shop()
    shop.names_hashes = True
    shop.delegate("targets", "A")
    shop.list_image("A", "door.bin", b"release 1")
    shop.publish("A", "targets")
    with opened(tmp_path, shop=shop) as (shop, customer):
        honest = shop.raws.pop("2.A.json")
        customer.refuses(errors.Withheld, "door.bin")
        shop.raws["2.A.json"] = honest + b" "
        customer.refuses(errors.WrongLength, "door.bin")
        shop.raws["2.A.json"] = honest.replace(b"door", b"roof")
        customer.refuses(errors.WrongHash, "door.bin")
        shop.raws["2.A.json"] = honest
        assert customer.download("door.bin") == b"release 1"
        shop.names_hashes = False
        shop.roles["A"].expires = PAST
        shop.publish("A")
        customer.refuses(errors.Expired, "door.bin")
        assert customer.has("A") == 2
        shop.roles["A"].expires = LATER
        shop.signers["A"] = [shop.add_key("targets")]
        shop.publish("A")
        customer.refuses(errors.BelowThreshold, "door.bin")
        assert customer.has("A") == 2


def test_a_delegation_that_the_snapshot_does_not_name(tmp_path: Path) -> None:
    """T-41"""
    with opened(tmp_path) as (shop, customer):
        shop.delegate("targets", "A")
        shop.publish("targets")
        customer.refuses(errors.VersionMismatch, "door.bin")


def test_a_supplier_driven_up_is_undone_by_new_keys_of_the_snapshot(tmp_path: Path) -> None:
    """T-12, T-40, E-16"""
    with opened(tmp_path) as (shop, customer):
        shop.delegate("targets", "A")
        shop.list_image("A", "door.bin", b"release 1")
        shop.roles["A"].version = 99
        shop.publish("A", "targets")
        assert customer.download("door.bin") == b"release 1"
        shop.change_keys("snapshot")
        shop.roles["A"].version = 4
        shop.publish("root", "A")
        assert customer.download("door.bin") == b"release 1"
        assert customer.has("A") == 5


@pytest.mark.parametrize("nodes", BOTH)
def test_a_stored_file_with_another_hash_than_the_listed_is_not_used(
    tmp_path: Path, nodes: str
) -> None:
    """V-74, T-14: an image that was withdrawn at the same version is not there any more."""
    shop = Shop(names_hashes=True)
    shop.delegate("targets", "A")
    shop.list_image("A", "door.bin", b"release 1")
    shop.publish("A", "targets")
    with opened(tmp_path, nodes, shop) as (shop, customer):
        assert customer.download("door.bin") == b"release 1"
        del shop.roles["A"].targets["door.bin"]
        shop.publish("A", bump=0)
        shop.publish_snapshot()
        customer.targets.joinpath("door.bin").unlink()
        customer.asked()
        customer.refuses(errors.NotOnImageRepository, "door.bin")
        assert customer.asked()[-1] == "2.A.json"
        shop.raws.pop("2.A.json")
        customer.asked()
        customer.refuses(errors.NotOnImageRepository, "door.bin")
        assert "2.A.json" not in customer.asked()  # the new one is stored, and is the listed


def test_stored_targets_with_another_hash_than_the_listed_are_not_used(tmp_path: Path) -> None:
    """V-74, T-14, E-87: where the Snapshot that says so was stored, and its Targets withheld."""
    shop = Shop(names_hashes=True)
    shop.list_image("targets", "door.bin", b"release 1")
    shop.publish("targets")
    with opened(tmp_path, shop=shop) as (shop, customer):
        customer.refresh()
        shop.targets.targets.clear()
        shop.publish("targets", bump=0)
        shop.publish_snapshot()
        honest = shop.raws.pop("2.targets.json")
        for _ in range(2):
            customer.refuses(errors.Withheld, "door.bin")
        shop.raws["2.targets.json"] = honest
        customer.refuses(errors.NotOnImageRepository, "door.bin")
