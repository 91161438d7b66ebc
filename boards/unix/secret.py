"""Decryption on an emulated board: the same bytes, charged at the board's own speed.

Costs come from board.toml, in microseconds: an agreement is charged slice by slice, as a signature
is (`metered`), a stream by the block. Apart from `metered`, because most ECUs decrypt nothing.
"""

from uptane.crypto.secrecy import Secrecy

if False:  # for the type checker
    from collections.abc import Callable, Generator

    from hashes import Buffer
    from uptane.crypto.chacha20 import ChaCha20
    from uptane.crypto.suite import Suite

BLOCK_BYTES = 64


class Stream:
    """A key stream whose blocks are charged as they are used."""

    def __init__(
        self, inner: "ChaCha20", charge: "Callable[[int], object]", block_us: int
    ) -> None:
        self._inner = inner
        self._charge = charge
        self._block_us = block_us

    def xor(self, offset: int, data: "bytearray | memoryview") -> None:
        first = offset // BLOCK_BYTES
        end = (offset + len(data) + BLOCK_BYTES - 1) // BLOCK_BYTES
        self._charge((end - first) * self._block_us)
        self._inner.xor(offset, data)


class MeteredSecrecy(Secrecy):
    """`costs`: {"x25519_agree": us, "chacha20_block": us}."""

    def __init__(
        self,
        suite: "Suite",
        charge: "Callable[[int], object]",
        costs: "dict[str, int]",
        tidy: "Callable[[], None]",
    ) -> None:
        Secrecy.__init__(self, suite, tidy)
        self._charge = charge
        self._costs = costs

    def agree(self, secret: bytes, public: bytes) -> "Generator[None, None, bytes]":
        work = Secrecy.agree(self, secret, public)
        slice_us = self._costs["x25519_agree"] // Secrecy.AGREE_SLICES
        while True:
            try:
                next(work)
            except StopIteration as end:
                self._charge(slice_us)
                return end.value  # type: ignore[no-any-return]
            self._charge(slice_us)
            yield

    def cipher(self, key: "Buffer", nonce: "Buffer") -> "Stream":  # type: ignore[override]
        inner = Secrecy.cipher(self, key, nonce)
        return Stream(inner, self._charge, self._costs["chacha20_block"])
