"""What a thief makes of an image with the maker's own programs: ciphertexts, wraps, patches.

Nothing of it is in a ledger, and whatever is said of it in directions still has to be signed: see
`liar`. It plays nothing.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from muptane.bench.attacks.stage import EVIL, Stage
from muptane.oem.deltas import Delta
from muptane.oem.encryption import FIRST_BLOCK, Encrypted
from muptane.oem.inventory import Ecu
from muptane.oem.wraps import KEY_BYTES, NONCE_BYTES, Purpose, wrap_to_key
from uptane import ids
from uptane.image.delta import SEQUENTIAL_HEATSHRINK

ANOTHER_VEHICLE = "MUPTANE0SEDAN0002"


def flipped(raw: bytes, at: int = 100, bits: int = 1) -> bytes:
    """The same bytes, but for bits of the one at that place."""
    return raw[:at] + bytes((raw[at] ^ bits,)) + raw[at + 1 :]


def as_long_as(content: bytes) -> bytes:
    """Bytes of the attacker's own, as many as these."""
    return (EVIL * (len(content) // len(EVIL) + 1))[: len(content)]


# --- ciphertexts and their wraps ----------------------------------------------------------------


def known_to_the_thief(count: int) -> bytes:
    """A source of keys that knows one."""
    return bytes((0x5A,)) * count


def encrypted(
    stage: Stage,
    plain: bytes,
    ecu: int = 0,
    vehicle: str = "",
    said: tuple[int, bytes] = (ids.KIND_IMAGE, b""),
) -> Encrypted:
    """These bytes as the image at stake, encrypted under a key of the thief's, for the victim or
    another `ecu`, of this `vehicle` or another. `said`: the kind of file, and the SHA-256 that its
    plaintext is said to have, if that is a lie."""
    office = stage.office
    key = known_to_the_thief(KEY_BYTES)
    digest = said[1] or sha256(plain).digest()
    cipher = Cipher(ChaCha20(key, FIRST_BLOCK + digest[:NONCE_BYTES]), None)
    ciphertext = cipher.encryptor().update(plain)
    purpose = Purpose(
        identity=office.director.identity,
        vehicle=vehicle or stage.vin,
        ecu=ecu or stage.victim.number,
        kind=said[0],
        number=stage.number,
        length=len(plain),
        plaintext=digest,
        ciphertext=sha256(ciphertext).digest(),
    )
    with office.inventory.begin() as session:
        public = session.get_one(Ecu, purpose.ecu).decryption
    if public is None:  # its key is symmetric, and the key server wraps whatever it is given
        wrap = office.key_server.wrap(key, purpose)
    else:
        wrap = wrap_to_key(key, public, purpose)
    return Encrypted(ciphertext, {stage.vin: {purpose.ecu: wrap}})


def send(stage: Stage, made: Encrypted) -> None:
    """Have the Director's entry name that ciphertext, and bring it; nothing is signed yet."""
    stage.custom.update(made.custom(stage.vin))
    stage.images[stage.number] = made.ciphertext


# --- deltas -------------------------------------------------------------------------------------


def base_of(stage: Stage) -> bytes:
    """The image that the victim runs."""
    return stage.maker.content(stage.victim, stage.release - 1)


def send_delta(stage: Stage, delta: Delta) -> None:
    """Have the Director's entry describe that delta, and bring it; nothing is signed yet."""
    stage.custom[ids.CUSTOM_DELTA] = delta.description.as_map()
    stage.images[stage.number] = delta.patch


def send_patch(stage: Stage, patch: bytes) -> None:
    """Have the Director's entry name that patch as the delta, and bring it; all else that it says
    stays, and nothing is signed yet."""
    stage.custom[ids.CUSTOM_DELTA][ids.DELTA_LENGTH] = len(patch)
    stage.custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES] = {ids.ALG_SHA256: sha256(patch).digest()}
    stage.images[stage.number] = patch


def packed(value: int) -> bytes:
    """An integer, not negative, as a patch of detools has it: six bits, then seven at a time."""
    made = bytearray((value & 0x3F,))
    value >>= 6
    while value:
        made[-1] |= 0x80
        made.append(value & 0x7F)
        value >>= 7
    return bytes(made)


def patch_of(stage: Stage, steps: bytes) -> bytes:
    """A patch as the Director's entry describes it, with these steps as literals of heatshrink."""
    window, lookahead = stage.custom[ids.CUSTOM_DELTA][ids.DELTA_WINDOW]
    head = bytes((SEQUENTIAL_HEATSHRINK,)) + packed(len(stage.content))
    head += bytes((window - 4 << 4 | lookahead - 3,))
    bits = "".join(f"1{byte:08b}" for byte in packed(0) + steps)
    bits += "0" * (-len(bits) % 8)
    return head + int(bits, 2).to_bytes(len(bits) // 8, "big")
