"""Delegated files that are missing, forged, old or broken: each ends the search (T-22)."""

from claims import raises
from maker import BRAKE, NOW, SUITE, digest, number_of
from suppliers import (
    BRAKES,
    HINGES,
    HONEST,
    LOCKS,
    OTHER,
    PANEL,
    Supplied,
    entry,
    key_of,
    planted,
    to,
    with_keys,
)
from uptane import cose, errors
from uptane.ids import (
    ALG_SHA256,
    DELEGATION_HARDWARE,
    DELEGATION_RANGES,
    DELEGATION_ROLES,
    ENTRY_HASHES,
    ENTRY_MATCH,
    IMAGE,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_VERSIONS,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_METADATA,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.meta import policy
from vehicle import Full, Primary, installs, prove, updated

RECORD = RECORD_METADATA + 0x100
NEXT = number_of(BRAKE, 3)


def altered(role, change):
    """A lie: whoever holds the keys of a role of the Image repository changes its next file."""

    def lie(oem):
        oem.image.alter[role] = change
        oem.publish(3)

    return lie


def reworked(role, change):
    """A lie: somebody without a key changes the bytes of the next file."""

    def lie(oem):
        oem.publish(3)
        raw = change(oem.image.files[role, oem.image.versions[role]])
        oem.image.files[role, oem.image.versions[role]] = raw

    return lie


def refuses(lie, refusal):
    """The lie is refused by a Secondary and by a Primary, which leaves all ECUs alone (T-35)."""
    prove(Full, lie, refusal, Supplied)
    prove(Primary, lie, refusal, Supplied)


# --- E-56: what is wrong with a file ------------------------------------------------------------


def test_a_missing_file_ends_the_cycle():
    """E-56, T-22: withheld, or never in the Snapshot (T-41)."""
    refuses(reworked(BRAKES, lambda raw: None), errors.Withheld)

    def unlisted(oem):
        oem.publish(3)
        for role in (SNAPSHOT, TIMESTAMP):  # a vehicle that knows no Snapshot yet
            oem.image.keys[role] = [bytes([role]) * 32]
        oem.image.rotate()
        oem.image.alter[SNAPSHOT] = lambda fields: fields[KEY_VERSIONS].pop(BRAKES) and None
        oem.image.publish()

    oem, node = updated(Full, Supplied)
    unlisted(oem)
    raises(errors.VersionMismatch, node.refresh)
    assert node.records[RECORD + BRAKES] == oem.image.history[BRAKES, 2]
    prove(
        Full,
        altered(SNAPSHOT, lambda fields: fields[KEY_VERSIONS].pop(BRAKES) and None),
        errors.RoleDropped,
        Supplied,
    )


def test_an_unsigned_file_ends_the_cycle():
    """E-56: a foreign signature, a flipped bit, no signature at all."""

    def foreign(raw):
        envelope = cose.read_sign(raw)
        return cose.write_sign(envelope.payload, [(bytes(8), bytes(64))])

    def flipped(raw):
        envelope = cose.read_sign(raw)
        payload = envelope.payload[:-1] + bytes([envelope.payload[-1] ^ 1])
        return cose.write_sign(payload, envelope.signatures)

    def bare(raw):
        return cose.write_sign(cose.read_sign(raw).payload, [])

    refuses(reworked(BRAKES, foreign), errors.BelowThreshold)
    refuses(reworked(BRAKES, flipped), errors.BelowThreshold)
    refuses(reworked(BRAKES, bare), errors.BadEnvelope)


def test_a_key_that_is_missing_among_the_delegates_is_refused():
    """E-56, E-45: before any file is asked for."""

    def drop(fields):
        del fields[KEY_DELEGATIONS][0][0]

    def shuffle(fields):
        fields[KEY_DELEGATIONS][0].reverse()

    def lie(change):
        def publish(oem):
            oem.image.alter[TARGETS] = lambda fields: change(fresh(fields))
            oem.publish(3)

        return publish

    refuses(lie(drop), errors.BadKey)
    refuses(lie(shuffle), errors.BadKey)


def fresh(fields):
    """Give a file delegations of its own, so that an edit of them is forgotten with it."""
    keys, listed = fields[KEY_DELEGATIONS]
    listed = [{key: made[key] for key in made} for made in listed]
    for made in listed:
        made[DELEGATION_ROLES] = [list(role) for role in made[DELEGATION_ROLES]]
    fields[KEY_DELEGATIONS] = [list(keys), listed]
    return fields


def test_a_threshold_of_zero_or_above_the_keys_is_refused():
    """E-56, E-42, T-27"""

    def threshold(number):
        def change(fields):
            fresh(fields)[KEY_DELEGATIONS][1][0][DELEGATION_ROLES][0][1] = number

        return altered(TARGETS, change)

    refuses(threshold(0), errors.BadThreshold)
    refuses(threshold(2), errors.BadThreshold)


def test_an_expired_file_ends_the_cycle():
    """E-56, E-53, T-22"""

    def lie(oem):
        oem.image.expires[BRAKES] = NOW
        oem.publish(3)

    refuses(lie, errors.Expired)


def test_a_key_that_signs_twice_counts_once():
    """E-56, E-43, T-27: the delegation asks for two keys."""
    oem, node = updated(Full, Supplied)
    supplier = oem.image.suppliers[BRAKES]
    both = sorted(cose.key_id(SUITE, key) for key in publics(key_of(BRAKES), key_of(BRAKES, 1)))
    oem.image.delegations[1][0][DELEGATION_ROLES] = [[BRAKES, 2, both]]
    supplier.seeds = [key_of(BRAKES)] * 2
    oem.publish(3)
    before = dict(node.records)
    raises(errors.BelowThreshold, node.refresh)
    assert node.records == before
    supplier.seeds = [key_of(BRAKES), key_of(BRAKES, 1)]
    oem.publish(4)
    node.update()
    assert node.release() == 4


def publics(*seeds):
    from maker import public_key  # here, because it is asked for in one place

    return [public_key(seed) for seed in seeds]


def test_an_empty_file_says_nothing():
    """E-56: signed and valid, but the image is not in it."""
    refuses(
        altered(BRAKES, lambda fields: fields[KEY_IMAGES].clear()), errors.NotOnImageRepository
    )


def test_endless_and_garbled_files_are_refused_by_their_kind():
    """E-19, E-60"""
    refuses(reworked(BRAKES, lambda raw: raw + bytes(4096)), errors.TooLong)
    refuses(reworked(BRAKES, lambda raw: raw[:-1]), errors.Truncated)
    refuses(altered(BRAKES, lambda fields: b"\xa0"), errors.BadShape)


def test_a_file_of_one_role_is_none_of_another():
    """E-46: another delegated role, the top level, another type; as it is or relabelled."""

    def swap(source):
        def lie(oem):
            oem.publish(3)
            raw = oem.image.files[source, oem.image.versions[source]]
            oem.image.files[BRAKES, oem.image.versions[BRAKES]] = raw

        return lie

    def relabel(key, value):
        return altered(BRAKES, lambda fields: fields.update({key: value}))

    for source in (LOCKS, TARGETS, SNAPSHOT):
        refuses(swap(source), errors.WrongType)
    refuses(relabel(KEY_NUMBER, LOCKS), errors.WrongType)
    refuses(relabel(KEY_TYPE, SNAPSHOT), errors.WrongType)


def test_a_signature_is_good_for_one_role():
    """E-46: one key for two roles, and the signature of the other."""

    def lie(oem):
        oem.publish(3)
        raw = oem.image.files[BRAKES, oem.image.versions[BRAKES]]
        payload = cose.read_sign(raw).payload
        forged = oem.image.sign(LOCKS, payload, [key_of(BRAKES)])
        oem.image.files[BRAKES, oem.image.versions[BRAKES]] = forged

    refuses(lie, errors.BelowThreshold)


# --- old files ----------------------------------------------------------------------------------


def test_an_old_file_is_not_the_one_the_snapshot_names():
    """E-12, E-24, E-56"""

    def lie(oem):
        oem.publish(3)
        old = oem.image.history[BRAKES, 2]
        oem.image.files[BRAKES, oem.image.versions[BRAKES]] = old

    refuses(lie, errors.VersionMismatch)


def test_a_version_never_falls():
    """V-74.4: also when the Snapshot's own memory is gone with its key."""
    oem, node = updated(Full, Supplied)
    for role in (SNAPSHOT, TIMESTAMP):
        oem.image.keys[role] = [bytes([role]) * 32]
    oem.image.rotate()
    oem.image.versions[BRAKES] = 0
    oem.publish(3)
    raises(errors.Rollback, node.refresh)


def test_a_version_never_changes_its_content():
    """T-09, E-15: the stored file is taken without asking; once it has expired, one is fetched."""
    oem, node = updated(Full, Supplied)
    oem.image.expires[BRAKES] = NOW + 2
    oem.publish(3)
    node.refresh()  # not installed
    oem.image.expires[BRAKES] = NOW + 9
    oem.image.versions[BRAKES] -= 1
    oem.image.publish()
    assert node.refresh().new == [BRAKE]
    node.ticks_ms = 2000
    before = dict(node.records)
    raises(errors.SameVersionDiffers, node.refresh)
    assert node.records == before


def test_a_new_key_of_a_supplier_forgets_the_versions_of_the_old_one():
    """E-16, E-37, T-12: with a new Snapshot key, as for every fast-forwarded role."""
    oem, node = updated(Full, Supplied)
    oem.image.versions[BRAKES] = 2147483000
    oem.publish(3)
    node.update()
    assert node.release() == 3
    oem.image.delegations[1][0] = to(BRAKES, (200, 299), which=1)
    oem.image.suppliers[BRAKES].seeds = [key_of(BRAKES, 1)]
    for role in (SNAPSHOT, TIMESTAMP):
        oem.image.keys[role] = [bytes([role]) * 32]
    oem.image.rotate()
    oem.image.versions[BRAKES] = 5
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_a_stored_file_counts_only_by_the_keys_of_today():
    """E-39, T-15: what a revoked key signed is fetched again, and refused."""
    oem, node = updated(Full, Supplied)
    oem.publish(3)
    node.refresh()  # not installed
    oem.image.delegations[1][0] = to(BRAKES, (200, 299), which=1)
    before = oem.image.versions[BRAKES]
    oem.image.suppliers[BRAKES].seeds = [key_of(BRAKES)]
    oem.image.publish()
    oem.image.files[BRAKES, before + 1] = oem.image.history[BRAKES, before + 1]
    raises(errors.BelowThreshold, node.refresh)


def test_one_role_says_one_thing_in_a_cycle():
    """T-09: two delegations name different keys for it, and each gets another file."""
    oem, node = updated(Primary, Supplied)
    split = with_keys(
        to(BRAKES, (200, 299)), to(BRAKES, (300, 399), which=1), to(PANEL, (100, 199), agreement=2)
    )
    oem.image.delegations = split
    supplier = oem.image.suppliers[BRAKES]
    oem.publish(3)
    supplier.images = dict(supplier.images)
    supplier.images.update(oem.image.suppliers[HINGES].images)
    supplier.seeds = [key_of(BRAKES), key_of(BRAKES, 1)]
    oem.image.publish()
    version = oem.image.versions[BRAKES]
    raw = oem.image.files[BRAKES, version]
    payload = cose.read_sign(raw).payload
    other = payload[:-1] + bytes([payload[-1] ^ 1])
    files = [
        oem.image.sign(BRAKES, payload, [key_of(BRAKES)]),
        oem.image.sign(BRAKES, other, [key_of(BRAKES, 1)]),
    ]
    honest = oem.answer

    def answer(want):
        if (want.repository, want.number) == (IMAGE, BRAKES):
            return files.pop(0)
        return honest(want)

    oem.answer = answer
    raises(errors.SameVersionDiffers, node.refresh)
    files[:] = [raw, raw]
    node.update()
    assert node.release() == 3
    kept = cose.read_sign(node.records[RECORD + BRAKES])
    assert kept.signatures == sorted(cose.read_sign(raw).signatures)  # of both


# --- E-37, E-38: whose key is stolen ------------------------------------------------------------


def test_a_stolen_supplier_key_does_not_reach_beyond_its_range():
    """E-37, E-38: it lists the door's image, too; nobody asks it."""

    def lie(oem):
        oem.image.alter[BRAKES] = lambda fields: fields[KEY_IMAGES].update(
            {301: entry(says=b"evil"), 303: entry(says=b"evil")}
        )
        oem.publish(3)

    node = installs(Primary, lie, Supplied)
    assert node.installed[3].digest == digest(b"image 303")


def test_a_stolen_supplier_key_alone_is_contradicted_by_the_director():
    """E-37, E-55"""
    evil = {ALG_SHA256: digest(b"evil")}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_HASHES] = evil
        fields[KEY_IMAGES][NEXT] = listed

    refuses(altered(BRAKES, change), errors.ImagesDiffer)


def test_a_stolen_supplier_key_with_the_directors_succeeds_within_its_range():
    """E-37: the edge of the promise."""
    evil = {ALG_SHA256: digest(b"evil")}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_HASHES] = evil
        fields[KEY_IMAGES][NEXT] = listed

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[BRAKES] = change
        oem.publish(3)

    assert installs(Full, lie, Supplied).installed[BRAKE].digest == digest(b"evil")


def test_a_supplier_with_the_director_does_not_reach_other_hardware():
    """E-38, V-76.4.1: the image would be for the door's hardware, too."""
    match = {MATCH_HARDWARE: [20, 30], MATCH_RELEASE: 3}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_MATCH] = match
        fields[KEY_IMAGES][NEXT] = listed

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[BRAKES] = change
        oem.publish(3)

    refuses(lie, errors.NotOnImageRepository)


def test_a_delegation_that_is_withdrawn_ends_what_the_supplier_may_say():
    """E-37, R-43"""

    def narrowed(key, value):
        def change(fields):
            fresh(fields)[KEY_DELEGATIONS][1][0][key] = value

        return altered(TARGETS, change)

    refuses(narrowed(DELEGATION_RANGES, [[200, 202]]), errors.NotOnImageRepository)
    refuses(narrowed(DELEGATION_HARDWARE, [21]), errors.NotOnImageRepository)


# --- the policy ---------------------------------------------------------------------------------


class Other(Full):
    """A full ECU with a record of its own."""

    def __init__(self, oem):
        super().__init__(oem)
        self.policy = policy.Policy()


def test_another_record_may_pass_over_a_bad_file():
    """T-22"""
    tree = {3: ({}, to(20), to(21)), 20: (OTHER,), 21: (HONEST,)}
    node = planted(tree, Other)
    del node.oem.image.files[20, 1]
    raises(errors.Withheld, node.refresh)
    node.policy.t22_bad_delegation = policy.PASSED_OVER
    assert node.refresh().new == [BRAKE]


def test_another_record_may_search_below_a_terminating_role():
    """T-24"""
    tree = {3: ({}, to(20, terminating=True), to(22)), 20: ({}, to(21)), 21: (HONEST,)}
    node = planted(tree, Other)
    raises(errors.NotOnImageRepository, node.refresh)
    node.policy.t24_terminating = policy.AFTER_ITS_OWN
    assert node.refresh().new == [BRAKE]
    tree.update({21: ({},), 22: (HONEST,)})
    node = planted(tree, Other)
    node.policy.t24_terminating = policy.AFTER_ITS_OWN
    raises(errors.NotOnImageRepository, node.refresh)
