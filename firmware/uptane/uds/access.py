"""Security access (0x27) and authentication (0x29): proof of knowing this ECU's access secret.

Both are one challenge and one HMAC-SHA-256: of the service and the challenge, under a secret of 32
bytes that provisioning gave to this ECU for nothing else. An ECU without it has neither service.
What either unlocks is unlocked until the session changes. Three wrong proofs are followed by
ACCESS_DELAY_MS in which there is no challenge.

It does NOT stand in for anything that is verified: no level installs, rolls back or re-identifies
(S-39, T-55). Certificates and proofs in both directions are not supported; nor are attempts
counted over a reset: nobody guesses 256 bits.
"""

from uptane.crypto import hmac
from uptane.limits import ACCESS_ATTEMPTS_MAX, ACCESS_DELAY_MS, CHALLENGE_BYTES
from uptane.uds.codes import (
    AUTHENTICATION,
    AUTHENTICATION_COMPLETE,
    AUTHENTICATION_CONFIGURATION,
    CHALLENGE_RESPONSE_SYMMETRIC,
    DE_AUTHENTICATE,
    DE_AUTHENTICATION_SUCCESSFUL,
    NRC_EXCEEDED_NUMBER_OF_ATTEMPTS,
    NRC_INCORRECT_LENGTH,
    NRC_INVALID_KEY,
    NRC_OWNERSHIP_VERIFICATION_FAILED,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED,
    REQUEST_ACCEPTED,
    REQUEST_CHALLENGE_FOR_AUTHENTICATION,
    REQUEST_SEED,
    SECURITY_ACCESS,
    SEND_KEY,
    VERIFY_PROOF_OF_OWNERSHIP_UNIDIRECTIONAL,
)
from uptane.uds.server import ANYWHERE, BEYOND_DEFAULT, SECURED, Nrc

if False:  # for the type checker
    from typing import Protocol

    from shapes import Board
    from uptane.identity import Identity
    from uptane.uds.services import Services

    class Guarded(Protocol):
        """uptane.main.Ecu is one."""

        board: Board
        identity: Identity


PROOF_BYTES = 32
# The object identifier of HMAC with SHA-256 (RFC 8018, B.1.2), as DER, filled up to 16 bytes.
ALGORITHM = b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09\0\0\0\0\0\0"
LENGTHS = b"\0\x20"  # of the proof, ahead of it,
NOTHING_MORE = b"\0\0\0\0"  # and of what may follow it: a challenge back, a parameter
ROWS = (
    (
        SECURITY_ACCESS,
        "access",
        BEYOND_DEFAULT | 2,
        ((REQUEST_SEED, BEYOND_DEFAULT | 2), (SEND_KEY, BEYOND_DEFAULT)),
    ),
    (
        AUTHENTICATION,
        "authenticate",
        ANYWHERE | 2,
        (
            (DE_AUTHENTICATE, ANYWHERE | 2),
            (REQUEST_CHALLENGE_FOR_AUTHENTICATION, BEYOND_DEFAULT | 19),
            (VERIFY_PROOF_OF_OWNERSHIP_UNIDIRECTIONAL, BEYOND_DEFAULT),
            (AUTHENTICATION_CONFIGURATION, ANYWHERE | 2),
        ),
    ),
)


class Access:
    """Adds its services to the tables of `services`, if the ECU has a secret for them."""

    def __init__(self, ecu: "Guarded", services: "Services") -> None:
        self._board = ecu.board
        self._services = services
        self._secret = ecu.identity.access
        self._open = b""  # the service whose challenge is open, and the challenge
        self._left = ACCESS_ATTEMPTS_MAX
        self._until_ms = 0  # till then there is no challenge
        if self._secret:
            services.tables.append((self, ROWS))

    def forget(self) -> None:
        """No challenge outlasts its session."""
        self._open = b""

    def access(self, request: memoryview, out: bytearray) -> int:
        """0x27"""
        if out[1] == REQUEST_SEED:
            seed = bytes(CHALLENGE_BYTES)
            if not self._services.state & SECURED:
                seed = self._challenge(SECURITY_ACCESS)
            out[2 : 2 + CHALLENGE_BYTES] = seed
            return 2 + CHALLENGE_BYTES
        challenge = self._asked(SECURITY_ACCESS)
        if len(request) != 2 + PROOF_BYTES:
            raise Nrc(NRC_INCORRECT_LENGTH)
        self._prove(challenge, request[2:], NRC_INVALID_KEY)
        return 2

    def authenticate(self, request: memoryview, out: bytearray) -> int:
        """0x29, by challenge and response with symmetric cryptography."""
        task = out[1]
        if task == DE_AUTHENTICATE:
            self._services.state &= ~SECURED
            out[2] = DE_AUTHENTICATION_SUCCESSFUL
            return 3
        if task == AUTHENTICATION_CONFIGURATION:
            out[2] = CHALLENGE_RESPONSE_SYMMETRIC
            return 3
        out[3:19] = ALGORITHM
        if task == REQUEST_CHALLENGE_FOR_AUTHENTICATION:
            if request[2] or bytes(request[3:]) != ALGORITHM:  # no session keys are made
                raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
            out[21 : 21 + CHALLENGE_BYTES] = self._challenge(AUTHENTICATION)
            out[2] = REQUEST_ACCEPTED
            out[19:21] = CHALLENGE_BYTES.to_bytes(2, "big")
            out[21 + CHALLENGE_BYTES : 23 + CHALLENGE_BYTES] = b"\0\0"
            return 23 + CHALLENGE_BYTES
        challenge = self._asked(AUTHENTICATION)
        if len(request) != 24 + PROOF_BYTES:
            raise Nrc(NRC_INCORRECT_LENGTH)
        around = bytes(request[2:20]), bytes(request[20 + PROOF_BYTES :])
        if around != (ALGORITHM + LENGTHS, NOTHING_MORE):
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        proof = request[20 : 20 + PROOF_BYTES]
        self._prove(challenge, proof, NRC_OWNERSHIP_VERIFICATION_FAILED)
        out[2] = AUTHENTICATION_COMPLETE
        out[19:21] = b"\0\0"
        return 21

    def _challenge(self, service: int) -> bytes:
        """A new one; it takes the place of one that is open."""
        if self._board.clock.ticks_ms() < self._until_ms:
            raise Nrc(NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED)
        challenge = self._board.random(CHALLENGE_BYTES)
        self._open = bytes((service,)) + challenge
        return challenge

    def _asked(self, service: int) -> bytes:
        """What is proved of the open challenge of that service, which is closed now."""
        asked, self._open = self._open, b""
        if asked[:1] != bytes((service,)):
            raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)
        return asked

    def _prove(self, asked: bytes, proof: memoryview, otherwise: int) -> None:
        right = hmac.tag(self._board.suite.sha256, self._secret, (asked,))
        different = 0
        for i in range(PROOF_BYTES):
            different |= right[i] ^ proof[i]
        if not different:
            self._left = ACCESS_ATTEMPTS_MAX
            self._services.state |= SECURED
            return
        self._left -= 1
        if self._left:
            raise Nrc(otherwise)
        self._left = ACCESS_ATTEMPTS_MAX
        self._until_ms = self._board.clock.ticks_ms() + ACCESS_DELAY_MS
        raise Nrc(NRC_EXCEEDED_NUMBER_OF_ATTEMPTS)
