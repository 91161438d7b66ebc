"""The key server: where the symmetric keys of ECUs are, and nowhere else (R-44).

A Director that was taken over must not be able to report for ECUs. So it is handed `verify` and
nothing more; the inventory holds no symmetric key, only that there is one, and its kid. `enrol`
is the factory's physical channel. A key is split by HKDF before it is used, one part for each
purpose: `verify` uses the first, and `wrap`, for who encrypts images, the second. Here it is an
object in the office's process, and Python hides nothing: a real car maker puts it on a machine of
its own, behind the same functions.
Rules: R-17, R-44, V-24, V-44, V-65, T-43, E-74.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cwt import COSEKey
from cwt.cose_key_interface import COSEKeyInterface

from muptane.oem.check import Report, read_report
from muptane.oem.encoding import encode
from muptane.oem.envelopes import Context, verify_mac_seal
from muptane.oem.errors import AlreadyRegistered, BadKey, BadSeal, NoDecryptionKey
from muptane.oem.fields import sha256
from muptane.oem.keys import KEY_ALGORITHM, KEY_KID, KEY_TYPE
from muptane.oem.wraps import Purpose, wrap_by_secret
from uptane import algorithms, ids, limits

SECRET_BYTES = 32
KEY_K = -1  # label of a symmetric COSE_Key (RFC 9053, 6.1)

Verify = Callable[[bytes, bytes], Report]


class Secrets(Protocol):
    """Where the keys rest by name (muptane.oem.keystore)."""

    def write(self, name: str, secret: bytes) -> None: ...

    def read(self) -> Mapping[str, bytes]: ...


class KeyServer:
    """Its repr shows no secret, and nothing that it offers does."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._keys = dict(secrets.read())

    def enrol(self, ecu: int, secret: bytes) -> bytes:
        """Keep the key of an ECU, for ever; returns the kid that its reports will name.

        Refuses with BadKey, and AlreadyRegistered for another key or one that is not unique.
        """
        if len(secret) != SECRET_BYTES:
            raise BadKey(f"a symmetric key of an ECU has {SECRET_BYTES} bytes")
        for name, other in self._keys.items():
            if (name == str(ecu)) != (other == secret):
                raise AlreadyRegistered(f"ECU {ecu}: another key, or the key of another ECU")
        if str(ecu) not in self._keys:
            self._secrets.write(str(ecu), secret)
            self._keys[str(ecu)] = secret
        return kid_of(secret)

    def verify(self, raw: bytes, identity: bytes) -> Report:
        """The report whose ECU, as it says itself, sealed it for this Director, else BadSeal."""
        report, sealed = read_report(raw)
        secret = self._keys.get(str(report.ecu))
        if secret is None:
            raise BadSeal(f"there is no symmetric key of ECU {report.ecu}")
        context = Context(ids.TYPE_REPORT, identity, ids.TYPE_REPORT)
        verify_mac_seal(sealed, _mac_key(secret), context)
        return report

    def wrap(self, content_key: bytes, purpose: Purpose) -> bytes:
        """Wrap the key of a ciphertext for the ECU that the purpose names (R-44).

        Refuses with NoDecryptionKey.
        """
        secret = self._keys.get(str(purpose.ecu))
        if secret is None:
            raise NoDecryptionKey(f"there is no symmetric key of ECU {purpose.ecu}")
        return wrap_by_secret(content_key, derived(secret, algorithms.USE_WRAP), purpose)

    def __repr__(self) -> str:
        return "KeyServer()"


def no_key_server(raw: bytes, identity: bytes) -> Report:
    """Stands for a key server where every ECU signs."""
    raise BadSeal("there is no key server, so no MAC counts")


def derived(secret: bytes, use: int) -> bytes:
    """The part of an ECU's key that is for algorithms.USE_MAC or USE_WRAP (RFC 5869)."""
    info = encode([ids.POUF_NAME, ids.POUF_VERSION, use])
    return HKDF(SHA256(), SECRET_BYTES, None, info).derive(secret)


def kid_of(secret: bytes) -> bytes:
    """First bytes of the SHA-256 of the COSE_Key that makes the MACs (V-05)."""
    return sha256(encode(_cose_key(secret)))[: limits.KID_BYTES]


def _cose_key(secret: bytes) -> dict[int, object]:
    key = derived(secret, algorithms.USE_MAC)
    return {KEY_TYPE: algorithms.KTY_SYMMETRIC, KEY_ALGORITHM: algorithms.ALG_HMAC, KEY_K: key}


def _mac_key(secret: bytes) -> COSEKeyInterface:
    return COSEKey.new({**_cose_key(secret), KEY_KID: kid_of(secret)})
