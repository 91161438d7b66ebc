"""Images encrypted for ECUs: one ciphertext, a wrap of its key for each, and a ledger of keys.

Each ciphertext has a content key of its own, fresh from the system's random source, and the
inventory remembers its hash for ever: a key that comes a second time is refused before anything
leaves this module. The key itself is kept nowhere; for one more ECU an image is encrypted anew.
Who may have which image is decided elsewhere, and Targets are signed elsewhere: `custom` is what
the Director's entry has to say.
Rules: V-13, V-24, V-84, R-09, R-16, R-44, S-15, T-33, T-43.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from secrets import token_bytes

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem import fleet
from muptane.oem.errors import ContentKeyUsed, Malformed, NoDecryptionKey, UnknownImage
from muptane.oem.fields import Custom, sha256
from muptane.oem.inventory import ContentKey, Image, Inventory
from muptane.oem.states import AnyEcu
from muptane.oem.wraps import KEY_BYTES, NONCE_BYTES, Purpose, wrap_to_key
from uptane import algorithms, ids

FIRST_BLOCK = bytes(4)  # the counter, little-endian

# Wraps a content key for an ECU with a symmetric key: KeyServer.wrap.
Wrap = Callable[[bytes, Purpose], bytes]


@dataclass(frozen=True)
class Encrypted:
    """A ciphertext, and the wraps of its key: {vehicle: {ecu: wrap}}."""

    ciphertext: bytes
    wraps: Mapping[str, Mapping[int, bytes]]

    def custom(self, vehicle: str) -> Custom:
        """What the custom data of the Director's entry for this vehicle says (V-13)."""
        digest = sha256(self.ciphertext)
        value = [algorithms.METHOD_CHACHA20, digest, dict(self.wraps[vehicle])]
        return {ids.CUSTOM_ENCRYPTED: value}


class Encryption:
    """For a Director of this `identity`. `wrap`: what the key server offers; `random`: bytes, as
    many as asked for, that nobody foresees."""

    def __init__(
        self,
        inventory: Inventory,
        identity: bytes,
        wrap: Wrap,
        random: Callable[[int], bytes] = token_bytes,
    ) -> None:
        self._inventory = inventory
        self._identity = identity
        self._wrap = wrap
        self._random = random

    def encrypt_image(
        self, number: int, plain: bytes, ecus: Mapping[str, Iterable[int]], now: int
    ) -> Encrypted:
        """Encrypt a released image for {vehicle: its ECUs}: one ciphertext for all of them.

        Refuses with UnknownImage, Malformed, UnknownVehicle, UnknownEcu, NoDecryptionKey, BadKey,
        ContentKeyUsed; nothing has happened then.
        """
        with self._inventory.begin() as session:
            image = session.get(Image, number)
            if image is None or (image.length, image.sha256) != (len(plain), sha256(plain)):
                raise UnknownImage(f"these {len(plain)} bytes were not released as image {number}")
            if not plain:
                raise Malformed(f"image {number} has no bytes that could be hidden")
            recipients = [
                fleet.ecu_of(fleet.ecus_of(session, vehicle), ecu)
                for vehicle, wanted in ecus.items()
                for ecu in wanted
            ]
            made = self.encrypt(session, (ids.KIND_IMAGE, number), plain, recipients, now)
            session.commit()
        return made

    def encrypt(
        self,
        session: Session,
        file: tuple[int, int],
        plain: bytes,
        recipients: Iterable[AnyEcu],
        now: int,
    ) -> Encrypted:
        """Encrypt some bytes, once, within a transaction. `file`: kind and number of what they
        are. Refuses with NoDecryptionKey, BadKey, ContentKeyUsed."""
        key = self._random(KEY_BYTES)
        nonce = sha256(plain)[:NONCE_BYTES]
        ciphertext = Cipher(ChaCha20(key, FIRST_BLOCK + nonce), None).encryptor().update(plain)
        record = ContentKey(
            digest=sha256(key),
            kind=file[0],
            number=file[1],
            plaintext=sha256(plain),
            ciphertext=sha256(ciphertext),
            made_s=now,
        )
        used = select(ContentKey.id).where(ContentKey.digest == record.digest)
        if session.scalar(used) is not None:  # a row that is refused would end the transaction
            raise ContentKeyUsed("this content key was used before; mend the source")
        session.add(record)
        session.flush()
        wraps: dict[str, dict[int, bytes]] = {}
        for ecu in recipients:
            purpose = Purpose(
                identity=self._identity,
                vehicle=ecu.vehicle_id,
                ecu=ecu.id,
                kind=file[0],
                number=file[1],
                length=len(plain),
                plaintext=record.plaintext,
                ciphertext=record.ciphertext,
            )
            wraps.setdefault(ecu.vehicle_id, {})[ecu.id] = self._wrapped(key, ecu, purpose)
        if not wraps:
            raise NoDecryptionKey("nobody could open what is encrypted for no ECU")
        return Encrypted(ciphertext, wraps)

    def _wrapped(self, key: bytes, ecu: AnyEcu, purpose: Purpose) -> bytes:
        if ecu.public is None and ecu.decrypts:
            return self._wrap(key, purpose)
        if ecu.decryption is None or not ecu.decrypts:
            raise NoDecryptionKey(f"ECU {ecu.id} of {ecu.vehicle_id} has no key for decryption")
        return wrap_to_key(key, ecu.decryption, purpose)
