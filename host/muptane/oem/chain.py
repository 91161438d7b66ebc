"""A chain of pieces, for an ECU that overwrites what it runs and so can not wait for the hash of
the whole: each piece but the last is followed by the SHA-256 of the next with what follows that.
Its other end is `uptane.image.chain`. It signs nothing.
Rules: S-29, T-32.
"""

from muptane.oem.fields import sha256
from uptane import limits


def chained(content: bytes) -> tuple[bytes, bytes]:
    """What travels for a content of a byte at least, and the SHA-256 of its first piece."""
    size = limits.PIECE_BYTES
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    travels: list[bytes] = []
    link = b""
    for piece in reversed(pieces):
        travels.append(piece + link)
        link = sha256(travels[-1])
    return b"".join(reversed(travels)), link
