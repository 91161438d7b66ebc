"""Words for hashes: the published encoding, and what an ear forgives and what not."""

import pytest

from muptane.oem.errors import HashesDiffer, Malformed
from muptane.oem.fields import sha256
from muptane.oem.spoken import check_heard, read_aloud, words_of

DIGEST = sha256(b"abc")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ((127, 0, 0, 1), "lusab babad"),
        ((63, 84, 220, 193), "gutih tugad"),
        ((216, 68, 232, 21), "todah vobij"),
        ((212, 58, 253, 68), "tibup zujah"),
    ],
)
def test_words_are_the_proquints_of_their_author(address, words):
    """S-12: examples of arXiv:0901.4016, section 3."""
    assert words_of(bytes(address)) == words.split()


def test_a_hash_is_sixteen_words_in_four_lines():
    """S-12."""
    lines = read_aloud(DIGEST).splitlines()
    assert len(lines) == 4 and all(len(line.split()) == 4 for line in lines)
    assert len({words_of(bytes([i, j]))[0] for i in range(256) for j in range(256)}) == 65536
    with pytest.raises(Malformed):
        words_of(b"odd")


def test_what_is_heard_is_compared_word_by_word():
    """S-10, S-12: capitals, hyphens and commas are not heard."""
    words = words_of(DIGEST)
    for heard in (read_aloud(DIGEST), "-".join(words).upper(), ", ".join(words) + "."):
        check_heard(heard, DIGEST)
    swapped = [words[1], words[0], *words[2:]]
    for heard in ("", " ".join(words[:15]), " ".join(swapped), " ".join([*words, words[0]])):
        with pytest.raises(HashesDiffer):
            check_heard(heard, DIGEST)
    with pytest.raises(HashesDiffer, match="word 3 "):
        check_heard(" ".join([*words[:2], "babab", *words[3:]]), DIGEST)
