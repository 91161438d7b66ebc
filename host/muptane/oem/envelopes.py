"""COSE messages around payloads (RFC 9052), made and taken apart with cwt.

cwt writes exactly the bytes of docs/pouf.cddl when it is given the headers in deterministic
order, so nothing of RFC 9052 is written out here. For verifying, cwt stops at the first good
signature; a threshold needs each one, so it is handed a message with one signature at a time.
What these functions do not do: decide which keys may sign what.
Rules: V-06, V-91, E-43, E-45, E-46, E-47, T-05, T-06.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cbor2 import CBORTag
from cwt import COSE, CWTError
from cwt import Signer as CwtSigner
from cwt.cose_key_interface import COSEKeyInterface

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import BadSeal, Malformed, TooLarge
from muptane.oem.keys import Key, Signer
from uptane import algorithms, ids, limits

SIGNATURE_BYTES = 64
TAG_BYTES = 32
HASHED = {ids.HEADER_PAYLOAD_HASH: ids.ALG_SHA256}
KNOWN_HEADERS = tuple(
    encode({ids.HEADER_ALG: known}) for known in (algorithms.ALG_EDDSA, algorithms.ALG_ES256)
)


@dataclass(frozen=True)
class Context:
    """What a signature is for: the `context` of docs/pouf.cddl, which becomes external_aad.

    `type` and `number` as in the payload (equal where there is no delegated role);
    `identity`: SHA-256 of the payload of the repository's Root 1, the Director's for time,
    reports and manifests.
    """

    type: int
    identity: bytes
    number: int

    def encode(self) -> bytes:
        fields = [ids.POUF_NAME, ids.POUF_VERSION, self.type, self.identity, self.number]
        return encode(fields)


@dataclass(frozen=True)
class Signature:
    """One entry of a COSE_Sign: its protected header as it came, who, and the 64 bytes."""

    protected: bytes
    kid: bytes
    value: bytes


@dataclass(frozen=True)
class Sealed:
    """The content of a report or manifest, not yet verified, and the seal beside it."""

    content: bytes
    seal: CBORTag


def sign(payload: bytes, signers: Iterable[Signer], context: Context) -> bytes:
    """A role file: COSE_Sign with a signature by each of `signers`, in the order of their kids."""
    ordered = sorted(signers, key=lambda signer: signer.key.kid)
    entries = [
        CwtSigner.new(signer.for_cwt(), _headers(signer.key), {ids.HEADER_KID: signer.key.kid})
        for signer in ordered
    ]
    made = COSE.new().encode_and_sign(payload, signers=entries, external_aad=context.encode())
    return bytes(made)


def unsigned(payload: bytes) -> bytes:
    """A role file that nobody has signed yet: no device takes it."""
    return encode(CBORTag(ids.COSE_SIGN, [b"", {}, payload, []]))


def draft_payload(raw: bytes, bytes_max: int) -> bytes:
    """The payload of a role file that may still lack signatures. Malformed."""
    return _parts(raw, bytes_max)[0]


def is_signed(raw: bytes, bytes_max: int) -> bool:
    """Whether anybody signed a role file, whoever that may be. Malformed."""
    return bool(_parts(raw, bytes_max)[1])


def cosign(raw: bytes, signers: Iterable[Signer], context: Context, bytes_max: int) -> bytes:
    """A role file, signed or not, with signatures by `signers` too. Those that were there stay,
    also if they are by nobody who may. Refuses with Malformed."""
    payload, entries = _parts(raw, bytes_max)
    there = [found for entry in entries for found in _signature(entry)]
    made = read_sign(sign(payload, signers, context), 2 * bytes_max)[1]
    by_kid = {found.kid: found for found in (*there, *made)}
    if len(by_kid) > limits.SIGNATURES_MAX:
        raise TooLarge(f"{len(by_kid)} signatures; vehicles take {limits.SIGNATURES_MAX}")
    written = [
        [found.protected, {ids.HEADER_KID: kid}, found.value]
        for kid, found in sorted(by_kid.items())
    ]
    return encode(CBORTag(ids.COSE_SIGN, [b"", {}, payload, written]))


def sign1(payload: bytes, signer: Signer, context: Context) -> bytes:
    """A time file: COSE_Sign1 over `payload`."""
    return encode(_sign1(payload, signer, context, _headers(signer.key)))


def seal(content: bytes, signer: Signer, context: Context) -> bytes:
    """A report or manifest file: [content, COSE_Sign1 of the content's SHA-256] (T-05)."""
    digest = hashlib.sha256(content).digest()
    return encode([content, _sign1(digest, signer, context, _headers(signer.key) | HASHED)])


def read_sign(raw: bytes, bytes_max: int) -> tuple[bytes, list[Signature]]:
    """The payload and the signatures of a role file; nothing is verified.

    Signatures of another algorithm or with other headers are left out, not refused (V-91).
    """
    payload, found = _parts(raw, bytes_max)
    if not found:
        raise Malformed("nobody signed this file")
    return payload, [one for entry in found for one in _signature(entry)]


def _parts(raw: bytes, bytes_max: int) -> tuple[bytes, list[object]]:
    match _untag(decode(raw, bytes_max), ids.COSE_SIGN):
        case [b"", {**headers}, bytes(payload), list(entries)] if not headers:
            if len(entries) > limits.SIGNATURES_MAX:
                raise Malformed(f"{len(entries)} signatures in one file")
            return payload, entries
    raise Malformed("not a COSE_Sign of a role file")


def read_sealed(raw: bytes, bytes_max: int) -> Sealed:
    """A report or manifest file, taken apart; nothing is verified."""
    match decode(raw, bytes_max):
        case [bytes(content), CBORTag() as found]:
            return Sealed(content, found)
    raise Malformed("not a content and its seal")


def verify(payload: bytes, signature: Signature, key: Key, context: Context) -> bool:
    """Whether `key` made this one signature over `payload` for this purpose. A header that names
    another algorithm than the key's spoils it."""
    if signature.protected != encode(_headers(key)):
        return False
    headers = {ids.HEADER_KID: signature.kid}
    entry = [signature.protected, headers, signature.value]
    return _verifies(CBORTag(ids.COSE_SIGN, [b"", {}, payload, [entry]]), key, context)


def verify_sign1(raw: bytes, key: Key, context: Context) -> bytes:
    """The payload of a time file that `key` signed for this purpose, else BadSeal."""
    message = decode(raw, limits.TIME_BYTES_MAX)
    payload = _payload_of(message, ids.COSE_SIGN1, key.kid, _headers(key))
    if not _verifies(message, key, context):
        raise BadSeal("the signature does not verify")
    return payload


def verify_seal(sealed: Sealed, key: Key, context: Context) -> bytes:
    """The content, which `key` sealed for this purpose, else BadSeal.

    The digest is computed again; the carried one only has to agree (T-05).
    """
    _check_seal(sealed, ids.COSE_SIGN1, key.kid, _headers(key))
    if not _verifies(sealed.seal, key, context):
        raise BadSeal("the signature does not verify")
    return sealed.content


def verify_mac_seal(sealed: Sealed, key: COSEKeyInterface, context: Context) -> bytes:
    """The content, around which a holder of the symmetric `key` put a COSE_Mac0 for this purpose,
    else BadSeal. Tags are compared in constant time, by cwt."""
    _check_seal(
        sealed, algorithms.COSE_MAC0, key.kid or b"", {ids.HEADER_ALG: algorithms.ALG_HMAC}
    )
    try:
        COSE.new().decode(sealed.seal, key, external_aad=context.encode())
    except CWTError as fault:
        raise BadSeal("the MAC is another") from fault
    return sealed.content


def _headers(key: Key) -> dict[int, int]:
    """The protected headers of what `key` signs."""
    return {ids.HEADER_ALG: key.algorithm}


def _check_seal(sealed: Sealed, tag: int, kid: bytes, headers: dict[int, int]) -> None:
    carried = _payload_of(sealed.seal, tag, kid, headers | HASHED)
    if carried != hashlib.sha256(sealed.content).digest():
        raise BadSeal("the seal belongs to another content")


def _sign1(payload: bytes, signer: Signer, context: Context, protected: dict[int, int]) -> CBORTag:
    kid = {ids.HEADER_KID: signer.key.kid}
    made = COSE.new().encode_and_sign(
        payload,
        signer.for_cwt(),
        protected,
        kid,
        external_aad=context.encode(),
        out="cbor2/CBORTag",
    )
    if not isinstance(made, CBORTag):
        raise TypeError("cwt was asked for a tag")
    return made


def _signature(entry: object) -> Sequence[Signature]:
    match entry:
        case [bytes(protected), {ids.HEADER_KID: bytes(kid), **more}, bytes(value)]:
            usable = len(kid) == limits.KID_BYTES and len(value) == SIGNATURE_BYTES and not more
            if usable and protected in KNOWN_HEADERS:
                return (Signature(protected, kid, value),)
            return ()
        case [bytes(), dict(), bytes()]:
            return ()
    raise Malformed("not a COSE_Signature")


def _payload_of(message: object, tag: int, wanted: bytes, headers: dict[int, int]) -> bytes:
    """Of a COSE_Sign1 or COSE_Mac0 with these protected headers, by the key `wanted`."""
    count = TAG_BYTES if tag == algorithms.COSE_MAC0 else SIGNATURE_BYTES
    match _untag(message, tag):
        case [bytes(header), {ids.HEADER_KID: bytes(kid), **more}, bytes(payload), bytes(value)]:
            if header == encode(headers) and not more and len(value) == count:
                if kid != wanted:
                    raise BadSeal(f"sealed by key {kid.hex()}, expected {wanted.hex()}")
                return payload
    raise Malformed(f"not a COSE message {tag} with our headers")


def _untag(message: object, tag: int) -> object:
    if not isinstance(message, CBORTag) or message.tag != tag:
        raise Malformed(f"not tagged as COSE message {tag}")
    return message.value


def _verifies(message: object, key: Key, context: Context) -> bool:
    if not isinstance(message, CBORTag):
        return False
    try:
        COSE.new().decode(message, key.for_cwt(), external_aad=context.encode())
    except CWTError:
        return False
    return True
