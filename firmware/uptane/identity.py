"""Who this ECU is: the record that provisioning wrote and nothing rewrites (V-22, V-24).

Read once at boot. It holds the ECU's only secret, the seed of its signing key, and the identities
of the repositories it trusts. It cannot be changed over UDS (S-39, V-84).
"""

from uptane import cbor
from uptane.errors import BadShape, NotProvisioned
from uptane.ids import (
    IDENTITY_DIRECTOR,
    IDENTITY_ECU,
    IDENTITY_HARDWARE,
    IDENTITY_IMAGE,
    IDENTITY_LINK,
    IDENTITY_SECONDARIES,
    IDENTITY_SEED,
    IDENTITY_VEHICLE,
    IDENTITY_VERIFICATION,
    RECORD_IDENTITY,
)

if False:  # for the type checker
    from uptane.store.records import Records


class Identity:
    """Fields of the identity record; `raw` as stored. NotProvisioned without one, BadShape."""

    def __init__(self, raw: "bytes | None") -> None:
        if raw is None:
            raise NotProvisioned
        fields = cbor.loads(raw)
        if not isinstance(fields, dict):
            raise BadShape
        try:
            self.ecu: int = fields[IDENTITY_ECU]
            self.hardware: int = fields[IDENTITY_HARDWARE]
            self.vehicle: str = fields[IDENTITY_VEHICLE]
            self.verification: int = fields[IDENTITY_VERIFICATION]
            self.seed: bytes = fields[IDENTITY_SEED]
            self.director: bytes = fields[IDENTITY_DIRECTOR]
            self.image: bytes | None = fields.get(IDENTITY_IMAGE)
            self.request_id, self.response_id = fields[IDENTITY_LINK]
            self.secondaries: list[list[int]] = fields.get(IDENTITY_SECONDARIES, [])
        except (KeyError, TypeError, ValueError):
            raise BadShape


def load(records: "Records") -> Identity:
    return Identity(records.read(RECORD_IDENTITY))
