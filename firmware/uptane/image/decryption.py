"""Opening an image that travels encrypted: the content key out of its wrap, and the stream.

A wrap is a COSE_Encrypt (RFC 9052, 5.1) around the content key, by ChaCha20/Poly1305 under a key
that HKDF-SHA-256 makes (RFC 9053, 5.2) of what the ECU's X25519 secret and the maker's ephemeral
key agree on, or of its symmetric key and a salt. What it was made for is authenticated with it:
Director, vehicle, ECU, image, plaintext and ciphertext. Its form is fixed to the byte, so it is
compared, not parsed.
The image is ChaCha20 under the content key, from block 0 on; the nonce is the beginning of the
plaintext's SHA-256, so even a key that were used twice would make no pad twice. It does NOT
authenticate what it decrypts: whoever does holds the slot against the entry, as ever.
Only an ECU with a secret for decryption imports this.
Rules: V-13, V-65, E-80, S-30, T-33, T-43.
"""

from uptane import cbor
from uptane.algorithms import (
    ALG_CHACHA20_POLY1305,
    ALG_DIRECT_HKDF_256,
    ALG_ECDH_ES_HKDF_256,
    KEY_BITS,
    TYPE_WRAP,
    USE_WRAP,
)
from uptane.crypto import hmac, poly1305
from uptane.crypto.chacha20 import KEY_BYTES, NONCE_BYTES
from uptane.crypto.edwards25519 import P
from uptane.errors import BadEnvelope, BadKey, NotARecipient, TooMuch
from uptane.ids import HEADER_ALG, KIND_IMAGE, POUF_NAME, POUF_VERSION

if False:  # for the type checker
    from collections.abc import Generator

    from uptane.crypto.secrecy import Secrecy
    from uptane.identity import Identity
    from uptane.image.encryption import Encryption
    from uptane.image.parcel import Content

PROTECTED = b"\xa1\x01\x18\x18"  # {HEADER_ALG: ALG_CHACHA20_POLY1305}
# What stands between the holes of a wrap: nonce (12), sealed key (48), ephemeral key or salt (32).
FRONT = b"\xd8\x60\x84\x44" + PROTECTED + b"\xa1\x05\x4c"
SEALED = b"\x58\x30"
END = b"\x40"
# One recipient: its protected header, and what precedes an X25519 public key, or a salt.
AGREED = b"\x81\x83\x44\xa1\x01\x38\x18\xa1\x20\xa3\x01\x01\x20\x04\x21\x58\x20"
DERIVED = b"\x81\x83\x43\xa1\x01\x29\xa1\x33\x58\x20"
SEALED_AT = 25
MIDDLE_AT = 73
GIVEN_BYTES = 32


class Wrap:
    """`algorithm`: ALG_...HKDF_256; `nonce`, `sealed`: of the AEAD; `given`: public key or salt.

    Refusal: BadEnvelope.
    """

    def __init__(self, raw: bytes) -> None:
        middle = raw[MIDDLE_AT : -len(END) - GIVEN_BYTES]
        self.algorithm = ALG_ECDH_ES_HKDF_256 if middle == AGREED else ALG_DIRECT_HKDF_256
        self.nonce = raw[len(FRONT) : len(FRONT) + NONCE_BYTES]
        self.sealed = raw[SEALED_AT:MIDDLE_AT]
        self.given = raw[-len(END) - GIVEN_BYTES : -len(END)]
        if middle not in (AGREED, DERIVED) or raw != (
            FRONT + self.nonce + SEALED + self.sealed + middle + self.given + END
        ):
            raise BadEnvelope


def content_key(
    secrecy: "Secrecy",
    identity: "Identity",
    entry: "Content",
    encryption: "Encryption",
    kind: int = KIND_IMAGE,
) -> "Generator[None, None, bytes]":
    """Return the content key, 32 bytes, that is wrapped for this ECU.

    content: what was encrypted, which is of this kind.
    Refusals: NotARecipient; BadEnvelope; BadKey, for an ephemeral key that is not canonical or of
    small order; BadWrap.
    """
    raw = encryption.wraps.get(identity.ecu)
    if raw is None:
        raise NotARecipient
    wrap = Wrap(raw)
    if wrap.algorithm == ALG_ECDH_ES_HKDF_256:
        if identity.decryption is None:
            raise NotARecipient
        if int.from_bytes(wrap.given, "little") >= P:
            raise BadKey
        secret = yield from secrecy.agree(identity.decryption, wrap.given)
        salt = b""
    else:
        if identity.symmetric is None:
            raise NotARecipient
        from uptane.mac import derived  # here, because an ECU that signs has no use for it

        secret = derived(secrecy.suite, identity.symmetric, USE_WRAP)
        salt = wrap.given
    info = derivation(wrap.algorithm, identity)
    key = hmac.derive(secrecy.suite.sha256, secret, salt, info, KEY_BYTES)
    purpose = context(identity, entry, encryption, kind)
    aad = cbor.dumps(["Encrypt", PROTECTED, purpose])
    return bytes(poly1305.open_sealed(secrecy.cipher, key, wrap.nonce, wrap.sealed, aad))


def derivation(algorithm: int, identity: "Identity") -> bytes:
    """Return the COSE_KDF_Context of a wrap for this ECU by its Director: RFC 9053, 5.2."""
    maker = [identity.director, None, None]
    ecu = [identity.ecu.to_bytes(4, "big"), None, None]
    public = [KEY_BITS, cbor.dumps({HEADER_ALG: algorithm})]
    return cbor.dumps([ALG_CHACHA20_POLY1305, maker, ecu, public])


def context(identity: "Identity", entry: "Content", encryption: "Encryption", kind: int) -> bytes:
    """Return the external_aad that ties a wrap to what it is for: `wrap-context` of the CDDL."""
    fields = [POUF_NAME, POUF_VERSION, TYPE_WRAP, identity.director, identity.vehicle]
    fields += [identity.ecu, kind, entry.number, entry.length, entry.digest, encryption.digest]
    return cbor.dumps(fields)


class Decrypting:
    """The stream of one image. Only the key is kept of it, and the entry gives that again: work
    that a reset broke off goes on from the offset."""

    def __init__(self, secrecy: "Secrecy", key: bytes, entry: "Content") -> None:
        self._length = entry.length
        self._stream = secrecy.cipher(key, entry.digest[:NONCE_BYTES])

    def decrypt(self, offset: int, data: "bytearray | memoryview") -> None:
        """Decrypt bytes from `offset` of the ciphertext on, in place. Once: twice gives it back.

        Refusal: TooMuch, beyond the end of the image.
        """
        if not 0 <= offset <= self._length - len(data):
            raise TooMuch
        self._stream.xor(offset, data)
