"""The hashes of a delivery by a second channel: a text that is signed, or words over a telephone.

The text is what `sha256sum` writes, so `sha256sum -c` reads it too, between a line that says whose
delivery it is and one with a signature by the supplier's contact key, which signs no metadata. The
words are those of the text's SHA-256 without signature. Both cover every file of the delivery,
`contents.json` too: of a supplier that does not sign, release and hardware stand nowhere else. A
confirmation is asked last, when everything else is good, and says in a sentence what it confirmed.
Rules: S-10, S-11, S-12.
"""

import binascii
from collections.abc import Callable

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from muptane.oem.archive import Delivery
from muptane.oem.errors import HashesDiffer, Malformed, TooLarge, Unconfirmed
from muptane.oem.fields import sha256
from muptane.oem.keys import Key, Signer
from muptane.oem.spoken import check_heard, read_aloud

LIST_BYTES_MAX = 64 * 1024
SIGNED = "# signed "

# (delivery, contact key) -> what was confirmed; None: nothing was. Or an OemRefusal.
Confirmation = Callable[[Delivery, Key], str | None]


def text_of(delivery: Delivery) -> str:
    """The list, not signed."""
    said = delivery.contents
    head = f"# muptane hashes 1: {said.supplier}, role {said.role}\n"
    lines = sorted(f"{sha256(raw).hex()}  {name}\n" for name, raw in delivery.named().items())
    return head + "".join(lines)


def digest_of(delivery: Delivery) -> bytes:
    """What is read aloud."""
    return sha256(text_of(delivery).encode())


def sign_list(delivery: Delivery, contact: Signer) -> str:
    """The list with the signature of the supplier's contact key."""
    text = text_of(delivery)
    return f"{text}{SIGNED}{SigningKey(contact.seed).sign(text.encode()).signature.hex()}\n"


def nothing(delivery: Delivery, contact: Key) -> str | None:
    """No second channel was used."""
    return None


def by_list(raw: bytes) -> Confirmation:
    """A list that came by another way than the delivery."""

    def confirm(delivery: Delivery, contact: Key) -> str:
        _check_list(raw, delivery, contact)
        files = len(delivery.named())
        return f"the list of hashes names these {files} files, signed by contact {_short(contact)}"

    return confirm


def by_words(ask: Callable[[int], str]) -> Confirmation:
    """Words that somebody at the supplier reads aloud; `ask` is told how many words there are and
    returns what was heard. Nobody is shown the words first: who sees them says yes too soon."""

    def confirm(delivery: Delivery, contact: Key) -> str:
        digest = digest_of(delivery)
        check_heard(ask(len(read_aloud(digest).split())), digest)
        return f"the words that were read aloud are those of these {len(delivery.named())} files"

    return confirm


def check_confirmed(said: str | None) -> str:
    """What has to be confirmed was, else Unconfirmed."""
    if said is None:
        raise Unconfirmed("nobody confirmed the hashes of this delivery by a second channel")
    return said


def _check_list(raw: bytes, delivery: Delivery, contact: Key) -> None:
    if len(raw) > LIST_BYTES_MAX:
        raise TooLarge(f"{len(raw)} bytes; a list of hashes has {LIST_BYTES_MAX} at most")
    try:
        text = raw.decode("ascii").replace("\r\n", "\n")  # mail does that
        body, found, signature = text.rstrip("\n").rpartition("\n" + SIGNED)
        value = binascii.unhexlify(signature.strip())
    except ValueError as fault:
        raise Malformed("not a list of hashes: its last line is no signature") from fault
    if not found:
        raise Malformed(f"not a list of hashes: no line begins with {SIGNED.strip()!r}")
    body += "\n"
    try:
        VerifyKey(contact.public).verify(body.encode(), value)
    except (BadSignatureError, ValueError) as fault:
        wanted = _short(contact)
        raise HashesDiffer(f"the list of hashes is not signed by contact {wanted}") from fault
    expected = text_of(delivery).splitlines()
    for line in body.splitlines():
        if line not in expected:
            raise HashesDiffer(f"the list has a line that is not true of the delivery: {line!r}")
    for line in expected:
        if line not in body.splitlines():
            raise HashesDiffer(f"the delivery has what the list does not: {line!r}")


def _short(contact: Key) -> str:
    return contact.kid.hex()
