"""The time source: says what time it is to those who ask with a nonce.

The key is named in the Director's Root (R-63), so the identity in the signature is the
Director's. It is given the time; whether that is true is the business of who gives it.
Rules: R-60, R-63, V-82.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationError

from muptane.oem.encoding import decode, encode
from muptane.oem.envelopes import Context, sign1
from muptane.oem.errors import Malformed
from muptane.oem.fields import Nonce, Seconds, Strict
from muptane.oem.keys import Signer
from uptane import ids, limits


class Attestation(Strict):
    """The time now, for those who asked with these nonces (R-60)."""

    now: Seconds
    nonces: Annotated[tuple[Nonce, ...], Field(min_length=1, max_length=limits.NONCES_MAX)]

    def payload(self) -> bytes:
        head = {ids.KEY_FORMAT: ids.FORMAT, ids.KEY_TYPE: ids.TIME}
        return encode(head | {ids.TIME_NOW: self.now, ids.TIME_NONCES: self.nonces})

    @classmethod
    def from_payload(cls, payload: bytes) -> "Attestation":
        match decode(payload, limits.TIME_BYTES_MAX):
            case {ids.TIME_NOW: now, ids.TIME_NONCES: list(nonces)}:
                try:
                    made = cls(now=now, nonces=tuple(nonces))
                except ValidationError as fault:
                    raise Malformed(f"not an attestation: {fault}") from fault
                if made.payload() == payload:
                    return made
        raise Malformed("not exactly an attestation of time")

    def sign(self, signer: Signer, identity: bytes) -> bytes:
        """A time file; `identity` is the Director's."""
        return sign1(self.payload(), signer, Context(ids.TIME, identity, ids.TIME))


class TimeServer:
    """Attests time with `signer`, for vehicles of the Director whose identity is given."""

    def __init__(self, signer: Signer, identity: bytes) -> None:
        self.signer = signer
        self.identity = identity

    def attest(self, nonces: Sequence[bytes], now: int) -> bytes:
        """A time file for `nonces` (1 to 32 of 8 bytes, as they came), else Malformed."""
        try:
            made = Attestation(now=now, nonces=tuple(nonces))
        except ValidationError as fault:
            raise Malformed(f"nobody can be told the time like this: {fault}") from fault
        return made.sign(self.signer, self.identity)
