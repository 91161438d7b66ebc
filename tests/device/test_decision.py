"""What an ECU has against what it is told to have."""

from maker import entry_of
from uptane.ids import ALG_SHA256
from uptane.meta.decision import Installed
from uptane.meta.targets import Entry

NUMBER = 7


def test_an_image_is_the_entrys_by_number_and_digest_alike():
    """V-63, T-18: neither a neighbouring number nor a digest above or below will do."""
    made = entry_of(2, 3)
    entry = Entry(NUMBER, made, False)
    digest = entry.hashes[ALG_SHA256]
    assert Installed(NUMBER, digest, 3).is_entry(entry)
    for number in (NUMBER - 1, NUMBER + 1):
        assert not Installed(number, digest, 3).is_entry(entry)
    for other in (bytes(32), b"\xff" * 32):
        assert not Installed(NUMBER, other, 3).is_entry(entry)
