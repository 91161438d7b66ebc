"""Which refusal comes first (ISO 14229-1, figures 5 and 6); requests to all ECUs at once."""

from ecu import ask, negative
from uptane.uds.codes import (
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_RESPONSE_PENDING,
    NRC_SECURITY_ACCESS_DENIED,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SERVICE_NOT_SUPPORTED,
    NRC_SUB_FUNCTION_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
)
from uptane.uds.server import ANYWHERE, BEYOND_DEFAULT, SECURED, Nrc
from workshop import DEFAULT, EXTENDED, PROGRAMMING, Thing, Workshop, unlock

SERVICE = 0x3D  # one that no ECU has, for whatever a test wants of it


def taking(*row):
    """An ECU with a service that takes what gets so far."""
    ecu = Workshop()
    offer(ecu, lambda request, out: 2, *row)
    return ecu


def offer(ecu, handler, rule, subs=()):
    """One service more."""
    owner = Thing()
    owner.handler = handler
    ecu.services.tables.append((owner, ((SERVICE, "handler", rule, subs),)))


def rules(ecu):
    """{service: where it is allowed, and its shortest request} of all that an ECU has."""
    return {row[0]: row[2] for _, rows in ecu.services.tables for row in rows}


# --- the order ------------------------------------------------------------------------------


def test_of_several_reasons_the_first_is_given():
    """Service, session, security, length, sub-function, its session, its security, its length;
    each request has every fault behind the one that is named."""
    subs = ((1, ANYWHERE | 2), (2, BEYOND_DEFAULT | SECURED | 4), (3, ANYWHERE | SECURED | 3))
    ecu = taking(BEYOND_DEFAULT | SECURED | 2, subs)
    assert negative(ecu, bytes((SERVICE - 1,))) == NRC_SERVICE_NOT_SUPPORTED
    assert negative(ecu, bytes((SERVICE,))) == NRC_SERVICE_NOT_IN_SESSION
    ask(ecu, EXTENDED)
    assert negative(ecu, bytes((SERVICE,))) == NRC_SECURITY_ACCESS_DENIED
    ecu = taking(ANYWHERE | 2, subs)
    assert negative(ecu, bytes((SERVICE,))) == NRC_INCORRECT_LENGTH
    assert negative(ecu, bytes((SERVICE, 9, 0))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, bytes((SERVICE, 2, 0))) == NRC_SUB_FUNCTION_NOT_IN_SESSION
    assert negative(ecu, bytes((SERVICE, 3, 0, 0))) == NRC_SECURITY_ACCESS_DENIED
    ask(ecu, EXTENDED)
    assert negative(ecu, bytes((SERVICE, 2, 0))) == NRC_SECURITY_ACCESS_DENIED
    unlock(ecu)
    assert negative(ecu, bytes((SERVICE, 2, 0))) == NRC_INCORRECT_LENGTH
    assert negative(ecu, bytes((SERVICE, 1, 0))) == NRC_INCORRECT_LENGTH
    assert ask(ecu, bytes((SERVICE, 2, 0, 0))) == bytes((SERVICE + 0x40, 2))
    assert ask(ecu, bytes((SERVICE, 3, 0))) == bytes((SERVICE + 0x40, 3))


def test_the_bit_that_suppresses_is_no_part_of_a_sub_function():
    ecu = taking(ANYWHERE | 2, ((1, ANYWHERE | 2),))
    assert ask(ecu, bytes((SERVICE, 0x81))) is None
    assert negative(ecu, bytes((SERVICE, 0x82))) == NRC_SUB_FUNCTION_NOT_SUPPORTED
    assert negative(ecu, bytes((SERVICE, 0x81, 0))) == NRC_INCORRECT_LENGTH
    ecu = taking(ANYWHERE | 2)
    assert ask(ecu, bytes((SERVICE, 0x81))) is not None  # it has none


def test_every_service_refuses_what_is_too_short_and_is_in_its_sessions():
    """Of all that this ECU has, in every session; security comes before the length."""
    for session in (DEFAULT, EXTENDED, PROGRAMMING):
        ecu = Workshop()
        ask(ecu, session)
        for service, rule in sorted(rules(ecu).items()):
            code = NRC_INCORRECT_LENGTH if rule & 0xFF > 1 else 0x24
            if rule & SECURED:
                code = NRC_SECURITY_ACCESS_DENIED
            if not rule & SECURED << session[1]:
                code = NRC_SERVICE_NOT_IN_SESSION
            assert negative(ecu, bytes((service,))) == code, hex(service)


def test_the_services_of_each_session():
    """As ISO 14229-1 has it of the default session (table 23); the transfers are for flashing."""
    always = {0x10, 0x11, 0x14, 0x19, 0x22, 0x29, 0x31, 0x3E}
    table = rules(Workshop())
    for session, more in ((1, set()), (3, {0x27, 0x28, 0x85})):
        there = {service for service, rule in table.items() if rule & SECURED << session}
        assert there == always | more
    there = {service for service, rule in table.items() if rule & SECURED << 2}
    assert there == always | {0x27, 0x28, 0x85, 0x2E, 0x34, 0x35, 0x36, 0x37}


# --- functional requests --------------------------------------------------------------------


def test_a_functional_request_is_answered_like_a_physical_one():
    ecu = Workshop()
    assert ecu.hear_all(b"\x22\xf1\x8c") == [b"\x62\xf1\x8c\x00\x00\x00\x07"]
    assert ecu.hear_all(b"\x10\x83") == [] and ecu.services.session == 3
    assert ecu.hear_all(b"\x3e\x80") == []
    assert ecu.hear_all(b"\x3e\x00") == [b"\x7e\x00"]
    assert ecu.hear_all(b"\x28\x03\x01") == [b"\x68\x03"] and ecu.application.muted
    assert ecu.hear_all(b"\x85\x82") == []


def test_a_functional_request_for_others_is_not_answered():
    """ISO 14229-1, 7.5.3: NRC 11, 12, 31, 7E and 7F; the others are."""
    ecu = Workshop()
    quiet = {
        b"\x3d\x00": NRC_SERVICE_NOT_SUPPORTED,
        b"\x10\x44": NRC_SUB_FUNCTION_NOT_SUPPORTED,
        b"\x22\x12\x34": NRC_REQUEST_OUT_OF_RANGE,
        b"\x36\x01x": NRC_SERVICE_NOT_IN_SESSION,
        b"\x29\x06": NRC_SUB_FUNCTION_NOT_IN_SESSION,
    }
    for request, code in quiet.items():
        assert negative(ecu, request) == code
        assert ecu.hear_all(request) == []
        assert negative(ecu, request) == code  # and a physical one still is
    assert ecu.hear_all(b"\x3e") == [bytes((0x7F, 0x3E, NRC_INCORRECT_LENGTH))]
    assert ecu.hear_all(b"\x14\xff\xff\xff") == [b"\x7f\x14\x22"]


def test_who_was_told_to_wait_hears_the_end():
    """ISO 14229-1, 8.7: after 0x78 the final response comes, whatever it is."""
    ecu = Workshop()

    def slow(request, out):
        for _ in range(10):
            ecu.clock.now_ms += 20
            yield
        raise Nrc(NRC_REQUEST_OUT_OF_RANGE)

    offer(ecu, slow, ANYWHERE | 1)
    pending, end = ecu.hear_all(bytes((SERVICE,)))
    assert pending == bytes((0x7F, SERVICE, NRC_RESPONSE_PENDING))
    assert end == bytes((0x7F, SERVICE, NRC_REQUEST_OUT_OF_RANGE))


def test_a_testers_presence_is_heard_while_a_request_is_at_work():
    """It is not answered later, nor does it hold up the next request; any other is dropped."""
    ecu = Workshop()
    ask(ecu, PROGRAMMING)
    for functional in (b"\x02\x3e\x80", b"\x02\x10\x01"):
        ecu.work(slices=200, slice_ms=50)
        ecu.wire.left.taken()
        ecu.wire.left.send(b"\x31\x01\x02\x01")
        ecu.loop()
        ecu.all_asked.feed(memoryview(functional), ecu.clock.now_ms)
        assert ecu.listen()[-1] == b"\x71\x01\x02\x01\x00"
        assert ecu.clock.now_ms - ecu.server.heard_ms < 100
        assert ecu.services.session == 2
    assert ecu.hear_all(b"\x22\xf1\x86") == [b"\x62\xf1\x86\x02"]


def test_a_physical_request_waits_for_a_functional_one():
    ecu = Workshop()
    ecu.all_asked.feed(memoryview(b"\x03\x22\xf1\x86"), 0)
    ecu.wire.left.send(b"\x3e\x00")
    assert ecu.listen() == [b"\x7e\x00"]  # both had come: the physical one alone is answered
    ecu.all_asked.feed(memoryview(b"\x03\x22\xf1\x86"), 0)
    ecu.server.step(ecu.clock.now_ms)
    ecu.wire.left.send(b"\x3e\x00")
    assert ecu.listen() == [b"\x62\xf1\x86\x01", b"\x7e\x00"]


def test_only_single_frames_are_functional():
    ecu = Workshop()
    for frame in (b"\x10\x14" + bytes(6), b"\x21" + bytes(7), b"\x30\x00\x00", b"\x00\x00"):
        ecu.all_asked.feed(memoryview(frame), 0)
        assert ecu.all_asked.message is None
        assert ecu.listen() == []
    assert ecu.hear_all(b"\x3e\x00") == [b"\x7e\x00"]
