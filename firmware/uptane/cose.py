"""COSE_Sign and COSE_Sign1 as docs/pouf.cddl restricts them: two algorithms, a kid as only hint.

Reads and writes envelopes and builds the exact bytes that a signature covers (RFC 9052, 4.4).
It does NOT verify: `meta.verify` counts distinct keys, and a kid that lies just finds no key.
Signatures are over the payload as it was received, never over a re-encoding. A signature by an
algorithm or with headers that this system does not use is skipped, so it cannot spoil a file that
meets its threshold without it; it is dropped before the file is stored.

Keys and signatures are bytes that nobody else looks into; their length names the algorithm. Of
Ed25519: 32, 64. Of ES256: 65, a point of P-256 (SEC 1); 65, ES256 and r and s. So a signature
whose header names one algorithm never fits a key of the other.
Rules: V-05, V-06, V-43, V-91, E-46, E-47, T-05, T-06.
"""

from uptane import cbor
from uptane.errors import BadEnvelope, BadKey, TooLong
from uptane.ids import (
    COSE_SIGN,
    COSE_SIGN1,
    HEADER_KID,
    POUF_NAME,
    POUF_VERSION,
)
from uptane.limits import DIGEST_BYTES, KID_BYTES, SIGNATURES_MAX

if False:  # for the type checker; mpy-cross leaves it out
    from hashes import Buffer
    from uptane.crypto.suite import Suite

# A COSE_Key (RFC 9053, 7.1 and 7.2) up to its x, and what stands between x and y.
KEY_ED25519 = b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"  # kty OKP, alg EdDSA, crv Ed25519
KEY_P256 = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"  # kty EC2, alg ES256, crv P-256
KEY_Y = b"\x22\x58\x20"
KEY_BYTES = 10
PUBLIC_BYTES = 32
POINT_BYTES = 65
SIGNATURE_BYTES = 64

PROTECTED = b"\xa1\x01\x27"  # {HEADER_ALG: ALG_EDDSA}
ES256 = b"\x26"
PROTECTED_ES256 = b"\xa1\x01\x26"  # {HEADER_ALG: ALG_ES256}
PROTECTED_HASHED = b"\xa2\x01\x27\x19\x01\x02\x2f"  # ... and {HEADER_PAYLOAD_HASH: ALG_SHA256}


class Envelope:
    """A COSE_Sign: the payload and those of its signatures that this system could verify."""

    def __init__(self, payload: bytes, signatures: "list[tuple[bytes, bytes]]") -> None:
        self.payload = payload
        self.signatures = signatures  # (kid, 8 bytes; signature, 64 or 65), in the order received


def read_sign(raw: "Buffer") -> Envelope:
    """Return the envelope that `raw` is: COSE_Sign, tag 98 (RFC 9052, 4.1).

    Refusals: those of `cbor.loads`; BadEnvelope; TooLong with more than SIGNATURES_MAX signatures.
    """
    protected, unprotected, payload, signatures = _fields(_untag(raw, COSE_SIGN), 4)
    if protected != b"" or unprotected != {} or not isinstance(payload, bytes):
        raise BadEnvelope
    if not isinstance(signatures, list) or not signatures:
        raise BadEnvelope
    if len(signatures) > SIGNATURES_MAX:
        raise TooLong
    known = []
    for signature in signatures:
        header, hints, value = _fields(signature, 3)
        if not isinstance(header, bytes) or not isinstance(hints, dict):
            raise BadEnvelope
        if not isinstance(value, bytes):
            raise BadEnvelope
        kid = _kid(hints)
        value = _named(header, value)
        if kid and value:
            known.append((kid, value))
    return Envelope(payload, known)


def write_sign(payload: "Buffer", signatures: "list[tuple[bytes, bytes]]") -> bytes:
    """Return the COSE_Sign of a payload and its (kid, signature) pairs, in the order given."""
    entries = [
        [_header(value), {HEADER_KID: kid}, value[-SIGNATURE_BYTES:]] for kid, value in signatures
    ]
    return cbor.head(cbor.TAG, COSE_SIGN) + cbor.dumps([b"", {}, payload, entries])


def read_sign1(raw: "Buffer", hashed: bool = False) -> "tuple[bytes, bytes, bytes]":
    """Return payload, kid and signature of a COSE_Sign1, tag 18 (RFC 9052, 4.2).

    hashed: the payload is the SHA-256 of a content carried elsewhere, and the header says so.
    Refusals: those of `cbor.loads`; BadEnvelope.
    """
    return _sign1(_untag(raw, COSE_SIGN1), hashed)


def write_sign1(payload: "Buffer", kid: bytes, signature: bytes, hashed: bool = False) -> bytes:
    """Return the COSE_Sign1 of a payload."""
    header = PROTECTED_HASHED if hashed else _header(signature)
    fields = [header, {HEADER_KID: kid}, payload, signature[-SIGNATURE_BYTES:]]
    return cbor.head(cbor.TAG, COSE_SIGN1) + cbor.dumps(fields)


def read_sealed(raw: "Buffer") -> "tuple[bytes, bytes, bytes, bytes]":
    """Return content, digest, kid and signature of a report-file or vehicle-file of the CDDL.

    The digest is the one carried: the caller holds it against the SHA-256 of the content (T-05).
    Refusals: those of `cbor.loads`; BadEnvelope.
    """
    view = memoryview(raw)
    if view[:1] != cbor.head(cbor.ARRAY, 2):
        raise BadEnvelope
    content, seal = cbor.loads_first(view[1:])
    if not isinstance(content, bytes):
        raise BadEnvelope
    digest, kid, signature = read_sign1(seal, True)
    return content, digest, kid, signature


def write_sealed(content: "Buffer", digest: bytes, kid: bytes, signature: bytes) -> bytes:
    """Return the array of a content and the COSE_Sign1 over its SHA-256 `digest`."""
    seal = write_sign1(digest, kid, signature, True)
    return cbor.head(cbor.ARRAY, 2) + cbor.dumps(content) + seal


def sign_parts(payload: "Buffer", aad: bytes, signature: bytes = b"") -> "tuple[Buffer, ...]":
    """Return what a signature of a COSE_Sign covers, in pieces: RFC 9052, 4.4.

    aad: external_aad, from `context`. The payload is passed on, not copied. `signature`: the one
    in question; without it, one that Ed25519 will make.
    """
    front = cbor.head(cbor.ARRAY, 5) + cbor.dumps("Signature") + cbor.dumps(b"")
    return _parts(front + cbor.dumps(_header(signature)), aad, payload)


def sign1_parts(
    payload: "Buffer", aad: bytes, hashed: bool = False, signature: bytes = b""
) -> "tuple[Buffer, ...]":
    """Return what the signature of a COSE_Sign1 covers, in pieces: RFC 9052, 4.4."""
    front = cbor.head(cbor.ARRAY, 4) + cbor.dumps("Signature1")
    header = PROTECTED_HASHED if hashed else _header(signature)
    return _parts(front + cbor.dumps(header), aad, payload)


def context(type: int, identity: bytes, number: int) -> bytes:
    """Return the external_aad that ties a signature to its purpose (E-46, E-47).

    type: of the payload. identity: SHA-256 of the payload of the repository's Root 1.
    number: of the role; equal to the type where there is no delegated role.
    """
    return cbor.dumps([POUF_NAME, POUF_VERSION, type, identity, number])


def write_key(public: bytes) -> bytes:
    """Return the COSE_Key of a public key, encoded."""
    if len(public) == POINT_BYTES:
        return KEY_P256 + public[1:33] + KEY_Y + public[33:]
    return KEY_ED25519 + public


def read_key(key: object) -> bytes:
    """Return the public key, 32 or 65 bytes, that a decoded COSE_Key holds.

    Whether they are a usable point shows when a signature is verified, and so does whether this
    ECU can verify one of that algorithm: if not, the key counts for nothing. Refusal: BadKey.
    """
    raw = cbor.dumps(key)  # compared as bytes, because True == 1
    public = raw[KEY_BYTES:]
    if len(public) == POINT_BYTES + 2:
        public = b"\4" + public[:32] + public[35:]
    if len(public) not in (PUBLIC_BYTES, POINT_BYTES) or write_key(public) != raw:
        raise BadKey
    return public


def key_id(suite: "Suite", public: bytes) -> bytes:
    """Return the kid of a public key: the first 8 bytes of SHA-256 of its COSE_Key (V-05)."""
    digest = suite.sha256()
    digest.update(write_key(public))
    return digest.digest()[:KID_BYTES]


def _header(signature: bytes) -> bytes:
    """Return the protected header of a signature that names its algorithm by its length."""
    return PROTECTED_ES256 if len(signature) > SIGNATURE_BYTES else PROTECTED


def _named(header: object, value: bytes) -> "bytes | None":
    """Return a signature that names its algorithm, or None if this system has no such."""
    if len(value) == SIGNATURE_BYTES:
        if header == PROTECTED:
            return value
        if header == PROTECTED_ES256:
            return ES256 + value
    return None


def _parts(front: bytes, aad: bytes, payload: "Buffer") -> "tuple[Buffer, ...]":
    return front + cbor.dumps(aad) + cbor.head(cbor.BYTES, len(payload)), payload


def _untag(raw: "Buffer", tag: int) -> object:
    view = memoryview(raw)
    head = cbor.head(cbor.TAG, tag)
    if view[: len(head)] != head:
        raise BadEnvelope
    return cbor.loads(view[len(head) :])


def _fields(item: object, count: int) -> "list[object]":
    if not isinstance(item, list) or len(item) != count:
        raise BadEnvelope
    return item


def _kid(hints: "dict[object, object]") -> "bytes | None":
    """Return the kid where an unprotected header holds a kid of ours and nothing else."""
    kid = hints.get(HEADER_KID)
    if len(hints) == 1 and isinstance(kid, bytes) and len(kid) == KID_BYTES:
        return kid
    return None


def _sign1(item: object, hashed: bool) -> "tuple[bytes, bytes, bytes]":
    protected, hints, payload, signature = _fields(item, 4)
    if not isinstance(signature, bytes) or not isinstance(payload, bytes):
        raise BadEnvelope
    if hashed:  # reports and manifests: Ed25519 only
        protected = PROTECTED if protected == PROTECTED_HASHED else None
    named = _named(protected, signature)
    if named is None:
        raise BadEnvelope
    kid = _kid(hints) if isinstance(hints, dict) else None
    if kid is None or (hashed and len(payload) != DIGEST_BYTES):
        raise BadEnvelope
    return payload, kid, named
