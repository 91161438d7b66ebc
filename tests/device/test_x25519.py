"""X25519: the RFC's own numbers, keys of small order, and slices that a bus can live with."""

from claims import count_slices, raises, run
from memory import SUITE
from uptane.crypto import x25519
from uptane.crypto.secrecy import Secrecy
from uptane.errors import BadKey
from vectors import rfc7748

SECRET = bytes(range(32))


def agreed(secret, public):
    return run(x25519.agree(secret, public))


def test_what_two_keys_agree_on_is_what_the_rfc_says():
    """V-65: RFC 7748, 5.2 and 6.1, with a public key of 256 bits, and from either side."""
    for secret, public, wanted in rfc7748.CASES:
        assert agreed(bytes.fromhex(secret), bytes.fromhex(public)).hex() == wanted


def test_a_chain_of_agreements_ends_as_the_rfc_says():
    """V-65: RFC 7748, 5.2; a thousand of them are for a computer, see tests/host."""
    rounds, wanted = rfc7748.ITERATED[0]
    secret = public = rfc7748.BASE
    for _ in range(rounds):
        secret, public = agreed(secret, public), secret
    assert secret.hex() == wanted


def test_a_public_key_of_small_order_is_refused():
    """V-65, E-80: with it every secret agrees on zero, so anybody could have made the wrap."""
    for point in rfc7748.SMALL_ORDER:
        for high in (0, 1 << 255):
            public = (point | high).to_bytes(32, "little")
            raises(BadKey, agreed, SECRET, public)
    assert any(agreed(SECRET, (2).to_bytes(32, "little")))


def test_keys_of_another_length_are_refused():
    """V-65."""
    for length in (0, 31, 33, 64):
        raises(BadKey, agreed, SECRET, bytes([9] * length))
        raises(BadKey, agreed, bytes(length), rfc7748.BASE)


def test_bits_of_a_secret_that_are_clamped_mean_nothing():
    """V-65: RFC 7748, 5; all others do."""
    wanted = agreed(SECRET, rfc7748.BASE)
    for bit in (0, 1, 2, 254, 255):
        other = int.from_bytes(SECRET, "little") ^ 1 << bit
        assert agreed(other.to_bytes(32, "little"), rfc7748.BASE) == wanted
    for bit in (3, 128, 253):
        other = int.from_bytes(SECRET, "little") ^ 1 << bit
        assert agreed(other.to_bytes(32, "little"), rfc7748.BASE) != wanted


def test_an_agreement_comes_in_slices_whatever_the_secret():
    """V-65: as many as an emulator is told to charge for, and the heap is tidied once."""
    tidied = []
    secrecy = Secrecy(SUITE, lambda: tidied.append(1))
    for secret in (SECRET, bytes(32), b"\xff" * 32):
        _, slices = count_slices(secrecy.agree(secret, rfc7748.BASE))
        assert slices + 1 == Secrecy.AGREE_SLICES
    assert len(tidied) == 3
