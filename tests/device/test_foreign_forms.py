"""Files in the forms of others: DER, JSON, tagged or encrypted. None is taken for one of ours."""

from claims import raises
from maker import DOOR, image_digest, number_of
from uptane import cbor, cose, errors
from uptane.ids import ENTRY_CUSTOM, KEY_IMAGES, TARGETS
from vehicle import Full, Partial, prove, updated

NEXT = number_of(DOOR, 3)
# The beginning of a role file of POUF-1: SEQUENCE, or the context tag that its signature covers.
DER = (
    b"\x30\x81\x9a\xa0\x2f\x80\x01\x02\x81\x04\x65\x53\xf1\x00\x82\x01\x01",
    b"\xa0\x2f\x80\x01\x02\x81\x04\x65\x53\xf1\x00\x82\x01\x01\xa3\x1b",
)
JSON = (
    b'{"signatures":[{"keyid":"00","method":"ed25519","sig":"00"}],"signed":{"_type":"Targets"}}',
    b'{"signed":{"_type":"targets","expires":"2030-01-01T00:00:00Z"},"signatures":[]}',
)


def served(raw):
    """A lie of whoever is on the way: these bytes instead of the Director's Targets."""

    def lie(oem):
        oem.publish(3)
        for version in (0, oem.director.versions[TARGETS]):
            oem.director.files[TARGETS, version] = raw

    return lie


def signed(change):
    """A lie of whoever holds the Director's key of Targets: an entry with something more in it."""

    def edit(fields):
        change(fields[KEY_IMAGES][NEXT])

    def lie(oem):
        oem.director.alter[TARGETS] = edit
        oem.publish(3)

    return lie


def refused(raw, refusal):
    for kind in (Partial, Full):
        prove(kind, served(raw), refusal)


def test_no_der_is_read():
    """T-01, T-02, T-03: neither with the universal tag nor with that of the context."""
    for raw in DER:
        refused(raw, errors.BadEnvelope)


def test_no_json_is_read():
    """T-01, T-39: neither the reference implementation's dialect nor aktualizr's."""
    for raw in JSON:
        refused(raw, errors.BadEnvelope)


def test_a_payload_of_ours_in_their_form_is_not_read():
    """T-01: CBOR without the envelope, and the payload as text."""

    def bare(oem):
        oem.publish(3)
        for version in (0, oem.director.versions[TARGETS]):
            raw = oem.director.files[TARGETS, version]
            oem.director.files[TARGETS, version] = cose.read_sign(raw).payload

    prove(Full, bare, errors.BadEnvelope)
    raises(errors.BadEnvelope, cose.read_sign, cbor.dumps("Targets"))


def test_no_entry_says_how_to_decrypt():
    """T-33: so no ECU handles bytes that it would have to decrypt before it hashes them. What a
    field of the future says is refused, and what `custom` says is not read."""

    def method(entry):
        entry[ENTRY_CUSTOM + 1] = {1: bytes(32)}

    for kind in (Partial, Full):
        prove(kind, signed(method), errors.BadShape)

    def custom(entry):
        entry[ENTRY_CUSTOM] = {1: bytes(32)}

    oem, node = updated(Partial)
    signed(custom)(oem)
    node.update()
    assert node.installed[DOOR].digest == image_digest(NEXT)
