"""The grammar of the four roles: what is not in docs/pouf.cddl is refused."""

from claims import raises
from maker import LATER, VEHICLE, Oem, entry_of
from memory import SUITE
from uptane import cbor, cose, errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_CUSTOM,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    FORMAT,
    IMAGE,
    KEY_ACKNOWLEDGED,
    KEY_CUSTOM,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_KEYS,
    KEY_NUMBER,
    KEY_ROLES,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VEHICLE,
    KEY_VERSION,
    KEY_VERSIONS,
    MATCH_DEPENDENCIES,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import IMAGE_BYTES_MAX, VERSION_MAX
from uptane.meta import roles
from uptane.meta.targets import Targets

HASHES = {ALG_SHA256: bytes(32)}


def fields_of(role):
    """Return the fields of an honest payload of a role; Targets: of the Director."""
    fields = {KEY_FORMAT: FORMAT, KEY_TYPE: role, KEY_NUMBER: role}
    fields[KEY_VERSION] = 5
    fields[KEY_EXPIRES] = LATER
    if role == ROOT:
        return cbor.loads(cose.read_sign(Oem().director.files[ROOT, 1]).payload)
    if role == TIMESTAMP:
        fields[KEY_SNAPSHOT] = [3, 100, dict(HASHES)]
    if role == SNAPSHOT:
        fields[KEY_VERSIONS] = {TARGETS: 4, 16: 1}
    if role == TARGETS:
        entry = entry_of(2, 3)
        entry[ENTRY_ECUS] = [2, 3]
        fields[KEY_IMAGES] = {203: entry}
        fields[KEY_VEHICLE] = VEHICLE
    return fields


def read(role, fields, repository=DIRECTOR):
    payload = cbor.dumps(fields)
    if role == ROOT:
        return roles.Root(SUITE, payload)
    if role == TARGETS:
        return Targets(payload, repository)
    return {TIMESTAMP: roles.Timestamp, SNAPSHOT: roles.Snapshot}[role](payload)


def refuses(refusal, role, *changes):
    """Claim that an honest payload of a role, changed in one of these ways, is refused so."""
    for path, value in changes:
        fields = at = fields_of(role)
        for key in path[:-1]:
            at = at[key]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        raises(refusal, read, role, fields)


def test_honest_payloads_are_read():
    """V-07, V-08, V-09, V-14, V-18, V-19"""
    root = read(ROOT, fields_of(ROOT))
    assert root.version == 1 and root.expires == LATER
    threshold, keys = root.keyholders(TARGETS)
    assert threshold == 1 and len(keys) == 1
    stamp = read(TIMESTAMP, fields_of(TIMESTAMP))
    assert (stamp.snapshot_version, stamp.length, stamp.hashes) == (3, 100, HASHES)
    assert read(SNAPSHOT, fields_of(SNAPSHOT)).versions == {TARGETS: 4, 16: 1}
    targets = read(TARGETS, fields_of(TARGETS))
    entry = targets.entry(203)
    assert (entry.number, entry.length, entry.release) == (203, 1003, 3)
    assert (entry.hardware, entry.ecus) == ((20,), (2, 3))
    assert targets.ecus == {2: 203, 3: 203} and targets.entry(204) is None
    assert not targets.is_empty()
    assert (targets.vehicle, targets.acknowledged, targets.delegations) == (VEHICLE, {}, None)


def test_every_role_needs_its_first_fields():
    """V-07, E-46, E-60"""
    for role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS):
        refuses(errors.WrongFormat, role, ([KEY_FORMAT], 2))
        refuses(errors.WrongType, role, ([KEY_TYPE], role ^ 1), ([KEY_NUMBER], 16))
        for key in (KEY_FORMAT, KEY_TYPE, KEY_NUMBER, KEY_VERSION, KEY_EXPIRES):
            refuses(errors.BadShape, role, ([key], None), ([key], True))
            refuses(errors.BadShape, role, ([key], b"1"), ([key], -1))
        refuses(errors.BadShape, role, ([KEY_VERSION], 0), ([KEY_VERSION], VERSION_MAX + 1))


def test_unknown_keys_are_refused_and_custom_ones_are_free():
    """E-60"""
    for role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS):
        refuses(errors.BadShape, role, ([22], 1), ([KEY_CUSTOM], 1), ([KEY_CUSTOM], {-1: 1}))
        fields = fields_of(role)
        fields[KEY_CUSTOM] = {1: [None, "free"], 2: {"any": True}}
        read(role, fields)


def test_a_null_is_no_absence():
    """E-60"""
    for role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS):
        fields = fields_of(role)
        fields[KEY_CUSTOM] = None
        raises(errors.BadShape, read, role, fields)
    fields = fields_of(TARGETS)
    fields[KEY_DELEGATIONS] = None
    raises(errors.BadShape, read, TARGETS, fields)


def test_root_keys_and_holders_have_their_shape():
    """V-08, E-42, E-45"""
    refuses(errors.BadShape, ROOT, ([KEY_KEYS], []), ([KEY_KEYS], 1), ([KEY_ROLES], None))
    refuses(errors.BadKey, ROOT, ([KEY_KEYS, 0], {1: 1}), ([KEY_KEYS, 0], 1))
    refuses(errors.BadShape, ROOT, ([KEY_ROLES, TARGETS], None), ([KEY_ROLES, 5], [1, []]))
    refuses(errors.BadShape, ROOT, ([KEY_ROLES, TARGETS], [1]), ([KEY_ROLES, TARGETS, 0], b"1"))
    refuses(errors.BadShape, ROOT, ([KEY_ROLES, TARGETS, 1], []), ([KEY_ROLES, TARGETS, 1, 0], 1))
    refuses(errors.BadThreshold, ROOT, ([KEY_ROLES, TARGETS, 0], 0))
    fields = fields_of(ROOT)
    fields[KEY_KEYS].reverse()
    raises(errors.BadKey, read, ROOT, fields)


def test_a_timestamp_names_version_length_and_hashes():
    """V-19, T-14"""
    path = [KEY_SNAPSHOT]
    refuses(errors.BadShape, TIMESTAMP, (path, None), (path, [3, 100]), (path, [0, 100, HASHES]))
    refuses(errors.BadShape, TIMESTAMP, (path, [3, -1, HASHES]), (path, [3, 100, {}]))
    hashes = [KEY_SNAPSHOT, 2]
    refuses(errors.BadShape, TIMESTAMP, (hashes, {ALG_SHA256: bytes(31)}), (hashes, {b"1": b""}))
    refuses(errors.BadShape, TIMESTAMP, (hashes, {-n: b"" for n in range(1, 6)}))


def test_a_snapshot_lists_targets_and_delegated_roles_only():
    """V-18"""
    path = [KEY_VERSIONS]
    refuses(errors.BadShape, SNAPSHOT, (path, {}), (path, []), (path, {ROOT: 1}), (path, {15: 1}))
    refuses(errors.BadShape, SNAPSHOT, (path, {TARGETS: 0}), (path, {TARGETS: "1"}))


def test_an_entry_has_its_shape():
    """V-89, V-09, V-12, V-14, T-47"""
    at = [KEY_IMAGES, 203]
    for key in (ENTRY_LENGTH, ENTRY_HASHES, ENTRY_MATCH, ENTRY_ECUS):
        refuses(errors.BadShape, TARGETS, (at + [key], None), (at + [key], "1"))
    refuses(errors.BadShape, TARGETS, (at + [6], 1), (at + [ENTRY_CUSTOM], [1]), (at, []))
    refuses(errors.BadShape, TARGETS, (at + [ENTRY_LENGTH], IMAGE_BYTES_MAX + 1))
    refuses(errors.BadShape, TARGETS, (at + [ENTRY_ECUS], []), (at + [ENTRY_ECUS], [3, 2]))
    match = at + [ENTRY_MATCH]
    refuses(errors.BadShape, TARGETS, (match + [MATCH_RELEASE], None), (match + [23], {1: 1}))
    refuses(errors.BadShape, TARGETS, (match + [MATCH_HARDWARE], [2, 2]))
    refuses(errors.BadShape, TARGETS, (match + [MATCH_DEPENDENCIES], {1: 1}))
    fields = fields_of(TARGETS)
    fields[KEY_IMAGES][203][ENTRY_CUSTOM] = {7: "free"}
    read(TARGETS, fields)
    fields[KEY_IMAGES] = {b"203": fields[KEY_IMAGES][203]}
    raises(errors.BadShape, read, TARGETS, fields)


def test_what_the_director_says_stands_only_with_the_director():
    """V-14, V-78: vehicle, ECUs and acknowledgements."""
    raises(errors.BadShape, read, TARGETS, fields_of(TARGETS), IMAGE)
    fields = fields_of(TARGETS)
    del fields[KEY_VEHICLE]
    raises(errors.BadShape, read, TARGETS, fields, IMAGE)
    del fields[KEY_IMAGES][203][ENTRY_ECUS]
    targets = read(TARGETS, fields, IMAGE)
    assert targets.entry(203).ecus == () and targets.ecus == {}
    fields[KEY_ACKNOWLEDGED] = {2: 1}
    raises(errors.BadShape, read, TARGETS, fields, IMAGE)


def test_vehicle_and_acknowledgements_have_their_shape():
    """V-80, E-76"""
    path = [KEY_VEHICLE]
    refuses(errors.BadShape, TARGETS, (path, ""), (path, "x" * 33), (path, b"VIN-1"))
    path = [KEY_ACKNOWLEDGED]
    refuses(errors.BadShape, TARGETS, (path, {}), (path, [1]), (path, {1: -1}), (path, {"1": 1}))


def test_delegations_are_left_to_whoever_knows_them():
    """V-15: only their place is kept; they are decoded once, so that what follows is found."""
    fields = fields_of(TARGETS)
    fields[KEY_DELEGATIONS] = [1, 2]
    assert bytes(read(TARGETS, fields).delegations[:3]) == b"\x82\x01\x02"
    assert read(TARGETS, fields).vehicle == VEHICLE


def test_an_ecu_that_stands_twice_is_seen():
    """E-49"""
    fields = fields_of(TARGETS)
    fields[KEY_IMAGES][204] = dict(fields[KEY_IMAGES][203])
    raises(errors.EcuTwice, read, TARGETS, fields)


def test_the_index_of_targets_is_as_strict_as_the_decoder():
    """E-60: entries are read one at a time, not by `cbor.loads`."""
    fields = fields_of(TARGETS)
    entry = fields[KEY_IMAGES][203]
    fields[KEY_IMAGES] = {203: entry, 204: dict(entry)}
    fields[KEY_IMAGES][204][ENTRY_ECUS] = [4]
    payload = cbor.dumps(fields)
    assert Targets(payload, DIRECTOR).entry(204).ecus == (4,)
    twice = payload.replace(b"\x18\xcc\xa4", b"\x18\xcb\xa4")
    raises(errors.DuplicateKey, Targets, twice, DIRECTOR)
    descending = payload.replace(b"\x18\xcc\xa4", b"\x18\xca\xa4")
    raises(errors.NotDeterministic, Targets, descending, DIRECTOR)
    raises(errors.TrailingBytes, Targets, payload + b"\0", DIRECTOR)
    raises(errors.Truncated, Targets, payload[:-1], DIRECTOR)
    count = payload.index(b"\x0a\xa2\x18") + 1
    for form, refusal in (
        (b"\xb8\x02", errors.NotDeterministic),
        (b"\xb9\x00\x02", errors.BadShape),
        (b"\xbf", errors.BadShape),
    ):
        raises(refusal, Targets, payload[:count] + form + payload[count + 1 :], DIRECTOR)
    raises(errors.BadShape, Targets, payload[:count], DIRECTOR)


def test_many_images_and_none_are_listed():
    """V-09, V-10"""
    fields = fields_of(TARGETS)
    del fields[KEY_VEHICLE]
    fields[KEY_IMAGES] = {number: entry_of(2, 3) for number in range(40)}
    targets = read(TARGETS, fields, IMAGE)
    assert targets.entry(0).number == 0 and targets.entry(39).release == 3
    assert targets.entry(40) is None
    fields[KEY_IMAGES] = {}
    assert read(TARGETS, fields, IMAGE).is_empty()
    del fields[KEY_IMAGES]
    raises(errors.BadShape, read, TARGETS, fields, IMAGE)
