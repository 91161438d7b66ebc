"""How images travel to ECUs without a spare slot: in pieces, and with a way back (V-58, T-32)."""

import hashlib

import cbor2
import pytest
from oem_vehicle import BRAKE, DOOR
from test_oem_dispatch import NEW, NEW_NUMBER, OLD, OLD_NUMBER, VIN, Fleet, needs_detools

from muptane.oem.chain import chained
from muptane.oem.errors import Malformed
from uptane import ids, limits

PLACE = (16_384, 1024)
SHA_OLD = hashlib.sha256(OLD).digest()


def pieces_of(raw, head):
    """The content of what travels, each piece held against the hash before it."""
    content = b""
    while raw:
        whole = len(raw) > limits.PIECE_BYTES
        piece = raw[: limits.PIECE_BYTES + (limits.DIGEST_BYTES if whole else 0)]
        assert hashlib.sha256(piece).digest() == head
        content += piece[: limits.PIECE_BYTES]
        head = piece[limits.PIECE_BYTES :]
        raw = raw[len(piece) :]
    return content


def brought(fleet, custom, kind=ids.KIND_IMAGE):
    """What comes to an ECU without a spare slot, out of its pieces."""
    digest, head, ecus = custom[ids.CUSTOM_CHAIN]
    raw = fleet.fetch(kind, digest)
    assert hashlib.sha256(raw).digest() == digest
    return pieces_of(raw, head), ecus


@pytest.mark.parametrize("length", [1, 1023, 1024, 1025, 2048, 5000])
def test_a_chain_leads_from_the_first_piece_to_the_last(length):
    """T-32, S-29."""
    content = (OLD * 2)[:length]
    raw, head = chained(content)
    assert pieces_of(raw, head) == content
    assert len(raw) == length + (length - 1) // limits.PIECE_BYTES * limits.DIGEST_BYTES


def test_an_ecu_without_a_spare_slot_gets_pieces_and_a_way_back():
    """V-58, T-32, S-29: the entry says how the image comes back that it runs until then; another
    ECU with room takes the same image as it is."""
    fleet = Fleet(brake={"place": PLACE, "deltas": False})
    custom = fleet.directed(BRAKE, DOOR)
    assert set(custom) == {ids.CUSTOM_CHAIN, ids.CUSTOM_RECOVERY}
    assert brought(fleet, custom) == (NEW, [BRAKE])
    number, entry = cbor2.loads(custom[ids.CUSTOM_RECOVERY])
    assert number == OLD_NUMBER and entry[ids.ENTRY_LENGTH] == len(OLD)
    assert entry[ids.ENTRY_HASHES] == {ids.ALG_SHA256: SHA_OLD} and ids.ENTRY_ECUS not in entry
    assert fleet.directed(BRAKE, DOOR) == custom, "kept: a vehicle that goes on finds the same"


@needs_detools
def test_a_delta_is_made_for_the_place_that_all_of_them_have():
    """S-29, S-31: one that has a spare slot beside one that has none gets no delta at all."""
    fleet = Fleet(brake={"place": PLACE}, door={"place": PLACE})
    custom = fleet.directed(BRAKE, DOOR)
    said = custom[ids.CUSTOM_DELTA]
    assert said[ids.DELTA_ALGORITHM] == ids.DELTA_IN_PLACE
    assert said[ids.DELTA_LAYOUT][0] == PLACE[0] and said[ids.DELTA_LAYOUT][1] == PLACE[1]
    patch, ecus = brought(fleet, custom, ids.KIND_DELTA)
    assert len(patch) == said[ids.DELTA_LENGTH] < len(NEW) and ecus == [BRAKE, DOOR]
    for door in ({}, {"place": (32_768, 1024)}):
        custom = Fleet(brake={"place": PLACE}, door=door).directed(BRAKE, DOOR)
        assert ids.CUSTOM_DELTA not in custom and ids.CUSTOM_CHAIN in custom


@needs_detools
def test_of_a_confidential_image_nothing_is_cut_that_is_not_a_ciphertext():
    """V-13, E-80, R-09: whole or as a delta; and what comes back is encrypted if it has to be."""
    for deltas in (False, True):
        fleet = Fleet(brake={"place": PLACE, "deltas": deltas}, confidential=True)
        custom = fleet.directed(BRAKE)
        kind = ids.KIND_DELTA if deltas else ids.KIND_IMAGE
        content, _ = brought(fleet, custom, kind)
        assert hashlib.sha256(content).digest() == custom[ids.CUSTOM_ENCRYPTED][1]
        assert NEW[2000:2007] not in content
    fleet = Fleet(brake={"place": PLACE, "deltas": False}, confidential=True)
    fleet.office.release_image(NEW_NUMBER + 1, NEW + b"!", [20, 30], 3, True)
    fleet.directed(BRAKE)
    fleet.runs(fleet.vehicle.ecus[1], NEW_NUMBER, NEW, 2)
    fleet.office.assign(VIN, BRAKE, NEW_NUMBER + 1)
    manifest = fleet.vehicle.manifest(fleet.office.director.identity)
    fleet.office.accept_manifest(VIN, manifest)
    custom = fleet.entry(NEW_NUMBER + 1)
    number, entry = cbor2.loads(custom[ids.CUSTOM_RECOVERY])
    sealed = entry[ids.ENTRY_CUSTOM][ids.CUSTOM_ENCRYPTED]
    assert number == NEW_NUMBER and set(sealed[2]) == {BRAKE}
    assert hashlib.sha256(fleet.fetch(ids.KIND_IMAGE, sealed[1])).digest() == sealed[1]


def test_an_ecu_that_runs_nothing_is_not_taken_for_one_that_needs_nothing():
    """V-58, T-32: it names the image that it was confirmed with, and is to have that again."""
    fleet = Fleet(brake={"place": PLACE, "deltas": False})
    brake = fleet.vehicle.ecus[1]
    fleet.runs(brake, NEW_NUMBER, NEW, 2)
    assert fleet.directed(BRAKE) == {}
    brake.boot = ids.BOOT_REWRITING
    assert ids.CUSTOM_CHAIN in fleet.directed(BRAKE)
    said = [sentence for _, _, sentence in fleet.office.director.oddities()]
    assert f"ECU {BRAKE} has no image that runs; it had image {NEW_NUMBER}" in said


def test_what_was_never_released_does_not_come_back():
    """V-58: it is a SHOULD; the ECU gets its image all the same."""
    fleet = Fleet(brake={"place": PLACE, "deltas": False})
    fleet.runs(fleet.vehicle.ecus[1], OLD_NUMBER, b"of somebody else")
    assert set(fleet.directed(BRAKE)) == {ids.CUSTOM_CHAIN}


def test_a_place_that_is_no_whole_blocks_is_not_registered():
    with pytest.raises(Malformed, match="a place of 1000 bytes is no blocks of 512"):
        Fleet(brake={"place": (1000, 512)})
