"""A maker that encrypts, in miniature, for tests on the device: good wraps and bad ones.

It shares the device's CBOR, HKDF and ciphers, so it is no second opinion: the office's own, made
of libraries, is held against the device in tests/host. Not a test file.
"""

from claims import run
from memory import SUITE, digest
from reporting import DIRECTOR, identity_fields
from uptane import cbor, mac
from uptane.algorithms import (
    ALG_DIRECT_HKDF_256,
    ALG_ECDH_ES_HKDF_256,
    COSE_ENCRYPT,
    HEADER_EPHEMERAL,
    HEADER_IV,
    HEADER_SALT,
    METHOD_CHACHA20,
    USE_WRAP,
)
from uptane.crypto import hmac, poly1305, x25519
from uptane.crypto.secrecy import Secrecy
from uptane.identity import Identity
from uptane.ids import (
    ALG_SHA256,
    CUSTOM_ENCRYPTED,
    ENTRY_CUSTOM,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    IDENTITY_DECRYPTION,
    IDENTITY_SEED,
    IDENTITY_SYMMETRIC,
    KIND_IMAGE,
    MATCH_HARDWARE,
    MATCH_RELEASE,
)
from uptane.image.decryption import PROTECTED, content_key
from uptane.image.encryption import encryption_of
from uptane.meta.targets import Entry

SECRECY = Secrecy(SUITE, lambda: None)
ECU, VEHICLE = 2, "VIN-1"
SECRET = bytes(range(32))
EPHEMERAL = b"ephemeral ephemeral ephemeral 32"
BASE = b"\x09" + bytes(31)
CONTENT_KEY = b"content key, one per ciphertext!"
PLAIN = bytes(range(251)) * 4
NUMBER = 205


def signing_ecu(secret=SECRET):
    """The identity of an ECU that signs, and decrypts if it has a secret for that."""
    fields = identity_fields()
    if secret is not None:
        fields[IDENTITY_DECRYPTION] = secret
    return Identity(cbor.dumps(fields))


def symmetric_ecu(secret=SECRET):
    fields = identity_fields()
    del fields[IDENTITY_SEED]
    fields[IDENTITY_SYMMETRIC] = secret
    return Identity(cbor.dumps(fields))


def ciphertext_of(plain=PLAIN, key=CONTENT_KEY):
    made = bytearray(plain)
    SECRECY.cipher(key, digest(plain)[:12]).xor(0, made)
    return bytes(made)


def context_of(plain=PLAIN, **changes):
    """The external_aad of an honest wrap; a change by name is a lie."""
    fields = {
        "director": DIRECTOR,
        "vehicle": VEHICLE,
        "ecu": ECU,
        "kind": KIND_IMAGE,
        "number": NUMBER,
        "length": len(plain),
        "plain": digest(plain),
        "cipher": digest(ciphertext_of(plain)),
    }
    fields.update(changes)
    order = ("director", "vehicle", "ecu", "kind", "number", "length", "plain", "cipher")
    return cbor.dumps(["muptane", 1, 8] + [fields[name] for name in order])


def derivation_of(algorithm, director=DIRECTOR, ecu=ECU):
    parties = [[director, None, None], [ecu.to_bytes(4, "big"), None, None]]
    return cbor.dumps([24] + parties + [[256, cbor.dumps({1: algorithm})]])


def seal(key, nonce, message, aad):
    """RFC 8439, 2.8."""
    stream = SECRECY.cipher(key, nonce)
    one_time = bytearray(64)
    stream.xor(0, one_time)
    sealed = bytearray(message)
    stream.xor(64, sealed)
    covered = b""
    for data in (aad, bytes(sealed)):
        covered += data + bytes(-len(data) % 16)
    for data in (aad, sealed):
        covered += len(data).to_bytes(8, "little")
    return bytes(sealed) + poly1305.tag(one_time, covered)


class WrapMaker:
    """Wraps for one public key, or for a symmetric one; its fields may be lies."""

    def __init__(self, public=None, symmetric=None):
        self.symmetric = symmetric
        self.algorithm = ALG_DIRECT_HKDF_256 if symmetric else ALG_ECDH_ES_HKDF_256
        self.given = b"salt" * 8
        secret, salt = symmetric, self.given
        if symmetric is None:
            self.given = run(x25519.agree(EPHEMERAL, BASE))
            secret, salt = run(x25519.agree(EPHEMERAL, public)), b""
        else:
            secret = mac.derived(SUITE, symmetric, USE_WRAP)
        self.secret, self.salt = secret, salt
        self.context = context_of()
        self.derivation = derivation_of(self.algorithm)
        self.nonce = b"nonce of 12!"
        self.key = CONTENT_KEY

    def message(self):
        """The COSE_Encrypt as a tree, to be changed."""
        key = hmac.derive(SUITE.sha256, self.secret, self.salt, self.derivation, 32)
        aad = cbor.dumps(["Encrypt", PROTECTED, self.context])
        header = {HEADER_SALT: self.given}
        if self.symmetric is None:
            header = {HEADER_EPHEMERAL: {1: 1, -1: 4, -2: self.given}}
        recipient = [cbor.dumps({1: self.algorithm}), header, b""]
        sealed = seal(key, self.nonce, self.key, aad)
        return [PROTECTED, {HEADER_IV: self.nonce}, sealed, [recipient]]

    def make(self):
        return tagged(self.message())


def tagged(message, tag=COSE_ENCRYPT):
    return cbor.head(cbor.TAG, tag) + cbor.dumps(message)


def wrap_for(identity):
    """An honest wrap for an ECU's secret."""
    if identity.symmetric is not None:
        return WrapMaker(symmetric=identity.symmetric).make()
    return WrapMaker(run(x25519.agree(identity.decryption, BASE))).make()


def entry_with(custom, plain=PLAIN):
    """A Director's entry of an image, as it comes out of Targets."""
    fields = {
        ENTRY_LENGTH: len(plain),
        ENTRY_HASHES: {ALG_SHA256: digest(plain)},
        ENTRY_MATCH: {MATCH_HARDWARE: [20], MATCH_RELEASE: 5},
        ENTRY_ECUS: [ECU],
    }
    if custom is not None:
        fields[ENTRY_CUSTOM] = custom
    return Entry(NUMBER, cbor.loads(cbor.dumps(fields)), True)


def encrypted_entry(*wraps, plain=PLAIN):
    """... whose image travels encrypted: (ecu, wrap), ...; one that nobody looks at, without."""
    wraps = wraps or ((ECU, b""),)
    value = [METHOD_CHACHA20, digest(ciphertext_of(plain)), dict(wraps)]
    return entry_with({CUSTOM_ENCRYPTED: value}, plain)


def opened(identity, wrap, field="number", value=NUMBER):
    """The content key that an ECU gets out of a wrap in its entry, one field of which may lie."""
    entry = encrypted_entry((ECU, wrap))
    setattr(entry, field, value)
    return run(content_key(SECRECY, identity, entry, encryption_of(entry)))
