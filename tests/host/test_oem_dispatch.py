"""How images travel: who gets a delta, what is encrypted, and that both stay what they were."""

import hashlib

import cbor2
import pytest
from nacl.public import PrivateKey
from oem_vehicle import BRAKE, DOOR, NOW, Vehicle, newest, stored

from muptane.oem.deltas import detools
from muptane.oem.dispatch import Dispatch
from muptane.oem.encryption import Encryption
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import ImageNumberUsed, UnknownImage
from muptane.oem.inventory import ContentKey, Parcel
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from uptane import errors, ids

VIN = "VIN1"
OLD = hashlib.sha512(b"old").digest() * 64
NEW = OLD[:2000] + b"changed" + OLD[2000:]
OLD_NUMBER, NEW_NUMBER = 20, 21
needs_detools = pytest.mark.skipif(detools is None, reason="detools is not installed")


def able(ecu, deltas=True, decrypts=True, place=None):
    """An ECU of oem_vehicle as its factory enrols it: it patches, and it decrypts."""
    secret = hashlib.sha256(b"decrypts %d" % ecu.number).digest()
    public = bytes(PrivateKey(secret).public_key) if decrypts else None
    return NewEcu(**{**dict(ecu.new()), "deltas": deltas, "decryption": public, "place": place})


class Fleet:
    """An office with one vehicle: brake and door run the old image, which fits both."""

    def __init__(self, brake=None, door=None, confidential=False, premises=None):
        self.office = Office.create(lambda: NOW, premises, seed=b"dispatch")
        self.vehicle = Vehicle()
        gateway = self.vehicle.ecus[0].new()
        ecus = self.vehicle.ecus[1:]
        found = [able(ecu, **(has or {})) for ecu, has in zip(ecus, (brake, door), strict=True)]
        self.office.register_vehicle(VIN, [gateway, *found])
        self.office.release_image(OLD_NUMBER, OLD, [20, 30], 1)
        self.office.release_image(NEW_NUMBER, NEW, [20, 30], 2, confidential)
        for ecu in ecus:
            self.runs(ecu, OLD_NUMBER, OLD)

    def runs(self, ecu, number, content, release=1):
        ecu.image, ecu.length, ecu.release = number, len(content), release
        ecu.sha256 = hashlib.sha256(content).digest()

    def directed(self, *ecus):
        """The custom data of the new image's entry, when these ECUs are to have it; None: it is
        not listed."""
        for ecu in ecus:
            self.office.assign(VIN, ecu, NEW_NUMBER)
        manifest = self.vehicle.manifest(self.office.director.identity)
        self.decision = self.office.accept_manifest(VIN, manifest)
        return self.entry(NEW_NUMBER)

    def entry(self, number):
        """The custom data of an image's entry; None: it is not listed."""
        entry = newest(self.office, VIN).images.get(number)
        return None if entry is None else entry.custom

    def fetch(self, kind, digest, repository=ids.DIRECTOR, vin=VIN):
        return self.office.answer(vin, repository, kind, NEW_NUMBER, digest)


def digest_of(custom):
    return custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES][ids.ALG_SHA256]


@needs_detools
def test_an_ecu_that_patches_gets_a_delta_from_what_it_runs():
    """S-26, S-27, S-28, S-31: made when it is first needed, kept, and had from the Director."""
    fleet = Fleet()
    custom = fleet.directed(BRAKE)
    assert custom[ids.CUSTOM_DELTA][ids.DELTA_BASE][0] == len(OLD)
    patch = fleet.fetch(ids.KIND_DELTA, digest_of(custom))
    assert hashlib.sha256(patch).digest() == digest_of(custom) and len(patch) < 200
    assert fleet.fetch(ids.KIND_DELTA, digest_of(custom), ids.IMAGE) is None
    assert fleet.fetch(ids.KIND_IMAGE, digest_of(custom)) is None
    assert fleet.fetch(ids.KIND_IMAGE, hashlib.sha256(NEW).digest(), ids.IMAGE) == NEW
    assert fleet.directed(BRAKE, DOOR) == custom, "both run the same"
    assert len(stored(fleet.office, Parcel)) == 1


@needs_detools
def test_one_delta_serves_all_vehicles_and_can_be_made_before():
    """S-32: an office that prepared it makes no other."""
    fleet = Fleet()
    old = (OLD_NUMBER, hashlib.sha256(OLD).digest())
    assert 0 < fleet.office.dispatch.prepare(old, NEW_NUMBER, NOW) < 200
    assert fleet.office.dispatch.prepare(old, NEW_NUMBER, NOW) > 0
    custom = fleet.directed(BRAKE)
    assert len(stored(fleet.office, Parcel)) == 1
    other = Vehicle("VIN2", first=11)
    fleet.office.register_vehicle("VIN2", [ecu.new() for ecu in other.ecus])
    assert fleet.fetch(ids.KIND_DELTA, digest_of(custom), vin="VIN2") is not None
    for lie in ((99, old[1]), (OLD_NUMBER, bytes(32))):
        with pytest.raises(UnknownImage):
            fleet.office.dispatch.prepare(lie, NEW_NUMBER, NOW)
    with pytest.raises(UnknownImage):
        fleet.office.dispatch.prepare(old, 99, NOW)


@needs_detools
def test_where_one_cannot_all_get_the_whole_image():
    """S-27, T-48: two ECUs in one entry of which one cannot patch, runs something else, or has
    refused a delta (E-81)."""
    assert Fleet(door={"deltas": False}).directed(BRAKE, DOOR) == {}
    fleet = Fleet()
    fleet.runs(fleet.vehicle.ecus[2], 19, b"something else")
    assert fleet.directed(BRAKE, DOOR) == {}
    for refusal in (
        errors.WrongBase,
        errors.BadDelta,
        errors.UnsupportedDelta,
        errors.WrongHash,
    ):
        fleet = Fleet()
        fleet.vehicle.ecus[1].attacks = [refusal.number]
        assert fleet.directed(BRAKE) == {}, refusal
    fleet.vehicle.ecus[1].attacks = [errors.NoReply.number]
    assert ids.CUSTOM_DELTA in fleet.directed(BRAKE)


@needs_detools
def test_a_base_that_was_never_released_makes_no_delta():
    """S-31: an image of somebody else's, or one that is gone."""
    fleet = Fleet()
    fleet.runs(fleet.vehicle.ecus[1], OLD_NUMBER, b"not what was released under that number")
    assert fleet.directed(BRAKE) == {}
    assert fleet.directed(BRAKE) == {}
    assert [row.raw for row in stored(fleet.office, Parcel)] == [b""], "tried once, and kept so"


@needs_detools
def test_a_delta_that_is_no_smaller_is_not_used():
    """S-26."""
    fleet = Fleet()
    other = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(3))
    fleet.office.release_image(22, other, [20], 3)
    fleet.office.assign(VIN, BRAKE, 22)
    fleet.directed()
    assert newest(fleet.office, VIN).images[22].custom == {}


def test_who_runs_the_image_needs_nothing():
    """T-48: its entry stays listed, as it is; the other's delta is its own affair."""
    fleet = Fleet(confidential=True)
    fleet.runs(fleet.vehicle.ecus[1], NEW_NUMBER, NEW, 2)
    assert fleet.directed(BRAKE) == {}
    fleet.directed(BRAKE, DOOR)
    entry = newest(fleet.office, VIN).images[NEW_NUMBER]
    assert entry.ecus == (BRAKE, DOOR)
    assert list(entry.custom[ids.CUSTOM_ENCRYPTED][2]) == [DOOR]


def test_a_confidential_image_never_leaves_in_the_clear():
    """V-13, R-09, E-01, E-80: not to this vehicle, not from the Image repository, not to one that
    cannot decrypt."""
    fleet = Fleet(confidential=True, brake={"deltas": False}, door={"deltas": False})
    custom = fleet.directed(BRAKE, DOOR)
    method, digest, wraps = custom[ids.CUSTOM_ENCRYPTED]
    assert (method, sorted(wraps)) == (1, [BRAKE, DOOR])
    ciphertext = fleet.fetch(ids.KIND_IMAGE, digest)
    assert hashlib.sha256(ciphertext).digest() == digest and len(ciphertext) == len(NEW)
    plain = hashlib.sha256(NEW).digest()
    for repository in (ids.DIRECTOR, ids.IMAGE, 3):
        assert fleet.fetch(ids.KIND_IMAGE, plain, repository) is None
    assert fleet.fetch(ids.KIND_IMAGE, digest, vin="VIN2") is None
    assert fleet.directed(BRAKE, DOOR) == custom, "a transfer goes on with the same bytes"
    assert len(stored(fleet.office, ContentKey)) == 1


@needs_detools
def test_a_delta_to_a_confidential_image_is_encrypted_too():
    """V-13, S-27: with a key of its own, and the entry says both."""
    fleet = Fleet(confidential=True)
    custom = fleet.directed(BRAKE)
    _, digest, _ = custom[ids.CUSTOM_ENCRYPTED]
    assert digest != digest_of(custom)
    ciphertext = fleet.fetch(ids.KIND_DELTA, digest)
    assert len(ciphertext) == custom[ids.CUSTOM_DELTA][ids.DELTA_LENGTH]
    # the patch itself lies in the inventory for others, and would tell most of the image
    for vin in (VIN, "VIN2", ""):
        assert fleet.fetch(ids.KIND_DELTA, digest_of(custom), vin=vin) is None


def test_one_more_ecu_needs_another_ciphertext():
    """V-13: content keys are kept nowhere, so nobody can be added."""
    fleet = Fleet(confidential=True, brake={"deltas": False}, door={"deltas": False})
    first = fleet.directed(BRAKE)
    second = fleet.directed(BRAKE, DOOR)
    assert first[ids.CUSTOM_ENCRYPTED][1] != second[ids.CUSTOM_ENCRYPTED][1]
    assert len(stored(fleet.office, ContentKey)) == 2


def test_an_ecu_without_a_key_gets_nothing_of_a_confidential_image():
    """V-24, E-80: it is withheld, with the reason in words; others are directed as ever."""
    fleet = Fleet(confidential=True, door={"decrypts": False})
    fleet.office.release_image(8, b"door 2", [30], 2)
    assert fleet.directed(BRAKE, DOOR) is None
    assert {(ecu, image) for ecu, image, _ in fleet.decision.withheld} == {
        (BRAKE, NEW_NUMBER),
        (DOOR, NEW_NUMBER),
    }
    assert all("no key for decryption" in why for _, _, why in fleet.decision.withheld)
    fleet.office.assign(VIN, DOOR, 8)
    assert ids.CUSTOM_ENCRYPTED in fleet.directed()
    assert fleet.decision.directions == {BRAKE: NEW_NUMBER, DOOR: 8}


def test_a_content_key_that_repeats_costs_its_image_and_no_other():
    """V-13, E-80: the Director withholds it, with the reason, and goes on."""
    fleet = Fleet(confidential=True)
    fleet.office.release_image(8, b"door 2", [30], 2, True)
    office = fleet.office
    contents = {NEW_NUMBER: NEW, 8: b"door 2"}
    identity, wrap = office.director.identity, office.key_server.wrap
    stuck = Encryption(office.inventory, identity, wrap, random=bytes)
    dispatch = Dispatch(office.inventory, lambda number, digest: contents.get(number), stuck)
    office.director.travel = dispatch.custom
    assert ids.CUSTOM_ENCRYPTED in fleet.directed(BRAKE)
    office.assign(VIN, DOOR, 8)
    assert ids.CUSTOM_ENCRYPTED in fleet.directed()
    assert fleet.decision.directions == {BRAKE: NEW_NUMBER}
    [(ecu, image, why)] = fleet.decision.withheld
    assert (ecu, image) == (DOOR, 8) and "content key was used" in why
    assert len(stored(office, ContentKey)) == 1


def test_what_is_confidential_stays_so():
    """V-85: the same number cannot be released in the clear afterwards."""
    fleet = Fleet(confidential=True)
    with pytest.raises(ImageNumberUsed):
        fleet.office.release_image(NEW_NUMBER, NEW, [20, 30], 2)
    fleet.office.release_image(NEW_NUMBER, NEW, [20, 30], 2, True)


def test_parcels_outlive_the_office(tmp_path):
    """R-07, S-31: an office that is opened again serves the same bytes."""
    premises = Premises(tmp_path, b"pass")
    fleet = Fleet(confidential=True, premises=premises)
    custom = fleet.directed(BRAKE)
    kind = ids.KIND_DELTA if ids.CUSTOM_DELTA in custom else ids.KIND_IMAGE
    raw = fleet.fetch(kind, custom[ids.CUSTOM_ENCRYPTED][1])
    fleet.office.close()
    fleet.office = Office.open(lambda: NOW, premises)
    assert fleet.fetch(kind, custom[ids.CUSTOM_ENCRYPTED][1]) == raw
    assert cbor2.dumps(fleet.directed(BRAKE)) == cbor2.dumps(custom)
    fleet.office.close()
