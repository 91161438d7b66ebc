"""The suite of an emulated board: the same cryptography, charged at the board's own speed.

Verdicts and bytes are those of `uptane.crypto.suite`; only virtual time passes. Costs come from
board.toml, in microseconds: a signature made or verified is charged slice by slice, so that the
ECU stays responsive exactly as far as it would on the board. No slice is longer than the others.
"""

from uptane.crypto.suite import Suite

if False:  # for the type checker
    from collections.abc import Callable, Generator

    from errand import T, Work
    from hashes import Buffer, Hash

BLOCK_BYTES = 64


class Metered:
    """A SHA-256 whose blocks are charged as they are hashed."""

    def __init__(self, inner: "Hash", charge: "Callable[[int], None]", block_us: int) -> None:
        self._inner = inner
        self._charge = charge
        self._block_us = block_us
        self._bytes = 0

    def update(self, data: "Buffer") -> None:
        before = self._bytes // BLOCK_BYTES
        self._bytes += len(data)
        self._charge((self._bytes // BLOCK_BYTES - before) * self._block_us)
        self._inner.update(data)

    def digest(self) -> bytes:
        self._charge(self._block_us)
        return self._inner.digest()


class MeteredSuite(Suite):
    """`costs`: {"ed25519_verify": us, "ed25519_sign": us, "sha256_block": us}."""

    def __init__(
        self,
        charge: "Callable[[int], None]",
        costs: "dict[str, int]",
        tidy: "Callable[[], None]",
    ) -> None:
        Suite.__init__(self, tidy)
        self._charge = charge
        self._costs = costs

    def sha256(self) -> "Hash":
        return Metered(Suite.sha256(self), self._charge, self._costs["sha256_block"])

    def verify(
        self, public: bytes, parts: "tuple[Buffer, ...]", signature: bytes
    ) -> "Generator[None, None, bool]":
        work = Suite.verify(self, public, parts, signature)
        return self._metered(work, self._costs["ed25519_verify"])

    def sign(self, seed: bytes, parts: "tuple[Buffer, ...]") -> "Generator[None, None, bytes]":
        return self._metered(Suite.sign(self, seed, parts), self._costs["ed25519_sign"])

    def public_key(self, seed: bytes) -> "Generator[None, None, bytes]":
        return self._metered(Suite.public_key(self, seed), self._costs["ed25519_sign"])

    def _metered(self, work: "Work[T]", total_us: int) -> "Work[T]":
        """Charge every slice alike, `total_us` for as many as a check of a message of 600 bytes
        takes: a signature that is refused at its first glance costs a glance."""
        slice_us = total_us // Suite.VERIFY_SLICES
        while True:
            try:
                next(work)
            except StopIteration as end:
                self._charge(slice_us)
                return end.value  # type: ignore[no-any-return]
            self._charge(slice_us)
            yield
