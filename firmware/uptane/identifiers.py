"""What an ECU says of itself by data identifier: nothing here is written, and no key is shown.

Layouts: docs/pouf.md, data identifiers. `ecu` is uptane.main.Ecu. It does not answer UDS: the
services do, which know the session themselves. Rules: S-39.
"""

from uptane.uds.codes import (
    DID_BOOT,
    DID_ECU,
    DID_FINGERPRINT,
    DID_HEAP,
    DID_IMAGE,
    DID_INTERPRETER,
    DID_REFUSALS,
    DID_VIN,
)

if False:  # for the type checker
    from uptane.main import Ecu


def value_of(ecu: "Ecu", did: int) -> "bytes | None":
    """The value of a data identifier, or None if there is none of that number."""
    if did == DID_ECU:
        return ecu.identity.ecu.to_bytes(4, "big")
    if did == DID_VIN:
        return ecu.identity.vehicle.encode()
    if did == DID_INTERPRETER:
        return " ".join(ecu.board.interpreter).encode()
    if did == DID_IMAGE:
        image = ecu.installed()
        numbers = (image.number, image.release, image.length)
        return b"".join([n.to_bytes(4, "big") for n in numbers]) + image.digest
    if did == DID_BOOT:
        return bytes((ecu.trial.boot_state(ecu.clock.ticks_ms()),))
    if did == DID_REFUSALS:
        return bytes(ecu.reports.attacks)
    if did == DID_HEAP:
        return b"".join([n.to_bytes(4, "big") for n in ecu.board.heap()])
    if did == DID_FINGERPRINT and ecu.diagnosis is not None:
        return ecu.diagnosis.fingerprint or None
    return None
