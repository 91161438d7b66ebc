"""Who this ECU is: the record that provisioning wrote and nothing rewrites (V-22, V-24).

Read once at boot. It holds the ECU's secrets and the identities of the repositories it trusts. It
cannot be changed over UDS (S-39, V-84). An ECU has either the seed of a signing key, and perhaps a
second secret for decryption, or one symmetric key that is split for both (T-43).
"""

from uptane import cbor
from uptane.errors import BadShape, NotProvisioned
from uptane.ids import (
    IDENTITY_ACCESS,
    IDENTITY_DECRYPTION,
    IDENTITY_DIRECTOR,
    IDENTITY_ECU,
    IDENTITY_HARDWARE,
    IDENTITY_IMAGE,
    IDENTITY_LINK,
    IDENTITY_SECONDARIES,
    IDENTITY_SEED,
    IDENTITY_SYMMETRIC,
    IDENTITY_VEHICLE,
    IDENTITY_VERIFICATION,
    PRIMARY,
    RECORD_IDENTITY,
)

if False:  # for the type checker
    from typing import Any

    from uptane.store.records import Records


class Identity:
    """Fields of the identity record; `raw` as stored. NotProvisioned without one, BadShape."""

    def __init__(self, raw: "bytes | None") -> None:
        if raw is None:
            raise NotProvisioned
        fields = cbor.loads(raw)
        if not isinstance(fields, dict):
            raise BadShape
        self.ecu: int = field(fields, IDENTITY_ECU, int)
        self.hardware: int = field(fields, IDENTITY_HARDWARE, int)
        self.vehicle: str = field(fields, IDENTITY_VEHICLE, str)
        self.verification: int = field(fields, IDENTITY_VERIFICATION, int)
        # A Primary signs its manifests, so a MAC will not do for it.
        self.symmetric: bytes | None = fields.get(IDENTITY_SYMMETRIC)
        if self.symmetric is None:
            self.seed: bytes = field(fields, IDENTITY_SEED, bytes)
        elif self.verification == PRIMARY or IDENTITY_SEED in fields:
            raise BadShape
        self.decryption: bytes | None = fields.get(IDENTITY_DECRYPTION)
        self.director: bytes = field(fields, IDENTITY_DIRECTOR, bytes)
        self.image: bytes | None = fields.get(IDENTITY_IMAGE)
        link = field(fields, IDENTITY_LINK, list)
        if not 2 <= len(link) <= 4 or [can_id for can_id in link if type(can_id) is not int]:
            raise BadShape
        self.request_id: int = link[0]
        self.response_id: int = link[1]
        self.functional_id: list[int] = link[2:3]  # or none
        self.broadcast_id: list[int] = link[3:]  # or none
        self.access: bytes = fields.get(IDENTITY_ACCESS, b"")
        self.secondaries: list[list[int]] = fields.get(IDENTITY_SECONDARIES, [])


def field(fields: "dict[Any, Any]", number: int, kind: type) -> "Any":
    """The field with that number. BadShape if it is absent or of another type."""
    value = fields.get(number)
    if not isinstance(value, kind):
        raise BadShape
    return value


def load(records: "Records") -> Identity:
    return Identity(records.read(RECORD_IDENTITY))
