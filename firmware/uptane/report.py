"""What an ECU says of itself, signed: its version report; and the vehicle version manifest.

Both carry their content and a seal over the SHA-256 of the content (V-43, T-05): a COSE_Sign1, or
a COSE_Mac0 around the report of an ECU whose key is symmetric.
The counter of a report grows by one before it is signed, so no two reports are alike (V-45).
Attacks seen are kept in flash until the Director acknowledges a report that named them (E-76).

It signs once per report, and verifies nobody's: reports are for the Director to check.
Rules: V-43, V-44, V-45, V-68, E-73, E-76.
"""

from uptane import cbor, cose
from uptane.errors import BadShape, FlashFault, NoSpace, Rotten
from uptane.ids import (
    ALG_SHA256,
    FORMAT,
    KEY_FORMAT,
    KEY_TYPE,
    RECORD_ATTACKS,
    RECORD_COUNTER,
    REPORT_ATTACKS,
    REPORT_BOOT,
    REPORT_COUNTER,
    REPORT_ID,
    REPORT_IMAGE,
    REPORT_NONCE,
    REPORT_TIME,
    TYPE_REPORT,
    TYPE_VEHICLE,
    VEHICLE_COUNTER,
    VEHICLE_ID,
    VEHICLE_PRIMARY,
    VEHICLE_REPORTS,
)
from uptane.limits import ATTACKS_MAX, NONCE_BYTES
from uptane.meta.decision import Installed

if False:  # for the type checker
    from typing import Any

    from errand import Work
    from uptane.crypto.suite import Suite
    from uptane.identity import Identity
    from uptane.store.boot import Installed as InSlot
    from uptane.store.records import Records

PAIR = b"\x82"  # the head of a CBOR array of two: content and seal


class Reports:
    """Makes this ECU's reports. `identity` is uptane.identity.Identity."""

    def __init__(self, suite: "Suite", identity: "Identity", records: "Records") -> None:
        self._suite = suite
        self._identity = identity
        self._records = records
        self._kid: bytes | None = None
        stored: Any = [0, []]
        try:
            raw = records.read(RECORD_ATTACKS)
            if raw:
                stored = cbor.loads(raw)
        except Rotten:  # what it named is lost; that it is lost is said
            stored = [0, [Rotten.number]]
        self._noted_at: int = stored[0]  # counter of the last report when the newest was noted
        self.attacks: list[int] = stored[1]

    def counter(self) -> int:
        """Of the last report made."""
        raw = self._records.read(RECORD_COUNTER)
        return int.from_bytes(raw, "big") if raw else 0

    def note(self, number: int) -> None:
        """Remember a refusal until a report made after it is acknowledged."""
        known = number in self.attacks
        try:
            counter = self.counter()
        except Rotten:  # no report can be made any more; what is noted here still is
            counter = 0
        if known and self._noted_at == counter:
            return
        if not known:
            self.attacks = (self.attacks + [number])[-ATTACKS_MAX:]
        self._noted_at = counter
        self._store()

    def acknowledge(self, counter: int) -> bool:
        """The Director has seen the report with this counter: forget what it named. False if
        there is nothing to forget, or something newer than that report."""
        if not self.attacks or counter <= self._noted_at:
            return False
        self.attacks = []
        self._store()
        return True

    def _store(self) -> None:
        try:
            self._records.commit({RECORD_ATTACKS: cbor.dumps([self._noted_at, self.attacks])})
        except (FlashFault, NoSpace):
            pass  # the next report still names it; only a reset would forget it

    def make(
        self,
        image: "InSlot",
        boot: int,
        time: int,
        nonce: bytes,
        also: "dict[int, Any] | None" = None,
    ) -> "Work[bytes]":
        """The next version report (bytes, CDDL report-file) of this ECU: the image installed last,
        BOOT_..., the latest time it can vouch for, the token it wants attested; `also`:
        {REPORT_...: what else there is to say}, of which nothing is said that is empty."""
        counter = self.counter() + 1
        self._records.commit({RECORD_COUNTER: counter.to_bytes(4, "big")})
        content = {
            KEY_FORMAT: FORMAT,
            KEY_TYPE: TYPE_REPORT,
            REPORT_ID: self._identity.ecu,
            REPORT_IMAGE: [
                image.number,
                image.length,
                {ALG_SHA256: image.digest},
                image.release,
            ],
            REPORT_ATTACKS: self.attacks,
            REPORT_TIME: time,
            REPORT_COUNTER: counter,
            REPORT_NONCE: nonce,
            REPORT_BOOT: boot,
        }
        for key in also or ():
            if also and also[key]:
                content[key] = also[key]
        return (yield from self._seal(TYPE_REPORT, cbor.dumps(content)))

    def vehicle_manifest(self, reports: "list[bytes]") -> "Work[bytes]":
        """The vehicle version manifest (bytes, CDDL vehicle-file) over the given reports."""
        content = {
            KEY_FORMAT: FORMAT,
            KEY_TYPE: TYPE_VEHICLE,
            VEHICLE_ID: self._identity.vehicle,
            VEHICLE_PRIMARY: self._identity.ecu,
            VEHICLE_REPORTS: reports,
            VEHICLE_COUNTER: self.counter(),
        }
        return (yield from self._seal(TYPE_VEHICLE, cbor.dumps(content)))

    def _seal(self, kind: int, content: bytes) -> "Work[bytes]":
        suite = self._suite
        hashing = suite.sha256()
        hashing.update(content)
        digest = hashing.digest()
        aad = cose.context(kind, self._identity.director, kind)
        symmetric = self._identity.symmetric
        if symmetric is not None:
            from uptane import mac  # here, because an ECU that signs has no use for it

            return PAIR + cbor.dumps(content) + mac.seal(suite, symmetric, digest, aad)
        if self._kid is None:
            public = yield from suite.public_key(self._identity.seed)
            self._kid = cose.key_id(suite, public)
        parts = cose.sign1_parts(digest, aad, True)
        signature = yield from suite.sign(self._identity.seed, parts)
        seal = cose.write_sign1(digest, self._kid, signature, True)
        return PAIR + cbor.dumps(content) + seal


def content_of(raw: bytes) -> "dict[int, Any]":
    """The unverified content of a report: for a Primary, which relays and does not judge."""
    content, _ = cbor.loads_first(memoryview(raw)[1:])
    fields = cbor.loads(content) if isinstance(content, bytes) else None
    if not isinstance(fields, dict):
        raise BadShape
    return fields


def nonce_of(raw: bytes) -> bytes:
    """The token that the sender of this report wants attested. BadShape without one."""
    nonce = content_of(raw).get(REPORT_NONCE)
    if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
        raise BadShape
    return nonce


def boot_of(raw: bytes) -> int:
    """BOOT_... of this report. BadShape without it."""
    boot = content_of(raw).get(REPORT_BOOT)
    if type(boot) is not int:
        raise BadShape
    return boot


def installed_of(raw: bytes) -> Installed:
    """What this report says is installed. BadShape without it."""
    image = content_of(raw).get(REPORT_IMAGE)
    if not isinstance(image, list) or len(image) != 4 or not isinstance(image[2], dict):
        raise BadShape
    number, _, hashes, release = image
    digest = hashes.get(ALG_SHA256)
    if type(number) is not int or not isinstance(digest, bytes):
        raise BadShape
    if type(release) is not int:
        raise BadShape
    return Installed(number, digest, release)
