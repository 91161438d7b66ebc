"""The time, as far as it was attested to this ECU: signed by the time key, for a nonce of its own.

Between attestations the clock runs forward with local ticks; after a reset it stands at the last
stored time, which is a lower bound, so an expiry check never passes what the stored time refuses.
A far-future clock recovers only when a verified Root drops the time key that set it (T-31). It
does NOT read a clock or a random source: ticks are handed in, whole milliseconds that never wrap
or go back between resets.
Rules: V-31, V-46, V-56, V-81, V-82, R-60..R-63, T-28, T-29, T-30, T-31, E-05, E-17, E-18, E-47.
"""

from uptane import cbor, cose
from uptane.errors import (
    BelowThreshold,
    NotMyNonce,
    TimeBackwards,
    TimeTooFar,
    TooLong,
    WrongFormat,
    WrongType,
)
from uptane.ids import FORMAT, KEY_FORMAT, KEY_TYPE, RECORD_TIME, TIME, TIME_NONCES, TIME_NOW
from uptane.limits import (
    FORWARD_MAX_S,
    KID_BYTES,
    NONCE_AGE_MAX_MS,
    NONCE_BYTES,
    NONCES_MAX,
    TIME_BYTES_MAX,
)
from uptane.meta.roles import Root
from uptane.meta.shape import (
    NUMBER_MAX,
    SECONDS_MAX,
    Fields,
    read_bytes,
    read_list,
    read_number,
)
from uptane.meta.wants import Commit

if False:  # for the type checker
    from collections.abc import Callable

    from errand import Changes, Work
    from uptane.crypto.suite import Suite


class AttestedTime:
    """The clock of one ECU, for as long as it runs.

    random: the source of nonces, random(n) -> n bytes. identity: that of the Director. raw: the
    record RECORD_TIME or None; written here and at provisioning: [seconds, kid of the time key].
    fresh: was the time attested in this cycle?
    """

    def __init__(
        self,
        suite: "Suite",
        random: "Callable[[int], bytes]",
        identity: bytes,
        raw: "bytes | None",
        ticks_ms: int,
    ) -> None:
        self.fresh = False
        self._suite = suite
        self._random = random
        self._identity = identity
        self._seconds = 0
        self._kid = b""
        self._since_ms = ticks_ms
        self._nonce = b""
        self._nonce_since_ms = 0
        if raw is not None:
            seconds, kid = read_list(cbor.loads(raw), 2, 2)
            self._seconds = read_number(seconds, 0, SECONDS_MAX)
            self._kid = read_bytes(kid, KID_BYTES)

    def start_cycle(self) -> None:
        """What was attested before is no longer fresh (T-28), and what was asked for before is no
        longer taken: an attestation that was kept back tells a time that is over (T-30)."""
        self.fresh = False
        self._nonce = b""

    def now(self, ticks_ms: int) -> int:
        """Return seconds since 1970: the last attested time plus the local ticks since."""
        return self._seconds + (ticks_ms - self._since_ms) // 1000

    def nonce(self, ticks_ms: int) -> bytes:
        """Return the living nonce, or a new one once that was used or is too old (T-30)."""
        if not self._is_alive(ticks_ms):
            self._nonce = self._random(NONCE_BYTES)
            self._nonce_since_ms = ticks_ms
        return self._nonce

    def accept(
        self, raw: bytes, root: Root, ticks_ms: int, asked: "list[bytes]"
    ) -> "Work[Commit]":
        """Take an attestation by the time key of the Director's `root`; return what to store. It
        has to hold the living nonce and all that were `asked` with it: a Primary's attestation
        that leaves out a Secondary is no use to the vehicle (R-61).

        Refusals: TooLong, those of `cose.read_sign1`, BelowThreshold (an attestation carries one
        signature, so a time role with a threshold above one cannot be met), BadShape, WrongFormat,
        WrongType, NotMyNonce, TimeBackwards, TimeTooFar. R-62.
        """
        if len(raw) > TIME_BYTES_MAX:
            raise TooLong
        payload, kid, signature = cose.read_sign1(raw)
        threshold, keys = root.keyholders(TIME)
        if threshold > 1 or kid not in keys:
            raise BelowThreshold
        aad = cose.context(TIME, self._identity, TIME)
        parts = cose.sign1_parts(payload, aad, False, signature)
        if not (yield from self._suite.verify(keys[kid], parts, signature)):
            raise BelowThreshold
        seconds, nonces = _read_attestation(payload)
        if not self._is_alive(ticks_ms):
            raise NotMyNonce
        for nonce in [self._nonce] + asked:
            if nonce not in nonces:
                raise NotMyNonce
        self._check_step(seconds)
        self._seconds = seconds
        self._kid = kid
        self._since_ms = ticks_ms
        self._nonce = b""
        self.fresh = True
        return Commit({RECORD_TIME: cbor.dumps([seconds, kid])})

    def root_changed(self, root: Root) -> "Changes":
        """Return what to store with a new Root of the Director: nothing, unless it dropped the key
        that attested the time. Then the clock falls back to its least value, until the next cycle
        attests it anew (V-82, T-31).
        """
        if not self._kid or self._kid in root.keyholders(TIME)[1]:
            return {}
        self._seconds = 0
        self._kid = b""
        self.fresh = False
        return {RECORD_TIME: None}

    def _is_alive(self, ticks_ms: int) -> bool:
        return self._nonce != b"" and ticks_ms - self._nonce_since_ms <= NONCE_AGE_MAX_MS

    def _check_step(self, seconds: int) -> None:
        if seconds < self._seconds:
            raise TimeBackwards
        if self._kid and seconds - self._seconds > FORWARD_MAX_S:
            raise TimeTooFar


def _read_attestation(payload: bytes) -> "tuple[int, list[bytes]]":
    fields = Fields(cbor.loads(payload))
    if read_number(fields.take(KEY_FORMAT), 0, NUMBER_MAX) != FORMAT:
        raise WrongFormat
    if read_number(fields.take(KEY_TYPE), 0, NUMBER_MAX) != TIME:
        raise WrongType
    seconds = read_number(fields.take(TIME_NOW), 0, SECONDS_MAX)
    listed = read_list(fields.take(TIME_NONCES), 1, NONCES_MAX)
    fields.end()
    return seconds, [read_bytes(nonce, NONCE_BYTES) for nonce in listed]
