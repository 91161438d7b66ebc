"""`muptane client` and keys: one private key counts once, however its public half is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from securesystemslib.signer import CryptoSigner, Key
from test_client_stories import BOTH, sampled
from tuf_customer import opened, spoiled
from tuf_shop import Shop

from muptane.tufjson import signatures
from muptane.tufjson.text import canonical
from uptane import errors


def compressed(pem: str) -> str:
    """A PEM of the same point, with half of it left out."""
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    form = serialization.PublicFormat
    whole = key.public_bytes(serialization.Encoding.DER, form.SubjectPublicKeyInfo)
    point = key.public_bytes(serialization.Encoding.X962, form.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    assert whole[2:23] == head[2:23]
    text = base64.b64encode(head + point).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"


# name: (kind of key, what becomes of the fields of its twin)
TWINS: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "upper hex": ("ed25519", lambda twin: change(twin, str.upper)),
    "one more newline": ("ecdsa", lambda twin: change(twin, lambda pem: pem + "\n")),
    "half a point": ("ecdsa", lambda twin: change(twin, compressed)),
    "another type": ("ecdsa", lambda twin: twin.update(keytype="ecdsa-sha2-nistp256")),
    "another scheme": ("rsa", lambda twin: twin.update(scheme="rsassa-pss-sha512")),
}


def change(twin: dict[str, Any], how: Callable[[str], str]) -> None:
    twin["keyval"]["public"] = how(twin["keyval"]["public"])


def add_twin(shop: Shop, role: str, name: str) -> CryptoSigner:
    """Let a role be held by a key and its twin, both of which have to sign."""
    kind, spoil = TWINS[name]
    del shop.signers[role]
    shop.root.roles[role].keyids.clear()
    signer = shop.add_key(role, kind)
    fields = deepcopy(signer.public_key.to_dict())
    spoil(fields)
    assert fields != signer.public_key.to_dict()
    shop.root.add_key(Key.from_dict("twin", fields), role)
    shop.root.roles[role].threshold = 2
    return signer


def twin_signature(signer: CryptoSigner, name: str, raw: bytes) -> str:
    """What the twin signs: the same, but for a scheme of its own."""
    value = json.loads(raw)
    if name == "another scheme":
        key: Any = signer._private_key
        pss = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
        made: bytes = key.sign(canonical(value["signed"]), pss, hashes.SHA512())
        return made.hex()
    same: str = value["signatures"][0]["sig"]
    return same


@pytest.mark.parametrize(("name", "nodes"), sampled(TWINS, "upper hex", "half a point"))
def test_a_key_and_its_twin_are_one(tmp_path: Path, name: str, nodes: str) -> None:
    """E-43, V-05, T-27: they do not meet a threshold of two; with another key one of them does."""
    with opened(tmp_path, nodes) as (shop, customer):
        customer.refresh()
        signer = add_twin(shop, "snapshot", name)
        shop.publish("root", "targets")
        raw = shop.raws["2.snapshot.json"]
        once = json.loads(raw)["signatures"]
        assert len(once) == 1
        twice = [*once, {"keyid": "twin", "sig": twin_signature(signer, name, raw)}]
        shop.raws["2.snapshot.json"] = spoiled(raw, signatures=twice)
        customer.refuses(errors.BelowThreshold)
        assert customer.versions() == (2, 2, 1, 1)
        shop.add_key("snapshot")
        shop.publish("root", "targets")
        customer.refresh()


@pytest.mark.parametrize("nodes", BOTH)
def test_a_delegation_counts_keys_too(tmp_path: Path, nodes: str) -> None:
    """E-43, E-56: a supplier's key in two spellings is one."""
    with opened(tmp_path, nodes) as (shop, customer):
        shop.delegate("targets", "A")
        delegations = shop.targets.delegations
        assert delegations is not None and delegations.roles is not None
        fields = deepcopy(shop.signers["A"][0].public_key.to_dict())
        change(fields, str.upper)
        delegations.keys["twin"] = Key.from_dict("twin", fields)
        delegations.roles["A"].keyids.append("twin")
        delegations.roles["A"].threshold = 2
        shop.list_image("A", "door.bin", b"release 1")
        shop.publish("A", "targets")
        raw = shop.raws["2.A.json"]
        once = json.loads(raw)["signatures"]
        twice = [*once, {"keyid": "twin", "sig": once[0]["sig"]}]
        shop.raws["2.A.json"] = spoiled(raw, signatures=twice)
        customer.refuses(errors.BelowThreshold, "door.bin")


def test_what_is_no_key_stands_for_itself() -> None:
    """T-27: two keys that nobody can read are two."""
    assert signatures.identity("no PEM") == "no PEM"
    pem = CryptoSigner.generate_ecdsa().public_key.keyval["public"]
    other = CryptoSigner.generate_ecdsa().public_key.keyval["public"]
    assert signatures.identity(pem) != signatures.identity(other)
