"""DTCs, communication control, the fingerprint: what a workshop asks for, and what it never gets.

Every refusal is a DTC; clearing it, or switching DTCs off, leaves the list for the report (E-76).
"""

from ecu import ask, negative
from uptane import errors
from uptane.errors import NoReply, NothingStaged, Unwanted, WrongFile
from uptane.limits import ATTACKS_MAX, FINGERPRINT_BYTES_MAX, REPLY_BYTES_MAX
from uptane.uds.codes import (
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_SECURITY_ACCESS_DENIED,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
)
from workshop import DEFAULT, EXTENDED, PROGRAMMING, Workshop, unlock

ALL = b"\x14\xff\xff\xff"
FRESH, KNOWN, ACKNOWLEDGED = 0x2B, 0x28, 0x22  # status of a DTC: this life's, older, reported
FINGERPRINT = b"\x2e\xf1\x5a"


def dtc(refusal, status=None):
    """Of a class of refusals; with its status in a list."""
    return bytes((0xD1, refusal.number, 0)) + (b"" if status is None else bytes((status,)))


def dtcs(ecu, mask=0xFF):
    """The DTCs that have a bit of the mask, and their number as the ECU counts them."""
    counted = ask(ecu, bytes((0x19, 1, mask)))
    assert counted[:4] == b"\x59\x01\x2b\x01"
    listed = ask(ecu, bytes((0x19, 2, mask)))
    assert listed[:3] == b"\x59\x02\x2b"
    assert len(listed) - 3 == 4 * int.from_bytes(counted[4:], "big")
    return listed[3:]


# --- reading --------------------------------------------------------------------------------


def test_a_refusal_is_a_dtc_with_its_number():
    """E-76, V-36."""
    ecu = Workshop()
    assert dtcs(ecu) == b""
    ask(ecu, PROGRAMMING)
    assert negative(ecu, b"\x36\x01abc") == 0x24
    assert ecu.attacks == [Unwanted.number]
    assert dtcs(ecu) == dtc(Unwanted, FRESH)
    ecu.note(NoReply.number)
    ecu.note(Unwanted.number)
    assert dtcs(ecu) == dtc(Unwanted, FRESH) + dtc(NoReply, FRESH)


def test_only_what_has_a_bit_of_the_mask_is_read():
    ecu = Workshop()
    ecu.attacks.append(WrongFile.number)
    ecu.note(NoReply.number)
    assert dtcs(ecu) == dtc(WrongFile, KNOWN) + dtc(NoReply, FRESH)
    assert dtcs(ecu, 0x01) == dtcs(ecu, 0x02) == dtc(NoReply, FRESH)
    assert dtcs(ecu, 0x08) == dtcs(ecu, 0x20) == dtcs(ecu)
    assert dtcs(ecu, 0) == dtcs(ecu, 0xD4) == b""  # bits that no DTC here ever has


def test_every_number_there_is_is_a_supported_dtc():
    """And the list of them all is the longest response."""
    ecu = Workshop()
    ecu.note(WrongFile.number)
    listed = ask(ecu, b"\x19\x0a")
    assert listed[:3] == b"\x59\x0a\x2b"
    classes = [getattr(errors, name) for name in dir(errors)]
    numbers = sorted([one.number for one in classes if getattr(one, "number", 0)])
    assert len(numbers) > 60 and len(numbers) <= ATTACKS_MAX
    assert len(listed) == 3 + 4 * len(numbers) and len(listed) <= REPLY_BYTES_MAX
    assert [listed[at + 1] for at in range(3, len(listed), 4)] == numbers
    status = {listed[at + 1]: listed[at + 3] for at in range(3, len(listed), 4)}
    assert status.pop(WrongFile.number) == FRESH and set(status.values()) == {0}


def test_what_the_director_knows_of_is_no_longer_confirmed():
    """E-76: a cycle has acknowledged it; until the next reset it is seen that it was."""
    ecu = Workshop()
    ecu.note(NoReply.number)
    ecu.attacks = []
    assert dtcs(ecu) == dtc(NoReply, ACKNOWLEDGED)
    assert dtcs(ecu.restart()) == b""
    ecu.note(NoReply.number)
    assert dtcs(ecu) == dtc(NoReply, FRESH)


def test_what_was_seen_in_another_life_is_confirmed():
    ecu = Workshop()
    ecu.note(NoReply.number)
    ecu = ecu.restart()
    assert dtcs(ecu) == dtc(NoReply, KNOWN)
    ecu.note(NoReply.number)
    assert dtcs(ecu) == dtc(NoReply, FRESH)


def test_other_reports_and_lengths_are_refused():
    ecu = Workshop()
    for report in (0x00, 0x03, 0x04, 0x06, 0x0B, 0x14, 0x42):
        assert negative(ecu, bytes((0x19, report, 0xFF))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    for request in (b"\x19", b"\x19\x01", b"\x19\x02\xff\xff", b"\x19\x0a\xff"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH


# --- clearing -------------------------------------------------------------------------------


def test_clearing_hides_a_dtc_and_not_the_attack():
    """E-76, S-39: what the next report names is as long as it was."""
    ecu = Workshop()
    ecu.note(NoReply.number)
    ecu.note(WrongFile.number)
    ask(ecu, EXTENDED)
    assert ask(ecu, ALL) == b"\x54"
    assert dtcs(ecu) == b""
    assert ecu.attacks == [NoReply.number, WrongFile.number]
    ecu.note(WrongFile.number)
    assert dtcs(ecu) == dtc(WrongFile, FRESH)


def test_what_was_cleared_is_there_again_after_a_reset():
    """Unless the Director knows of it by then: nobody without a key makes an ECU forget."""
    ecu = Workshop()
    ecu.note(NoReply.number)
    ask(ecu, EXTENDED)
    ask(ecu, ALL)
    assert dtcs(ecu.restart()) == dtc(NoReply, KNOWN)


def test_one_dtc_is_cleared():
    ecu = Workshop()
    ecu.note(NoReply.number)
    ecu.note(WrongFile.number)
    ask(ecu, PROGRAMMING)
    assert ask(ecu, b"\x14" + dtc(NoReply)) == b"\x54"
    assert dtcs(ecu) == dtc(WrongFile, FRESH)
    for group in (b"\xd1\x00\x00", b"\xd1\x46\x01", b"\xd0\x46\x00", b"\xff\xff\x33", b"\0\0\0"):
        assert negative(ecu, b"\x14" + group) == NRC_REQUEST_OUT_OF_RANGE
    assert dtcs(ecu) == dtc(WrongFile, FRESH)


def test_nothing_is_cleared_in_the_default_session():
    ecu = Workshop()
    ecu.note(NoReply.number)
    assert negative(ecu, ALL) == NRC_CONDITIONS_NOT_CORRECT
    assert negative(ecu, b"\x14\x00\x00\x00") == NRC_REQUEST_OUT_OF_RANGE
    for request in (ALL[:3], ALL + b"\x00"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    assert dtcs(ecu) == dtc(NoReply, FRESH)


# --- the setting ----------------------------------------------------------------------------


def test_while_the_setting_is_off_a_refusal_is_noted_and_no_dtc():
    """E-76: the attack is named in the report all the same."""
    ecu = Workshop()
    ecu.attacks.append(WrongFile.number)
    ask(ecu, EXTENDED)
    assert ask(ecu, b"\x85\x02") == b"\xc5\x02"
    for _ in range(2):
        ecu.note(NoReply.number)
        ecu.note(WrongFile.number)
    assert dtcs(ecu) == dtc(WrongFile, KNOWN)
    assert ecu.attacks == [WrongFile.number, NoReply.number]
    assert ask(ecu, b"\x85\x01") == b"\xc5\x01"
    assert dtcs(ecu) == dtc(WrongFile, KNOWN)
    ecu.note(NoReply.number)
    assert dtcs(ecu) == dtc(WrongFile, KNOWN) + dtc(NoReply, FRESH)


def test_the_setting_is_on_again_in_the_default_session_and_stays_between_others():
    ecu = Workshop()
    for session, on in ((EXTENDED, False), (PROGRAMMING, False), (DEFAULT, True)):
        ask(ecu, EXTENDED)
        ask(ecu, b"\x85\x02")
        ask(ecu, session)
        ecu.attacks = []
        ecu.note(NoReply.number)
        assert dtcs(ecu) == (dtc(NoReply, FRESH) if on else b"")


def test_the_setting_is_beyond_the_default_session():
    ecu = Workshop()
    assert negative(ecu, b"\x85\x02") == NRC_SERVICE_NOT_IN_SESSION
    ask(ecu, EXTENDED)
    assert negative(ecu, b"\x85\x03") == NRC_SUB_FUNCTION_NOT_SUPPORTED
    for request in (b"\x85", b"\x85\x02\xff\xff\xff"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    ecu.note(NothingStaged.number)
    assert dtcs(ecu) == dtc(NothingStaged, FRESH)


# --- communication control ------------------------------------------------------------------


def test_the_application_is_silent_as_long_as_a_tester_wants_it():
    ecu = Workshop()
    ask(ecu, EXTENDED)
    for control, muted in ((1, True), (2, False), (3, True), (0, False)):
        assert ask(ecu, bytes((0x28, control, 1))) == bytes((0x68, control))
        assert ecu.application.muted == muted
    for kind in (0x01, 0x03, 0xF1, 0xF3):
        ecu.application.muted = False
        assert ask(ecu, bytes((0x28, 3, kind))) == b"\x68\x03"
        assert ecu.application.muted
    assert ask(ecu, PROGRAMMING) and ecu.application.muted
    assert ask(ecu, DEFAULT) and not ecu.application.muted


def test_communication_that_there_is_not_is_not_controlled():
    """Network management, other subnets, nodes behind this one."""
    ecu = Workshop()
    assert negative(ecu, b"\x28\x03\x01") == NRC_SERVICE_NOT_IN_SESSION
    ask(ecu, EXTENDED)
    for kind in (0x00, 0x02, 0x05, 0x11, 0x21, 0xE1):
        assert negative(ecu, bytes((0x28, 3, kind))) == NRC_REQUEST_OUT_OF_RANGE
    for control in (4, 5, 0x40):
        assert negative(ecu, bytes((0x28, control, 1))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    for request in (b"\x28", b"\x28\x03", b"\x28\x03\x01\x00"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    assert not ecu.application.muted


# --- the fingerprint ------------------------------------------------------------------------


def test_a_fingerprint_is_written_by_who_has_unlocked_the_programming_session():
    ecu = Workshop()
    ask(ecu, PROGRAMMING)
    assert negative(ecu, FINGERPRINT + b"garage 7") == NRC_SECURITY_ACCESS_DENIED
    unlock(ecu)
    assert ask(ecu, FINGERPRINT + b"garage 7") == b"\x6e\xf1\x5a"
    assert ecu.diagnosis.fingerprint == b"garage 7"
    longest = bytes(FINGERPRINT_BYTES_MAX)
    assert negative(ecu, FINGERPRINT + longest + b"\0") == NRC_INCORRECT_LENGTH
    assert negative(ecu, FINGERPRINT) == NRC_INCORRECT_LENGTH
    assert ask(ecu, FINGERPRINT + longest) and ecu.diagnosis.fingerprint == longest
    assert ecu.restart().diagnosis.fingerprint == b""


def test_nothing_else_is_ever_written():
    """S-39: identity is read-only, whoever asks."""
    ecu = Workshop()
    for session in (DEFAULT, EXTENDED):
        ask(ecu, session)
        assert negative(ecu, FINGERPRINT + b"x") == NRC_SERVICE_NOT_IN_SESSION
    ask(ecu, PROGRAMMING)
    unlock(ecu)
    for did in (0xF18C, 0xF190, 0xF186, 0xFD00, 0xFD01, 0xFD02, 0xFD03, 0xF15B, 0x0000, 0xFFFF):
        request = b"\x2e" + did.to_bytes(2, "big") + b"\0\0\0\x08"
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE
    assert ecu.records.commits == []
