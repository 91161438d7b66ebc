"""Who an ECU is: what provisioning wrote, whole, or a refusal (V-22)."""

from claims import raises
from reporting import DIRECTOR, SEED, Ecu, identity_fields
from uptane import cbor
from uptane.errors import BadShape, NotProvisioned
from uptane.identity import Identity, load
from uptane.ids import IDENTITY_ACCESS, IDENTITY_IMAGE, IDENTITY_LINK, IDENTITY_SECONDARIES


def test_identity_is_what_provisioning_wrote():
    """V-22."""
    fields = identity_fields()
    identity = Identity(cbor.dumps(fields))
    assert (identity.ecu, identity.hardware, identity.vehicle) == (2, 0x2001, "VIN-1")
    assert (identity.request_id, identity.response_id) == (0x7E1, 0x7E9)
    assert identity.seed == SEED and identity.director == DIRECTOR
    assert identity.image is None and identity.secondaries == []
    assert identity.functional_id == [] and not identity.access  # of an older record
    fields[IDENTITY_LINK] = [0x7E1, 0x7E9, 0x7DF]
    fields[IDENTITY_ACCESS] = b"\xac" * 32
    identity = Identity(cbor.dumps(fields))
    assert identity.functional_id == [0x7DF] and identity.access == b"\xac" * 32
    fields[IDENTITY_IMAGE] = b"\x1a" * 32
    fields[IDENTITY_SECONDARIES] = [[3, 0, 0x7E2, 0x7EA]]
    identity = Identity(cbor.dumps(fields))
    assert identity.image == b"\x1a" * 32 and identity.secondaries == [[3, 0, 0x7E2, 0x7EA]]


def test_an_ecu_without_a_whole_identity_says_so():
    raises(NotProvisioned, load, Ecu().records)
    for number in identity_fields():
        fields = identity_fields()
        fields.pop(number)
        raises(BadShape, Identity, cbor.dumps(fields))
    for link in (5, [], [1], [1, 2, 3, 4, 5], [1, 2, "3"], [1, 2, 3, None], "no", ["1", "2"]):
        fields = identity_fields()
        fields[IDENTITY_LINK] = link
        raises(BadShape, Identity, cbor.dumps(fields))
    for other in ([], [1, 2], 7, "identity", b"identity", True):
        raises(BadShape, Identity, cbor.dumps(other))
