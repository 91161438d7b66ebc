"""docs/pouf.md and docs/pouf.cddl hold what a POUF has to contain, section by section.

That each number and each row is true is held against the code next door, in test_pouf.
"""

import re

from grammar import GRAMMAR
from tables import POUF, rows

from muptane.oem.authority import DAY_S, DIRECTOR_LIFETIMES_S, IMAGE_LIFETIMES_S, YEAR_S
from uptane import ids
from uptane.link import isotp, sending
from uptane.uds import codes

PROTOCOLS = ("ISO 11898-1", "ISO 15765-2", "ISO 14229-1")
SERVICES = {
    codes.DIAGNOSTIC_SESSION_CONTROL, codes.ECU_RESET, codes.READ_DATA_BY_IDENTIFIER,
    codes.ROUTINE_CONTROL, codes.REQUEST_DOWNLOAD, codes.REQUEST_UPLOAD, codes.TRANSFER_DATA,
    codes.REQUEST_TRANSFER_EXIT, codes.TESTER_PRESENT, codes.CLEAR_DIAGNOSTIC_INFORMATION,
    codes.READ_DTC_INFORMATION, codes.SECURITY_ACCESS, codes.COMMUNICATION_CONTROL,
    codes.AUTHENTICATION, codes.WRITE_DATA_BY_IDENTIFIER, codes.CONTROL_DTC_SETTING,
}  # fmt: skip
FORMATS = ("RFC 8949", "RFC 9052")
ENTITIES = ("Primary", "full Secondary", "partial Secondary", "Director", "Image repository")
# What a POUF has to specify -> the rule of the grammar that does.
SPECIFIED = {
    "Root": "root-payload",
    "Timestamp": "timestamp-payload",
    "Snapshot": "snapshot-payload",
    "Targets": "targets-payload",
    "delegated Targets": "delegations",
    "vehicle version manifest": "vehicle-content",
    "version report": "report-content",
    "time": "time-payload",
}


def section(title: str) -> str:
    """The text of a section of the first level."""
    found = re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", POUF, re.MULTILINE | re.DOTALL)
    assert found, f"docs/pouf.md has no section {title}"
    return found[1].strip()


def days(lifetime_s: int) -> str:
    if lifetime_s == YEAR_S:
        return "1 year"
    count = lifetime_s // DAY_S
    return f"{count} day{'s' if count > 1 else ''}"


def test_the_abstract_says_what_it_is_and_what_is_missing() -> None:
    """P-02, S-63: the thinking in a few sentences, and what nobody should look for."""
    abstract = section("Abstract")
    for word in ("number instead of a name", "CBOR", "COSE", "ISO-TP", "Not there yet"):
        assert word in abstract, word


def test_each_protocol_is_named_with_its_standard() -> None:
    """P-03: by its edition, with what is taken of it and what was made different; these rows say
    what the code does."""
    told = {row["protocol"]: row for row in rows("protocol")}
    assert [row["edition"].split(":")[0] for row in told.values()] == list(PROTOCOLS)
    for row in told.values():
        assert re.fullmatch(r"ISO \d+-\d:20\d\d", row["edition"]), row
        assert row["taken"] and row["adapted or left out"], row
    adapted = told["ISO-TP"]["adapted or left out"]
    assert f"padding 0x{sending.PADDING:02X}" in adapted
    assert "neither blocks nor gaps" in adapted
    fresh = isotp.Channel(8)
    assert fresh.block_size == fresh.st_min == 0
    services = re.findall("0x(..)", told["UDS"]["taken"])
    assert {int(service, 16) for service in services} == SERVICES
    for standard in FORMATS:
        assert standard in section("Formats"), standard


def test_each_message_has_sender_receiver_data_and_answer() -> None:
    """P-04: a request to an ECU, and a file that requests carry; files say who signs them."""
    requests, files = rows("request"), rows("file")
    assert len(requests) >= 10 and len(files) >= 7
    for row in requests + files:
        for column in ("sender", "receiver", "data", "expected response"):
            assert row[column], row
    assert all(row["signed by"] for row in files)


def test_the_operations_are_told_beside_what_was_added() -> None:
    """P-05."""
    operations = section("Operations")
    assert "Added to the Standard:" in operations
    assert "Recommendations and permissions, one by one" in operations
    assert "Verification policy" in operations


def test_the_usage_says_where_keys_are_and_how_they_change() -> None:
    """P-06, R-38: online or offline, how long, by whom rotated; lifetimes are the office's."""
    keys = {row["key"]: row for row in rows("key")}
    for row in keys.values():
        assert row["meant to be"] and row["valid for"] and row["rotated by"], row
    for key, lifetimes, role in (
        ("Director Root", DIRECTOR_LIFETIMES_S, ids.ROOT),
        ("Image Root", IMAGE_LIFETIMES_S, ids.ROOT),
        ("Image Targets", IMAGE_LIFETIMES_S, ids.TARGETS),
    ):
        assert keys[key]["valid for"] == days(lifetimes[role])
    online = keys["Director Targets, Snapshot, Timestamp"]["valid for"]
    roles = (ids.TARGETS, ids.SNAPSHOT, ids.TIMESTAMP)
    assert {f"{days(DIRECTOR_LIFETIMES_S[role])} each" for role in roles} == {online}
    both = [days(IMAGE_LIFETIMES_S[role]) for role in (ids.SNAPSHOT, ids.TIMESTAMP)]
    assert keys["Image Snapshot, Timestamp"]["valid for"] == ", ".join(both)
    assert "supply chain" in section("Usage")


def test_the_data_table_has_every_entity() -> None:
    """P-06: what Primary, Secondaries, Director and Image repository store."""
    stored = {row["entity"]: row for row in rows("entity")}
    assert set(ENTITIES) <= set(stored)
    assert all(row["keys"] and row["other data"] for row in stored.values())


def test_everything_that_has_to_be_specified_is_in_the_grammar() -> None:
    """P-08, P-09, P-07: down to the last field, and time and reports besides."""
    for what, rule in SPECIFIED.items():
        assert re.search(rf"^{rule} = ", GRAMMAR, re.MULTILINE), f"{what}: no rule {rule}"
    used = set(re.findall(r"[a-z][a-z-]+[a-z]", re.sub(r";.*|h?'[^']*'|\"[^\"]*\"", "", GRAMMAR)))
    defined = set(re.findall(r"^([a-z][a-z-]+) = ", GRAMMAR, re.MULTILINE))
    of_cddl = {"bstr", "tstr", "uint", "int", "any", "null", "true", "false", "size", "cbor"}
    members = set(re.findall(r"([a-z][a-z-]+):", GRAMMAR))
    left = used - defined - of_cddl - members
    assert not left, f"{left}: Cure: define them in docs/pouf.cddl."


def test_the_text_may_be_copied() -> None:
    """P-10."""
    assert "public domain" in section("Copyright")
