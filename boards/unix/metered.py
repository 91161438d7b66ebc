"""The suite of an emulated board: the same cryptography, charged at the board's own speed.

Verdicts and bytes are those of `uptane.crypto.suite`; only virtual time passes. Costs come from
board.toml, in microseconds: a signature made or verified is charged slice by slice, so that the
ECU stays responsive exactly as far as it would on the board. No slice is longer than the others.
"""

from uptane.crypto.suite import Suite

if False:  # for the type checker
    from collections.abc import Callable, Generator
    from typing import Any

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
    """`costs`: {"ed25519_verify": us, "ed25519_sign": us, "sha256_block": us}; and "p256_verify"
    of a board whose suite is built with ES256."""

    def __init__(
        self,
        charge: "Callable[[int], None]",
        costs: "dict[str, int]",
        tidy: "Callable[[], None]",
    ) -> None:
        Suite.__init__(self, tidy, self._es256_of(costs))
        self._charge = charge
        self._costs = costs

    def _es256_of(self, costs: "dict[str, int]") -> "Callable[..., Any] | None":
        if "p256_verify" not in costs:
            return None
        from uptane.crypto import p256  # here, because most boards have no use for it

        self._es256_slices = p256.SLICES
        return p256.verify

    def sha256(self) -> "Hash":
        return Metered(Suite.sha256(self), self._charge, self._costs["sha256_block"])

    def verify(
        self, public: bytes, parts: "tuple[Buffer, ...]", signature: bytes
    ) -> "Generator[None, None, bool]":
        work = Suite.verify(self, public, parts, signature)
        if self._es256 and len(signature) == 65:
            return self._metered(work, self._costs["p256_verify"], self._es256_slices)
        return self._metered(work, self._costs["ed25519_verify"])

    def sign(self, seed: bytes, parts: "tuple[Buffer, ...]") -> "Generator[None, None, bytes]":
        return self._metered(Suite.sign(self, seed, parts), self._costs["ed25519_sign"])

    def public_key(self, seed: bytes) -> "Generator[None, None, bytes]":
        return self._metered(Suite.public_key(self, seed), self._costs["ed25519_sign"])

    def _metered(
        self, work: "Work[T]", total_us: int, slices: int = Suite.VERIFY_SLICES
    ) -> "Work[T]":
        """Charge every slice alike, `total_us` for as many as a check of a message of 600 bytes
        takes: a signature that is refused at its first glance costs a glance."""
        slice_us = total_us // slices
        while True:
            try:
                next(work)
            except StopIteration as end:
                self._charge(slice_us)
                return end.value  # type: ignore[no-any-return]
            self._charge(slice_us)
            yield
