"""What the Director says of an image that travels encrypted, and whether what arrives is that.

For whoever takes such an image in, a Primary that hands it on included: no key is needed here and
none is known. An entry describes the plain image, which is what the repositories agree on; that it
travels encrypted stands in the custom data of the *Director's* entry, and nobody but the Director
is asked (V-84). An entry that says encrypted is never satisfied by the plain image, nor the
reverse. It does NOT decrypt: `image.decryption` does, and the plaintext is held against the entry
like any image.
Rules: V-13, V-84, E-01, E-80, T-33.
"""

from uptane.algorithms import FORM_ENCRYPTED, FORM_PLAIN, METHOD_CHACHA20
from uptane.errors import BadShape, EncryptionDiffers, WrongHash
from uptane.ids import CUSTOM_ENCRYPTED
from uptane.limits import DIGEST_BYTES
from uptane.meta.shape import NUMBER_MAX, read_bytes, read_list, read_map, read_number

if False:  # for the type checker
    from uptane.meta.targets import Entry


class Encryption:
    """`digest`: SHA-256 of the ciphertext, which is as long as the image; `wraps`: {ecu id: the
    wrap of the content key, not looked at}. Refusal: BadShape."""

    def __init__(self, value: object) -> None:
        fields = read_list(value, 3, 3)
        read_number(fields[0], METHOD_CHACHA20, METHOD_CHACHA20)
        self.digest = read_bytes(fields[1], DIGEST_BYTES)
        self.wraps: dict[int, bytes] = {}
        wraps = read_map(fields[2])
        if not wraps:
            raise BadShape
        for ecu in wraps:
            wrap = wraps[ecu]
            if type(wrap) is not bytes:
                raise BadShape
            self.wraps[read_number(ecu, 0, NUMBER_MAX)] = wrap


def encryption_of(entry: "Entry") -> "Encryption | None":
    """Return how the image of a Director's verified entry travels; None: plain.

    Refusals: BadShape; EncryptionDiffers if the ciphertext is the image itself.
    """
    custom = entry.custom
    if custom is None or CUSTOM_ENCRYPTED not in read_map(custom):
        return None
    found = Encryption(read_map(custom)[CUSTOM_ENCRYPTED])
    if found.digest == entry.digest:
        raise EncryptionDiffers
    return found


def wanted_digest(entry: "Entry", form: int) -> bytes:
    """Return the SHA-256 that bytes of this form must have, before the first of them is taken.

    form: FORM_PLAIN or FORM_ENCRYPTED, as whoever brings them says. Refusals: EncryptionDiffers;
    BadShape.
    """
    encryption = encryption_of(entry)
    if form != (FORM_PLAIN if encryption is None else FORM_ENCRYPTED):
        raise EncryptionDiffers
    return entry.digest if encryption is None else encryption.digest


def check_arrived(entry: "Entry", digest: bytes) -> None:
    """Hold the SHA-256 of what arrived, as it arrived, against an entry.

    Refusals: EncryptionDiffers, where the plain image came in the place of its ciphertext;
    WrongHash; BadShape.
    """
    encryption = encryption_of(entry)
    if encryption is not None and digest == entry.digest:
        raise EncryptionDiffers
    if digest != (entry.digest if encryption is None else encryption.digest):
        raise WrongHash
