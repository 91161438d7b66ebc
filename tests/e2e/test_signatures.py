"""One signature of each kind of the demo, verified by cwt, an independent COSE library.

Keys come from the Roots and from the vehicle's seed, read by cbor2 and libsodium; of the device's
code only the numbers are used.
"""

import hashlib
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag
from cwt import COSE, COSEKey, VerifyError
from nacl.signing import SigningKey
from played import ROLES, Played, kind_of, rule_of

from muptane.bench.factory import seed_of
from uptane import ids


def context(kind: int, identity: bytes, number: int) -> bytes:
    """External_aad as docs/pouf.cddl has it."""
    return cbor2.dumps(["muptane", 1, kind, identity, number])


def payload_of(raw: bytes) -> dict[int, Any]:
    """Of a role file."""
    payload: dict[int, Any] = cbor2.loads(cbor2.loads(raw).value[2])
    return payload


def identity_of(played: Played, repository: int) -> bytes:
    return hashlib.sha256(cbor2.loads(played.roots[repository][0]).value[2]).digest()


def keys_of(played: Played, repository: int) -> dict[bytes, Any]:
    """kid -> key for cwt, of all Roots of a repository."""
    keys = {}
    for raw in played.roots[repository]:
        for cose_key in payload_of(raw)[6]:
            kid = hashlib.sha256(cbor2.dumps(cose_key)).digest()[:8]
            keys[kid] = COSEKey.new({**cose_key, 2: kid})
    return keys


def verify(message: CBORTag, key: Any, aad: bytes) -> None:
    """cwt says yes, and no for any other purpose."""
    COSE.new().decode(message, key, external_aad=aad)
    with pytest.raises(VerifyError):
        COSE.new().decode(message, key, external_aad=aad + b"\0")


@pytest.mark.parametrize("repository", [ids.DIRECTOR, ids.IMAGE])
@pytest.mark.parametrize("role", ROLES)
def test_each_signature_of_a_role_verifies(played: Played, repository: int, role: int) -> None:
    """V-06, E-46; one signature at a time, since cwt stops at the first good one."""
    keys, identity = keys_of(played, repository), identity_of(played, repository)
    wanted = (repository, ids.KIND_METADATA, role)
    file = next(file for file in played.tap.files if kind_of(file) == wanted)
    protected, unprotected, payload, entries = cbor2.loads(file.content).value
    for entry in entries:
        alone = CBORTag(98, [protected, unprotected, payload, [entry]])
        verify(alone, keys[entry[1][4]], context(role, identity, role))


def test_a_signature_of_the_time_verifies(played: Played) -> None:
    """R-60, E-47."""
    file = next(file for file in played.tap.files if rule_of(file) == "time-file")
    message = cbor2.loads(file.content)
    key = keys_of(played, ids.DIRECTOR)[message.value[1][4]]
    verify(message, key, context(4, identity_of(played, ids.DIRECTOR), 4))


def ecu_key(played: Played, number: int) -> Any:
    """The public key of an ECU, for cwt."""
    ecu = next(ecu for ecu in played.plan.ecu if ecu.number == number)
    public = SigningKey(seed_of(played.plan, ecu)).verify_key.encode()
    cose_key = {1: 1, 3: -8, -1: 6, -2: public}
    kid = hashlib.sha256(cbor2.dumps(cose_key)).digest()[:8]
    return COSEKey.new({**cose_key, 2: kid})


@pytest.mark.parametrize(
    ("rule", "kind", "signer"), [("report-file", 5, 3), ("vehicle-file", 6, 4)]
)
def test_a_seal_verifies(played: Played, rule: str, kind: int, signer: int) -> None:
    """V-43, V-44, T-05: signed is the digest, and it is that of the content."""
    file = next(file for file in played.tap.files if rule_of(file) == rule)
    content, seal = cbor2.loads(file.content)
    assert seal.value[2] == hashlib.sha256(content).digest()
    key = ecu_key(played, cbor2.loads(content)[signer])
    verify(seal, key, context(kind, identity_of(played, ids.DIRECTOR), kind))
