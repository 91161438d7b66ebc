"""Signing keys: what may be shown (Key), what signs (Signer), who speaks for a role (Holders).

Ed25519 by default; ECDSA on P-256 with SHA-256 (ES256) for a car maker whose HSM has nothing
else, of use where every ECU can check it. Where signers rest is next door, in `keystore`.
Rules: V-05, R-37.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import nacl.bindings
import nacl.utils
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.encoding import RawEncoder
from nacl.exceptions import BadSignatureError
from nacl.hash import blake2b
from nacl.signing import SigningKey

from muptane.oem.encoding import encode
from muptane.oem.errors import BadKey, NoSigner
from uptane import algorithms, limits

PUBLIC_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64  # of either algorithm; of ES256 two numbers, half of it each
X25519_BYTES = 32
POINT = b"\x04"  # what an uncompressed point begins with (SEC 1, 2.3.3)
POINT_BYTES = 65
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

KEY_CURVE = -1  # labels of a COSE_Key (RFC 9053, 7.1 and 7.2), beside HEADER_... of ids
KEY_X = -2
KEY_Y = -3
KEY_TYPE = 1
KEY_KID = 2
KEY_ALGORITHM = 3
KIND_P256 = b"\x26"  # before a stored secret that is not an Ed25519 seed


def check_x25519(public: bytes) -> None:
    """Refuse with BadKey what is no X25519 key, or one of small order, which agrees with every
    secret on the same."""
    if len(public) != X25519_BYTES:
        raise BadKey(f"an X25519 key has {X25519_BYTES} bytes")
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as fault:
        raise BadKey("an X25519 key of small order keeps no secret") from fault


@dataclass(frozen=True, order=True)
class Key:
    """A public key, else BadKey. `public`: 32 bytes, a canonical Ed25519 point of prime order; or
    65, an uncompressed point of P-256 (SEC 1)."""

    public: bytes

    def __post_init__(self) -> None:
        if isinstance(self.public, bytes) and self.public[:1] == POINT and self.is_p256:
            try:
                self._on_p256()
            except ValueError as fault:
                raise BadKey("these 65 bytes are not a point of P-256") from fault
            return
        if not isinstance(self.public, bytes) or len(self.public) != PUBLIC_BYTES:
            raise BadKey("a public key has 32 bytes (Ed25519), or 65 that begin with 4 (P-256)")
        if not nacl.bindings.crypto_core_ed25519_is_valid_point(self.public):
            raise BadKey("these 32 bytes are not a point of prime order")

    @classmethod
    def from_cose(cls, cose_key: Any) -> "Key":
        """The key that a COSE_Key names. Whoever calls compares what it writes again."""
        if cose_key[KEY_TYPE] == algorithms.KTY_EC2:
            return cls(POINT + cose_key[KEY_X] + cose_key[KEY_Y])
        return cls(cose_key[KEY_X])

    @classmethod
    def known(cls, public: bytes, kid: bytes) -> "Key":
        """An Ed25519 key out of the inventory, which took it only after it was checked, with its
        kid. Looking again whether it is a point of prime order takes as long as a signature."""
        made = object.__new__(cls)
        made.__dict__.update(public=public, kid=kid)
        return made

    @property
    def is_p256(self) -> bool:
        return len(self.public) == POINT_BYTES

    @property
    def algorithm(self) -> int:
        """Of its signatures: ids.ALG_..."""
        return algorithms.ALG_ES256 if self.is_p256 else algorithms.ALG_EDDSA

    @property
    def cose_key(self) -> dict[int, object]:
        if self.is_p256:
            return {
                KEY_TYPE: algorithms.KTY_EC2,
                KEY_ALGORITHM: algorithms.ALG_ES256,
                KEY_CURVE: algorithms.CRV_P256,
                KEY_X: self.public[1:33],
                KEY_Y: self.public[33:],
            }
        return {
            KEY_TYPE: algorithms.KTY_OKP,
            KEY_ALGORITHM: algorithms.ALG_EDDSA,
            KEY_CURVE: algorithms.CRV_ED25519,
            KEY_X: self.public,
        }

    @cached_property
    def kid(self) -> bytes:
        """First bytes of the SHA-256 of the COSE_Key with its algorithm (V-05)."""
        return hashlib.sha256(encode(self.cose_key)).digest()[: limits.KID_BYTES]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made `signature` (64 bytes) over `message`."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            if self.is_p256:
                halves = (signature[:32], signature[32:])
                encoded = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
                self._on_p256().verify(encoded, message, ec.ECDSA(SHA256()))
            else:
                nacl.bindings.crypto_sign_open(signature + message, self.public)
        except (InvalidSignature, BadSignatureError):
            return False
        return True

    def _on_p256(self) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.public)


class Signer:
    """A private key; `key` is its public part. Its repr shows no secret.

    `seed`: an Ed25519 seed, or the secret number of a P-256 key, 32 bytes either way.
    """

    def __init__(self, seed: bytes, algorithm: int = algorithms.ALG_EDDSA) -> None:
        self.seed = seed
        self.key = _public_of(seed, algorithm)

    @classmethod
    def generate(cls, algorithm: int = algorithms.ALG_EDDSA) -> "Signer":
        return cls.from_seed(nacl.utils.random(SEED_BYTES), "", algorithm)

    @classmethod
    def from_seed(
        cls, seed: bytes, name: str = "", algorithm: int = algorithms.ALG_EDDSA
    ) -> "Signer":
        """The signer that `seed` (any length up to 64 bytes) gives `name`: the same every time."""
        made = blake2b(name.encode(), SEED_BYTES, key=seed, encoder=RawEncoder)
        if algorithm == algorithms.ALG_ES256:
            number = int.from_bytes(made, "big") % (P256_ORDER - 1) + 1
            made = number.to_bytes(SEED_BYTES, "big")
        return cls(made, algorithm)

    def kept(self) -> bytes:
        """What a key store keeps of it."""
        return KIND_P256 + self.seed if self.key.is_p256 else self.seed

    @classmethod
    def restored(cls, kept: bytes) -> "Signer":
        """The reverse of `kept`."""
        if len(kept) == SEED_BYTES:
            return cls(kept)
        return cls(kept.removeprefix(KIND_P256), algorithms.ALG_ES256)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        if not self.key.is_p256:
            return nacl.bindings.crypto_sign(message, self._ed25519)[:SIGNATURE_BYTES]
        halves = decode_dss_signature(self._p256.sign(message, ec.ECDSA(SHA256())))
        return b"".join(half.to_bytes(SIGNATURE_BYTES // 2, "big") for half in halves)

    @cached_property
    def _ed25519(self) -> bytes:
        """As libsodium keeps it: the seed, and the public key behind it."""
        return self.seed + self.key.public

    @cached_property
    def _p256(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.seed, "big"), ec.SECP256R1())

    def __repr__(self) -> str:
        return f"Signer({self.key.kid.hex()})"


def _public_of(seed: bytes, algorithm: int) -> Key:
    if algorithm == algorithms.ALG_EDDSA:
        return Key(bytes(SigningKey(seed).verify_key))
    number = int.from_bytes(seed, "big")
    if algorithm != algorithms.ALG_ES256 or len(seed) != SEED_BYTES or not 0 < number < P256_ORDER:
        raise BadKey(f"not a secret of algorithm {algorithm}")
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    return Key(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


@dataclass(frozen=True)
class Holders:
    """Who speaks for a role: `threshold` of `keys`. `signers` are the private ones at hand."""

    threshold: int
    keys: tuple[Key, ...]
    signers: tuple[Signer, ...] = ()

    @classmethod
    def of(cls, *signers: Signer, threshold: int = 1) -> "Holders":
        return cls(threshold, tuple(signer.key for signer in signers), signers)

    def ready(self) -> tuple[Signer, ...]:
        """The signers at hand, which meet the threshold, else NoSigner."""
        if len(self.signers) < self.threshold:
            raise NoSigner(f"{len(self.signers)} of {self.threshold} private keys are at hand")
        return self.signers
