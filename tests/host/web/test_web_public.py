"""The public part of the API: who fetches gets the published bytes, may keep them, and no more."""

from collections.abc import Iterator

import httpx
import pytest
from grammar import conforms
from oem_vehicle import NOW
from served import IMAGE, SECRET, Shop, problem, running

from muptane.oem.fields import sha256
from muptane.oem.web.names import name_of, read_name
from uptane import ids


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[httpx.Client]:
    with running(shop.folder) as server, httpx.Client(base_url=server.url) as made:
        yield made


def image(shop: Shop) -> str:
    return f"/v1/2/{shop.digest}.7"


def test_every_public_file_is_what_the_office_has(client: httpx.Client, shop: Shop) -> None:
    """R-01, R-04, R-05, R-07, V-21: without a word of who asks."""
    for role, name in enumerate(("1.root", "timestamp", "1.snapshot", "1.targets")):
        raw = client.get(f"/v1/2/{name}.cbor").content
        assert raw == shop.office.answer("", ids.IMAGE, ids.KIND_METADATA, role, int(role != 1))
        conforms("role-file", raw)
    raw = client.get("/v1/1/1.root.cbor").content
    assert raw == shop.office.answer("", ids.DIRECTOR, ids.KIND_METADATA, ids.ROOT, 1)
    found = client.get(image(shop))
    assert found.content == IMAGE
    assert found.headers["content-type"] == "application/octet-stream"


def test_what_never_changes_may_be_kept_and_the_timestamp_not(
    client: httpx.Client, shop: Shop
) -> None:
    """R-05, E-22."""
    for path in (image(shop), "/v1/2/1.targets.cbor", "/v1/1/1.root.cbor"):
        found = client.get(path)
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        tag = found.headers["etag"]
        assert tag == f'"{sha256(found.content).hex()}"'
        again = client.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == found.headers["cache-control"]
    before = client.get("/v1/2/timestamp.cbor")
    assert before.headers["cache-control"] == "public, no-cache"
    known = {"If-None-Match": before.headers["etag"]}
    assert client.get("/v1/2/timestamp.cbor", headers=known).status_code == 304
    shop.office.refresh()
    after = client.get("/v1/2/timestamp.cbor", headers=known)
    assert after.status_code == 200
    assert after.content != before.content


def test_what_is_not_there_yet_may_be_there_soon(client: httpx.Client, shop: Shop) -> None:
    """E-22, V-71: nobody keeps the absence of a Root, and a new one is served at once."""
    for repository in (ids.DIRECTOR, ids.IMAGE):
        path = f"/v1/{repository}/2.root.cbor"
        problem(client.get(path), 404)
        shop.office.rotate(repository, ids.TARGETS)
        raw = client.get(path).content
        assert raw == shop.office.answer("", repository, ids.KIND_METADATA, ids.ROOT, 2)


def test_head_tells_of_the_file_and_sends_none(client: httpx.Client, shop: Shop) -> None:
    whole = client.get(image(shop))
    for headers in ({}, {"Range": "bytes=5-9"}, {"Range": "bytes=999999999-"}):
        head = client.head(image(shop), headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "etag", "cache-control", "accept-ranges"):
            assert head.headers[name] == whole.headers[name]
    assert client.head("/v1/2/99.root.cbor").status_code == 404


def test_a_part_of_an_image_comes_alone(client: httpx.Client, shop: Shop) -> None:
    """R-05, R-07."""
    size = len(IMAGE)
    for text, first, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=40000-89999", 40_000, 90_000),
        ("bytes=99990-", size - 10, size),
        ("bytes=-3", size - 3, size),
        ("bytes=5-999999999", 5, size),
    ):
        found = client.get(image(shop), headers={"Range": text})
        assert found.status_code == 206
        assert found.content == IMAGE[first:end]
        assert found.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
        assert found.headers["content-length"] == str(end - first)
    refused = client.get(image(shop), headers={"Range": f"bytes={size}-"})
    problem(refused, 416)
    assert refused.headers["content-range"] == f"bytes */{size}"
    for text in ("bytes=0-1,5-6", "lines=1-2", "bytes=2-1"):
        found = client.get(image(shop), headers={"Range": text})
        assert (found.status_code, found.content) == (200, IMAGE)


def test_a_part_comes_only_of_the_file_that_the_client_has(
    client: httpx.Client, shop: Shop
) -> None:
    """R-07, E-24: a file that changed meanwhile comes whole."""
    tag = client.head(image(shop)).headers["etag"]
    for held, status in ((tag, 206), ('"other"', 200), (f"W/{tag}", 200)):
        found = client.get(image(shop), headers={"Range": "bytes=1-", "If-Range": held})
        assert found.status_code == status
    problem(client.get(image(shop), headers={"If-Match": '"other"'}), 412)
    assert client.get(image(shop), headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/2/",
        "/v1/2/timestamp.cbor/",
        "/v1/2/root.cbor",
        "/v1/2/0.root.cbor",
        "/v1/2/01.root.cbor",
        "/v1/2/1.timestamp.cbor",
        "/v1/2/1.targets.15.cbor",
        "/v1/2/1.snapshot.16.cbor",
        "/v1/2/99999999999.root.cbor",
        "/v1/02/1.root.cbor",
        "/v1/0/1.root.cbor",
        "/v1/9/1.root.cbor",
        "/v1/%32/1.root.cbor",
        "/v1/2/1%2Eroot.cbor",
        "/v1/2/..",
        "/v1/2/%2e%2e%2finventory.sqlite",
        "/v1/2/..%2f..%2finventory.sqlite",
        "/v1/2/inventory.sqlite",
        "/v1/2/1.map.cbor",
        "/v1/1/timestamp.cbor",
        "/v1/1/1.targets.cbor",
        "/inventory.sqlite",
        "/keys/director.root.1.key",
        "/v1/access.sqlite",
        "/v1/vehicles",
        "/v1/vehicles/VIN1",
        "/v1/assignments",
    ],
)
def test_no_path_leads_to_anything_else(client: httpx.Client, path: str) -> None:
    """R-32, E-61: paths count as they came, one name for one file."""
    problem(client.get("/", extensions={"target": path.encode()}), 404)


def test_a_confidential_image_is_not_public(client: httpx.Client, shop: Shop) -> None:
    """V-24, R-05: nor is one that was published but not entered into the inventory yet, since
    nobody knows what it will be."""
    problem(client.get(f"/v1/2/{sha256(SECRET).hex()}.9"), 404)
    shop.office.images.add_image(10, b"just added", [20], 4)
    shop.office.images.publish(NOW)
    path = f"/v1/2/{sha256(b'just added').hex()}.10"
    problem(client.get(path), 404)
    shop.office.release_image(10, b"just added", [20], 4)
    assert client.get(path).content == b"just added"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nobody_writes_to_the_public_part(client: httpx.Client, method: str) -> None:
    """R-32, E-91."""
    refused = client.request(method, "/v1/2/timestamp.cbor", content=b"mine")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
    problem(refused, 405)


def test_a_name_and_its_meaning_are_one(shop: Shop) -> None:
    """V-21, E-61."""
    for kind, number, detail in (
        (ids.KIND_METADATA, ids.ROOT, 3),
        (ids.KIND_METADATA, ids.TIMESTAMP, 0),
        (ids.KIND_METADATA, ids.TARGETS, 0),
        (ids.KIND_METADATA, ids.DELEGATED_FIRST, 7),
        (ids.KIND_IMAGE, 2**32 - 1, bytes(32)),
        (ids.KIND_DELTA, 0, b"\xff" * 32),
    ):
        name = name_of(kind, number, detail)
        assert name is not None
        assert read_name(name) == (kind, number, detail)
    for nameless in (
        (ids.KIND_METADATA, 9, 1),
        (ids.KIND_METADATA, -1, 1),
        (ids.KIND_METADATA, ids.ROOT, b"x"),
        (ids.KIND_IMAGE, 7, b"short"),
        (ids.KIND_REPORT, 1, None),
    ):
        assert name_of(*nameless) is None
