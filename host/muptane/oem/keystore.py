"""Where secrets rest: in memory, or in a directory with one encrypted file for each.

A file is a SecretBox under a key that argon2id makes of a passphrase, and is bound to its name,
so files cannot be exchanged. What it does not do: keep a secret from someone who reads this
process's memory, or stand in for an HSM.
Rules: R-17, R-37.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import nacl.exceptions
import nacl.pwhash.argon2id as argon2id
import nacl.utils
from nacl.secret import SecretBox

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import Malformed, WrongPassphrase
from muptane.oem.keys import Signer

FILE_BYTES_MAX = 1024
NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


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


class MemorySecrets:
    """Secrets that are gone with the process."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    def write(self, name: str, secret: bytes) -> None:
        self._secrets[name] = secret

    def read(self) -> Mapping[str, bytes]:
        return dict(self._secrets)


class SecretStore:
    """Secrets on disk, encrypted at rest. Opens what is there, or makes it.

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
            self._put(header, encode([salt, made.passes, made.memory_bytes]))
        salt, kept = self._read_header(header)
        key = argon2id.kdf(SecretBox.KEY_SIZE, passphrase, salt, kept.passes, kept.memory_bytes)
        self._box = SecretBox(key)
        self.read()  # a wrong passphrase shows now, not when a key is needed

    def write(self, name: str, secret: bytes) -> None:
        """Keep `secret` as `name`, replacing what had this name."""
        if NAME.fullmatch(name) is None:
            raise Malformed(f"{name!r} is not a name for a key")
        sealed = self._box.encrypt(encode([name, secret]))
        self._put(self._folder / (name + self.ENDING), bytes(sealed))

    def read(self) -> Mapping[str, bytes]:
        """Every secret by its name."""
        paths = sorted(self._folder.glob("*" + self.ENDING))
        return {path.name[: -len(self.ENDING)]: self._open(path) for path in paths}

    def _open(self, path: Path) -> bytes:
        try:
            plain = self._box.decrypt(path.read_bytes())
        except (nacl.exceptions.CryptoError, ValueError) as fault:
            raise WrongPassphrase(f"{path.name} does not open with this passphrase") from fault
        match decode(plain, FILE_BYTES_MAX):
            case [str(name), bytes(secret)] if name + self.ENDING == path.name:
                return secret
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
    def _put(path: Path, content: bytes) -> None:
        """All of it or nothing, readable by its owner only."""
        draft = path.with_name(path.name + ".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)


class MemoryKeys:
    """A keyring that is gone with the process."""

    def __init__(self) -> None:
        self._signers: dict[str, Signer] = {}

    def save(self, name: str, signer: Signer) -> None:
        self._signers[name] = signer

    def signers(self) -> Mapping[str, Signer]:
        return dict(self._signers)


class KeyStore(SecretStore):
    """A keyring on disk; refuses like SecretStore."""

    def save(self, name: str, signer: Signer) -> None:
        """Keep `signer` as `name`, replacing what had this name."""
        self.write(name, signer.kept())

    def signers(self) -> Mapping[str, Signer]:
        """Every signer by its name."""
        return {name: Signer.restored(secret) for name, secret in self.read().items()}
