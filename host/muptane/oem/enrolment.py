"""An ECU as whoever made it tells the inventory: its keys, and what it can do.

It checks what can be checked without the inventory; `fleet` does the rest and enters it.
Rules: R-11, R-17, R-44, V-24, T-43, E-75.
"""

from typing import Annotated

from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519
from pydantic import Field

from muptane.oem.errors import BadKey, Malformed
from muptane.oem.fields import U32, Strict, ascending
from muptane.oem.inventory import Ecu
from muptane.oem.keys import Key, check_x25519
from muptane.regions import Extents
from uptane import ids, limits

Count = Annotated[int, Field(ge=1, le=limits.IMAGE_BYTES_MAX)]


class NewEcu(Strict):
    """An ECU to register. `verification`: ids.PARTIAL, FULL or PRIMARY. `public`: its Ed25519
    key, 32 bytes; or None, and `kid` as the key server gave it. `decryption`: the public part of
    its X25519 key, 32 bytes, if it has one. `deltas`: it can make an image of a delta. `decrypts`:
    it has the code to use its key for decryption, be it `decryption` or its symmetric one.
    `place`: bytes of the only place for an image, and of what it erases there at once; None: it
    has a spare slot. `regions`: (REGION_..., bytes of room) of each, if it has several."""

    ecu: U32
    public: bytes | None
    hardware: U32
    verification: int
    kid: bytes | None = None
    decryption: bytes | None = None
    deltas: bool = False
    decrypts: bool = True
    place: tuple[Count, Count] | None = None
    regions: Extents = ()

    def row(self, vehicle: str) -> Ecu:
        """Refuses with BadKey, or Malformed for another kind of verification."""
        if self.verification not in (ids.PARTIAL, ids.FULL, ids.PRIMARY):
            raise Malformed(f"{self.verification} is no kind of verification")
        place_bytes, block_bytes = self.place or (None, None)
        if place_bytes is not None and block_bytes is not None and place_bytes % block_bytes:
            raise Malformed(f"a place of {place_bytes} bytes is no blocks of {block_bytes}")
        named = [region for region, _ in self.regions]
        if named and not (ascending(named) and ids.REGION_APPLICATION in named):
            raise Malformed(f"regions {named}: they ascend, and the application is among them")
        return Ecu(
            id=self.ecu,
            vehicle_id=vehicle,
            public=self.public,
            kid=self.key_id(),
            decryption=self.decryption,
            primary=self.verification == ids.PRIMARY,
            verification=self.verification,
            hardware=self.hardware,
            deltas=self.deltas,
            place_bytes=place_bytes,
            block_bytes=block_bytes,
            decrypts=self.decrypts,
            regions=[list(region) for region in self.regions],
        )

    def key_id(self) -> bytes:
        """Of the key that seals its reports. Refuses with BadKey what no ECU may have."""
        if self.public is None:
            if self.verification == ids.PRIMARY:
                raise BadKey("a Primary signs its manifests, so its key is not symmetric")
            if self.kid is None or len(self.kid) != limits.KID_BYTES or self.decryption:
                raise BadKey("an ECU has a signing key, or a symmetric one for both uses")
            return self.kid
        key = Key(self.public)
        if key.is_p256 or self.kid not in (None, key.kid):
            raise BadKey("an ECU's signing key is an Ed25519 key, with its own kid")
        if self.decryption is not None:
            check_x25519(self.decryption)
            if self.decryption == crypto_sign_ed25519_pk_to_curve25519(self.public):
                raise BadKey("one key to sign and to decrypt (T-43)")
        return key.kid
