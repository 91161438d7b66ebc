"""What `verify` finds: everything that a thief plants, changes or takes.

The thief has the server and its database, and at times an online key; the backup is elsewhere.
"""

import hashlib
import shutil

import pytest
from oem_vehicle import DOOR, NOW

from muptane.oem.image_repository import ImageRepository
from muptane.oem.keys import Signer
from muptane.oem.metadata import sign_role
from muptane.oem.storage import MemoryStore
from muptane.oem.targets import entry_of
from uptane import ids

EVIL = hashlib.sha256(b"evil").hexdigest()


def current_role(kept, role):
    raw = kept.office.images.read(ids.KIND_METADATA, role, 0)
    return kept.office.images.authority.verify(raw, role)


def resigned(kept, role, **changes):
    """What a thief signs who has the key of a role of the Image repository."""
    made = current_role(kept, role).model_copy(update=changes)
    authority = kept.office.images.authority
    return sign_role(made, authority.holders[role], authority.identity)


# --- the files ----------------------------------------------------------------------------------


def plants_an_image(kept):
    kept.plant(f"{EVIL}.66", b"evil")


def plants_an_image_under_a_name_that_is_used(kept):
    name = next(path.name for path in kept.current.iterdir() if path.suffix == ".7")
    kept.plant(name, b"evil")


def plants_an_image_that_is_not_what_its_name_says(kept):
    kept.plant(f"{EVIL}.66", b"more evil")


def takes_an_image(kept):
    next(path for path in kept.current.iterdir() if path.suffix == ".8").unlink()


def takes_an_image_and_marks_it_collected(kept):
    path = next(path for path in kept.current.iterdir() if path.suffix == ".8")
    path.rename(path.with_name("spent." + path.name))


def takes_a_withdrawn_image(kept):
    next(path for path in kept.current.iterdir() if path.suffix == ".6").unlink()


def marks_a_number_that_was_never_used(kept):
    kept.plant(f"spent.{EVIL}.66", b"")


def plants_metadata_that_nobody_signed(kept):
    kept.plant("77.targets.cbor", b"x")


def plants_metadata_with_a_stolen_key(kept):
    kept.plant("77.targets.cbor", resigned(kept, ids.TARGETS, version=77))


def signs_the_same_version_again_with_a_stolen_key(kept):
    images = {**current_role(kept, ids.TARGETS).images, 66: entry_of(b"evil", [20], 66)}
    version = current_role(kept, ids.TARGETS).version
    kept.plant(f"{version}.targets.cbor", resigned(kept, ids.TARGETS, images=images))
    kept.plant(f"{EVIL}.66", b"evil")


def signs_an_older_timestamp_with_a_stolen_key(kept):
    kept.plant("timestamp.cbor", resigned(kept, ids.TIMESTAMP, version=1))


def takes_superseded_metadata_before_its_time(kept):
    (kept.current / "1.targets.cbor").unlink()


def takes_a_root(kept):
    (kept.current / "1.root.cbor").unlink()


def founds_a_repository_of_his_own(kept):
    shutil.rmtree(kept.current)
    kept.current.mkdir()
    store = MemoryStore()
    names = ("r", "ti", "s", "ta")
    holders = {
        role: kept.office.images.authority.holders[role].of(Signer.from_seed(b"thief", name))
        for role, name in enumerate(names)
    }
    ImageRepository.create(store, holders, NOW)
    for name in store.names():
        kept.plant(name, store.read(name))


def leaves_a_file_behind(kept):
    kept.plant("index.html", b"owned")


def puts_a_map_there(kept):
    kept.plant("9.map.cbor", b"x")


FILES = {
    plants_an_image: "image 66 was planted: no signed file lists it",
    plants_an_image_under_a_name_that_is_used: "7: its bytes were changed",
    plants_an_image_that_is_not_what_its_name_says: "image 66 is not what its name says",
    takes_an_image: "image 8 was removed, and",
    takes_an_image_and_marks_it_collected: "image 8 was removed, and",
    takes_a_withdrawn_image: "image 6 was removed, and",
    marks_a_number_that_was_never_used: "was planted: there was no such image",
    plants_metadata_that_nobody_signed: "77.targets.cbor was planted: nobody who speaks",
    plants_metadata_with_a_stolen_key: "77.targets.cbor was planted: validly signed",
    signs_the_same_version_again_with_a_stolen_key: "says something else now, validly signed",
    signs_an_older_timestamp_with_a_stolen_key: "timestamp 1: version",
    takes_superseded_metadata_before_its_time: "1.targets.cbor was removed: it counts, or has not",
    takes_a_root: "Roots of the Image repository do not verify",
    founds_a_repository_of_his_own: "another repository stands here",
    leaves_a_file_behind: "index.html was planted: a file that no signed file knows of",
    puts_a_map_there: "9.map.cbor was planted: a file that no signed file knows of",
}


@pytest.mark.parametrize("theft", FILES, ids=lambda theft: theft.__name__)
def test_what_a_thief_does_to_the_repository_is_named(kept, theft):
    """S-19, E-61: a planted compromise is found."""
    kept.back_up()
    assert kept.tampered() == []
    theft(kept)
    found = kept.tampered()
    assert any(FILES[theft] in sentence for sentence in found), found


def test_a_repository_that_was_put_back_to_an_older_state_is_named(kept, tmp_path):
    """S-19, E-31: everything in it is validly signed, and it is old."""
    shutil.copytree(kept.current, tmp_path / "old")
    kept.office.release_image(9, b"the repair", [20], 9)
    kept.back_up()
    kept.put_back(tmp_path / "old")
    found = kept.tampered()
    assert any("snapshot" in s and "went back" in s for s in found), found
    assert any("image 9 was removed" in s for s in found), found


# --- the inventory ------------------------------------------------------------------------------


FORGED = "INSERT INTO manifests"
ROLE_FILE = "INSERT INTO role_files VALUES ('VIN1', 3, 99, ?)"
ROWS = {
    "UPDATE assignments SET image = 8": "assignments 1: image changed, which never happens",
    "UPDATE ecus SET kid = x'00', public = NULL WHERE id = 2": "ecus 2: public, kid changed",
    "DELETE FROM decisions": "decisions 1 was removed",
    "DELETE FROM manifests WHERE id = 2": "manifests 2 was removed",
    "DELETE FROM role_files WHERE role = 3 AND version = 3": "targets 3 of VIN1 was removed: the",
    "DELETE FROM role_files WHERE version = 1": "targets 1 of VIN1 was removed, and had not",
    "DELETE FROM root_files": "the Roots of the Director do not verify",
    "UPDATE root_files SET raw = x'00'": "the Roots of the Director do not verify",
    "INSERT INTO role_files VALUES ('VIN1', 3, 99, x'00')": "targets 99 of VIN1 was planted",
    "INSERT INTO role_files SELECT 'VIN9', role, version, raw FROM role_files WHERE role = 3": (
        "targets 1 of VIN9 was planted"
    ),
    f"{FORGED} VALUES (99, 'VIN1', 1, 0, 99, x'00')": "manifest 99 of VIN1 was planted",
    f"{FORGED} SELECT 99, vehicle_id, primary_id, 0, 99, raw FROM manifests LIMIT 1": (
        "manifest 99 of VIN1 was planted"
    ),
    "INSERT INTO reports SELECT 99, manifest_id, ecu_id, 99, image, 9, sha256, boot, attacks,"
    " tried, regions FROM reports WHERE id = 1": "report 99 of ECU 1 is not what its ECU said",
    "INSERT INTO images SELECT 66, 4, x'00', hardware, release, confidential, regions FROM images"
    " LIMIT 1": "image 66 of the inventory was planted",
}


@pytest.mark.parametrize("statement", ROWS)
def test_what_a_thief_does_to_the_inventory_is_named(kept, statement):
    """E-90, R-32, S-19: a Director's service that was taken over falsifies what happened."""
    kept.back_up()
    kept.sql((statement,))
    found = kept.tampered()
    assert any(ROWS[statement] in sentence for sentence in found), found


def test_an_inventory_whose_rows_may_change_is_named(kept):
    """R-32: the triggers are a part of it."""
    kept.back_up()
    with kept.office.inventory.begin() as session:
        session.connection().exec_driver_sql("DROP TRIGGER reports_update")
        session.commit()
    assert kept.tampered() == ["reports: the trigger is gone that keeps its rows as they are"]


def test_what_was_falsified_long_ago_is_seen_against_an_older_backup(kept):
    """S-19: each backup is a witness of its own."""
    kept.back_up()
    kept.office.assign("VIN1", DOOR, 8)
    kept.back_up()
    kept.sql(("DELETE FROM assignments WHERE id = 2",))
    assert kept.tampered(number=1) == []
    assert kept.tampered(number=2) == ["assignments 2 was removed"]


def test_keys_that_were_changed_or_taken_are_named(kept):
    """S-19, R-37."""
    kept.back_up(with_keys=True)
    key = kept.folder / "keys" / "image.root.1.key"
    good = key.read_bytes()
    key.write_bytes(good[:-1])
    assert kept.tampered() == ["keys/image.root.1.key was changed"]
    key.unlink()
    assert kept.tampered() == ["keys/image.root.1.key was removed"]
    key.write_bytes(good)
    kept.office.rotate(ids.IMAGE, ids.TARGETS)
    assert kept.tampered() == []
    assert "keys/image.targets.2.key is new" in [one.sentence for one in kept.compare()]
