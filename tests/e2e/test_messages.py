"""Every message of the demo is what docs/pouf.cddl and docs/pouf.md say, by other people's code.

The demo runs on CPython nodes with a rotation of keys in the middle, so that every kind of file
passes. What is judged was heard on the bus (tap), read by pycddl (grammar) and, one signature of
each kind at a time, by cwt.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag
from cwt import COSE, COSEKey, VerifyError
from grammar import NotConforming, conforms
from nacl.signing import SigningKey
from tables import rows
from tap import UPLOAD, File, Tap

from boards.unix.nor import Geometry, Nor
from muptane.bench import plan
from muptane.bench.demo import Demo
from muptane.bench.firmware import ROOT
from muptane.bench.vehicle import Vehicle, area_of, seed_of
from uptane import ids
from uptane.store.records import Records

RULES = {ids.KIND_METADATA: "role-file", ids.KIND_TIME: "time-file"}
REPORT_RULES = {ids.REPORT_ECU: "report-file", ids.REPORT_VEHICLE: "vehicle-file"}
WANT_RULES = {
    ids.KIND_METADATA: "want-metadata",
    ids.KIND_TIME: "want-time",
    ids.KIND_IMAGE: "want-image",
    ids.KIND_REPORT: "want-report",
}
RECORDS = {
    ids.RECORD_IDENTITY: "identity-record",
    ids.RECORD_TIME: "time-record",
    ids.RECORD_ATTACKS: "attacks-record",
}
ROLES = range(ids.ROOT, ids.TARGETS + 1)
WANTS = bytes((0x71, 0x01, 0x02, 0x01))


class Played:
    """One demo, heard: its tap, its office's Roots, and the records of its ECUs at the end."""

    def __init__(self) -> None:
        self.plan = plan.load(ROOT / "vehicles" / "sedan.toml")
        self.tap = Tap(self.plan)
        self.records: list[tuple[int, bytes]] = []
        self._vehicle: Vehicle | None = None
        self._demo = Demo(self.plan, "cpython", {}, self._hear)
        self.result = self._demo.run()
        office = self._demo.office
        self.roots = {
            ids.DIRECTOR: office.director.authority.roots,
            ids.IMAGE: office.images.authority.roots,
        }

    def _hear(self, step: str, ecu: str, fact: Any) -> None:
        if step == "power":
            self._vehicle = fact
            fact.bus.listeners.append(self.tap.hear)
            for repository in (ids.DIRECTOR, ids.IMAGE):
                self._demo.office.rotate(repository, ids.TARGETS)
        elif step == "outcome" and ecu == self.plan.secondaries()[-1].name:
            self.records = list(self._read_flash())

    def _read_flash(self) -> Iterator[tuple[int, bytes]]:
        assert self._vehicle is not None
        for name, ecu in self._vehicle.ecus.items():
            settings = json.loads((self._vehicle.folder / f"{name}.json").read_text())
            flash = settings["flash"]
            unit = flash["program_bytes"]
            geometry = Geometry(flash["regions"], unit, flash["program_us"], flash["page_bytes"])
            nor = Nor(io.BytesIO(ecu.flash.read_bytes()), geometry, lambda us: None)
            records = Records(area_of(nor, settings["records"], unit))
            records.mount()
            for number in records.numbers():
                raw = records.read(number)
                assert raw is not None
                yield number, raw


@pytest.fixture(scope="module")
def played() -> Played:
    return Played()


# --- what passed ------------------------------------------------------------------------------


def kind_of(file: File) -> tuple[int, int, int]:
    """(repository, kind, number); all images are one."""
    kind = file.number[1]
    number = 0 if kind == ids.KIND_IMAGE else int.from_bytes(file.number[2:], "big")
    return file.number[0], kind, number


def rule_of(file: File) -> str | None:
    """The rule of the grammar, or None: an image is opaque."""
    _, kind, number = kind_of(file)
    return REPORT_RULES[number] if kind == ids.KIND_REPORT else RULES.get(kind)


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
    """P-07, P-08, P-09."""
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
    files = [status[1:] for status in wants(played) if status[0] == 1]
    for want in files:
        judge(want)
    asked = {cbor2.loads(want)[0] for want in files}
    assert {file.number for file in played.tap.files} <= asked


TARGETS = bytes((1, 0, 0, 0, 0, 3))
TIME = bytes((1, 4, 0, 0, 0, 0))
RELEASE = bytes((2, 1, 0, 0, 0, 7))


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
    ],
    ids=range(13),
)
def test_another_want_is_not_what_the_grammar_says(want: object) -> None:
    """So the test above can fail."""
    with pytest.raises(NotConforming):
        judge(cbor2.dumps(want))


def test_every_record_in_flash_is_what_the_grammar_says(played: Played) -> None:
    """P-07: encoded as stored."""
    judged = set()
    for number, raw in played.records:
        rule = "role-file" if number >= ids.RECORD_METADATA else RECORDS.get(number)
        if rule is not None:
            conforms(rule, raw)
            judged.add(rule)
    assert judged == {"role-file", *RECORDS.values()}


# --- what docs/pouf.md says of the wire ------------------------------------------------------------


def test_every_request_is_in_the_table_of_messages(played: Played) -> None:
    """P-04: nothing is sent that the table does not list."""
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


# --- signatures, by another library ------------------------------------------------------------------


def context(kind: int, identity: bytes, number: int) -> bytes:
    """External_aad as docs/pouf.cddl has it."""
    return cbor2.dumps(["muptane", 1, kind, identity, number])


def payload_of(raw: bytes) -> dict[int, Any]:
    """Of a role file."""
    payload: dict[int, Any] = cbor2.loads(cbor2.loads(raw).value[2])
    return payload


def identity_of(played: Played, repository: int) -> bytes:
    return hashlib.sha256(cbor2.loads(played.roots[repository][0]).value[2]).digest()


def keys_of(played: Played, repository: int) -> dict[bytes, Any]:
    """kid -> key for cwt, of all Roots of a repository."""
    keys = {}
    for raw in played.roots[repository]:
        for cose_key in payload_of(raw)[6]:
            kid = hashlib.sha256(cbor2.dumps(cose_key)).digest()[:8]
            keys[kid] = COSEKey.new({**cose_key, 2: kid})
    return keys


def verify(message: CBORTag, key: Any, aad: bytes) -> None:
    """cwt says yes, and no for any other purpose."""
    COSE.new().decode(message, key, external_aad=aad)
    with pytest.raises(VerifyError):
        COSE.new().decode(message, key, external_aad=aad + b"\0")


@pytest.mark.parametrize("repository", [ids.DIRECTOR, ids.IMAGE])
@pytest.mark.parametrize("role", ROLES)
def test_each_signature_of_a_role_verifies(played: Played, repository: int, role: int) -> None:
    """V-06, E-46; one signature at a time, since cwt stops at the first good one."""
    keys, identity = keys_of(played, repository), identity_of(played, repository)
    wanted = (repository, ids.KIND_METADATA, role)
    file = next(file for file in played.tap.files if kind_of(file) == wanted)
    protected, unprotected, payload, entries = cbor2.loads(file.content).value
    for entry in entries:
        alone = CBORTag(98, [protected, unprotected, payload, [entry]])
        verify(alone, keys[entry[1][4]], context(role, identity, role))


def test_a_signature_of_the_time_verifies(played: Played) -> None:
    """R-60, E-47."""
    file = next(file for file in played.tap.files if rule_of(file) == "time-file")
    message = cbor2.loads(file.content)
    key = keys_of(played, ids.DIRECTOR)[message.value[1][4]]
    verify(message, key, context(4, identity_of(played, ids.DIRECTOR), 4))


def ecu_key(played: Played, number: int) -> Any:
    """The public key of an ECU, for cwt."""
    ecu = next(ecu for ecu in played.plan.ecu if ecu.number == number)
    public = SigningKey(seed_of(played.plan, ecu)).verify_key.encode()
    cose_key = {1: 1, 3: -8, -1: 6, -2: public}
    kid = hashlib.sha256(cbor2.dumps(cose_key)).digest()[:8]
    return COSEKey.new({**cose_key, 2: kid})


@pytest.mark.parametrize(
    ("rule", "kind", "signer"), [("report-file", 5, 3), ("vehicle-file", 6, 4)]
)
def test_a_seal_verifies(played: Played, rule: str, kind: int, signer: int) -> None:
    """V-43, V-44, T-05: signed is the digest, and it is that of the content."""
    file = next(file for file in played.tap.files if rule_of(file) == rule)
    content, seal = cbor2.loads(file.content)
    assert seal.value[2] == hashlib.sha256(content).digest()
    key = ecu_key(played, cbor2.loads(content)[signer])
    verify(seal, key, context(kind, identity_of(played, ids.DIRECTOR), kind))
