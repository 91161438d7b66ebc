"""The routines: begun, stopped, asked for results, and no way round the cycle (S-39)."""

from ecu import Ecu, ask, negative
from uptane.errors import NothingStaged, Unwanted, WrongFile
from uptane.ids import DIRECTOR, KIND_METADATA, KIND_TIME, ROOT
from uptane.meta.wants import Want
from uptane.uds.codes import (
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    RID_ANSWER,
    RID_COMMIT,
    RID_CYCLE,
    RID_INSTALL,
    RID_ROLLBACK,
    RID_WANTS,
    SESSION_DEFAULT,
    SESSION_EXTENDED,
    SESSION_PROGRAMMING,
)

PROGRAMMING = b"\x10\x02"


def routine(number, record=b""):
    return bytes((0x31, 1, number >> 8, number & 0xFF)) + record


def test_routines_and_transfers_need_the_programming_session():
    ecu = Ecu()
    routines = [routine(number) for number in (RID_CYCLE, RID_WANTS, RID_ANSWER, RID_INSTALL)]
    requests = [b"\x34\x00\x46" + bytes(10), b"\x35\x00\x46" + bytes(10), b"\x36\x01a", b"\x37"]
    for session in (None, SESSION_EXTENDED, SESSION_DEFAULT):
        if session is not None:
            ask(ecu, bytes((0x10, session)))
        for request in requests:
            assert negative(ecu, request) == NRC_SERVICE_NOT_IN_SESSION, request
        for request in routines:  # the service is there, for others of its routines
            assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE, request
    assert ("cycle",) not in ecu.told and ecu.noted == []


def test_routines_are_started_only_and_known_by_number():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    assert negative(ecu, b"\x31\x01\x02") == NRC_INCORRECT_LENGTH
    for number in (RID_WANTS, RID_ANSWER, RID_INSTALL, RID_COMMIT, RID_ROLLBACK):
        for control in (2, 3):
            request = bytes((0x31, control)) + routine(number)[2:]
            assert negative(ecu, request) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x31\x04\x02\x00") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x31\x00\x02\x00") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, b"\x31\x01\xff\x00") == NRC_REQUEST_OUT_OF_RANGE


def test_a_cycle_is_stopped_and_has_results():
    """ISO 14229-1, 14: what was not started has neither."""
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    stop, results = b"\x31\x02\x02\x00", b"\x31\x03\x02\x00"
    assert negative(ecu, stop) == NRC_REQUEST_SEQUENCE_ERROR
    assert negative(ecu, results) == NRC_REQUEST_SEQUENCE_ERROR
    ecu.want(Want(DIRECTOR, KIND_TIME, 0, [], 100))
    assert ask(ecu, results)[:5] == b"\x71\x03\x02\x00\x01"
    assert ask(ecu, b"\x34\x00\x46\x01\x04\x00\x00\x00\x00\x00\x00\x00\x05")[0] == 0x74
    assert ask(ecu, stop) == b"\x71\x02\x02\x00"
    assert not ecu.cycle.running() and ecu.noted == []
    assert negative(ecu, b"\x36\x01abcde") == NRC_REQUEST_SEQUENCE_ERROR
    assert negative(ecu, stop) == NRC_REQUEST_SEQUENCE_ERROR
    ecu.refuse(WrongFile)
    assert ask(ecu, results) == b"\x71\x03\x02\x00\x03" + bytes((WrongFile.number,))
    ecu.work(3, 20)
    assert ecu.hear(results)[-1] == b"\x71\x03\x02\x00\x00"


def test_wants_tells_how_the_cycle_stands():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    head = b"\x71\x01\x02\x01"
    assert ask(ecu, routine(RID_WANTS)) == head + b"\x00"
    ecu.want(Want(DIRECTOR, KIND_METADATA, ROOT, 7, 2048))
    want = b"\x01" + b"\x85\x46\x01\x00\x00\x00\x00\x00" + b"\x07\x00\x19\x08\x00\x00"
    assert ask(ecu, routine(RID_WANTS)) == head + want
    ecu.sleep(5000)
    assert ask(ecu, routine(RID_WANTS)) == head + b"\x02\x00\x64"
    ecu.refuse(WrongFile)
    assert ask(ecu, routine(RID_WANTS)) == head + b"\x03" + bytes((WrongFile.number,))
    ecu.work(0, 0)
    ecu.has_staged = True
    assert ask(ecu, routine(RID_WANTS)) == head + b"\x04"


def test_wants_is_answered_in_time_while_the_cycle_computes():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    ecu.work(slices=30, slice_ms=20)
    assert ecu.hear(routine(RID_WANTS)) == [b"\x7f\x31\x78", b"\x71\x01\x02\x01\x00"]


def test_an_answer_has_to_be_to_the_open_want():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    time = b"\x01\x04\x00\x00\x00\x00"
    assert negative(ecu, routine(RID_ANSWER, time + b"\x00")) == NRC_CONDITIONS_NOT_CORRECT
    assert ecu.noted == [Unwanted.number]
    want = Want(DIRECTOR, KIND_TIME, 0, [], 100)
    ecu.want(want)
    wrong = b"\x02\x04\x00\x00\x00\x00"
    assert negative(ecu, routine(RID_ANSWER, wrong + b"\x00")) == NRC_REQUEST_OUT_OF_RANGE
    assert ecu.noted == [Unwanted.number, WrongFile.number]
    for answer in (b"", time, time[:5] + b"\x00", time + b"\x00\x00"):
        assert negative(ecu, routine(RID_ANSWER, answer)) == NRC_INCORRECT_LENGTH
    for answer in (1, 2, 3, 255):  # later, taken (it offers nothing), unknown
        request = routine(RID_ANSWER, time + bytes((answer,)))
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE
    assert ecu.cycle.want is want and ecu.answers == []
    assert ask(ecu, routine(RID_ANSWER, time + b"\x00")) == b"\x71\x01\x02\x02"
    ecu.finish()
    assert ecu.answers == [None]


def test_an_offered_file_may_be_taken():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    want = Want(0, 3, 0, None, 3)
    want.offer = b"abc"
    ecu.want(want)
    assert ask(ecu, routine(RID_ANSWER, b"\x00\x03\x00\x00\x00\x00\x02")) == b"\x71\x01\x02\x02"
    ecu.finish()
    assert ecu.answers == [True]


def test_an_installation_needs_something_staged():
    """E-77: no service installs what this ECU has not verified."""
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    assert negative(ecu, routine(RID_INSTALL)) == NRC_CONDITIONS_NOT_CORRECT
    assert ecu.noted == [NothingStaged.number] and ("install",) not in ecu.told
    ecu.has_staged = True
    assert ask(ecu, routine(RID_INSTALL)) == b"\x71\x01\x02\x03"
    assert ecu.told[-1] == ("install",)


def test_the_word_of_a_bundles_leader_is_heard_in_every_session():
    """S-45: an application on trial runs on meanwhile."""
    ecu = Ecu()
    for session in (None, SESSION_PROGRAMMING, SESSION_EXTENDED, SESSION_DEFAULT):
        if session is not None:
            ask(ecu, bytes((0x10, session)))
        ecu.told.clear()
        assert ask(ecu, routine(RID_COMMIT, b"\0\0\1\2")) == b"\x71\x01\x02\x04"
        assert ask(ecu, routine(RID_ROLLBACK, b"\0\0\1\2")) == b"\x71\x01\x02\x05"
        assert ecu.told == [("commit", 258), ("rollback", 258)]


def test_a_word_that_is_not_so_is_refused():
    """S-39, S-45."""
    ecu = Ecu()
    ecu.settled = False
    for number in (RID_COMMIT, RID_ROLLBACK):
        assert negative(ecu, routine(number, bytes(4))) == NRC_CONDITIONS_NOT_CORRECT
        for record in (b"", bytes(3), bytes(5)):
            assert negative(ecu, routine(number, record)) == NRC_INCORRECT_LENGTH
    assert ecu.told == [("commit", 0), ("rollback", 0)]


def test_a_new_cycle_drops_the_transfer_of_the_old_one():
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    ecu.want(Want(DIRECTOR, KIND_TIME, 0, [], 100))
    ask(ecu, b"\x34\x00\x46\x01\x04\x00\x00\x00\x00\x00\x00\x00\x05")
    assert ask(ecu, routine(RID_CYCLE)) == b"\x71\x01\x02\x00"
    assert negative(ecu, b"\x36\x01abcde") == 0x24


def test_requests_of_every_kind_of_noise_get_an_answer():
    """Bad input has a defined answer, and the next good request is served."""
    ecu = Ecu()
    ask(ecu, PROGRAMMING)
    ecu.want(Want(DIRECTOR, KIND_METADATA, ROOT, 7, 2048))
    state = 99
    for service in (0x10, 0x11, 0x22, 0x31, 0x34, 0x35, 0x36, 0x37, 0x3E, 0x85):
        for length in range(16):
            noise = bytearray((service,))
            for _ in range(length):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                noise.append(state >> 16 & 0x7F)
            reply = ask(ecu, noise)
            assert reply[0] in (0x7F, service + 0x40)
            if reply[0] == 0x7F:
                assert len(reply) == 3 and reply[1] == service
    assert ask(ecu, b"\x3e\x00") == b"\x7e\x00"
