"""Every message of the demo is what docs/pouf.cddl and docs/pouf.md say, by other people's code.

What is judged was heard on the bus (tap) and is read by pycddl (grammar); signatures are next
door, in test_signatures.
"""

import cbor2
import pytest
from grammar import NotConforming, conforms
from played import ROLES, Played, kind_of, rule_of
from tables import rows
from tap import UPLOAD

from uptane import ids

WANT_RULES = {
    ids.KIND_METADATA: "want-metadata",
    ids.KIND_TIME: "want-time",
    ids.KIND_IMAGE: "want-image",
    ids.KIND_MAP: "want-map",
    ids.KIND_REPORT: "want-report",
}
RECORDS = {
    ids.RECORD_IDENTITY: "identity-record",
    ids.RECORD_TIME: "time-record",
    ids.RECORD_ATTACKS: "attacks-record",
    ids.RECORD_DEPOT: "depot-record",
}
WANTS = bytes((0x71, 0x01, 0x02, 0x01))


# --- what passed ------------------------------------------------------------------------------


def test_every_kind_of_file_passed(played: Played) -> None:
    """Else the tests below prove less than they say."""
    passed = {kind_of(file) for file in played.tap.files}
    metadata = {
        (repository, ids.KIND_METADATA, role)
        for repository in (ids.DIRECTOR, ids.IMAGE)
        for role in ROLES
    }
    assert passed == metadata | {
        (ids.DIRECTOR, ids.KIND_TIME, 0),
        (ids.IMAGE, ids.KIND_IMAGE, 0),
        (ids.LOCAL, ids.KIND_REPORT, ids.REPORT_ECU),
        (ids.LOCAL, ids.KIND_REPORT, ids.REPORT_VEHICLE),
    }
    assert all(ecu["after"]["release"] == 2 for ecu in played.result["ecus"])
    assert all(attack["ok"] for attack in played.result["attacks"])


def test_every_file_is_what_the_grammar_says(played: Played) -> None:
    """S-60, P-07, P-08, P-09."""
    judged = 0
    for file in played.tap.files:
        rule = rule_of(file)
        if rule is not None:
            conforms(rule, file.content)
            judged += 1
        assert (file.service == UPLOAD) == (kind_of(file)[1] == ids.KIND_REPORT)
    assert judged > 40


def test_a_file_that_was_provisioned_is_what_the_grammar_says(played: Played) -> None:
    for roots in played.roots.values():
        assert len(roots) == 2
        for raw in roots:
            conforms("role-file", raw)


def wants(played: Played) -> list[bytes]:
    """Every status record that an ECU answered RoutineControl 0x0201 with."""
    responses = [exchange.response for exchange in played.tap.exchanges]
    return [response[4:] for response in responses if response.startswith(WANTS)]


def judge(want: bytes) -> None:
    """Hold a want against its own alternative of the rule `want`: in a choice of arrays pycddl
    takes an array where a number belongs."""
    conforms(WANT_RULES[cbor2.loads(want)[0][1]], want)


def test_every_want_is_what_the_grammar_says(played: Played) -> None:
    """V-84: a file, which one, from where, how much; nothing is asked about its form."""
    files = [status[1:] for status in wants(played) if status[0] == 1]
    for want in files:
        judge(want)
    asked = {cbor2.loads(want)[0] for want in files}
    assert {file.number for file in played.tap.files} <= asked


TARGETS = bytes((1, 0, 0, 0, 0, 3))
TIME = bytes((1, 4, 0, 0, 0, 0))
RELEASE = bytes((2, 1, 0, 0, 0, 7))
MAP = bytes((2, 5, 0, 0, 0, 7))


@pytest.mark.parametrize(
    "want",
    [
        [TARGETS, 0, 0],
        [TARGETS + b"0", 0, 0, 512],
        [TARGETS, -1, 0, 512],
        [TARGETS, 0, 7, 512],
        [TARGETS, [], 0, 512],
        [TARGETS, None, 0, 512],
        [TARGETS, 0, 0, 2**32],
        [TIME, 0, 0, 512],
        [TIME, [], 0, 512],
        [TIME, [b"7 bytes"], 0, 512],
        [TIME, [bytes(8)] * 33, 0, 512],
        [RELEASE, bytes(31), 0, 512],
        [RELEASE, bytes(32), 2**32, 512],
        [MAP, bytes(32), 1, 512],
        [MAP, 7, 0, 512],
    ],
    ids=range(15),
)
def test_another_want_is_not_what_the_grammar_says(want: object) -> None:
    """So the test above can fail."""
    with pytest.raises(NotConforming):
        judge(cbor2.dumps(want))


def test_every_record_in_flash_is_what_the_grammar_says(played: Played) -> None:
    """P-07: encoded as stored."""
    judged = set()
    for number, raw in played.records:
        metadata = ids.RECORD_METADATA <= number < ids.RECORD_CHECKPOINT
        rule = "role-file" if metadata else RECORDS.get(number)
        if rule is not None:
            conforms(rule, raw)
            judged.add(rule)
    assert judged == {"role-file", *RECORDS.values()}


# --- what docs/pouf.md says of the wire ------------------------------------------------------


def test_every_request_is_in_the_table_of_messages(played: Played) -> None:
    """S-63, P-04: nothing is sent that the table does not list."""
    listed = [bytes.fromhex(row["request"]) for row in rows("request")]
    for exchange in played.tap.exchanges:
        assert any(exchange.request.startswith(known) for known in listed), (
            f"request {exchange.request[:8].hex(' ')} is not in docs/pouf.md. "
            "Cure: add it to the table of messages."
        )


def test_every_status_has_the_length_of_its_row(played: Played) -> None:
    lengths = {int(row["status"]): row["bytes"] for row in rows("status")}
    seen = set()
    for status in wants(played):
        said = lengths[status[0]]
        assert said == "1 + want" or len(status) == int(said)
        seen.add(status[0])
    assert seen == set(lengths)


def test_a_signature_is_checked_under_response_pending(played: Played) -> None:
    assert played.tap.pendings > 10
