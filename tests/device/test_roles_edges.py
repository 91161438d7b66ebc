"""The first fields of a role, keys, holders and the index of Targets, one beside what is right."""

from claims import raises
from maker import LATER, VEHICLE, kid_of, seed_of
from memory import SUITE, public_key
from test_roles import HASHES, fields_of, read, refuses
from uptane import cbor, cose, errors
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DIRECTOR,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    FORMAT,
    KEY_ACKNOWLEDGED,
    KEY_CUSTOM,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_KEYS,
    KEY_MAPS,
    KEY_NUMBER,
    KEY_ROLES,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VEHICLE,
    KEY_VERSION,
    KEY_VERSIONS,
    MATCH_RELEASE,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIMESTAMP,
)
from uptane.limits import IMAGE_BYTES_MAX, KEYS_MAX, VERSION_MAX
from uptane.meta.roles import Head, read_keyholders, read_keys
from uptane.meta.shape import NUMBER_MAX, SECONDS_MAX
from uptane.meta.targets import Targets


def head_of(role, **changes):
    """The first five pairs of a payload, as if it had `count` of them."""
    fields = {KEY_FORMAT: FORMAT, KEY_TYPE: min(role, TARGETS), KEY_NUMBER: role}
    fields[KEY_VERSION], fields[KEY_EXPIRES] = 5, LATER
    for name in changes:
        if name != "count":
            fields[int(name[1:])] = changes[name]
    return bytes([0xA0 + changes.get("count", 5)]) + cbor.dumps(fields)[1:]


# --- the first fields ------------------------------------------------------------------------


def test_a_head_is_the_beginning_of_a_map_of_5_to_23_pairs():
    """V-07, E-60"""
    for count in range(32):
        payload = head_of(ROOT, count=count)
        if 5 <= count <= 23:
            assert Head(payload, ROOT).version == 5
        else:
            raises(errors.BadShape, Head, payload, ROOT)
    raises(errors.BadShape, Head, b"", ROOT)
    raises(errors.BadShape, Head, b"\x85" + head_of(ROOT)[1:], ROOT)


def test_the_first_fields_stand_in_their_order():
    """V-07, E-60: neither a lower nor a higher key in the place of one."""
    payload = head_of(ROOT)
    places = [i for i in range(len(payload)) if payload[i : i + 2] == bytes([KEY_VERSION, 5])]
    assert len(places) == 1
    for at, key in ((1, KEY_FORMAT), (places[0], KEY_VERSION)):
        assert payload[at] == key
        for wrong in range(24):
            changed = payload[:at] + bytes([wrong]) + payload[at + 1 :]
            if wrong != key:
                raises(errors.BadShape, Head, changed, ROOT)


def test_a_head_is_of_our_format_and_of_the_role_that_was_asked_for():
    """V-07, E-46: above and below, for top-level and delegated roles."""
    for wrong in (0, FORMAT + 1, SECONDS_MAX):
        raises(errors.WrongFormat, Head, head_of(ROOT, k1=wrong), ROOT)
    for role in (TIMESTAMP, SNAPSHOT, TARGETS, DELEGATED_FIRST, DELEGATED_LAST):
        assert Head(head_of(role), role).version == 5
        kind = min(role, TARGETS)
        for wrong in (kind - 1, kind + 1):
            raises(errors.WrongType, Head, head_of(role, k2=wrong), role)
        for wrong in (role - 1, role + 1):
            raises(errors.WrongType, Head, head_of(role, k3=wrong), role)


def test_versions_and_expiries_have_their_bounds():
    """V-07, T-29: expired at the second that is named."""
    for version in (1, VERSION_MAX):
        assert Head(head_of(ROOT, k4=version), ROOT).version == version
    for version in (0, VERSION_MAX + 1):
        raises(errors.BadShape, Head, head_of(ROOT, k4=version), ROOT)
    for expires in (0, SECONDS_MAX):
        assert Head(head_of(ROOT, k5=expires), ROOT).expires == expires
    head = Head(head_of(ROOT, k5=100), ROOT)
    head.check_expiry(99)
    for now in (100, 101):
        raises(errors.Expired, head.check_expiry, now)


# --- keys and holders --------------------------------------------------------------------------


def sorted_seeds(count):
    seeds = [seed_of(DIRECTOR, TARGETS, which) for which in range(count)]
    return sorted(seeds, key=kid_of)


def items(seeds):
    return [cbor.loads(cose.write_key(public_key(seed))) for seed in seeds]


def test_keys_are_one_to_sixteen_in_the_order_of_their_kids():
    """V-08, E-45"""
    seeds = sorted_seeds(KEYS_MAX + 1)
    for count in (1, 2, KEYS_MAX):
        keys = read_keys(SUITE, items(seeds[:count]))
        assert sorted(keys) == [kid_of(seed) for seed in seeds[:count]]
        assert keys[kid_of(seeds[0])] == public_key(seeds[0])
    raises(errors.BadShape, read_keys, SUITE, items(seeds))
    raises(errors.BadShape, read_keys, SUITE, [])
    raises(errors.BadKey, read_keys, SUITE, items([seeds[1], seeds[0]]))
    raises(errors.BadKey, read_keys, SUITE, items([seeds[0], seeds[0]]))


def test_holders_stand_in_order_and_make_up_the_threshold():
    """V-08, E-42, E-43: up to as many as there are."""
    seeds = sorted_seeds(KEYS_MAX)
    keys = read_keys(SUITE, items(seeds))
    kids = sorted(keys)
    for threshold in (1, 2, 3):
        held = read_keyholders(threshold, kids[:3], keys)
        assert held == (threshold, {kid: keys[kid] for kid in kids[:3]})
    assert read_keyholders(KEYS_MAX, kids, keys)[0] == KEYS_MAX
    for threshold in (0, -1, 4):
        raises(errors.BadThreshold, read_keyholders, threshold, kids[:3], keys)
    for wrong in (True, b"1", None, "1"):
        raises(errors.BadShape, read_keyholders, wrong, kids[:3], keys)
    for wrong in ([], kids + [b"\xff" * 8], [kids[1], kids[0]], [kids[0], kids[0]], [1], None):
        raises(errors.BadShape, read_keyholders, 1, wrong, keys)
    raises(errors.BadKey, read_keyholders, 1, [b"\xff" * 8], keys)


def test_a_root_may_have_one_key_for_everything():
    """V-08: it is unwise, and the Standard permits it."""
    seed = seed_of(DIRECTOR, ROOT)
    fields = fields_of(ROOT)
    fields[KEY_KEYS] = items([seed])
    fields[KEY_ROLES] = {role: [1, [kid_of(seed)]] for role in (0, 1, 2, 3, TIME)}
    assert read(ROOT, fields).keyholders(TIME) == (1, {kid_of(seed): public_key(seed)})
    fields[KEY_ROLES][TARGETS].append(0)
    raises(errors.BadShape, read, ROOT, fields)


# --- Timestamp, Snapshot, Targets --------------------------------------------------------------


def test_what_a_timestamp_and_a_snapshot_name_has_its_bounds():
    """V-18, V-19, T-14"""
    for version, length in ((1, 0), (VERSION_MAX, NUMBER_MAX)):
        fields = fields_of(TIMESTAMP)
        fields[KEY_SNAPSHOT] = [version, length, dict(HASHES)]
        stamp = read(TIMESTAMP, fields)
        assert (stamp.snapshot_version, stamp.length) == (version, length)
    path = [KEY_SNAPSHOT]
    refuses(errors.BadShape, TIMESTAMP, (path, [1, 1, HASHES, 0]), (path, [0, 1, HASHES]))
    refuses(errors.BadShape, TIMESTAMP, (path, [VERSION_MAX + 1, 1, HASHES]))
    refuses(errors.BadShape, TIMESTAMP, (path, [1, NUMBER_MAX + 1, HASHES]))
    path = [KEY_VERSIONS]
    for versions in ({TARGETS: 1}, {DELEGATED_FIRST: VERSION_MAX}, {DELEGATED_LAST: 1}):
        fields = fields_of(SNAPSHOT)
        fields[KEY_VERSIONS] = versions
        assert read(SNAPSHOT, fields).versions == versions
    for role in (SNAPSHOT, TARGETS + 1, DELEGATED_FIRST - 1, DELEGATED_LAST + 1):
        refuses(errors.BadShape, SNAPSHOT, (path, {role: 1}))
    refuses(errors.BadShape, SNAPSHOT, (path, {TARGETS: VERSION_MAX + 1}), (path, {TARGETS: 0}))


def test_a_director_may_say_everything_at_once():
    """V-14, V-80, E-76, T-45: all pairs of a Targets are read."""
    fields = fields_of(TARGETS)
    fields[KEY_DELEGATIONS] = [[], []]
    fields[KEY_ACKNOWLEDGED] = {2: 1}
    fields[KEY_MAPS] = {1: 2}
    fields[KEY_CUSTOM] = {1: 1}
    targets = read(TARGETS, fields)
    assert len(fields) == 11 and targets.maps == {1: 2} and targets.acknowledged == {2: 1}
    assert targets.delegations is not None and targets.vehicle == VEHICLE
    raises(errors.TrailingBytes, Targets, cbor.dumps(fields) + b"\0", DIRECTOR)


def test_a_vehicle_has_a_name_of_1_to_32_characters():
    """V-80"""
    for name in ("V", "V" * 32):
        fields = fields_of(TARGETS)
        fields[KEY_VEHICLE] = name
        assert read(TARGETS, fields).vehicle == name
    path = [KEY_VEHICLE]
    refuses(errors.BadShape, TARGETS, (path, ""), (path, "V" * 33), (path, 1), (path, b"V"))


def test_an_entry_has_its_bounds():
    """V-09, V-12, T-21"""
    at = [KEY_IMAGES, 203]
    for length, release in ((0, 0), (IMAGE_BYTES_MAX, NUMBER_MAX)):
        fields = fields_of(TARGETS)
        fields[KEY_IMAGES][203][ENTRY_LENGTH] = length
        fields[KEY_IMAGES][203][ENTRY_MATCH][MATCH_RELEASE] = release
        entry = read(TARGETS, fields).entry(203)
        assert (entry.length, entry.release) == (length, release)
    refuses(errors.BadShape, TARGETS, (at + [ENTRY_LENGTH], -1))
    for wrong in (-1, NUMBER_MAX + 1):
        refuses(errors.BadShape, TARGETS, (at + [ENTRY_MATCH, MATCH_RELEASE], wrong))


def test_entries_say_the_same_field_by_field():
    """V-75.10.2, V-77.2.1: any one that differs, above or below, is a difference."""
    same = read(TARGETS, fields_of(TARGETS)).entry(203)
    assert same.says_the_same(read(TARGETS, fields_of(TARGETS)).entry(203))
    for change in (
        lambda entry: entry.update({ENTRY_LENGTH: 1002}),
        lambda entry: entry.update({ENTRY_LENGTH: 1004}),
        lambda entry: entry[ENTRY_MATCH].update({MATCH_RELEASE: 2}),
        lambda entry: entry[ENTRY_MATCH].update({MATCH_RELEASE: 4}),
        lambda entry: entry[ENTRY_MATCH].update({1: [19]}),
        lambda entry: entry[ENTRY_MATCH].update({1: [21]}),
        lambda entry: entry[ENTRY_MATCH].update({1: [20, 21]}),
        lambda entry: entry.update({2: {-16: bytes(32)}}),
        lambda entry: entry.update({2: {-16: b"\xff" * 32}}),
    ):
        fields = fields_of(TARGETS)
        before = cbor.dumps(fields)
        change(fields[KEY_IMAGES][203])
        assert cbor.dumps(fields) != before
        other = read(TARGETS, fields).entry(203)
        assert not same.says_the_same(other) and not other.says_the_same(same)
