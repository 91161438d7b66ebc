"""What a delivered file may be, honest or not, as plain values: one lie for each rule. Not a test.

`delivered` is the file of role 20 (images 200 to 299, hardware 20 and 21, by two of three keys)
in version 3, after `BEFORE`; it leaves 290 to 299 to role 21, whose file is `PAD`. Lies are told
by name: of fields, of the delegation below, of the envelope.
"""

from collections.abc import Callable
from typing import Any

import cbor2
from cbor2 import CBORTag
from test_lookup_twice import AUTHORITY, NOW

from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.deliveries import Deliveries
from muptane.oem.encoding import encode
from muptane.oem.envelopes import Context, sign
from muptane.oem.errors import OemRefusal
from muptane.oem.keys import Holders, Signer
from muptane.oem.metadata import sign_role
from muptane.oem.targets import Targets, entry_of
from uptane import ids

BRAKES, PADS, OTHERS = 20, 21, 22  # roles
KEYS = [Signer.from_seed(b"deliveries", name) for name in "abc"]
PAD_KEYS = [Signer.from_seed(b"deliveries", name) for name in "de"]
STRANGER = Signer.from_seed(b"deliveries", "stranger")
ID = AUTHORITY.identity


def as_map(content: bytes, hardware: tuple[int, ...] = (20,)) -> Any:
    return cbor2.loads(encode(entry_of(content, hardware, 3).as_map()))


BELOW = Delegation(ranges=((290, 299),), roles=(Delegate.of(PADS, Holders.of(*PAD_KEYS)),))
TOP = Delegation(
    ranges=((200, 299),),
    hardware=(20, 21),
    roles=(Delegate.of(BRAKES, Holders.of(*KEYS, threshold=2)),),
)
HONEST = Targets(
    version=2,
    expires=NOW + 1000,
    number=BRAKES,
    images={203: entry_of(b"brake 3", [20], 3)},
    delegations=(BELOW,),
)
BEFORE = sign_role(HONEST, Holders.of(*KEYS, threshold=2), ID)
PAD = sign_role(
    Targets(
        version=1,
        expires=NOW + 1000,
        number=PADS,
        images={290: entry_of(b"pad", [20], 3)},
    ),
    Holders.of(*PAD_KEYS),
    ID,
)
STANDING = Deliveries(ID).delegated(TOP, [BEFORE, PAD], NOW)
WHOLE = Targets(version=1, expires=NOW + 1000, images={}, delegations=(TOP,))


# --- lies, made of plain values -----------------------------------------------------------------


VALUES: dict[int, list[Any]] = {
    ids.KEY_VERSION: [0, 1, 2, 4, 2**31 - 1, 2**31, b"3", True],
    ids.KEY_EXPIRES: [0, NOW, NOW + 1, 2**64 - 1, -1, None],
    ids.KEY_NUMBER: [PADS, ids.TARGETS, OTHERS, 0, 256],
    ids.KEY_TYPE: [ids.SNAPSHOT, ids.ROOT, 20, "3"],
    ids.KEY_FORMAT: [0, 2],
    ids.KEY_VEHICLE: ["VIN-1", ""],
    ids.KEY_CUSTOM: [{}, {1: b"x"}, {0: [1, 2]}, {-1: 1}, {1: "\n"}, 5],
    ids.KEY_MAPS: [{}, {1: [10, {ids.ALG_SHA256: bytes(32)}]}],
    ids.KEY_ACKNOWLEDGED: [{}, {1: 1}],
    99: [1],
    ids.KEY_IMAGES: [
        {},
        {204: as_map(b"new"), 203: as_map(b"brake 3")},
        {204: as_map(b"new", (20, 21))},
        {204: as_map(b"new", (20, 30))},
        {300: as_map(b"door")},
        {203: as_map(b"other")},
        {295: as_map(b"pad 2")},
        {-1: as_map(b"new")},
        {2**32: as_map(b"new")},
        *(
            {204: {**as_map(b"new"), **lie}}
            for lie in (
                {ids.ENTRY_ECUS: [2]},
                {ids.ENTRY_CUSTOM: {1: 1}},
                {ids.ENTRY_CUSTOM: {}},
                {ids.ENTRY_HASHES: {}},
                {ids.ENTRY_HASHES: {-43: bytes(48)}},
                {ids.ENTRY_HASHES: {ids.ALG_SHA256: bytes(31)}},
                {ids.ENTRY_HASHES: {ids.ALG_SHA256: bytes(32), -43: b""}},
                {ids.ENTRY_HASHES: dict.fromkeys(range(5), b"")},
                {ids.ENTRY_LENGTH: 2**31},
                {ids.ENTRY_MATCH: {ids.MATCH_HARDWARE: [20]}},
                {ids.ENTRY_MATCH: {ids.MATCH_HARDWARE: [21, 20], ids.MATCH_RELEASE: 3}},
                {ids.ENTRY_MATCH: {ids.MATCH_HARDWARE: [20, 20], ids.MATCH_RELEASE: 3}},
                {ids.ENTRY_MATCH: {ids.MATCH_HARDWARE: [20], ids.MATCH_RELEASE: 2**32}},
            )
        ),
    ],
}
STRANGERS = cbor2.loads(encode(STRANGER.key.cose_key))

# of delegations below: what is done to [keys, [delegation]]
BELOW_LIES: dict[str, Callable[[list[Any], dict[int, Any]], Any]] = {
    "no threshold": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(1, 0),
    "two of two": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(1, 2),
    "three of two": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(1, 3),
    "a key twice": lambda keys, one: kids(one).append(kids(one)[0]),
    "kids turned": lambda keys, one: kids(one).reverse(),
    "key missing": lambda keys, one: keys.pop(),
    "keys turned": lambda keys, one: keys.reverse(),
    "key nobody names": lambda keys, one: keys.append(STRANGERS),
    "no key": lambda keys, one: kids(one).clear(),
    "role twice": lambda keys, one: one[ids.DELEGATION_ROLES].append(
        list(one[ids.DELEGATION_ROLES][0])
    ),
    "no role": lambda keys, one: one[ids.DELEGATION_ROLES].clear(),
    "another role": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(0, OTHERS),
    "to the top": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(0, ids.TARGETS),
    "in a circle": lambda keys, one: one[ids.DELEGATION_ROLES][0].__setitem__(0, BRAKES),
    "no range": lambda keys, one: one.update({ids.DELEGATION_RANGES: []}),
    "ranges meet": lambda keys, one: one.update({ids.DELEGATION_RANGES: [[1, 5], [5, 9]]}),
    "ranges touch": lambda keys, one: one.update({ids.DELEGATION_RANGES: [[1, 5], [6, 9]]}),
    "range turned": lambda keys, one: one.update({ids.DELEGATION_RANGES: [[299, 290]]}),
    "wider": lambda keys, one: one.update({ids.DELEGATION_RANGES: [[0, 2**32 - 1]]}),
    "many ranges": lambda keys, one: one.update(
        {ids.DELEGATION_RANGES: [[2 * at, 2 * at] for at in range(17)]}
    ),
    "no hardware": lambda keys, one: one.update({ids.DELEGATION_HARDWARE: []}),
    "hardware turned": lambda keys, one: one.update({ids.DELEGATION_HARDWARE: [21, 20]}),
    "hardware": lambda keys, one: one.update({ids.DELEGATION_HARDWARE: [20]}),
    "terminating": lambda keys, one: one.update({ids.DELEGATION_TERMINATING: True}),
    "not terminating": lambda keys, one: one.update({ids.DELEGATION_TERMINATING: False}),
    "agreement of one": lambda keys, one: one.update({ids.DELEGATION_AGREEMENT: 1}),
    "more": lambda keys, one: one.update({99: 1}),
}


def kids(delegation: dict[int, Any]) -> list[bytes]:
    found: list[bytes] = delegation[ids.DELEGATION_ROLES][0][2]
    return found


def saying(key: int, value: Any) -> Callable[[dict[int, Any]], None]:
    return lambda fields: fields.update({key: value})


def leaving(name: str) -> Callable[[dict[int, Any]], None]:
    def change(fields: dict[int, Any]) -> None:
        fields[ids.KEY_DELEGATIONS] = cbor2.loads(HONEST.payload())[ids.KEY_DELEGATIONS]
        keys, (one,) = fields[ids.KEY_DELEGATIONS]
        BELOW_LIES[name](keys, one)

    return change


def lacking(key: int) -> Callable[[dict[int, Any]], None]:
    return lambda fields: fields.pop(key, None)


LIES: dict[str, Callable[[dict[int, Any]], None]] = {
    "nothing": lambda fields: None,
    **{f"{key}: {value!r:.60}": saying(key, value) for key in VALUES for value in VALUES[key]},
    **{f"delegations: {name}": leaving(name) for name in BELOW_LIES},
    **{f"without {key}": lacking(key) for key in cbor2.loads(HONEST.payload())},
}
FOREIGN = [b"\xa1\x01\x27", {4: b"~" * 8}, bytes(64)]

# of an envelope: what is done to its unprotected headers and its signatures
ENVELOPES: dict[str, Callable[[dict[int, Any], list[Any]], Any]] = {
    "honest": lambda headers, entries: None,
    "one doubled": lambda headers, entries: entries.__setitem__(slice(None), entries[:1] * 2),
    "one alone": lambda headers, entries: entries.pop(),
    "foreign kid": lambda headers, entries: entries[0][1].update({4: bytes(8)}),
    "kid of another": lambda headers, entries: entries[0][1].update({4: KEYS[2].key.kid}),
    "another algorithm": lambda headers, entries: entries[0].__setitem__(0, b"\xa1\x01\x26"),
    "short signature": lambda headers, entries: entries[0].__setitem__(2, bytes(63)),
    "wrong signature": lambda headers, entries: entries[0].__setitem__(2, bytes(64)),
    "more in a header": lambda headers, entries: entries[0][1].update({5: b""}),
    "nine": lambda headers, entries: entries.extend([FOREIGN] * 7),
    "eight": lambda headers, entries: entries.extend([FOREIGN] * 6),
    "one foreign more": lambda headers, entries: entries.append(FOREIGN),
    "turned": lambda headers, entries: entries.reverse(),
    "none": lambda headers, entries: entries.clear(),
    "unsigned header": lambda headers, entries: headers.update({1: 1}),
}
CONTEXTS = [
    Context(ids.TARGETS, ID, BRAKES),
    Context(ids.TARGETS, ID, PADS),
    Context(ids.SNAPSHOT, ID, ids.SNAPSHOT),
    Context(ids.TARGETS, bytes(32), BRAKES),
]


def delivered(lies: list[str], envelope: str, signers: list[Signer], context: Context) -> bytes:
    """A file of the role of Brakes, as a supplier or a thief may deliver it."""
    fields = cbor2.loads(HONEST.payload())
    fields[ids.KEY_VERSION] = 3
    for name in lies:
        LIES[name](fields)
    raw = sign(dumped(fields), signers, context)
    _, headers, content, entries = cbor2.loads(raw).value
    ENVELOPES[envelope](headers, entries)
    return cbor2.dumps(CBORTag(98, [b"", headers, content, entries]))


def dumped(fields: dict[int, Any]) -> bytes:
    """Deterministic, whatever the values are."""
    try:
        return encode(fields)
    except OemRefusal:
        return cbor2.dumps(fields, canonical=True)
