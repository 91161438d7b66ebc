"""Hashes as words that two people can compare on the telephone.

A word is a proquint (Wilkerson 2009): consonant, vowel, consonant, vowel, consonant, for 16 bits;
the letters are far apart when they are spoken, and there is no list of words that both sides would
have to have. A SHA-256 is sixteen words. What is heard is compared without regard to capitals,
hyphens and commas. It does not know whose voice it is: that is for whoever holds the telephone.
Rules: S-10, S-12.
"""

import re

from muptane.oem.errors import HashesDiffer, Malformed

CONSONANTS = "bdfghjklmnprstvz"
VOWELS = "aiou"
SHIFTS = ((CONSONANTS, 12), (VOWELS, 10), (CONSONANTS, 6), (VOWELS, 4), (CONSONANTS, 0))
WORD_BYTES = 2


def words_of(digest: bytes) -> list[str]:
    """The words of a digest of an even number of bytes."""
    if len(digest) % WORD_BYTES:
        raise Malformed(f"{len(digest)} bytes do not make whole words")
    pairs = range(0, len(digest), WORD_BYTES)
    return [_word(int.from_bytes(digest[at : at + WORD_BYTES], "big")) for at in pairs]


def read_aloud(digest: bytes) -> str:
    """Its words in lines of four."""
    words = words_of(digest)
    return "\n".join(" ".join(words[at : at + 4]) for at in range(0, len(words), 4))


def check_heard(heard: str, digest: bytes) -> None:
    """Refuse with HashesDiffer unless `heard` is every word of `digest`, in order."""
    said = re.findall(r"[a-z]+", heard.lower())
    expected = words_of(digest)
    for place, (one, other) in enumerate(zip(said, expected, strict=False), 1):
        if one != other:
            raise HashesDiffer(f"word {place} that was read aloud is {one!r}, not {other!r}")
    if len(said) != len(expected):
        raise HashesDiffer(f"{len(said)} words were read aloud, there are {len(expected)}")


def _word(value: int) -> str:
    return "".join(letters[value >> shift & len(letters) - 1] for letters, shift in SHIFTS)
