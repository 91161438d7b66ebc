"""The back office's own CBOR and COSE, held against cbor2 and cwt."""

from io import BytesIO

import pytest
from cbor2 import CBORTag, dumps
from cbor2._decoder import CBORDecoder
from cwt import COSE, COSEKey
from cwt import Signer as CwtSigner
from hypothesis import given
from hypothesis import strategies as st

from muptane.oem.check import Report, VehicleManifest, read_manifest, read_report
from muptane.oem.encoding import COSE_TAGS, NESTING_MAX, decode, encode
from muptane.oem.envelopes import Context, read_sign, seal, sign, verify
from muptane.oem.errors import Malformed, NotDeterministic, OemRefusal
from muptane.oem.keys import Key, Signer
from uptane import algorithms, ids

EDGES = (0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1)
INTEGERS = st.integers(-(2**64), 2**64 - 1) | st.sampled_from((*EDGES, *(-1 - n for n in EDGES)))
ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)
LEAVES = INTEGERS | st.binary(max_size=300) | ASCII | st.booleans() | st.none()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(INTEGERS, inner, max_size=30)
        | st.builds(CBORTag, st.sampled_from(COSE_TAGS), inner)
    ),
    max_leaves=20,
)
KINDS = (algorithms.ALG_EDDSA, algorithms.ALG_ES256)
IDENTITY = bytes(range(32))


def depth(value):
    if isinstance(value, CBORTag):
        return 1 + depth(value.value)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=1)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 1


def of_cbor2(value):
    """What cbor2 writes, with the keys of every map in the order of their encodings."""
    if isinstance(value, CBORTag):
        return CBORTag(value.tag, of_cbor2(value.value))
    if isinstance(value, dict):
        return {key: of_cbor2(value[key]) for key in sorted(value, key=dumps)}
    return [of_cbor2(item) for item in value] if isinstance(value, list) else value


def read_by_cbor2(raw):
    """The value, if these bytes are what we would write of it."""
    stream = BytesIO(raw)
    decoder = CBORDecoder(stream, tag_hook=lambda _, tag: CBORTag(tag.tag, tag.value))
    try:
        value = decoder.decode()
        return [value] if stream.read() == b"" and encode(value) == raw else []
    except (OemRefusal, ValueError, TypeError, ArithmeticError, EOFError):
        return []


@given(VALUES)
def test_what_is_written_is_what_cbor2_writes_and_reads_back(value):
    """V-04, E-60."""
    if depth(value) > NESTING_MAX:
        with pytest.raises(Malformed):
            encode(value)
        return
    raw = encode(value)
    assert raw == dumps(of_cbor2(value))
    assert decode(raw, len(raw)) == value


@given(VALUES.filter(lambda value: depth(value) <= NESTING_MAX), st.data())
def test_one_wrong_byte_is_read_as_cbor2_reads_it_or_refused(value, data):
    """E-60: nothing is accepted that is not the one encoding of its value."""
    raw = bytearray(encode(value))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = bytes(raw[: data.draw(st.integers(1, len(raw)))])
    try:
        found = [decode(raw, len(raw))]
    except (Malformed, NotDeterministic):
        found = []
    expected = read_by_cbor2(raw)
    assert repr(found) == repr(expected)


def cose_key(signer):
    return {**signer.key.cose_key, 2: signer.key.kid, -4: signer.seed}


@pytest.mark.parametrize("algorithm", KINDS)
@given(payload=st.binary(max_size=400), number=st.integers(0, 255))
def test_signatures_are_those_of_cwt(algorithm, payload, number):
    """V-06, E-46, T-05: byte by byte where they are deterministic, and both ways verified."""
    signer = Signer.from_seed(b"cwt", "a", algorithm)
    context = Context(ids.TARGETS, IDENTITY, number)
    made = sign(payload, [signer], context)
    kid = {ids.HEADER_KID: signer.key.kid}
    theirs = CwtSigner.new(COSEKey.new(cose_key(signer)), {ids.HEADER_ALG: algorithm}, kid)
    whole = COSE.new().encode_and_sign(payload, signers=[theirs], external_aad=context.encode())
    if algorithm == algorithms.ALG_EDDSA:
        assert made == bytes(whole)
    public = COSEKey.new({**signer.key.cose_key, 2: signer.key.kid})
    assert COSE.new().decode(made, public, external_aad=context.encode()) == payload
    found, signatures = read_sign(bytes(whole), len(whole))
    assert verify(found, signatures[0], signer.key, context)
    other = Context(ids.TARGETS, IDENTITY, number + 1)
    assert not verify(found, signatures[0], signer.key, other)


@given(st.binary(min_size=64, max_size=64), st.sampled_from(KINDS))
def test_what_nobody_signed_verifies_with_no_key(signature, algorithm):
    """E-43: also zeros and what is no pair of numbers."""
    key = Signer.from_seed(b"cwt", "a", algorithm).key
    for value in (signature, bytes(64), b"\xff" * 64, signature[:63]):
        assert not key.verifies(b"message", value)


def test_a_key_of_the_inventory_is_the_key_that_was_checked():
    """V-05, E-75."""
    key = Signer.from_seed(b"cwt", "a").key
    known = Key.known(key.public, key.kid)
    assert known == key and known.kid == key.kid and not known.is_p256
    assert hash(known) == hash(key) and known.cose_key == key.cose_key


REPORT = Report(
    ecu=2, image=7, length=4, hashes={ids.ALG_SHA256: bytes(32)}, release=1, attacks=(21,),
    time=5, counter=1, nonce=bytes(8), boot=ids.BOOT_CONFIRMED, tried=(1, 7, 1),
    regions=((1, 7), (2, 9)),
)  # fmt: skip
MESSAGE = VehicleManifest(vehicle="VIN1", primary=1, reports=(b"x",), counter=1)


def places(value, here=()):
    """The path to every value in maps and arrays."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield (*here, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*here, key))


@pytest.mark.parametrize(
    ("model", "read", "kind"),
    [(REPORT, read_report, ids.TYPE_REPORT), (MESSAGE, read_manifest, ids.TYPE_VEHICLE)],
)
@given(data=st.data())
def test_only_what_its_model_would_write_is_taken(model, read, kind, data):
    """V-43, V-44, E-60: whatever stands in one place, true for 1 above all."""
    content = decode(model.content(), 1000)
    *way, last = data.draw(st.sampled_from(list(places(content))))
    inner = content
    for step in way:
        inner = inner[step]
    inner[last] = data.draw(st.sampled_from([True, False, None, 0, 1, [], {}]) | VALUES)
    if data.draw(st.booleans()):
        content[data.draw(st.integers(11, 40))] = True
    try:
        raw = seal(encode(content), Signer.from_seed(b"cwt", "a"), Context(kind, IDENTITY, kind))
        found, _ = read(raw)
    except OemRefusal:
        return
    assert found.content() == encode(content)
