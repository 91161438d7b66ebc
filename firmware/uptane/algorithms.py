"""The numbers of COSE keys and algorithms (RFC 9053) that a car maker may choose from.

Apart from `ids`, because an ECU compares whole headers and keys as bytes: what it imports holds
none of these, unless its key is symmetric. This module holds numbers only.
Rules: V-05, V-24.
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
