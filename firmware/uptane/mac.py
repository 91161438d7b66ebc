"""Seals of ECUs whose identity is a symmetric key: COSE_Mac0 (RFC 9052, 6.2), HMAC 256/256.

For version reports only. An ECU never believes a MAC: metadata and time are signed, and a Primary
has a signing key, so this module writes and does NOT read. The provisioned key is used for
nothing but deriving one key for each use, so the key of MACs unwraps no image and the other way
round. No ECU with a signing key imports it.
Rules: V-24, V-43, V-44, R-44, T-43, E-47.
"""

from uptane import cbor
from uptane.algorithms import ALG_HMAC, COSE_MAC0, KTY_SYMMETRIC, USE_MAC
from uptane.crypto import hmac
from uptane.ids import HEADER_KID, POUF_NAME, POUF_VERSION
from uptane.limits import KID_BYTES

if False:  # for the type checker
    from uptane.crypto.suite import Suite

KEY_KTY = 1  # labels of a COSE_Key (RFC 9052, 7.1; RFC 9053, 6.1)
KEY_ALG = 3
KEY_K = -1
SECRET_BYTES = 32

PROTECTED = b"\xa2\x01\x05\x19\x01\x02\x2f"  # {HEADER_ALG: ALG_HMAC, PAYLOAD_HASH: ALG_SHA256}


def derived(suite: "Suite", secret: bytes, use: int) -> bytes:
    """Return the key, 32 bytes, of an ECU's symmetric identity key for USE_MAC or USE_WRAP."""
    info = cbor.dumps([POUF_NAME, POUF_VERSION, use])
    return hmac.derive(suite.sha256, secret, b"", info, SECRET_BYTES)


def key_id(suite: "Suite", key: bytes) -> bytes:
    """Return the kid of a key of MACs: the first 8 bytes of SHA-256 of its COSE_Key (V-05)."""
    hashing = suite.sha256()
    hashing.update(cbor.dumps({KEY_KTY: KTY_SYMMETRIC, KEY_ALG: ALG_HMAC, KEY_K: key}))
    return hashing.digest()[:KID_BYTES]


def seal(suite: "Suite", secret: bytes, digest: bytes, aad: bytes) -> bytes:
    """Return the COSE_Mac0 over the SHA-256 of a content; `aad` from `cose.context`."""
    key = derived(suite, secret, USE_MAC)
    covered = cbor.dumps(["MAC0", PROTECTED, aad, digest])
    tag = hmac.tag(suite.sha256, key, (covered,))
    fields = [PROTECTED, {HEADER_KID: key_id(suite, key)}, digest, tag]
    return cbor.head(cbor.TAG, COSE_MAC0) + cbor.dumps(fields)
