"""docs/pouf.md says what the code says: every number, every refusal, every limit, every choice.

A document that is not held against the code is wrong after the next change. What cannot be read
from a table, the sentences, is not judged here.
"""

import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from tables import POUF, rows

from uptane import errors, ids, limits
from uptane.meta.policy import DEVICE
from uptane.uds import codes
from workshop import Workshop

RULES = tomllib.loads((Path(__file__).parents[2] / "docs/rules.toml").read_text(encoding="utf-8"))
HEADERS = (
    "POUF", "Title", "Version", "Last-Modified", "Author", "Status", "Uptane Version", "Created",
)  # fmt: skip
TITLE_MAX = 44


def numbers(module: ModuleType, prefix: str = "") -> dict[str, int]:
    """The constants of a module whose names begin so."""
    found = {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and name.startswith(prefix) and isinstance(value, int)
    }
    assert found
    return found


def said(heading: str, name: str = "name") -> dict[str, int]:
    """Name -> number of a table whose first column is the number."""
    return {row[name]: int(row[heading], 0) for row in rows(heading)}


def agree(said: dict[str, int], code: dict[str, int], where: str) -> None:
    """The document and the code have the same names with the same numbers."""
    wrong = [
        f"{name}: {where} has {number}, docs/pouf.md {said.get(name, 'no row')}. "
        "Cure: correct its row."
        for name, number in code.items()
        if said.get(name) != number
    ]
    wrong += [
        f"{name}: not in {where}. Cure: take its row out of docs/pouf.md."
        for name in said
        if name not in code
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("heading", "module", "prefix"),
    [
        ("kind", ids, "KIND_"),
        ("report", ids, "REPORT_"),
        ("record", ids, "RECORD_"),
        ("routine", codes, "RID_"),
        ("status", codes, "WANTS_"),
        ("answer", codes, "ANSWER_"),
        ("identifier", codes, "DID_"),
        ("negative response", codes, "NRC_"),
        ("bundle", ids, "BUNDLE_"),
        ("boot", ids, "BOOT_"),
    ],
)
def test_every_number_of_the_wire_has_its_row(
    heading: str, module: ModuleType, prefix: str
) -> None:
    """P-03."""
    code = numbers(module, prefix)
    if heading == "report":  # file numbers; REPORT_... are also keys of a report's content
        code = {name: code[name] for name in ("REPORT_ECU", "REPORT_VEHICLE")}
    agree(said(heading), code, module.__name__)


def test_the_repositories_have_their_rows() -> None:
    code = {name: getattr(ids, name) for name in ("LOCAL", "DIRECTOR", "IMAGE")}
    agree(said("repository"), code, "uptane.ids")


def test_every_refusal_has_its_row() -> None:
    """V-36."""
    refusals = {
        name: refusal.number
        for name, refusal in vars(errors).items()
        if isinstance(refusal, type) and refusal is not errors.Refusal
    }
    agree(said("refusal"), refusals, "uptane.errors")


def test_every_limit_has_its_row() -> None:
    """T-52."""
    listed = {row["limit"]: int(row["value"]) for row in rows("limit")}
    agree(listed, numbers(limits), "uptane.limits")


def test_every_limit_that_prose_names_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+_(?:MAX|MS|BYTES))`", POUF))
    assert named <= set(numbers(limits)), "Cure: use a name of uptane.limits."


def test_every_trap_has_one_row_in_order() -> None:
    """P-05: the verification policy is told completely."""
    listed = [row["trap"] for row in rows("trap")]
    assert listed == [rule for rule in RULES if rule.startswith("T-")], (
        "Cure: docs/pouf.md has one row for each T- id of docs/rules.toml, in their order."
    )


def test_every_field_of_the_policy_is_told() -> None:
    fields = {row["trap"]: row["field"] for row in rows("trap") if row["field"]}
    policy = {}
    for name, value in vars(DEVICE).items():
        trap = re.fullmatch(r"t(\d\d)_\w+", name)
        assert trap, f"{name}: Cure: name a field of the policy after its trap."
        policy[f"T-{trap[1]}"] = f"{name} = {value!r}"
    assert fields == policy, "Cure: copy the fields of uptane.meta.policy.DEVICE."


def test_every_recommendation_and_permission_is_told() -> None:
    """P-05: each V- and R- rule that is not a plain SHALL says whether it is used, and why."""
    listed = [row["rule"] for row in rows("rule")]
    assert len(listed) == len(set(listed)), "Cure: one row for each rule."
    plain = ("SHALL", "definition")
    asked = [
        rule for rule, entry in RULES.items() if rule[0] in "VR" and entry["level"] not in plain
    ]
    missing = [rule for rule in asked if rule not in listed]
    assert not missing, f"{missing}: Cure: say in docs/pouf.md whether they are used, and why."
    for row in rows("rule"):
        assert row["rule"] in RULES
        assert row["used"] in ("yes", "no", "in part"), row
        assert row["how, or why not"], row


def test_the_preamble_is_complete() -> None:
    """S-64, P-01."""
    found = dict(re.findall(r"^    ([A-Z][\w -]+): (.+)$", POUF, re.MULTILINE))
    assert tuple(found) == HEADERS
    assert len(found["Title"]) <= TITLE_MAX
    assert found["Version"].split(".")[0] == found["Uptane Version"].split(".")[0]
    for header in ("Last-Modified", "Created"):
        assert re.fullmatch(r"\d\d-[A-Z][a-z]{2}-\d{4}", found[header])


def test_the_sections_stand_in_the_order_of_the_template() -> None:
    """S-61, P-02 to P-10."""
    assert re.findall(r"^# (\w+)$", POUF, re.MULTILINE) == [
        "Abstract", "Protocols", "Operations", "Usage", "Formats", "Copyright",
    ]  # fmt: skip


def test_every_request_that_a_server_answers_is_in_the_table_of_messages() -> None:
    """P-04."""
    answered = {row[0] for _, rows in Workshop().services.tables for row in rows}
    assert {bytes.fromhex(row["request"])[0] for row in rows("request")} == answered, (
        "Cure: docs/pouf.md lists the services that uptane.uds answers."
    )
