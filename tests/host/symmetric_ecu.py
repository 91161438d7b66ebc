"""An ECU whose key is symmetric, made of hmac and cbor2 alone, as oem_vehicle. Not a test file."""

import hashlib
import hmac
from typing import Any

from cbor2 import CBORTag
from oem_vehicle import Ecu, dumps

from muptane.oem.enrolment import NewEcu


def split(secret: bytes, use: int) -> bytes:
    """RFC 5869 with the info of docs/pouf.cddl, written out for one block."""
    extracted = hmac.new(bytes(32), secret, "sha256").digest()
    return hmac.new(extracted, dumps(["muptane", 1, use]) + b"\1", "sha256").digest()


def kid_of(key: bytes) -> bytes:
    return hashlib.sha256(dumps({1: 4, 3: 5, -1: key})).digest()[:8]


def mac(content: bytes, key: bytes, kind: int, identity: bytes) -> bytes:
    digest = hashlib.sha256(content).digest()
    protected = dumps({1: 5, 258: -16})
    aad = dumps(["muptane", 1, kind, identity, kind])
    tag = hmac.new(key, dumps(["MAC0", protected, aad, digest]), "sha256").digest()
    return dumps([content, CBORTag(17, [protected, {4: kid_of(key)}, digest, tag])])


class SymmetricEcu(Ecu):
    """A Secondary. `secret` is provisioned, `mac_key` what it seals its reports with."""

    def __init__(self, number: int, hardware: int, verification: int) -> None:
        super().__init__(number, hardware, verification)
        self.secret = hashlib.sha256(b"symmetric %d" % number).digest()
        self.mac_key = split(self.secret, 1)

    def enrolled(self, office: Any) -> NewEcu:
        return NewEcu(
            ecu=self.number,
            public=None,
            hardware=self.hardware,
            verification=self.verification,
            kid=office.key_server.enrol(self.number, self.secret),
        )

    def report(self, identity: bytes, lies: dict[int, object] | None = None) -> bytes:
        return mac(self.content(lies), self.mac_key, 5, identity)
