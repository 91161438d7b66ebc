"""The numbers of COSE keys and algorithms (RFC 9053) that a car maker may choose from.

Apart from `ids`, because an ECU compares whole headers and keys as bytes: what it imports holds
none of these, unless its key is symmetric or its images may be encrypted. This module holds
numbers only.
Rules: V-05, V-13, V-24.
"""

ALG_EDDSA = -8
ALG_ES256 = -7  # ECDSA on P-256 with SHA-256, where an ECU can check it
ALG_HMAC = 5  # HMAC 256/256
KTY_OKP = 1
KTY_EC2 = 2
KTY_SYMMETRIC = 4
CRV_P256 = 1
CRV_ED25519 = 6

COSE_MAC0 = 17  # around version reports of ECUs with a symmetric key, nothing else
USE_MAC = 1  # what a symmetric identity key is split for: sealing version reports,
USE_WRAP = 2  # unwrapping keys of images

# --- images that travel encrypted (docs/pouf.md, Encrypted images) ---------------------------
COSE_ENCRYPT = 96
ALG_CHACHA20_POLY1305 = 24
ALG_ECDH_ES_HKDF_256 = -25
ALG_DIRECT_HKDF_256 = -10
CRV_X25519 = 4
KEY_BITS = 256  # of a key that HKDF makes for ALG_CHACHA20_POLY1305
HEADER_IV = 5
HEADER_EPHEMERAL = -1
HEADER_SALT = -20
TYPE_WRAP = 8  # in the place of a payload's type: a content key, which no repository signs
METHOD_CHACHA20 = 1  # under ids.CUSTOM_ENCRYPTED
FORM_PLAIN = 0  # low half of the dataFormatIdentifier of a download: what arrives is plain,
FORM_ENCRYPTED = 1  # or the ciphertext that the entry names
FORM_DELTA = 0x10  # in its high half: a delta to the image,
FORM_CHAINED = 0x20  # and in pieces, each with the hash of the next
