"""Hostile bytes meet numbered refusals only, and what is accepted is written back as it came."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from uptane import cbor, cose
from uptane.errors import Refusal

KID, VALUE, DIGEST = b"k" * 8, b"s" * 64, b"d" * 32
SIGN = cose.write_sign(b"payload", [(KID, VALUE)] * 2)
SIGN1 = cose.write_sign1(b"payload", KID, VALUE)
SEALED = cose.write_sealed(b"content", DIGEST, KID, VALUE)


@st.composite
def damaged(draw: st.DrawFn, raw: bytes) -> bytes:
    """`raw` with up to three bytes replaced, and perhaps a piece cut out or put in."""
    out = bytearray(raw)
    for _ in range(draw(st.integers(0, 3))):
        out[draw(st.integers(0, len(out) - 1))] = draw(st.integers(0, 255))
    at = draw(st.integers(0, len(out)))
    end = draw(st.sampled_from([at, at + 1, len(out)]))
    out[at:end] = draw(st.binary(max_size=3))
    return bytes(out)


def attempt(read: Callable[[bytes], object], raw: bytes) -> object:
    try:
        return read(raw)
    except Refusal as refusal:
        number = refusal.number
    assert number > 0
    return None


@given(damaged(SIGN))
def test_an_envelope_is_read_as_written(raw: bytes) -> None:
    envelope = attempt(cose.read_sign, raw)
    if isinstance(envelope, cose.Envelope):
        clean = cose.write_sign(envelope.payload, envelope.signatures)
        assert len(clean) <= len(raw)
        if len(clean) == len(raw):
            assert clean == raw


@given(damaged(SIGN1))
def test_a_single_signature(raw: bytes) -> None:
    fields = attempt(cose.read_sign1, raw)
    if isinstance(fields, tuple):
        assert cose.write_sign1(*fields) == raw


@given(damaged(SEALED))
def test_a_sealed_content(raw: bytes) -> None:
    fields = attempt(cose.read_sealed, raw)
    if isinstance(fields, tuple):
        assert cose.write_sealed(*fields) == raw


@given(
    st.recursive(st.none() | st.integers() | st.binary(), st.lists)
    | st.dictionaries(
        st.integers(-3, 5), st.none() | st.booleans() | st.integers(-9, 9) | st.just(DIGEST)
    )
)
def test_a_key_is_read_as_written(key: object) -> None:
    public = attempt(cose.read_key, key)  # type: ignore[arg-type]
    if public is not None:
        assert cbor.dumps(key) == cose.write_key(DIGEST)
