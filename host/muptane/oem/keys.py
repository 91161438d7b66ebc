"""Ed25519 keys: what may be shown (Key), what signs (Signer), and where signers rest (KeyStore).

A key store is a directory with one encrypted file for each signer: a SecretBox under a key that
argon2id makes of a passphrase. A file is bound to its name, so files cannot be exchanged. What
it does not do: keep a key from someone who reads this process's memory, or stand in for an HSM.
Rules: V-05, R-17, R-37.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import nacl.bindings
import nacl.exceptions
import nacl.pwhash.argon2id as argon2id
import nacl.utils
from cwt import COSEKey
from cwt.cose_key_interface import COSEKeyInterface
from nacl.encoding import RawEncoder
from nacl.hash import blake2b
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import BadKey, Malformed, NoSigner, WrongPassphrase
from uptane import ids, limits

PUBLIC_BYTES = 32
SEED_BYTES = 32
FILE_BYTES_MAX = 1024
NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")

KEY_CURVE = -1  # labels of a COSE_Key (RFC 9053, 7.2), beside HEADER_... of ids
KEY_X = -2
KEY_D = -4
KEY_TYPE = 1
KEY_KID = 2
KEY_ALGORITHM = 3


@dataclass(frozen=True, order=True)
class Key:
    """A public key. `public`: 32 bytes, a canonical point of prime order, else BadKey."""

    public: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.public, bytes) or len(self.public) != PUBLIC_BYTES:
            raise BadKey("an Ed25519 public key has 32 bytes")
        if not nacl.bindings.crypto_core_ed25519_is_valid_point(self.public):
            raise BadKey("these 32 bytes are not a point of prime order")

    @property
    def cose_key(self) -> dict[int, object]:
        return {
            KEY_TYPE: ids.KTY_OKP,
            KEY_ALGORITHM: ids.ALG_EDDSA,
            KEY_CURVE: ids.CRV_ED25519,
            KEY_X: self.public,
        }

    @property
    def kid(self) -> bytes:
        """First bytes of the SHA-256 of the COSE_Key with its algorithm (V-05)."""
        return hashlib.sha256(encode(self.cose_key)).digest()[: limits.KID_BYTES]

    def for_cwt(self) -> COSEKeyInterface:
        return COSEKey.new({**self.cose_key, KEY_KID: self.kid})


class Signer:
    """A private key; `key` is its public part. Its repr shows no secret."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.key = Key(bytes(SigningKey(seed).verify_key))

    @classmethod
    def generate(cls) -> "Signer":
        return cls(nacl.utils.random(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes, name: str = "") -> "Signer":
        """The signer that `seed` (any length up to 64 bytes) gives `name`: the same every time."""
        return cls(blake2b(name.encode(), SEED_BYTES, key=seed, encoder=RawEncoder))

    def for_cwt(self) -> COSEKeyInterface:
        return COSEKey.new({**self.key.cose_key, KEY_KID: self.key.kid, KEY_D: self.seed})

    def __repr__(self) -> str:
        return f"Signer({self.key.kid.hex()})"


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


@dataclass(frozen=True)
class Cost:
    """What one guess of a passphrase costs: argon2id passes and bytes of memory."""

    passes: int = argon2id.OPSLIMIT_MODERATE
    memory_bytes: int = argon2id.MEMLIMIT_MODERATE

    @classmethod
    def cheap(cls) -> "Cost":
        """For tests: a guess costs nothing, so neither does the secret's protection."""
        return cls(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)


class Keyring(Protocol):
    """Where signers rest by name."""

    def save(self, name: str, signer: Signer) -> None: ...

    def signers(self) -> Mapping[str, Signer]: ...


class MemoryKeys:
    """A keyring that is gone with the process."""

    def __init__(self) -> None:
        self._signers: dict[str, Signer] = {}

    def save(self, name: str, signer: Signer) -> None:
        self._signers[name] = signer

    def signers(self) -> Mapping[str, Signer]:
        return dict(self._signers)


class KeyStore:
    """A keyring on disk, encrypted at rest. Opens what is there, or makes it.

    Refuses with WrongPassphrase, also when any file was altered or renamed.
    """

    HEADER = "keystore.cbor"  # [salt, passes, memory in bytes]
    ENDING = ".key"

    def __init__(self, folder: Path, passphrase: bytes, cost: Cost | None = None) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        header = folder / self.HEADER
        if not header.exists():
            made = cost or Cost()
            salt = nacl.utils.random(argon2id.SALTBYTES)
            self._write(header, encode([salt, made.passes, made.memory_bytes]))
        salt, kept = self._read_header(header)
        key = argon2id.kdf(SecretBox.KEY_SIZE, passphrase, salt, kept.passes, kept.memory_bytes)
        self._box = SecretBox(key)
        self.signers()  # a wrong passphrase shows now, not when a key is needed

    def save(self, name: str, signer: Signer) -> None:
        """Keep `signer` as `name`, replacing what had this name."""
        if NAME.fullmatch(name) is None:
            raise Malformed(f"{name!r} is not a name for a key")
        sealed = self._box.encrypt(encode([name, signer.seed]))
        self._write(self._folder / (name + self.ENDING), bytes(sealed))

    def signers(self) -> Mapping[str, Signer]:
        """Every signer by its name."""
        paths = sorted(self._folder.glob("*" + self.ENDING))
        return {path.name[: -len(self.ENDING)]: self._open(path) for path in paths}

    def _open(self, path: Path) -> Signer:
        try:
            plain = self._box.decrypt(path.read_bytes())
        except (nacl.exceptions.CryptoError, ValueError) as fault:
            raise WrongPassphrase(f"{path.name} does not open with this passphrase") from fault
        match decode(plain, FILE_BYTES_MAX):
            case [str(name), bytes(seed)] if name + self.ENDING == path.name:
                return Signer(seed)
        raise WrongPassphrase(f"{path.name} holds the key of another name")

    @staticmethod
    def _read_header(path: Path) -> tuple[bytes, Cost]:
        match decode(path.read_bytes(), FILE_BYTES_MAX):
            case [bytes(salt), int(passes), int(memory)] if (
                len(salt) == argon2id.SALTBYTES
                and argon2id.OPSLIMIT_MIN <= passes <= argon2id.OPSLIMIT_SENSITIVE
                and argon2id.MEMLIMIT_MIN <= memory <= argon2id.MEMLIMIT_SENSITIVE
            ):
                return salt, Cost(passes, memory)
        raise Malformed(f"{path} is not the header of a key store")

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """All of it or nothing, readable by its owner only."""
        draft = path.with_name(path.name + ".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
