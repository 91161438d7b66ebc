"""Two searches, one answer: the device's resolver and the office's lookup in the same trees.

Hypothesis grows trees of delegations, with loops, files that are missing, expired or signed by
others, several roles and every option; the office's models write and sign them, and each side
reads the bytes. They agree on what is found, on nothing found, and on refusing.
The seed is fixed: the same run every time.
Rules: V-76, V-77, T-20, T-22, T-23, T-24, T-25, E-38, E-56..E-59.
"""

from collections.abc import Callable, Generator
from typing import Any

import cbor2
from grammar import conforms
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from muptane.oem.authority import IMAGE_LIFETIMES_S, Authority
from muptane.oem.check import verify_role
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.encoding import encode
from muptane.oem.envelopes import Context
from muptane.oem.errors import OemRefusal
from muptane.oem.fields import hashes_of
from muptane.oem.keys import Holders, Signer
from muptane.oem.lookup import find_image
from muptane.oem.metadata import Snapshot, Timestamp, sign_role
from muptane.oem.targets import Targets, entry_of
from uptane import ids
from uptane.crypto.suite import Suite
from uptane.errors import Refusal
from uptane.meta import delegation
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE
from uptane.meta.resolver import Resolver
from uptane.meta.targets import Entry
from uptane.meta.trusted import Trusted

NOW = 1_760_000_000
EXAMPLES = 60
IMAGE, HARDWARE = 203, 20
ROLES = range(20, 27)
SIGNERS = {role: (Signer.from_seed(b"trees", f"{role}"), Signer.from_seed(b"trees", f"x{role}"))
           for role in ROLES}  # fmt: skip
TOP = {role: Holders.of(Signer.from_seed(b"trees", f"top {role}")) for role in range(4)}
AUTHORITY = Authority.found(TOP, NOW, IMAGE_LIFETIMES_S)
SAID = {"nothing": {}} | {
    word: {IMAGE: entry_of(word.encode(), [HARDWARE], 3)} for word in ("this", "that")
}
ANSWERS = {hashes_of(word.encode())[ids.ALG_SHA256]: word for word in ("this", "that")}


class Quick(Suite):
    """The device's suite with libsodium's arithmetic, which is not what is judged here."""

    def verify(self, public: bytes, parts: Any, signature: bytes) -> Any:
        yield
        try:
            VerifyKey(public).verify(b"".join(bytes(part) for part in parts), signature)
        except (BadSignatureError, ValueError):  # ValueError: not 64 bytes, as of another suite
            return False
        return True


def delegate(role: int, known: bool) -> Delegate:
    return Delegate.of(role, Holders.of(SIGNERS[role][0 if known else 1]))


RANGES = [((0, 999),)] * 4 + [((203, 203),), ((0, 9), (204, 2**32 - 1))]
mostly = st.sampled_from([True] * 15 + [False])


@st.composite
def delegations(draw: Callable[..., Any]) -> Delegation:
    roles = draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True))
    several = len(roles) > 1
    return Delegation(
        ranges=draw(st.sampled_from(RANGES)),
        roles=tuple(delegate(role, draw(mostly)) for role in roles),
        hardware=draw(st.sampled_from([None, None, None, (10, 20), (30,)])),
        terminating=draw(st.sampled_from([False, False, False, True])),
        agreement=draw(st.integers(1, len(roles))) if several else None,
    )


@st.composite
def files(draw: Callable[..., Any], role: int) -> Targets:
    said = draw(st.sampled_from(["nothing"] * 4 + ["this", "this", "that"]))
    return Targets(
        version=draw(st.integers(1, 3)),
        expires=NOW + (1 if draw(mostly) else 0),
        number=role,
        images={} if role == ids.TARGETS else SAID[said],
        delegations=tuple(draw(st.lists(delegations(), max_size=3))),
    )


@st.composite
def trees(draw: Callable[..., Any]) -> tuple[dict[int, Targets], set[int]]:
    """The files of every role, TARGETS too, and the roles whose files are withheld."""
    made = {role: draw(files(role)) for role in (ids.TARGETS, *ROLES)}
    return made, {role for role in ROLES if not draw(mostly)}


class Published:
    """The bytes of a tree."""

    def __init__(self, tree: dict[int, Targets], withheld: set[int]) -> None:
        self.raws = {
            role: sign_role(tree[role], Holders.of(SIGNERS[role][0]), AUTHORITY.identity)
            for role in ROLES
            if role not in withheld
        }
        for raw in self.raws.values():
            conforms("role-file", raw)
        versions = {role: made.version for role, made in tree.items()}
        snapshot = Snapshot(version=1, expires=NOW + 1, versions=versions)
        timestamp = Timestamp.of(1, NOW + 1, snapshot)
        self.top = {made.type: AUTHORITY.sign(made) for made in (timestamp, snapshot)}
        self.top[ids.TARGETS] = AUTHORITY.sign(tree[ids.TARGETS])


def run(work: Generator[Any, Any, Any], raws: dict[int, bytes]) -> Any:
    answer = None
    while True:
        try:
            step = work.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = None if step is None else raws.get(step.number)


def by_device(published: Published) -> str:
    wanted = Entry(IMAGE, cbor2.loads(encode(SAID["this"][IMAGE].as_map())), False)
    root = {ids.RECORD_METADATA + 0x100: AUTHORITY.roots[0]}
    trusted = Trusted(Files(Quick(), delegation, DEVICE, ids.IMAGE, root.get), AUTHORITY.identity)
    run(trusted.update_timestamp(published.top[ids.TIMESTAMP], NOW), {})
    run(trusted.update_snapshot(published.top[ids.SNAPSHOT], NOW), {})
    try:
        targets = run(trusted.update_targets(published.top[ids.TARGETS], NOW), {})
        found = run(Resolver(trusted, targets, NOW).find(wanted), published.raws)
    except Refusal:
        return "refused"
    return "nothing" if found is None else ANSWERS[found.digest]


def by_office(published: Published, top: Targets) -> str:
    def read(role: Delegate) -> Targets:
        context = Context(ids.TARGETS, AUTHORITY.identity, role.number)
        raw = published.raws.get(role.number, b"")
        made = verify_role(raw, role.keys, role.threshold, context)
        if not isinstance(made, Targets) or made.expires <= NOW:
            raise OemRefusal("too old")
        return made

    if top.expires <= NOW:
        return "refused"
    try:
        found = find_image(top, read, IMAGE, [HARDWARE])
    except OemRefusal:
        return "refused"
    return "nothing" if found is None else ANSWERS[found.hashes[ids.ALG_SHA256]]


def test_device_and_office_find_the_same_in_any_tree() -> None:
    seen: list[str] = []

    @seed(3)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(trees())
    def compare(tree: tuple[dict[int, Targets], set[int]]) -> None:
        published = Published(*tree)
        office = by_office(published, tree[0][ids.TARGETS])
        note(f"the office: {office}")
        assert by_device(published) == office
        seen.append(office)

    compare()
    assert set(seen) == {"this", "that", "nothing", "refused"}, "the trees are too much alike"
