"""COSE messages around payloads (RFC 9052), made and taken apart.

Signatures are over the Sig_structure of section 4.4, written out here: cwt, which makes the same
bytes (a test compares them), takes a millisecond and more a message, and stops at the first good
signature where a threshold needs each one. MACs, which are rare, it checks.
What these functions do not do: decide which keys may sign what.
Rules: V-06, V-91, E-43, E-45, E-46, E-47, T-05, T-06.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cbor2 import CBORTag
from cwt import COSE, CWTError
from cwt.cose_key_interface import COSEKeyInterface

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import BadSeal, Malformed, TooLarge
from muptane.oem.keys import SIGNATURE_BYTES, Key, Signer
from uptane import algorithms, ids, limits

TAG_BYTES = 32
HASHED = {ids.HEADER_PAYLOAD_HASH: ids.ALG_SHA256}
KNOWN_ALGORITHMS = (algorithms.ALG_EDDSA, algorithms.ALG_ES256)
HEADERS = {known: encode({ids.HEADER_ALG: known}) for known in KNOWN_ALGORITHMS}
SEAL_HEADERS = {known: encode({ids.HEADER_ALG: known} | HASHED) for known in KNOWN_ALGORITHMS}
MAC_HEADERS = encode({ids.HEADER_ALG: algorithms.ALG_HMAC} | HASHED)
OF_MANY, OF_ONE = "Signature", "Signature1"  # contexts of a Sig_structure
CONTEXTS_KEPT = 256


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
        return encode([ids.POUF_NAME, ids.POUF_VERSION, self.type, self.identity, self.number])


@lru_cache(CONTEXTS_KEPT)
def _begun(structure: str, protected: bytes, context: Context) -> bytes:
    """A Sig_structure up to its payload, which is its last item; all but that is always the
    same."""
    before = [structure, protected] if structure == OF_ONE else [structure, b"", protected]
    return encode([*before, context.encode(), b""])[:-1]


def to_be_signed(structure: str, protected: bytes, context: Context, payload: bytes) -> bytes:
    """The Sig_structure that a signature is over. `structure`: OF_MANY or OF_ONE."""
    return _begun(structure, protected, context) + encode(payload)


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
    entries = []
    for signer in sorted(signers, key=lambda signer: signer.key.kid):
        protected = HEADERS[signer.key.algorithm]
        message = to_be_signed(OF_MANY, protected, context, payload)
        entries.append([protected, {ids.HEADER_KID: signer.key.kid}, signer.sign(message)])
    return encode(CBORTag(ids.COSE_SIGN, [b"", {}, payload, entries]))


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
    return encode(_sign1(payload, signer, context, HEADERS[signer.key.algorithm]))


def seal(content: bytes, signer: Signer, context: Context) -> bytes:
    """A report or manifest file: [content, COSE_Sign1 of the content's SHA-256] (T-05)."""
    digest = hashlib.sha256(content).digest()
    return encode([content, _sign1(digest, signer, context, SEAL_HEADERS[signer.key.algorithm])])


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
    if signature.protected != HEADERS[key.algorithm]:
        return False
    message = to_be_signed(OF_MANY, signature.protected, context, payload)
    return key.verifies(message, signature.value)


def verify_sign1(raw: bytes, key: Key, context: Context) -> bytes:
    """The payload of a time file that `key` signed for this purpose, else BadSeal."""
    message = decode(raw, limits.TIME_BYTES_MAX)
    headers = HEADERS[key.algorithm]
    payload, signature = _payload_of(message, ids.COSE_SIGN1, key.kid, headers)
    _check_signature(key, (headers, context, payload), signature)
    return payload


def verify_seal(sealed: Sealed, key: Key, context: Context) -> bytes:
    """The content, which `key` sealed for this purpose, else BadSeal.

    The digest is computed again; the carried one only has to agree (T-05).
    """
    headers = SEAL_HEADERS[key.algorithm]
    digest, signature = _check_seal(sealed, ids.COSE_SIGN1, key.kid, headers)
    _check_signature(key, (headers, context, digest), signature)
    return sealed.content


def verify_mac_seal(sealed: Sealed, key: COSEKeyInterface, context: Context) -> bytes:
    """The content, around which a holder of the symmetric `key` put a COSE_Mac0 for this purpose,
    else BadSeal. Tags are compared in constant time, by cwt."""
    _check_seal(sealed, algorithms.COSE_MAC0, key.kid or b"", MAC_HEADERS)
    try:
        COSE.new().decode(sealed.seal, key, external_aad=context.encode())
    except CWTError as fault:
        raise BadSeal("the MAC is another") from fault
    return sealed.content


def _check_seal(sealed: Sealed, tag: int, kid: bytes, headers: bytes) -> tuple[bytes, bytes]:
    """The digest that it carries, which is the content's, and the signature or MAC over it."""
    carried, value = _payload_of(sealed.seal, tag, kid, headers)
    if carried != hashlib.sha256(sealed.content).digest():
        raise BadSeal("the seal belongs to another content")
    return carried, value


def _check_signature(key: Key, signed: tuple[bytes, Context, bytes], signature: bytes) -> None:
    """Of a COSE_Sign1, else BadSeal. `signed`: protected headers, context, payload."""
    protected, context, payload = signed
    if not key.verifies(to_be_signed(OF_ONE, protected, context, payload), signature):
        raise BadSeal("the signature does not verify")


def _sign1(payload: bytes, signer: Signer, context: Context, protected: bytes) -> CBORTag:
    signature = signer.sign(to_be_signed(OF_ONE, protected, context, payload))
    kid = {ids.HEADER_KID: signer.key.kid}
    return CBORTag(ids.COSE_SIGN1, [protected, kid, payload, signature])


def _signature(entry: object) -> Sequence[Signature]:
    match entry:
        case [bytes(protected), {ids.HEADER_KID: bytes(kid), **more}, bytes(value)]:
            usable = len(kid) == limits.KID_BYTES and len(value) == SIGNATURE_BYTES and not more
            if usable and protected in HEADERS.values():
                return (Signature(protected, kid, value),)
            return ()
        case [bytes(), dict(), bytes()]:
            return ()
    raise Malformed("not a COSE_Signature")


def _payload_of(message: object, tag: int, wanted: bytes, headers: bytes) -> tuple[bytes, bytes]:
    """Payload, and signature or MAC, of a COSE_Sign1 or COSE_Mac0 with these protected headers, by
    the key `wanted`."""
    count = TAG_BYTES if tag == algorithms.COSE_MAC0 else SIGNATURE_BYTES
    match _untag(message, tag):
        case [bytes(header), {ids.HEADER_KID: bytes(kid), **more}, bytes(payload), bytes(value)]:
            if header == headers and not more and len(value) == count:
                if kid != wanted:
                    raise BadSeal(f"sealed by key {kid.hex()}, expected {wanted.hex()}")
                return payload, value
    raise Malformed(f"not a COSE message {tag} with our headers")


def _untag(message: object, tag: int) -> object:
    if not isinstance(message, CBORTag) or message.tag != tag:
        raise Malformed(f"not tagged as COSE message {tag}")
    return message.value
