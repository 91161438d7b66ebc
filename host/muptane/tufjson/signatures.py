"""Signatures by keys that a device has not: ECDSA on P-256 and P-384, RSA. By `cryptography`.

Rules: V-05, E-43, E-44.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
CURVES: dict[str, tuple[type[ec.EllipticCurve], hashes.HashAlgorithm]] = {
    "ecdsa-sha2-nistp256": (ec.SECP256R1, hashes.SHA256()),
    "ecdsa-sha2-nistp384": (ec.SECP384R1, hashes.SHA384()),
}
RSA_BITS_MIN = 2048


def identity(public: str) -> str:
    """The same text for every PEM of one key: its DER. What is no PEM stands for itself."""
    try:
        key = serialization.load_pem_public_key(public.encode())
        der = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        return public
    return der.hex()


def verify(kind: str, scheme: str, public: str, message: bytes, signature: bytes) -> bool:
    """Is the signature by this key (PEM)? False for keys and schemes that we do not know."""
    try:
        key = serialization.load_pem_public_key(public.encode())
        if isinstance(key, ec.EllipticCurvePublicKey) and scheme in CURVES:
            curve, algorithm = CURVES[scheme]
            if kind not in ("ecdsa", scheme) or not isinstance(key.curve, curve):
                return False
            key.verify(signature, message, ec.ECDSA(algorithm))
            return True
        if isinstance(key, rsa.RSAPublicKey) and kind == "rsa" and key.key_size >= RSA_BITS_MIN:
            return _verify_rsa(key, scheme, message, signature)
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return False


def _verify_rsa(key: rsa.RSAPublicKey, scheme: str, message: bytes, signature: bytes) -> bool:
    form, _, name = scheme.rpartition("-")
    algorithm = HASHES.get(name)
    if algorithm is None or form not in ("rsassa-pss", "rsa-pkcs1v15"):
        return False
    if form == "rsassa-pss":
        pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
        key.verify(signature, message, pss, algorithm)
    else:
        key.verify(signature, message, padding.PKCS1v15(), algorithm)
    return True
