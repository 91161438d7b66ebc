"""What a vehicle may not hand in, and how often it may try: each refusal told in words."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cbor2
import httpx
import pytest
from oem_vehicle import newest, stored
from served import (
    CBOR,
    MANIFEST,
    MINE,
    NONCES,
    OTHERS,
    SECRET,
    TARGETS,
    TIME,
    Shop,
    problem,
    running,
)

from muptane.oem.check import MANIFEST_BYTES_MAX
from muptane.oem.fields import sha256
from muptane.oem.inventory import ManifestReceived
from muptane.oem.web.allowance import Allowance, Meter, Turns
from muptane.oem.web.app import Terms

# --- lies, garbage, and too much ----------------------------------------------------------------


def test_a_replayed_manifest_is_a_conflict(client: httpx.Client, shop: Shop) -> None:
    """R-13, E-73: in the Director's words; nothing is directed anew."""
    raw = shop.signed(shop.vehicles[0])
    assert client.post(MANIFEST, content=raw, headers=CBOR).is_success
    before = client.get(TARGETS).content
    found = problem(client.post(MANIFEST, content=raw, headers=CBOR), 409)
    assert found["refusal"] == "Replayed"
    assert found["detail"] == "manifest 1 of VIN1 came after 1"
    assert client.get(TARGETS).content == before


def test_what_the_director_refuses_is_told_and_written_down(
    client: httpx.Client, shop: Shop
) -> None:
    """R-12, R-34, E-60, E-74."""
    first, second = shop.vehicles
    good = shop.signed(first)
    for raw, status, refusal in (
        (b"", 400, "Malformed"),
        (b"xx", 400, "Malformed"),
        (b"\x9f" * 900, 400, "NotDeterministic"),
        (cbor2.dumps({1: "x" * 500}), 400, "Malformed"),
        (good + b"\x00", 400, "NotDeterministic"),
        (good[:-1] + b"\xff", 422, "BadSeal"),
        (shop.signed(second), 403, "ForeignVehicle"),
        (first.manifest(shop.office.images.identity), 422, None),
        (first.manifest(shop.office.director.identity, reports=[]), 400, "Malformed"),
        (
            first.manifest(
                shop.office.director.identity, first.reports(shop.office.director.identity)[:2]
            ),
            422,
            "ReportMissing",
        ),
    ):
        count = len(shop.office.director.oddities())
        found = problem(client.post(MANIFEST, content=raw, headers=CBOR), status)
        assert refusal in (None, found["refusal"]), found
        assert len(shop.office.director.oddities()) == count + 1
    assert stored(shop.office, ManifestReceived) == []
    assert client.post(MANIFEST, content=good, headers=CBOR).is_success


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        cbor2.dumps([]),
        cbor2.dumps([b"short"]),
        cbor2.dumps(["12345678"]),
        cbor2.dumps({1: b"12345678"}),
        cbor2.dumps(7),
        cbor2.dumps([b"12345678"] * 33),
        NONCES + b"\x00",
        b"\x9f\x48abcdefgh\xff",
    ],
)
def test_time_for_impossible_nonces_is_refused(
    stand: tuple[Shop, httpx.Client], raw: bytes
) -> None:
    """R-60, E-60."""
    _, client = stand
    problem(client.post(TIME, content=raw, headers=CBOR), 400)


def test_a_body_has_an_end(client: httpx.Client, shop: Shop) -> None:
    """E-19, T-52: announced or not; and the connection is good for the next one."""

    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(1000)

    for path, most in ((MANIFEST, MANIFEST_BYTES_MAX), (TIME, 512)):
        for content in (bytes(most + 1), bytes(200_000), pieces(most // 1000 + 1)):
            found = problem(client.post(path, content=content, headers=CBOR), 413)
            assert found["detail"] == f"more than {most} bytes"
    assert shop.office.director.oddities() == [], "nobody read it"
    assert client.post(TIME, content=NONCES, headers=CBOR).is_success


def test_a_body_says_that_it_is_cbor(stand: tuple[Shop, httpx.Client]) -> None:
    _, client = stand
    for media in ("", "application/json", "text/plain", "multipart/form-data; boundary=x"):
        refused = client.post(TIME, content=NONCES, headers={"Content-Type": media})
        assert refused.headers["accept"] == "application/cbor"
        problem(refused, 415)
    sloppy = {"Content-Type": "Application/CBOR; x=1"}
    assert client.post(TIME, content=NONCES, headers=sloppy).is_success


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", MANIFEST, "POST"), ("PUT", TIME, "POST"), ("DELETE", TARGETS, "GET, HEAD")],
)
def test_a_wrong_method_names_the_right_ones(
    stand: tuple[Shop, httpx.Client], method: str, path: str, allowed: str
) -> None:
    _, client = stand
    refused = client.request(method, path)
    assert ", ".join(sorted(refused.headers["allow"].split(", "))) == allowed
    problem(refused, 405)


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/",
        "/assignments",
        "/ecus",
        "/1",
        "/1/",
        "/1/keys",
        "/1/99.targets.cbor",
        "/1/16.targets.cbor/x",
        "/2/timestamp.cbor",
        "/1/../../2/timestamp.cbor",
        "/1/%2e%2e",
        "/3/targets.cbor",
        "/-1/targets.cbor",
    ],
)
def test_a_vehicle_finds_its_files_and_nothing_else(
    stand: tuple[Shop, httpx.Client], rest: str
) -> None:
    """R-32."""
    _, client = stand
    problem(client.get("/", extensions={"target": (MINE + rest).encode()}), 404)


def test_a_confidential_image_leaves_for_nobody_in_the_clear(
    stand: tuple[Shop, httpx.Client],
) -> None:
    """V-24, S-28."""
    shop, client = stand
    problem(client.get(f"{MINE}/1/{sha256(SECRET).hex()}.9"), 404)


# --- many at a time -----------------------------------------------------------------------------


def test_one_manifest_from_many_sides_counts_once(client: httpx.Client, shop: Shop) -> None:
    """R-13, E-73."""
    raw = shop.signed(shop.vehicles[0])

    def send(_: int) -> int:
        return client.post(MANIFEST, content=raw, headers=CBOR).status_code

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(send, range(12)))
    assert done.count(201) == 1
    assert set(done) <= {201, 409, 429}
    assert len(stored(shop.office, ManifestReceived)) == 1


def test_vehicles_are_served_beside_each_other(client: httpx.Client, shop: Shop) -> None:
    """R-08, R-15: each gets directions of its own, and none is lost."""

    def drive(place: int) -> list[int]:
        vehicle = shop.vehicles[place]
        shown = CBOR | shop.authority(vehicle.vin)
        mine = (MINE, OTHERS)[place]
        made = []
        for _ in range(8):
            done = client.post(f"{mine}/manifest", content=shop.signed(vehicle), headers=shown)
            assert done.status_code == 201, done.text
            made.append(int(done.headers["location"].rpartition("/")[2].split(".")[0]))
            assert client.get(f"{mine}/1/timestamp.cbor", headers=shown).is_success
            assert client.post(f"{mine}/time", content=NONCES, headers=shown).is_success
        return made

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(drive, range(2)))
    assert made == [list(range(2, 10))] * 2
    assert newest(shop.office, "VIN1").vehicle == "VIN1"


def test_who_asks_too_often_waits_alone(shop: Shop) -> None:
    """E-89, R-34: a vehicle that floods fills neither the inventory nor the others' way."""
    terms = Terms(handed_in=Allowance(3, 3600.0))
    with running(shop.folder, terms=terms) as server, httpx.Client(base_url=server.url) as client:
        shown = CBOR | shop.authority()
        for _ in range(3):
            assert client.post(MANIFEST, content=b"xx", headers=shown).status_code == 400
        refused = client.post(MANIFEST, content=b"xx", headers=shown)
        problem(refused, 429)
        assert 3000 < int(refused.headers["retry-after"]) <= 3600
        assert len(shop.office.director.oddities()) == 3
        assert client.get(TARGETS, headers=shown).is_success
        second = shop.vehicles[1]
        done = client.post(
            f"{OTHERS}/manifest",
            content=shop.signed(second),
            headers=CBOR | shop.authority(second.vin),
        )
        assert done.status_code == 201


def test_a_bucket_fills_with_time() -> None:
    """E-89."""
    now = [0.0]
    meter = Meter(Allowance(2, 10.0), lambda: now[0])
    assert [meter.spend("a"), meter.spend("a"), meter.spend("b")] == [0.0, 0.0, 0.0]
    assert meter.spend("a") == 10.0
    now[0] = 4.0
    assert meter.spend("a") == 6.0
    now[0] = 10.0
    assert [meter.spend("a"), meter.spend("a")] == [0.0, 10.0]
    now[0] = 1000.0
    assert [meter.spend("a"), meter.spend("a"), meter.spend("a")] == [0.0, 0.0, 10.0]


def test_a_turn_is_given_back() -> None:
    turns = Turns(1)
    with turns.take("a") as first, turns.take("a") as second, turns.take("b") as other:
        assert (first, second, other) == (True, False, True)
    with turns.take("a") as again:
        assert again


def test_a_locked_inventory_is_a_busy_office(client: httpx.Client, shop: Shop) -> None:
    """R-31: another program holds the database: 503 and when to come again, and reading goes
    on."""
    held = sqlite3.connect(shop.folder / "inventory.sqlite", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    refused = client.post(
        MANIFEST, content=shop.signed(shop.vehicles[0]), headers=CBOR, timeout=30
    )
    problem(refused, 503)
    assert refused.headers["retry-after"] == "1"
    assert client.get(TARGETS).is_success
    held.execute("ROLLBACK")
    held.close()
    raw = shop.signed(shop.vehicles[0])
    assert client.post(MANIFEST, content=raw, headers=CBOR).status_code == 201


def test_a_problem_is_what_the_rfc_says(stand: tuple[Shop, httpx.Client]) -> None:
    """RFC 9457: an absent type is about:blank, and the title is then the status's own."""
    _, client = stand
    raw = client.get("/v1/nothing").content
    assert json.loads(raw) == {
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
    }
