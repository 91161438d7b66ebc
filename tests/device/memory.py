"""The real suite for tests on the device; what it once computed it remembers.

Tests repeat themselves: the same keys sign the same files. It lies apart from `maker` and knows
nothing of metadata, so that what it remembers outlives a change of what is tested.
"""

from claims import run
from uptane.crypto.suite import Suite

PUBLIC = {}  # seed -> public key
SIGNED = {}  # (seed, digest of the message) -> signature
VERDICTS = {}  # (public key, digest of the message, signature) -> did it verify?


class Remembering(Suite):
    """Verifies each signature once."""

    def verify(self, public, parts, signature):
        known = (public, _digest_of(parts), signature)
        if known not in VERDICTS:
            VERDICTS[known] = yield from Suite.verify(self, public, parts, signature)
        return VERDICTS[known]


SUITE = Remembering()


def digest(payload):
    hash = SUITE.sha256()
    hash.update(payload)
    return hash.digest()


def _digest_of(parts):
    return digest(b"".join([bytes(part) for part in parts]))


def public_key(seed):
    if seed not in PUBLIC:
        PUBLIC[seed] = run(SUITE.public_key(seed))
    return PUBLIC[seed]


def sign_with(seed, parts):
    known = (seed, _digest_of(parts))
    if known not in SIGNED:
        SIGNED[known] = run(SUITE.sign(seed, parts))
    return SIGNED[known]
