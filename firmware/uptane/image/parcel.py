"""What travels in the place of an image: the image itself, a delta to it, and either encrypted.

An entry describes the plain, whole image, on which the repositories agree. How it comes to an ECU
is the Director's business and stands in the custom data of the Director's entry; what comes so is
had from the Director only (S-28). For ECUs that overwrite what they run it also comes in pieces
(`image.chain`), and there the entry describes the image to go back to. This module reads that, for
the ECU that makes the image of it and for a Primary that hands it on without a key or the old
image. It does NOT open or apply anything: `image.intake` and `image.rewriting` do.
Rules: V-13, V-48, V-58, S-27, S-28, S-29, T-32, E-80, E-81.
"""

from uptane import cbor
from uptane.algorithms import FORM_CHAINED, FORM_DELTA, FORM_ENCRYPTED, FORM_PLAIN
from uptane.errors import BadShape, EncryptionDiffers, WrongHash
from uptane.ids import (
    CUSTOM_CHAIN,
    CUSTOM_DELTA,
    CUSTOM_RECOVERY,
    DIRECTOR,
    IMAGE,
    KIND_DELTA,
    KIND_IMAGE,
)
from uptane.image.description import read_delta
from uptane.image.encryption import check_arrived, encryption_of, wanted_digest
from uptane.limits import DIGEST_BYTES, PIECE_BYTES, RECOVERY_BYTES_MAX
from uptane.meta.shape import (
    NUMBER_MAX,
    read_bytes,
    read_list,
    read_map,
    read_number,
    read_numbers,
)
from uptane.meta.targets import Entry
from uptane.meta.wants import Want

if False:  # for the type checker
    from errand import Sink
    from uptane.image.plan import Plan


class Content:
    """What a parcel holds once it is decrypted: number of the image, bytes, SHA-256."""

    def __init__(self, number: int, length: int, digest: bytes) -> None:
        self.number = number
        self.length = length
        self.digest = digest


class Parcel:
    """How the image of a Director's verified entry travels to the ECU with that number.

    kind, form  of the file: KIND_IMAGE or KIND_DELTA; FORM_... of `algorithms`, added up
    digest      SHA-256 of what travels; `length`: its bytes
    content     what it is when it is decrypted: a Content
    plan, base  of a delta, or None: `image.plan`, and the SHA-256 of the image it is made from
    encryption  `image.encryption`, or None
    head        SHA-256 of the first piece of a chain, or None: it does not come in pieces
    recovery    with a chain: the image to go back to, encoded, for `recovered`; or None

    Refusals: BadShape, EncryptionDiffers, UnknownHash, UnsupportedDelta.
    """

    def __init__(self, entry: Entry, ecu: int) -> None:
        self._entry = entry
        self.encryption = encryption_of(entry)
        self.form = FORM_PLAIN if self.encryption is None else FORM_ENCRYPTED
        self.plan: Plan | None = None
        self.base = b""
        custom = read_map(entry.custom) if entry.custom is not None else {}
        if CUSTOM_DELTA not in custom:
            self.kind = KIND_IMAGE
            self.content = Content(entry.number, entry.length, entry.digest)
            self.digest = wanted_digest(entry, self.form)
        else:
            self.kind = KIND_DELTA
            plan, self.base = read_delta(custom[CUSTOM_DELTA], entry.length)
            self.plan = plan
            self.content = Content(entry.number, plan.length, plan.digest)
            self.digest = plan.digest
            if self.encryption is not None:
                self.digest = self.encryption.digest
                if self.digest == plan.digest:
                    raise EncryptionDiffers
            self.form |= FORM_DELTA
        self.length = self.content.length
        self.head: bytes | None = None
        self.recovery: bytes | None = None
        if CUSTOM_CHAIN in custom:
            digest, head, ecus = read_list(custom[CUSTOM_CHAIN], 3, 3)
            if ecu in read_numbers(ecus, True):
                self._chain(read_bytes(digest, DIGEST_BYTES), read_bytes(head, DIGEST_BYTES))
                raw = custom.get(CUSTOM_RECOVERY)
                if raw is not None and (type(raw) is not bytes or len(raw) > RECOVERY_BYTES_MAX):
                    raise BadShape
                self.recovery = raw

    def _chain(self, digest: bytes, head: bytes) -> None:
        """It comes in pieces, each but the last with the hash of the next."""
        self.digest = digest
        self.head = head
        self.length += (self.length - 1) // PIECE_BYTES * DIGEST_BYTES
        self.form |= FORM_CHAINED

    def want(self, sink: "Sink") -> Want:
        """The want for all of it; a sink that has some moves `offset`."""
        repository = DIRECTOR if self.form else IMAGE
        want = Want(repository, self.kind, self.content.number, self.digest, self.length)
        want.form = self.form
        want.sink = sink
        return want

    def check(self, digest: bytes) -> None:
        """Hold the SHA-256 of what arrived, as it arrived, against the entry. Refusals: WrongHash;
        EncryptionDiffers, where the plain image came in the place of its ciphertext."""
        if self.plan is None and self.head is None:
            check_arrived(self._entry, digest)
        elif digest != self.digest:
            raise WrongHash


def recovered(raw: bytes) -> Entry:
    """The entry of the image to go back to, out of CUSTOM_RECOVERY or its record. BadShape, and
    refusals of cbor.loads."""
    number, value = read_list(cbor.loads(raw), 2, 2)
    return Entry(read_number(number, 0, NUMBER_MAX), value, False)
