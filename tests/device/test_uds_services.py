"""The services: a number for whatever they cannot do, and no way round the cycle (S-39)."""

from ecu import Ecu, ask, negative
from uptane.ids import DIRECTOR, KIND_TIME
from uptane.limits import P2_MS, P2_PROGRAMMING_MS, P2_STAR_MS, REPLY_BYTES_MAX
from uptane.meta.wants import Want
from uptane.uds.codes import (
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_RESPONSE_TOO_LONG,
    NRC_SERVICE_NOT_SUPPORTED,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    SESSION_DEFAULT,
    SESSION_EXTENDED,
    SESSION_PROGRAMMING,
)

PROGRAMMING = b"\x10\x02"
CYCLE = b"\x31\x01\x02\x00"


# --- sessions and what every tester knows -----------------------------------------------------


def test_sessions_are_entered_and_left():
    ecu = Ecu()
    for session in (SESSION_PROGRAMMING, SESSION_EXTENDED, SESSION_DEFAULT):
        reply = ask(ecu, bytes((0x10, session)))
        p2_ms = P2_PROGRAMMING_MS if session == SESSION_PROGRAMMING else P2_MS
        times = p2_ms.to_bytes(2, "big") + (P2_STAR_MS // 10).to_bytes(2, "big")
        assert reply == bytes((0x50, session)) + times
        assert ecu.services.session == session
    assert ecu.told == [("session", 2), ("session", 3), ("session", 1)]
    assert negative(ecu, b"\x10\x04") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x10") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x10\x02\x00") == NRC_INCORRECT_LENGTH
    assert ecu.services.session == SESSION_DEFAULT


def test_leaving_the_programming_session_ends_cycle_and_transfer():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    ecu.want(Want(DIRECTOR, KIND_TIME, 0, [], 100))
    assert ask(ecu, b"\x34\x00\x46\x01\x04\x00\x00\x00\x00\x00\x00\x00\x05")[0] == 0x74
    ask(ecu, b"\x10\x01")
    assert not ecu.cycle.running() and ecu.cycle.want is None
    ask(ecu, PROGRAMMING)
    assert negative(ecu, b"\x36\x01abcde") == 0x24


def test_a_positive_response_is_suppressed_on_request_and_a_negative_one_is_not():
    ecu = Ecu()
    for request in (b"\x3e\x80", b"\x10\x82", b"\x31\x81\x02\x00", b"\x11\x81"):
        assert ask(ecu, request) is None
    assert ecu.services.session == SESSION_PROGRAMMING
    assert ecu.told == [("session", 2), ("cycle",), ("reset",)]
    assert negative(ecu, b"\x3e\x81") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x10\x84") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert ask(ecu, b"\x22\xf1\x8c") == b"\x62\xf1\x8c\x00\x00\x00\x07"  # not a sub-function
    assert ask(ecu, b"\x3e\x00") == b"\x7e\x00"


def test_after_pending_a_suppressed_response_comes_all_the_same():
    """ISO 14229-1, 8.7: who was told to wait has to hear the end."""
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    ecu.work(slices=10, slice_ms=20)
    heard = ecu.hear(b"\x31\x81\x02\x01")
    assert heard == [b"\x7f\x31\x78", b"\x71\x01\x02\x01\x00"]


def test_tester_present_has_one_sub_function():
    ecu = Ecu()
    assert ask(ecu, b"\x3e\x00") == b"\x7e\x00"
    assert negative(ecu, b"\x3e\x01") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x3e") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x3e\x00\x00") == NRC_INCORRECT_LENGTH


def test_identifiers_are_read_and_never_written():
    """S-39: identity is read-only."""
    ecu = Ecu()
    assert ask(ecu, b"\x22\xf1\x8c") == b"\x62\xf1\x8c\x00\x00\x00\x07"
    assert negative(ecu, b"\x22\x12\x34") == NRC_REQUEST_OUT_OF_RANGE
    for request in (b"\x22", b"\x22\xf1", b"\x22\xf1\x8c\xf1"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x2e\xf1\x8c\x00\x00\x00\x08") == NRC_SERVICE_NOT_SUPPORTED


def test_of_several_identifiers_those_that_there_are_are_read():
    """In the order of the request; one that is there twice is there twice (ISO 14229-1, 11.2)."""
    ecu = Ecu()
    value = b"\xf1\x8c\x00\x00\x00\x07"
    assert ask(ecu, b"\x22\xf1\x8c\xf1\x86") == b"\x62" + value + b"\xf1\x86\x01"
    assert ask(ecu, b"\x22\x12\x34\xf1\x8c\x43\x21\xf1\x8c") == b"\x62" + 2 * value
    assert negative(ecu, b"\x22\x12\x34\x43\x21") == NRC_REQUEST_OUT_OF_RANGE
    many = (REPLY_BYTES_MAX - 1) // len(value)
    assert ask(ecu, b"\x22" + many * b"\xf1\x8c") == b"\x62" + many * value
    assert negative(ecu, b"\x22" + (many + 1) * b"\xf1\x8c") == NRC_RESPONSE_TOO_LONG
    assert negative(ecu, b"\x22" + 512 * b"\x12\x34") == NRC_REQUEST_OUT_OF_RANGE


def test_the_active_session_is_read():
    ecu = Ecu()
    for session in (SESSION_PROGRAMMING, SESSION_EXTENDED, SESSION_DEFAULT):
        ask(ecu, bytes((0x10, session)))
        assert ask(ecu, b"\x22\xf1\x86") == b"\x62\xf1\x86" + bytes((session,))


def test_a_cycle_that_would_begin_too_soon_is_refused() -> None:
    """E-89: and the one that runs goes on."""
    ecu = Ecu()
    ask(ecu, b"\x10\x02")
    assert ask(ecu, CYCLE) == b"\x71\x01\x02\x00"
    ecu.too_often = True
    assert negative(ecu, CYCLE) == NRC_CONDITIONS_NOT_CORRECT


def test_a_reset_comes_after_its_response():
    ecu = Ecu()
    assert ask(ecu, b"\x11\x01") == b"\x51\x01"
    assert ecu.told == [("reset",)]
    for kind in (0, 4, 5, 0x7F):
        assert negative(ecu, bytes((0x11, kind))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x11") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x11\x01\x00") == NRC_INCORRECT_LENGTH
    assert ecu.told == [("reset",)]
    for kind in (2, 3):  # key off and on, soft: there is one kind of restart
        assert ask(ecu, bytes((0x11, kind))) == bytes((0x51, kind))
    assert ecu.told == 3 * [("reset",)]
    ecu.on_trial = True
    assert negative(ecu, b"\x11\x01") == NRC_CONDITIONS_NOT_CORRECT
