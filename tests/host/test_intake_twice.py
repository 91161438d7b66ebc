"""Two verifiers, one delivery: what the office takes from a supplier, every device takes as well.

Hypothesis makes files of a delegated role, honest or not: other fields, other delegations below,
other signers, other bytes. The office's `Deliveries` judges them, and so does the device's code,
which finds them published and has the file before in its flash. The office may refuse more (an
image number used twice, an image without bytes), never less. The seed is fixed: the same run every
time.
Rules: V-16, V-74, V-76, R-06, T-12, T-20, T-25, T-27, E-37, E-38, E-42, E-43, E-45, E-46, E-56,
E-91.
"""

from collections.abc import Callable
from typing import Any

import cbor2
from delivery_lies import (
    BEFORE,
    BRAKES,
    CONTEXTS,
    ENVELOPES,
    KEYS,
    LIES,
    PAD,
    PAD_KEYS,
    PADS,
    STANDING,
    STRANGER,
    WHOLE,
    as_map,
    delivered,
)
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from test_lookup_twice import AUTHORITY, NOW, Quick, run

from muptane.oem.envelopes import read_sign
from muptane.oem.errors import OemRefusal
from muptane.oem.metadata import Snapshot, Timestamp
from uptane import ids
from uptane.errors import Refusal
from uptane.meta import delegation
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE
from uptane.meta.resolver import Resolver
from uptane.meta.targets import Entry
from uptane.meta.trusted import Trusted

EXAMPLES = 150
ANYBODY = st.sampled_from([*KEYS, *PAD_KEYS, STRANGER])


@st.composite
def candidates(draw: Callable[..., Any]) -> bytes:
    """Lies upon lies, also in single bits."""
    lies = draw(st.lists(st.sampled_from(sorted(LIES)), max_size=2))
    note(f"lies: {lies}")
    signers = draw(
        st.lists(
            st.sampled_from([*KEYS, *PAD_KEYS, STRANGER]), min_size=1, max_size=4, unique=True
        )
    )
    signers = draw(st.sampled_from([KEYS[:2], KEYS, KEYS[1:], signers]))
    envelope = draw(st.sampled_from(["honest"] * len(ENVELOPES) + sorted(ENVELOPES)))
    context = draw(st.sampled_from(CONTEXTS[:1] * 9 + CONTEXTS))
    raw = delivered(lies, envelope, signers, context)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(raw) - 1))
        raw = raw[:at] + bytes([raw[at] ^ 1 << draw(st.integers(0, 7))]) + raw[at + 1 :]
    return raw


# --- two judges ---------------------------------------------------------------------------------


def by_office(raw: bytes) -> str:
    try:
        STANDING.accepted([raw], NOW)
    except OemRefusal as refusal:
        return type(refusal).__name__
    return "taken"


def by_device(raw: bytes) -> str:
    """As published: it goes to a device that has the files before, and looks for each image."""
    try:
        listed = cbor2.loads(read_sign(raw, 4096)[0])
        version, images = listed[ids.KEY_VERSION], dict(listed[ids.KEY_IMAGES])
        snapshot = Snapshot(
            version=2,
            expires=NOW + 1,
            versions={ids.TARGETS: 1, BRAKES: version, PADS: 1},
        )
    except (OemRefusal, cbor2.CBORDecodeError, ValueError, TypeError, LookupError) as fault:
        return f"nothing to publish: {fault}"
    timestamp = Timestamp.of(2, NOW + 1, snapshot)
    trusted = Trusted(
        Files(Quick(), delegation, DEVICE, ids.IMAGE, STORED.get), AUTHORITY.identity
    )
    images.setdefault(203, as_map(b"brake 3"))
    try:
        run(trusted.update_timestamp(AUTHORITY.sign(timestamp), NOW), {})
        run(trusted.update_snapshot(AUTHORITY.sign(snapshot), NOW), {})
        targets = run(trusted.update_targets(AUTHORITY.sign(WHOLE), NOW), {})
        for number, entry in images.items():
            found = run(
                Resolver(trusted, targets, NOW).find(Entry(number, entry, False)),
                {BRAKES: raw, PADS: PAD},
            )
            if number in listed[ids.KEY_IMAGES] and found is None:
                return f"image {number} is not found"
    except Refusal as refusal:
        return type(refusal).__name__
    return "taken"


def stored() -> dict[int, bytes]:
    """The records of a device that knows what stood before."""
    snapshot = Snapshot(
        version=1,
        expires=NOW + 1,
        versions={ids.TARGETS: 1, BRAKES: 2, PADS: 1},
    )
    files = {
        ids.ROOT: AUTHORITY.roots[0],
        ids.TIMESTAMP: AUTHORITY.sign(Timestamp.of(1, NOW + 1, snapshot)),
        ids.SNAPSHOT: AUTHORITY.sign(snapshot),
        ids.TARGETS: AUTHORITY.sign(WHOLE),
        BRAKES: BEFORE,
        PADS: PAD,
    }
    return {ids.RECORD_METADATA + 0x100 + role: raw for role, raw in files.items()}


STORED = stored()


def singles() -> list[tuple[str, bytes]]:
    """Every lie for itself."""
    context = CONTEXTS[0]
    made = [(name, delivered([name], "honest", KEYS[:2], context)) for name in LIES]
    made += [(name, delivered([], name, KEYS[:2], context)) for name in ENVELOPES]
    made += [(str(one), delivered([], "honest", KEYS[:2], one)) for one in CONTEXTS]
    for signers in ([KEYS[0]], [STRANGER], PAD_KEYS, KEYS[1:], KEYS, [KEYS[0], STRANGER]):
        made.append((f"by {signers}", delivered([], "honest", signers, context)))
    return made


def test_what_the_office_takes_no_device_refuses() -> None:
    """R-06, V-74, V-76, E-37, E-38, E-42, E-43, E-46, E-56, E-91: for signatures, versions,
    thresholds and delegations, each lie for itself."""
    answers = {name: (by_office(raw), by_device(raw)) for name, raw in singles()}
    wrong = [name for name, said in answers.items() if said[0] == "taken" != said[1]]
    assert not wrong
    taken = [name for name, said in answers.items() if said == ("taken", "taken")]
    refused = {said[0] for said in answers.values()} - {"taken"}
    assert "nothing" in taken and len(taken) > 15 and len(refused) >= 7


def test_what_the_office_takes_no_device_refuses_lie_upon_lie() -> None:
    """R-06, V-74, V-76, E-56, E-91: and bit by bit."""
    seen: set[tuple[bool, bool]] = set()

    @seed(11)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(candidates())
    def compare(raw: bytes) -> None:
        office, device = by_office(raw), by_device(raw)
        note(f"the office: {office}; a device: {device}")
        assert office != "taken" or device == "taken"
        seen.add((office == "taken", device == "taken"))

    compare()
    assert {(True, True), (False, False)} <= seen, "the lies are too much alike"
