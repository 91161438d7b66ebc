"""Resolving delegations at the edges: bounds to the byte, what one role leaves for the next."""

from claims import raises
from maker import BRAKE, DOOR, Oem, kid_of
from memory import public_key
from suppliers import BRAKES, HONEST, LOCKS, Supplied, Supplier, finds, key_of, to, with_keys
from uptane import cbor, cose, errors
from uptane.ids import (
    DELEGATION_ROLES,
    IMAGE,
    KEY_IMAGES,
    RECORD_METADATA,
)
from uptane.limits import SIGNATURES_MAX
from uptane.meta.policy import DEVICE, Policy
from vehicle import Full, Primary, updated

RECORD = RECORD_METADATA + 0x100


def payload_bytes(oem, *roles):
    return sum([len(cose.read_sign(oem.image.files[role, 0]).payload) for role in roles])


def bounded(count):
    """Our policy, but for the bytes of delegated files in a cycle."""
    policy = Policy()
    policy.t23_search = DEVICE.t23_search[:3] + (count,)
    return policy


def shared(releases=1):
    """Brake and door get their images from one supplier; nothing is installed yet."""
    oem = Oem()
    oem.direct({BRAKE: releases, DOOR: releases})
    oem.image.suppliers[BRAKES] = Supplier(BRAKES, oem.image.images)
    oem.image.images, oem.image.delegations = {}, with_keys(to(BRAKES))
    oem.image.publish()
    return oem, Primary(oem)


def test_the_bytes_of_a_cycle_are_counted_once_for_each_file():
    """E-57, T-23: fetched or stored, however many images need it; that many, and not one more."""
    oem, node = shared()
    exact = payload_bytes(oem, BRAKES)
    node.policy = bounded(exact - 1)
    raises(errors.TooLong, node.refresh)
    node.policy = bounded(exact)
    assert node.refresh().new == [BRAKE, DOOR]
    assert RECORD + BRAKES in node.records
    assert node.refresh().new == [BRAKE, DOOR]  # not installed, so searched again
    assert (IMAGE, BRAKES, 1) not in node.wants
    node.policy = bounded(exact - 1)
    raises(errors.TooLong, node.refresh)


def test_a_role_whose_search_is_over_ends_no_other():
    """V-77.1, V-76.3: neither that of the next role of the panel nor of the next delegation."""
    ended = {30: ({}, to(21, terminating=True)), 21: ({},)}
    tree = {3: ({}, to((30, 31), agreement=1)), 31: ({}, to(22), to(23)), 22: ({},)}
    tree.update(ended)
    tree[23] = (HONEST,)
    assert finds(tree) == (True, [30, 21, 31, 22, 23])
    tree = {3: ({}, to((31, 30), agreement=1), to(20)), 31: ({},), 20: (HONEST,)}
    tree.update(ended)
    assert finds(tree) == (True, [31, 30, 21, 20])


def test_a_role_that_was_asked_with_others_may_be_asked_alone():
    """V-77.1, V-76.4: what a panel has seen, the search has not."""
    tree = {3: ({}, to((30, 31)), to(31)), 30: ({},), 31: (HONEST,)}
    assert finds(tree) == (True, [30, 31])


def test_a_newer_file_than_the_snapshot_names_is_refused():
    """V-74.2, E-24, T-41"""
    oem, node = updated(Full, Supplied)
    oem.publish(3)
    listed = oem.image.versions[BRAKES]
    oem.image.serve(BRAKES, {KEY_IMAGES: {}}, [key_of(BRAKES)])
    oem.image.files[BRAKES, listed] = oem.image.files[BRAKES, listed + 1]
    raises(errors.VersionMismatch, node.refresh)


def test_signatures_of_another_file_are_not_kept():
    """V-91, T-06: whatever the order of the two payloads; one with more fields is greater."""
    oem, node = updated(Primary, Supplied)
    stored = cose.read_sign(node.records[RECORD + LOCKS])
    supplier = oem.image.suppliers[LOCKS]
    oem.image.delegations[1][1] = to(LOCKS, (300, 399), which=1)
    oem.publish(3)
    supplier.images = dict(oem.image.suppliers[22].images)
    supplier.delegations = None
    supplier.seeds = [key_of(LOCKS, 1)]
    oem.image.publish()
    assert node.refresh().new
    found = cose.read_sign(node.records[RECORD + LOCKS])
    assert stored.payload > found.payload
    assert node.records[RECORD + LOCKS] == oem.image.files[LOCKS, 0]


class Many(Oem):
    """Role 20 is named twice: with one key at the top, and with `others` below role 21."""

    def __init__(self, others):
        super().__init__()
        self.others = [key_of(BRAKES, which) for which in others]
        self.served = 0

    def plant(self, threshold):
        self.direct({BRAKE: 3, DOOR: 3})
        images = self.image.images
        brakes = {number: images[number] for number in images if number // 100 == BRAKE}
        doors = {number: images[number] for number in images if number // 100 == DOOR}
        made = to(BRAKES, (300, 399))
        publics = {}
        for seed in self.others:
            publics[kid_of(seed)] = seed
        made[DELEGATION_ROLES] = [[BRAKES, threshold, sorted(publics)]]
        keys = [cbor.loads(cose.write_key(public_key(publics[kid]))) for kid in sorted(publics)]
        self.image.images = {}
        self.image.delegations = with_keys(to(BRAKES, (200, 299)), to(LOCKS, (300, 399)))
        self.image.suppliers[BRAKES] = Supplier(BRAKES, dict(brakes))
        self.image.suppliers[BRAKES].images.update(doors)
        self.image.suppliers[LOCKS] = Supplier(LOCKS, {}, [keys, [made]])
        self.image.publish()
        return self

    def answer(self, want):
        """Serve the file of role 20 by its first key, then by the others."""
        raw = super().answer(want)
        if want.repository == IMAGE and want.number == BRAKES:
            self.served += 1
            if self.served > 1:
                payload = cose.read_sign(raw).payload
                raw = self.image.sign(BRAKES, payload, self.others)
        return raw


def test_a_file_keeps_the_signatures_of_each_who_named_it():
    """V-50, V-91: once each, so that a Secondary behind either delegation can check it."""
    oem = Many((1, 2)).plant(2)
    node = Primary(oem)
    assert node.refresh().new == [BRAKE, DOOR]
    kept = cose.read_sign(node.records[RECORD + BRAKES]).signatures
    kids = [kid for kid, _ in kept]
    assert sorted(kids) == sorted([kid_of(seed) for seed in oem.others + [key_of(BRAKES)]])
    assert node.refresh().new == [BRAKE, DOOR] and oem.served == 2


def test_a_signature_that_both_count_is_kept_once():
    """V-50, V-91"""
    oem = Many((0, 1)).plant(2)
    node = Primary(oem)
    assert node.refresh().new == [BRAKE, DOOR]
    kept = cose.read_sign(node.records[RECORD + BRAKES]).signatures
    assert sorted([kid for kid, _ in kept]) == sorted([kid_of(seed) for seed in oem.others])


def test_a_file_keeps_no_more_signatures_than_can_be_read_again():
    """V-91, E-19: those that made up the last threshold."""
    oem = Many(range(1, SIGNATURES_MAX + 1)).plant(SIGNATURES_MAX)
    node = Primary(oem)
    assert node.refresh().new == [BRAKE, DOOR]
    kept = cose.read_sign(node.records[RECORD + BRAKES]).signatures
    assert sorted([kid for kid, _ in kept]) == sorted([kid_of(seed) for seed in oem.others])
