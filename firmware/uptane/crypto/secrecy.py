"""What an ECU that decrypts needs beside its suite: X25519 and ChaCha20, the fastest there is.

The one place that chooses between machine code and Python for secrecy, as `suite` does for
signatures; apart from it, because an ECU that decrypts nothing imports none of this. A board
subclasses Secrecy for an accelerator, the emulator for one that also charges virtual time. It does
NOT hold a key.
Rules: V-65, T-43.
"""

from uptane.crypto import x25519

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable, Generator

    from hashes import Buffer
    from uptane.crypto.chacha20 import ChaCha20
    from uptane.crypto.suite import Suite
else:
    try:  # CPython, and a port without viper, run slower to the same bytes
        from uptane.crypto.chacha20_viper import ChaCha20
    except ImportError:
        from uptane.crypto.chacha20 import ChaCha20


class Secrecy:
    """`suite` hashes; `tidy` is called after an agreement, which leaves the heap full of garbage,
    as after each signature."""

    AGREE_SLICES = 20  # of one agreement: its yields, and its end

    def __init__(self, suite: "Suite", tidy: "Callable[[], None]") -> None:
        self.suite = suite
        self._tidy = tidy

    def agree(self, secret: bytes, public: bytes) -> "Generator[None, None, bytes]":
        """Return what `x25519.agree` does. Refusal: BadKey."""
        shared = yield from x25519.agree(secret, public)
        self._tidy()
        return shared

    def cipher(self, key: "Buffer", nonce: "Buffer") -> "ChaCha20":
        """Return a key stream of ChaCha20. Refusal: BadKey."""
        return ChaCha20(key, nonce)
