"""Security access and authentication: a proof for every challenge, and nothing won by it."""

from ecu import ask, negative
from uptane.errors import NothingStaged, Unwanted
from uptane.limits import ACCESS_ATTEMPTS_MAX, ACCESS_DELAY_MS
from uptane.uds.codes import (
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_EXCEEDED_NUMBER_OF_ATTEMPTS,
    NRC_INCORRECT_LENGTH,
    NRC_INVALID_KEY,
    NRC_OWNERSHIP_VERIFICATION_FAILED,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED,
    NRC_SECURITY_ACCESS_DENIED,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SERVICE_NOT_SUPPORTED,
    NRC_SUB_FUNCTION_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
)
from workshop import DEFAULT, EXTENDED, PROGRAMMING, SEED_BYTES, Workshop, proof, unlock

ALGORITHM = b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09" + bytes(6)
REQUEST_CHALLENGE = b"\x29\x05\x00" + ALGORITHM
WRITE = b"\x2e\xf1\x5ame"


def opened(session=PROGRAMMING):
    ecu = Workshop()
    ask(ecu, session)
    return ecu


def is_locked(ecu):
    """Tell it by the one thing that is protected."""
    assert ecu.services.session == 2
    reply = ask(ecu, WRITE)
    assert reply in (b"\x6e\xf1\x5a", bytes((0x7F, 0x2E, NRC_SECURITY_ACCESS_DENIED)))
    return reply[0] == 0x7F


def seed(ecu):
    reply = ask(ecu, b"\x27\x01")
    assert reply[:2] == b"\x67\x01" and len(reply) == 2 + SEED_BYTES
    return reply[2:]


def owned(challenge, answer=None):
    """verifyProofOfOwnershipUnidirectional."""
    answer = proof(0x29, challenge) if answer is None else answer
    return b"\x29\x06" + ALGORITHM + b"\x00\x20" + answer + bytes(4)


def challenge(ecu):
    reply = ask(ecu, REQUEST_CHALLENGE)
    assert reply[:21] == b"\x69\x05\x00" + ALGORITHM + b"\x00\x10"
    assert reply[37:] == b"\0\0"
    return reply[21:37]


# --- security access ------------------------------------------------------------------------


def test_a_seed_is_answered_by_a_key_and_is_zero_from_then_on():
    ecu = opened()
    assert is_locked(ecu)
    given = seed(ecu)
    assert given != bytes(SEED_BYTES)
    assert ask(ecu, b"\x27\x02" + proof(0x27, given)) == b"\x67\x02"
    assert not is_locked(ecu)
    assert seed(ecu) == bytes(SEED_BYTES)
    assert not is_locked(ecu)


def test_no_seed_comes_twice_and_only_the_last_counts():
    ecu = opened()
    first, second = seed(ecu), seed(ecu)
    assert first != second
    assert negative(ecu, b"\x27\x02" + proof(0x27, first)) == NRC_INVALID_KEY
    assert is_locked(ecu)


def test_a_key_needs_a_seed_and_a_seed_serves_once():
    """ISO 14229-1, 10.4: the sequence is looked at before the length."""
    ecu = opened()
    for request in (b"\x27\x02", b"\x27\x02" + bytes(32), b"\x27\x02" + bytes(33)):
        assert negative(ecu, request) == NRC_REQUEST_SEQUENCE_ERROR
    given = seed(ecu)
    assert negative(ecu, b"\x27\x02" + bytes(31)) == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x27\x02" + proof(0x27, given)) == NRC_REQUEST_SEQUENCE_ERROR
    given = seed(ecu)
    assert negative(ecu, b"\x27\x02" + proof(0x27, given, bytes(32))) == NRC_INVALID_KEY
    assert negative(ecu, b"\x27\x02" + proof(0x27, given)) == NRC_REQUEST_SEQUENCE_ERROR
    assert is_locked(ecu)


def test_wrong_keys_are_counted_and_cost_time():
    ecu = opened()
    for _ in range(ACCESS_ATTEMPTS_MAX - 1):
        seed(ecu)
        assert negative(ecu, b"\x27\x02" + bytes(32)) == NRC_INVALID_KEY
    seed(ecu)
    assert negative(ecu, b"\x27\x02" + bytes(32)) == NRC_EXCEEDED_NUMBER_OF_ATTEMPTS
    for session in (PROGRAMMING, DEFAULT, EXTENDED):  # no way round it
        ask(ecu, session)
        if session != DEFAULT:
            assert negative(ecu, b"\x27\x01") == NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED
            assert negative(ecu, REQUEST_CHALLENGE) == NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED
    ecu.clock.now_ms += ACCESS_DELAY_MS
    ask(ecu, PROGRAMMING)
    unlock(ecu)
    assert not is_locked(ecu)
    ask(ecu, PROGRAMMING)
    for _ in range(ACCESS_ATTEMPTS_MAX - 1):  # the count began anew
        seed(ecu)
        assert negative(ecu, b"\x27\x02" + bytes(32)) == NRC_INVALID_KEY


def test_every_change_of_session_locks():
    ecu = opened()
    for way in ((PROGRAMMING,), (EXTENDED, PROGRAMMING), (DEFAULT, PROGRAMMING)):
        unlock(ecu)
        assert not is_locked(ecu)
        given = seed(ecu)
        for session in way:
            ask(ecu, session)
        assert is_locked(ecu)
        given = seed(ecu)
        ask(ecu, PROGRAMMING)
        request = b"\x27\x02" + proof(0x27, given)
        assert negative(ecu, request) == NRC_REQUEST_SEQUENCE_ERROR


def test_the_default_session_has_no_security_access():
    ecu = Workshop()
    assert negative(ecu, b"\x27\x01") == NRC_SERVICE_NOT_IN_SESSION
    ask(ecu, EXTENDED)
    for level in (0, 3, 0x11, 0x7F):
        assert negative(ecu, bytes((0x27, level))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x27") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x27\x01\x00") == NRC_INCORRECT_LENGTH


def test_an_ecu_without_a_secret_has_neither_service():
    """Identity records of before know of none."""
    ecu = Workshop(b"")
    ask(ecu, PROGRAMMING)
    assert negative(ecu, b"\x27\x01") == NRC_SERVICE_NOT_SUPPORTED
    assert negative(ecu, b"\x29\x08") == NRC_SERVICE_NOT_SUPPORTED
    assert is_locked(ecu)


# --- authentication -------------------------------------------------------------------------


def test_the_configuration_is_challenge_and_response():
    ecu = Workshop()
    assert ask(ecu, b"\x29\x08") == b"\x69\x08\x04"
    for task in (1, 2, 3, 4, 7, 9):  # certificates, both directions
        assert negative(ecu, bytes((0x29, task))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    for request in (b"\x29", b"\x29\x08\x00", b"\x29\x00\x00"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH


def test_ownership_of_the_secret_is_proved_and_given_up():
    ecu = opened()
    given = challenge(ecu)
    assert ask(ecu, owned(given)) == b"\x69\x06\x12" + ALGORITHM + b"\0\0"
    assert not is_locked(ecu)
    assert ask(ecu, b"\x29\x00") == b"\x69\x00\x10"
    assert is_locked(ecu)
    assert negative(ecu, owned(given)) == NRC_REQUEST_SEQUENCE_ERROR


def test_a_proof_of_one_service_is_none_of_the_other():
    ecu = opened()
    given = challenge(ecu)
    wrong = owned(given, proof(0x27, given))
    assert negative(ecu, wrong) == NRC_OWNERSHIP_VERIFICATION_FAILED
    given = challenge(ecu)
    assert negative(ecu, b"\x27\x02" + proof(0x27, given)) == NRC_REQUEST_SEQUENCE_ERROR
    assert is_locked(ecu)


def test_what_is_not_this_challenge_and_response_is_refused():
    ecu = Workshop()
    assert negative(ecu, REQUEST_CHALLENGE) == NRC_SUB_FUNCTION_NOT_IN_SESSION
    ask(ecu, PROGRAMMING)
    assert negative(ecu, REQUEST_CHALLENGE[:-1]) == NRC_INCORRECT_LENGTH
    other = b"\x29\x05\x00" + ALGORITHM[:9] + b"\x0a" + ALGORITHM[10:]
    assert negative(ecu, other) == NRC_REQUEST_OUT_OF_RANGE
    keys = b"\x29\x05\x01" + ALGORITHM
    assert negative(ecu, keys) == NRC_REQUEST_OUT_OF_RANGE
    assert negative(ecu, owned(bytes(16))) == NRC_REQUEST_SEQUENCE_ERROR
    assert negative(ecu, owned(challenge(ecu))[:-1]) == NRC_INCORRECT_LENGTH
    for at in (5, 19, 53, 55):  # algorithm, lengths
        request = bytearray(owned(challenge(ecu)))
        request[at] ^= 1
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE
    assert is_locked(ecu)


# --- what it is good for --------------------------------------------------------------------


def test_unlocking_changes_no_verdict():
    """S-39, T-55: every request that would install, swap or push is refused as it was before, and
    noted as it was."""
    file = b"\x01\x04\x00\x00\x00\x00"
    requests = (
        b"\x31\x01\x02\x03",
        b"\x31\x01\x02\x02" + file + b"\x00",
        b"\x34\x00\x46" + file + b"\x00\x00\x00\x05",
        b"\x35\x00\x46" + file + b"\x00\x00\x00\x05",
        b"\x36\x01abcde",
        b"\x37",
        b"\x2e\xf1\x8c\x00\x00\x00\x08",
        b"\x2e\xf1\x90VIN",
        b"\x31\x01\xff\x00",
        b"\x11\x04",
    )
    verdicts = []
    for way in ("locked", "unlocked", "authenticated"):
        ecu = opened()
        if way == "unlocked":
            unlock(ecu)
        elif way == "authenticated":
            assert ask(ecu, owned(challenge(ecu)))[2] == 0x12
        assert is_locked(ecu) == (way == "locked")
        codes = [negative(ecu, request) for request in requests]
        assert codes[0] == NRC_CONDITIONS_NOT_CORRECT
        verdicts.append(([code for code in codes if code != 0x33 and code != 0x31], ecu.noted))
        assert ("install",) not in ecu.told and ecu.noted[0] == NothingStaged.number
        assert Unwanted.number in ecu.noted and ecu.records.commits == []
    assert verdicts[0] == verdicts[1] == verdicts[2]
