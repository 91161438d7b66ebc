"""Content keys wrapped for one ECU each: COSE_Encrypt (RFC 9052, 5.1), as docs/pouf.cddl has it.

The key that seals a content key comes by HKDF-SHA-256 from what a fresh ephemeral key and the
ECU's X25519 key agree on, or from the part of the ECU's symmetric key that is for wraps and a
fresh salt, so nothing is sealed twice under one key. cwt (3.3) makes no ephemeral X25519 key, so
the message is put together here, from primitives of `cryptography`; tests open it with cwt.
Nothing is opened here: only the ECU can.
Rules: V-13, V-65, R-44, E-80, T-43.
"""

from dataclasses import dataclass
from secrets import token_bytes

from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muptane.oem.encoding import encode
from muptane.oem.errors import BadKey
from muptane.oem.keys import KEY_CURVE, KEY_TYPE, KEY_X, check_x25519
from uptane import algorithms, ids

KEY_BYTES = algorithms.KEY_BITS // 8
NONCE_BYTES = 12
SALT_BYTES = 32
PROTECTED = encode({ids.HEADER_ALG: algorithms.ALG_CHACHA20_POLY1305})


@dataclass(frozen=True)
class Purpose:
    """What a wrap is for, and good for nothing else: the `wrap-context` of docs/pouf.cddl.

    `identity`: of the Director; `kind` and `number`: of the file; `length`, `plaintext` and
    `ciphertext`: what was encrypted, and SHA-256 of it before and after.
    """

    identity: bytes
    vehicle: str
    ecu: int
    kind: int
    number: int
    length: int
    plaintext: bytes
    ciphertext: bytes

    def encode(self) -> bytes:
        fields = [ids.POUF_NAME, ids.POUF_VERSION, algorithms.TYPE_WRAP, self.identity]
        fields += [self.vehicle, self.ecu, self.kind, self.number]
        fields += [self.length, self.plaintext, self.ciphertext]
        return encode(fields)

    def derivation(self, algorithm: int) -> bytes:
        """The COSE_KDF_Context (RFC 9053, 5.2): PartyU is the Director, PartyV the ECU."""
        maker = [self.identity, None, None]
        ecu = [self.ecu.to_bytes(4, "big"), None, None]
        public = [algorithms.KEY_BITS, encode({ids.HEADER_ALG: algorithm})]
        return encode([algorithms.ALG_CHACHA20_POLY1305, maker, ecu, public])


def wrap_to_key(content_key: bytes, public: bytes, purpose: Purpose) -> bytes:
    """For an ECU with an X25519 key. Refuses with BadKey a weak one."""
    check_x25519(public)
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    shown = {
        KEY_TYPE: algorithms.KTY_OKP,
        KEY_CURVE: algorithms.CRV_X25519,
        KEY_X: ephemeral.public_key().public_bytes_raw(),
    }
    algorithm = algorithms.ALG_ECDH_ES_HKDF_256
    key = HKDF(SHA256(), KEY_BYTES, None, purpose.derivation(algorithm)).derive(shared)
    return _sealed(content_key, key, purpose, [algorithm, {algorithms.HEADER_EPHEMERAL: shown}])


def wrap_by_secret(content_key: bytes, secret: bytes, purpose: Purpose) -> bytes:
    """For an ECU with a symmetric key, of which `secret` is the part for wraps."""
    salt = token_bytes(SALT_BYTES)
    algorithm = algorithms.ALG_DIRECT_HKDF_256
    key = HKDF(SHA256(), KEY_BYTES, salt, purpose.derivation(algorithm)).derive(secret)
    return _sealed(content_key, key, purpose, [algorithm, {algorithms.HEADER_SALT: salt}])


def _sealed(content_key: bytes, key: bytes, purpose: Purpose, recipient: list[object]) -> bytes:
    """The message for one recipient: its algorithm and unprotected header."""
    if len(content_key) != KEY_BYTES:
        raise BadKey(f"a content key has {KEY_BYTES} bytes")
    nonce = token_bytes(NONCE_BYTES)
    aad = encode(["Encrypt", PROTECTED, purpose.encode()])
    sealed = ChaCha20Poly1305(key).encrypt(nonce, content_key, aad)
    algorithm, header = recipient
    entry = [encode({ids.HEADER_ALG: algorithm}), header, b""]
    fields = [PROTECTED, {algorithms.HEADER_IV: nonce}, sealed, [entry]]
    return encode(CBORTag(algorithms.COSE_ENCRYPT, fields))
