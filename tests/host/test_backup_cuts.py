"""Power cuts, full disks and forbidden folders: a backup or an office is there, or it is not."""

import errno
import os
import shutil

import pytest
from backup_office import restored
from test_oem_image_repository import Cut, MortalDisk

from muptane.oem.backup.compare import Standing
from muptane.oem.backup.live import Place
from muptane.oem.backup.restoring import Aim, Backup, restore
from muptane.oem.backup.target import FolderTarget
from muptane.oem.errors import TargetFault
from muptane.oem.storage import Disk


def test_a_cut_at_any_stroke_of_a_backup_leaves_those_before_it_whole(kept, tmp_path):
    """S-18, S-19, E-87: and the next one goes on from what was stored."""
    kept.back_up()
    kept.office.refresh()
    receipts = (kept.folder.parent / "owner" / "receipts.json").read_text()
    seen = []
    for stroke in range(100):
        folder = tmp_path / str(stroke)
        shutil.copytree(tmp_path / "kept" / "target", folder)
        kept.target = FolderTarget(folder, MortalDisk(stroke))
        kept.target.name = str(tmp_path / "kept" / "target")
        try:
            kept.back_up()
            done = True
        except Cut:
            done = False
        kept.target = FolderTarget(folder)
        vault = kept.vault
        vault.check(vault.contents(vault.pick()))
        seen.append(len(vault.records))
        kept.target.name = str(tmp_path / "kept" / "target")
        (kept.folder.parent / "owner" / "receipts.json").write_text(receipts)
        if stroke % 4 == 0:
            number = kept.back_up().receipt.number
            assert number == seen[-1] + 1 and kept.tampered() == []
            (kept.folder.parent / "owner" / "receipts.json").write_text(receipts)
        shutil.rmtree(folder)
        if done:
            break
    assert done and seen == sorted(seen) and seen.count(1) > 9 and seen[-1] == 2


def test_a_cut_at_any_stroke_of_a_restoration_leaves_all_or_nothing(kept, tmp_path):
    """S-18, E-87: and the next one clears away what was begun."""
    kept.back_up(with_keys=True)
    backup = Backup(kept.vault, kept.vault.pick())
    seen = []
    for stroke in range(200):
        folder = tmp_path / f"new {stroke}"
        if stroke % 2:
            folder.mkdir()
        try:
            restore(backup, Aim(folder), MortalDisk(stroke))
            done = True
        except Cut:
            done = False
        seen.append(folder.exists() and any(folder.iterdir()))
        if not seen[-1] and stroke % 8 == 0:
            restore(backup, Aim(folder))
            assert not folder.with_name(f".{folder.name}.restoring").exists()
        if folder.exists() and any(folder.iterdir()):
            assert whole(folder, backup)
        if done:
            break
    assert done and seen == sorted(seen) and seen.count(False) > 30


def whole(folder, backup):
    with Place.of(folder).moment(True) as moment:
        return Standing(moment).files == dict(backup.contents.files)


class Grudging(Disk):
    """A disk that takes so many bytes, and then says why not."""

    def __init__(self, number, room):
        self.number = number
        self.room = room

    def write(self, path, content):
        self.room -= len(content)
        if self.room < 0:
            path.write_bytes(content[: len(content) // 2])
            raise OSError(self.number, os.strerror(self.number))
        super().write(path, content)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "it is full: make room and run this again"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EACCES, "you may not read or write there"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_target_that_takes_no_more_says_so_and_keeps_what_it_has(kept, number, sentence):
    """S-18: the last good backup is as it was, and what was stored serves the next one."""
    kept.back_up()
    kept.office.release_image(9, b"a new one", [20], 9)
    kept.office.release_image(10, bytes(5000), [20], 10)
    sound = kept.target
    kept.target = FolderTarget(sound.folder, Grudging(number, 3000))
    with pytest.raises(TargetFault, match=sentence) as caught:
        kept.back_up()
    assert "Backups that are there are as they were" in str(caught.value)
    kept.target = sound
    vault = kept.vault
    vault.check(vault.contents(vault.pick()))
    assert not list(sound.folder.rglob("*.draft")), "nothing half is left"
    assert kept.back_up().receipt.number == 2


def test_a_target_that_is_no_folder_says_so(kept, tmp_path):
    """S-18."""
    (tmp_path / "file").write_bytes(b"")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        kept.target = FolderTarget(target)
        with pytest.raises(TargetFault, match="not a directory"):
            kept.back_up()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_forbidden_says_so(kept, tmp_path):
    """S-18."""
    kept.target.folder.mkdir(mode=0o500)
    with pytest.raises(TargetFault, match="you may not read or write there"):
        kept.back_up()


def test_a_disk_that_fills_up_leaves_nothing_restored(kept, tmp_path):
    """S-18: the folder is as it was, and after there is room it works."""
    kept.back_up()
    backup = Backup(kept.vault, kept.vault.pick())
    with pytest.raises(OSError, match="No space left"):
        restore(backup, Aim(tmp_path / "new"), Grudging(errno.ENOSPC, 1000))
    assert not (tmp_path / "new").exists()
    restored(kept, tmp_path / "new")
    assert whole(tmp_path / "new", backup)
