"""The cryptography that everything else is given: SHA-256, Ed25519, and perhaps ES256.

The one place that chooses between the interpreter's own code, machine code and Python. A board
subclasses Suite for an accelerator, the emulator for one that also charges virtual time; both
keep the verdicts, which `ed25519` states. It does NOT hold a key or a random source.
Rules: V-02.
"""

import hashlib

from uptane.crypto import ed25519

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable, Generator
    from typing import Any

    from hashes import Buffer, Hash

# CPython's hashlib has SHA-512; no MicroPython port's has. Imported where absence can be met:
# CPython must not see machine code of ours, and a port without it runs slower, same bytes.
sha512_viper: "Any" = None
if hasattr(hashlib, "sha512"):
    new_sha512: "Callable[[], Hash]" = hashlib.sha512
else:
    try:
        from uptane.crypto import sha512_viper
    except ImportError:
        from uptane.crypto.sha512 import Sha512 as new_sha512


def nothing() -> None:
    """What a suite calls to tidy up where there is nothing to tidy."""


class Suite:
    """`tidy` is called after each signature made or verified: they leave the heap full of
    garbage, and what lives longer should not come to lie in the midst of it. `es256`: the function
    `crypto.p256.verify`, or None; then ES256 is known and nothing by it verifies."""

    VERIFY_SLICES = 30  # yields of one verify of a message of 600 bytes

    def __init__(
        self, tidy: "Callable[[], None]" = nothing, es256: "Callable[..., Any] | None" = None
    ) -> None:
        self._tidy = tidy
        self._es256 = es256
        # One workspace for all: a small heap may not have 708 bytes in one piece later.
        self._words = sha512_viper.workspace() if sha512_viper else None

    def sha256(self) -> "Hash":
        """Return a new hash object: update(buffer), then digest() once -> 32 bytes."""
        return hashlib.sha256()

    def sha512(self) -> "Hash":
        """Return a new hash object: update(buffer), then digest() once -> 64 bytes."""
        if sha512_viper:
            made: Hash = sha512_viper.Sha512(self._words)
            return made
        return new_sha512()

    def verify(
        self, public: bytes, parts: "tuple[Buffer, ...]", signature: bytes
    ) -> "Generator[None, None, bool]":
        """Return whether a signature over the joined parts is by a public key; see `ed25519` and
        `p256`. Their lengths name the algorithm (`cose`), and have to name the same."""
        if len(signature) == 65 and self._es256:
            good: bool = yield from self._es256(self.sha256, public, parts, signature[1:])
        else:
            good = yield from ed25519.verify(self.sha512, public, parts, signature)
        self._tidy()
        return good

    def sign(self, seed: bytes, parts: "tuple[Buffer, ...]") -> "Generator[None, None, bytes]":
        """Return the signature, 64 bytes, of the joined parts. Refusal: BadKey."""
        signature = yield from ed25519.sign(self.sha512, seed, parts)
        self._tidy()
        return signature

    def public_key(self, seed: bytes) -> "Generator[None, None, bytes]":
        """Return the public key, 32 bytes, of a seed of 32 bytes. Refusal: BadKey."""
        public = yield from ed25519.public_key(self.sha512, seed)
        self._tidy()
        return public
