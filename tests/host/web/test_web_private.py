"""The part of one vehicle: who may ask for it, and what an honest one gets."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import httpx
import pytest
from certificates import Authority
from oem_vehicle import BRAKE, NOW, newest
from served import (
    CBOR,
    IMAGE,
    MANIFEST,
    MINE,
    NONCES,
    OTHERS,
    TARGETS,
    TIME,
    Shop,
    problem,
    running,
)

from muptane.oem.check import verify_attestation
from muptane.oem.errors import NoSigner
from muptane.oem.fields import sha256
from muptane.oem.web.desk import WAITING_MAX, Busy, Desk
from muptane.oem.web.server import tls
from uptane import ids

# --- what an honest vehicle gets ----------------------------------------------------------------


def test_a_vehicle_hands_in_its_manifest_and_is_directed(client: httpx.Client, shop: Shop) -> None:
    """R-08, R-15, R-33, R-35."""
    done = client.post(MANIFEST, content=shop.signed(shop.vehicles[0]), headers=CBOR)
    assert (done.status_code, done.content) == (201, b"")
    found = client.get(done.headers["location"])
    assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert found.content == client.get(TARGETS).content
    assert newest(shop.office, "VIN1").images[7].ecus == (BRAKE,)
    for role, name in enumerate(("1.root", "timestamp", "snapshot", "targets")):
        raw = client.get(f"{MINE}/1/{name}.cbor").content
        assert raw == shop.office.answer("VIN1", ids.DIRECTOR, ids.KIND_METADATA, role, 0)
    assert client.get(TARGETS).headers["cache-control"] == "private, no-cache"
    assert client.get(f"{MINE}/1/{shop.digest}.7").content == IMAGE


def test_time_is_attested_for_the_nonces_that_came(client: httpx.Client, shop: Shop) -> None:
    """R-60, V-82."""
    found = client.post(TIME, content=NONCES, headers=CBOR)
    assert found.headers["cache-control"] == "no-store"
    director = shop.office.director
    key = director.authority.root.holders(ids.TIME).keys[0]
    attested = verify_attestation(found.content, key, director.identity)
    assert (attested.now, attested.nonces) == (NOW, (b"12345678", b"87654321"))


def test_what_people_change_meanwhile_is_served_at_once(client: httpx.Client, shop: Shop) -> None:
    """R-37, V-71: another program rotates the Director's keys; the server goes on with the new
    ones, and signs what they verify."""
    assert client.post(TIME, content=NONCES, headers=CBOR).status_code == 200
    for role in (ids.TARGETS, ids.TIME):
        shop.office.rotate(ids.DIRECTOR, role)
    done = client.post(MANIFEST, content=shop.signed(shop.vehicles[0]), headers=CBOR)
    raw = client.get(done.headers["location"]).content
    assert shop.office.director.authority.verify(raw, ids.TARGETS).version == 4
    key = shop.office.director.authority.root.holders(ids.TIME).keys[0]
    found = client.post(TIME, content=NONCES, headers=CBOR).content
    assert verify_attestation(found, key, shop.office.director.identity).now == NOW


def test_a_server_holds_no_key_that_could_publish(shop: Shop) -> None:
    """R-37: who takes the process over directs vehicles, and releases nothing. Nor need the other
    keys be on its disk."""
    for pattern in ("director.root.*", "image.*"):
        for file in (shop.folder / "keys").glob(pattern):
            file.unlink()
    desk = Desk(shop.premises, lambda: NOW)
    office = desk._office()
    with pytest.raises(NoSigner):
        office.images.publish(NOW)
    for role in (ids.ROOT, ids.TARGETS):
        with pytest.raises(NoSigner):
            office.rotate(ids.DIRECTOR, role)
    assert office.director.authority.holders[ids.ROOT].signers == ()
    assert desk.receive("VIN1", shop.signed(shop.vehicles[0])) == 2
    desk.close()


# --- who asks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic VklOMTp4",
        "Bearer {token}x",
        "Bearer {token} {token}",
        "{token}",
        "Bearer " + "x" * 10_000,
    ],
)
def test_who_shows_no_good_token_gets_nothing(
    stand: tuple[Shop, httpx.Client], field: str
) -> None:
    """R-32, R-33: and learns nothing of which vehicles there are."""
    shop, client = stand
    shown = {"Authorization": field.format(token=shop.token["VIN1"])}
    found = problem(client.get(TARGETS, headers=shown), 401)
    nowhere = client.get("/v1/vehicles/NOWHERE/1/targets.cbor", headers=shown)
    assert problem(nowhere, 401) == found
    assert nowhere.headers["www-authenticate"] == 'Bearer realm="muptane"'
    problem(client.post(MANIFEST, content=b"x", headers={**CBOR, **shown}), 401)
    assert shop.office.director.oddities() == [], "a stranger writes nothing"


def test_a_token_opens_the_part_of_its_own_vehicle(client: httpx.Client, shop: Shop) -> None:
    """R-32, E-74: with a vehicle that is there and with one that is not."""
    raw = shop.signed(shop.vehicles[1])
    for theirs in (OTHERS, "/v1/vehicles/NOWHERE"):
        for response in (
            client.get(f"{theirs}/1/targets.cbor"),
            client.post(f"{theirs}/manifest", content=raw, headers=CBOR),
            client.post(f"{theirs}/time", content=NONCES, headers=CBOR),
        ):
            assert "another vehicle" in problem(response, 403)["detail"]
    theirs = shop.authority(shop.vehicles[1].vin)
    assert client.post(f"{OTHERS}/manifest", content=raw, headers=CBOR | theirs).is_success
    assert client.get(f"{OTHERS}/1/2.targets.cbor", headers=theirs).is_success


def test_the_newest_token_counts_until_it_is_revoked(client: httpx.Client, shop: Shop) -> None:
    """R-33."""
    assert client.get(TARGETS).is_success
    token = shop.tokens.make("VIN1", NOW)
    problem(client.get(TARGETS), 401)
    shown = {"Authorization": f"bearer {token}"}
    assert client.get(TARGETS, headers=shown).is_success
    shop.tokens.revoke("VIN1", NOW)
    problem(client.get(TARGETS, headers=shown), 401)


def test_a_token_is_not_kept(shop: Shop) -> None:
    """R-32: the database has its hash, and so a thief of the database has no way in."""
    token = shop.token["VIN1"].encode()
    assert len(token) == 43
    for file in shop.folder.glob("*.sqlite*"):
        assert token not in file.read_bytes()
    rows = sqlite3.connect(shop.folder / "access.sqlite").execute("SELECT digest FROM tokens")
    assert (sha256(token),) in list(rows)


def test_a_certificate_that_names_the_vehicle_is_as_good(shop: Shop, tmp_path: Path) -> None:
    """R-33, E-74: and one of somebody else, with two names or of a vehicle that is not there is
    worth nothing; the public part needs none."""
    authority, other = Authority(tmp_path, "mine"), Authority(tmp_path, "other")
    context = tls(*authority.vouch("server", ["server"], "127.0.0.1"), authority.file)
    second = shop.vehicles[1].vin
    shown = {
        vin: authority.trusting(authority.vouch(f"vehicle-{number}", names))
        for number, (vin, names) in enumerate(
            {
                "VIN1": ["VIN1"],
                second: [second],
                "two": ["VIN1", "VIN1"],
                "no": ["NOWHERE"],
            }.items()
        )
    }
    with running(shop.folder, context=context) as server:

        def get(path: str, trust: object, token: str = "") -> httpx.Response:
            with httpx.Client(base_url=server.url, verify=trust) as client:
                return client.get(path, headers=shop.authority(token) if token else {})

        assert get(TARGETS, shown["VIN1"]).is_success
        assert get(f"{OTHERS}/1/targets.cbor", shown[second]).is_success
        problem(get(TARGETS, shown[second]), 403)
        problem(get(TARGETS, shown["two"]), 401)
        problem(get("/v1/vehicles/NOWHERE/1/targets.cbor", shown["no"]), 401)
        problem(get(TARGETS, authority.trusting()), 401)
        assert get(TARGETS, authority.trusting(), "VIN1").is_success
        problem(get(TARGETS, shown[second], "VIN1"), 401)
        assert get("/v1/2/timestamp.cbor", authority.trusting()).is_success
        with pytest.raises(httpx.TransportError):
            get(TARGETS, authority.trusting(other.vouch("forged", ["VIN1"])))
        with pytest.raises(httpx.ConnectError):
            get(TARGETS, other.trusting())


def test_who_waits_for_the_inventory_holds_up_no_reader(shop: Shop) -> None:
    """R-08, E-20: a manifest that takes its time is waited for by other manifests, so many and no
    more; files and strangers pass."""
    desk, gate = Desk(shop.premises, lambda: NOW), threading.Event()

    async def story() -> None:
        waiting = [asyncio.create_task(desk.write(gate.wait, 60)) for _ in range(WAITING_MAX + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await desk.write(gate.wait, 60)
        assert await desk.read(desk.private, "VIN1", ids.DIRECTOR, "targets.cbor") is not None
        assert await desk.look_up(desk.public, ids.IMAGE, "timestamp.cbor") is not None
        assert not gate.is_set()
        gate.set()
        assert all(await asyncio.gather(*waiting))
        assert await desk.write(desk.receive, "VIN1", shop.signed(shop.vehicles[0])) == 2

    asyncio.run(story())
    desk.close()
