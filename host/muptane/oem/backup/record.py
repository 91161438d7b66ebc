"""The record of one backup: its number, what came before it, and what it contains, signed.

Records are a chain: each names the SHA-256 of the file before it, so that none can be replaced or
taken from the middle. That the last one was taken away only shows to whoever remembers it: that is
what a *receipt* is for, `<number>:<SHA-256 of the record>`. A record is a COSE_Sign1 by a key that
signs nothing else; its payload is the CBOR array [format, number, SHA-256 of the record before or
empty, seconds since 1970, SHA-256 of the contents, identity of the Image repository].
Rules: R-37, S-19.
"""

import re
from dataclasses import dataclass

from muptane.oem.backup.contents import BACKUP_FORMAT
from muptane.oem.encoding import decode, encode
from muptane.oem.envelopes import Context, sign1, verify_sign1
from muptane.oem.errors import BackupDamaged, Malformed, OemRefusal
from muptane.oem.fields import sha256
from muptane.oem.keys import Key, Signer
from uptane import ids
from uptane.limits import DIGEST_BYTES, TIME_BYTES_MAX

FOLDER = "records"


class _Purpose(Context):
    """Nothing that a vehicle or a repository verifies is signed for this."""

    def encode(self) -> bytes:
        return encode([ids.POUF_NAME, "backup", BACKUP_FORMAT])


PURPOSE = _Purpose(0, b"", 0)


@dataclass(frozen=True)
class Receipt:
    """What an owner keeps of a backup, in his head or on paper."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"

    @classmethod
    def read(cls, said: str) -> "Receipt":
        """Refuses with Malformed."""
        found = re.fullmatch(r"([1-9][0-9]{0,8}):([0-9a-f]{64})", said.strip())
        if found is None:
            raise Malformed(f"{said!r} is no receipt: they are NUMBER:64 hexadecimal digits")
        return cls(int(found[1]), bytes.fromhex(found[2]))


@dataclass(frozen=True)
class Record:
    """`previous`: SHA-256 of the record before, empty for the first; `contents`: SHA-256 of the
    list of everything; `identity`: of the Image repository."""

    number: int
    previous: bytes
    made_s: int
    contents: bytes
    identity: bytes

    def sign(self, signer: Signer) -> bytes:
        """The file."""
        fields = [
            BACKUP_FORMAT,
            self.number,
            self.previous,
            self.made_s,
            self.contents,
            self.identity,
        ]
        return sign1(encode(fields), signer, PURPOSE)


def record_name(number: int) -> str:
    return f"{FOLDER}/{number:08d}.cbor"


def receipt_of(number: int, raw: bytes) -> Receipt:
    return Receipt(number, sha256(raw))


def read_record(raw: bytes, key: Key) -> Record:
    """The record that `key` signed, else BackupDamaged."""
    try:
        found = decode(verify_sign1(raw, key, PURPOSE), TIME_BYTES_MAX)
    except OemRefusal as refusal:
        raise BackupDamaged(f"not a record by key {key.public.hex()}: {refusal}") from refusal
    match found:
        case [int(known), int(number), bytes(before), int(made_s), bytes(said), bytes(identity)]:
            if known != BACKUP_FORMAT:
                raise BackupDamaged(
                    f"a record of format {known}, this program reads {BACKUP_FORMAT}"
                )
            if len(said) == DIGEST_BYTES and len(before) in (0, DIGEST_BYTES):
                return Record(number, before, made_s, said, identity)
    raise BackupDamaged("not the payload of a record")
