"""Images that travel encrypted: ciphertexts and wraps exchanged, and the plain image slipped in.

Who hands a ciphertext on holds it against the Director's hash; who opens it holds what it opened
against the entry, on which both repositories agree. So a thief of the Director's keys may choose
how the Image repository's image travels, and to which ciphertext a wrap belongs, and no more.
Rules: E-01, E-30, E-32, E-80, V-13, V-24, V-48, V-63, V-65, V-84, R-09, T-33, T-43.
"""

from __future__ import annotations

from muptane.bench.attacks.arbitrary_software import ONLY_THE_DIRECTOR, describe
from muptane.bench.attacks.attack import (
    INSTALLS,
    PRIMARY,
    attack,
    everywhere,
    fully,
)
from muptane.bench.attacks.forgery import (
    ANOTHER_VEHICLE,
    as_long_as,
    encrypted,
    flipped,
    send,
)
from muptane.bench.attacks.meddling import feed_announcing
from muptane.bench.attacks.places import AT_THE_WIRE, DIRECTOR_KEYS, rotate_director
from muptane.bench.attacks.stage import EVIL, Stage
from uptane import algorithms, ids
from uptane.algorithms import FORM_ENCRYPTED, FORM_PLAIN
from uptane.errors import (
    BadShape,
    BadWrap,
    EncryptionDiffers,
    ImagesDiffer,
    TooLong,
    Withheld,
    WrongHash,
)

IMAGES = "the Image repository's own image installs, which is what both repositories want"
# --- bytes exchanged on their way ---------------------------------------------------------------


@attack(
    ids=("E-80", "V-63.7", "T-33"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    form=FORM_ENCRYPTED,
)
def ciphertext_altered(stage: Stage) -> None:
    """flip a bit of the image by flipping one of its ciphertext"""
    stage.informed()
    stage.images[stage.number] = flipped(stage.parcel(stage.number))


@attack(
    ids=("E-80", "V-65"), expected=everywhere(WrongHash), power=AT_THE_WIRE, form=FORM_ENCRYPTED
)
def ciphertext_for_another_vehicle(stage: Stage) -> None:
    """bring the same image, encrypted under another key"""
    stage.informed()
    other = encrypted(stage, stage.content, vehicle=ANOTHER_VEHICLE)
    stage.images[stage.number] = other.ciphertext


@attack(ids=("E-80", "V-61"), expected=everywhere(TooLong), power=AT_THE_WIRE, form=FORM_ENCRYPTED)
def ciphertext_without_end(stage: Stage) -> None:
    """fill an ECU's flash with more bytes than the ciphertext has"""
    stage.informed()
    stage.images[stage.number] = stage.parcel(stage.number) + bytes(200_000)


@attack(
    ids=("E-80", "V-84"), expected=everywhere(WrongHash), power=AT_THE_WIRE, form=FORM_ENCRYPTED
)
def plain_image_in_place_of_its_ciphertext(stage: Stage) -> None:
    """have an ECU do without encryption, by bringing the plain image as its ciphertext"""
    stage.informed()
    stage.images[stage.number] = stage.content


@attack(
    ids=("E-80", "V-84"),
    expected=everywhere(EncryptionDiffers),
    power=AT_THE_WIRE,
    form=FORM_ENCRYPTED,
)
def image_announced_in_the_clear(stage: Stage) -> str | int:
    """have an ECU do without encryption, by announcing the plain image"""
    stage.informed()
    stage.images[stage.number] = stage.content
    feed_announcing(stage, FORM_PLAIN)
    return stage.observed()


@attack(
    ids=("E-80", "V-13", "V-48"),
    expected={PRIMARY: WrongHash},
    power=AT_THE_WIRE,
    form=FORM_ENCRYPTED,
    secondaries=1,
)
def ciphertext_altered_before_its_primary(stage: Stage) -> None:
    """have a Primary hand on a ciphertext that it cannot open, with a bit flipped"""
    number, _ = stage.hand_on()
    stage.images[number] = flipped(stage.parcel(number))


@attack(
    ids=("E-80", "V-13", "V-84"),
    expected={PRIMARY: EncryptionDiffers},
    power=AT_THE_WIRE,
    form=FORM_ENCRYPTED,
    secondaries=1,
)
def plain_image_before_its_primary(stage: Stage) -> None:
    """have a Primary hand on a confidential image in the clear"""
    number, content = stage.hand_on()
    stage.images[number] = content


# --- what a thief of the Director's keys says of encryption -------------------------------------


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(BadWrap),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def other_bytes_encrypted(stage: Stage) -> None:
    """run bytes of the attacker's own by an honest wrap of their key"""
    send(stage, encrypted(stage, as_long_as(stage.content)))
    stage.misinform()


@attack(
    ids=("E-80", "E-32", "V-63.7", "T-33"),
    expected=everywhere(WrongHash),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def other_bytes_wrapped_as_the_image(stage: Stage) -> None:
    """run bytes of the attacker's own, by a wrap that says they were the image"""
    said = stage.directed[ids.ENTRY_HASHES][ids.ALG_SHA256]
    evil = as_long_as(stage.content)
    send(stage, encrypted(stage, evil, said=(ids.KIND_IMAGE, said)))
    stage.misinform()


@attack(
    ids=("E-80", "E-32", "V-75.10.2"),
    expected=fully(ImagesDiffer, partial=INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    limit=ONLY_THE_DIRECTOR,
    heal=rotate_director,
)
def image_of_the_thief_encrypted(stage: Stage) -> None:
    """run an image of the attacker's own, described as such and encrypted for the ECU"""
    describe(stage.directed, EVIL)
    send(stage, encrypted(stage, EVIL))
    stage.director.publish()


@attack(
    ids=("E-80", "T-43"),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    limit=f"{IMAGES}; he who encrypts it has it already, and its nonce is its own, so a key that "
    "was used before makes no pad twice",
    heal=rotate_director,
)
def content_key_of_the_thief(stage: Stage) -> str:
    """have an image travel under a key that is known, or was used before"""
    send(stage, encrypted(stage, stage.content))
    stage.director.publish()
    return stage.feed_the_image()


@attack(
    ids=("E-80", "E-01", "R-09"),
    expected=everywhere(Withheld),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def confidential_image_asked_for_in_the_clear(stage: Stage) -> None:
    """have a confidential image sent in the clear, to read it on its way"""
    del stage.directed[ids.ENTRY_CUSTOM]
    stage.misinform()


@attack(
    ids=("E-80", "V-84"),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    limit=f"{IMAGES}; how it travels is the Director's word alone, and who can bring it in the "
    "clear has it already",
    heal=rotate_director,
)
def confidential_image_brought_in_the_clear(stage: Stage) -> str:
    """have an ECU do without encryption, by directions that say nothing of it"""
    del stage.directed[ids.ENTRY_CUSTOM]
    stage.images[stage.number] = stage.content
    stage.director.publish()
    return stage.feed_the_image()


@attack(
    ids=("E-80", "V-65"),
    expected=everywhere(INSTALLS),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    limit=f"{IMAGES}; an ECU that cannot open anything does not read how it could travel",
    heal=rotate_director,
)
def encryption_for_an_ecu_without_a_key(stage: Stage) -> str:
    """stop an ECU by directions to open what it cannot"""
    said = [algorithms.METHOD_CHACHA20, bytes(32), {stage.victim.number: bytes(106)}]
    stage.directed[ids.ENTRY_CUSTOM] = {ids.CUSTOM_ENCRYPTED: said}
    stage.director.publish()
    return stage.feed_the_image()


@attack(
    ids=("E-80", "V-84"),
    expected=everywhere(EncryptionDiffers),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def image_said_to_be_its_own_ciphertext(stage: Stage) -> None:
    """have a plain image pass for an encrypted one"""
    stage.custom[ids.CUSTOM_ENCRYPTED][1] = stage.directed[ids.ENTRY_HASHES][ids.ALG_SHA256]
    stage.images[stage.number] = stage.content
    stage.misinform()


@attack(
    ids=("E-80", "E-60"),
    expected=everywhere(BadShape),
    power=AT_THE_WIRE,
    keys=DIRECTOR_KEYS,
    form=FORM_ENCRYPTED,
    heal=rotate_director,
)
def encryption_of_no_known_method(stage: Stage) -> None:
    """have an ECU that does not know how an image is encrypted do without"""
    stage.custom[ids.CUSTOM_ENCRYPTED][0] = algorithms.METHOD_CHACHA20 + 1
    stage.images[stage.number] = stage.content
    stage.misinform()
