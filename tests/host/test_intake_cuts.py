"""A delivery is there or it is not: the office dies between any two strokes of its disk.

The inventory's part is SQLite's to keep; what is cut here is everything between its two rows, an
arrival and its outcome. Then the office is opened again, as after a power cut, and by a process
that was killed for good.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
from oem_vehicle import BRAKE, NOW, Vehicle
from supplied import BRAKES, PASSPHRASE, Trade
from test_oem_image_repository import Cut, MortalDisk

from muptane.oem.contracts import INTERRUPTED, TAKEN
from muptane.oem.director import Director
from muptane.oem.errors import UnknownImage, WrongVersion
from muptane.oem.fields import sha256
from muptane.oem.hash_list import nothing
from muptane.oem.image_repository import ImageRepository
from muptane.oem.intake import Receipt, history
from muptane.oem.keystore import KeyStore
from muptane.oem.office import Mint, Office, Premises
from muptane.oem.storage import DirectoryStore, Disk

FILES = ("2.targets.20.cbor", f"{sha256(b'brake 204').hex()}.204")


class Published(Disk):
    """A disk that dies when everything is published and nothing more is written."""

    def settle(self, folder: Path) -> None:
        super().settle(folder)
        if folder.name == "images":
            raise Cut


class Killed(Published):
    """The same, and takes the process with it."""

    def settle(self, folder: Path) -> None:
        try:
            super().settle(folder)
        except Cut:
            os.kill(os.getpid(), signal.SIGKILL)


def opened(folder: Path, disk: Disk) -> Office:
    """An office like any other, on that disk."""
    premises = Premises(folder / "office", PASSPHRASE)
    keyring, inventory = KeyStore(folder / "office/keys", PASSPHRASE), premises.inventory()
    signers = list(keyring.signers().values())
    images = ImageRepository.open(DirectoryStore(folder / "office/images", disk), signers)
    director = Director.open(inventory, signers)
    return Office(lambda: NOW, Mint(keyring, None), images, director, inventory)


def receive(folder: Path, disk: Disk) -> None:
    office = opened(folder, disk)
    try:
        office.intake.receive(folder / "second.zip", nothing)
    finally:
        office.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office that took one delivery, and the second, which it has not seen yet."""
    folder = tmp_path_factory.mktemp("ground")
    trade = Trade(folder)
    trade.receive(trade.brake())
    vehicle = Vehicle()
    trade.office.register_vehicle(vehicle.vin, vehicle.new())
    (folder / "second.zip").write_bytes(trade.brake(204, 4).write())
    trade.office.close()
    return folder


def stands(folder: Path) -> tuple[bool, Receipt]:
    """Whether the second delivery was taken, all of it or nothing; and what the record says."""
    office = Office.open(lambda: NOW, Premises(folder / "office", PASSPHRASE))
    last = history(office.inventory)[-1]
    there = {path.name for path in (folder / "office/images/current").iterdir()}
    after = office.images.find(204, [20]) is not None
    assert [name in there for name in FILES] == [after, after]
    assert office.images.deliveries.versions() == {BRAKES: 2 if after else 1}
    try:
        office.assign("VIN1", BRAKE, 204)
        assert after
    except UnknownImage:
        assert not after
    assert office.images.find(203, [20]) is not None
    office.close()
    return after, last


def test_a_cut_at_any_stroke_leaves_a_delivery_taken_or_not(tmp_path: Path, ground: Path) -> None:
    """T-17, R-34, S-14, E-87: published, known to who directs, and said so; or none of it."""
    seen = []
    for stroke in range(100):
        folder = tmp_path / str(stroke)
        copytree(ground, folder, symlinks=True)
        try:
            receive(folder, MortalDisk(stroke))
            done = True
        except Cut:
            done = False
        after, last = stands(folder)
        assert last.outcome == (TAKEN if after else INTERRUPTED)
        if not after:
            receive(folder, Disk())
            after_all, last = stands(folder)
            assert after_all and last.outcome == TAKEN
        seen.append(after)
        if done:
            break
    assert done and seen == sorted(seen) and seen.count(False) > 8


def test_what_was_published_before_the_cut_is_taken(tmp_path: Path, ground: Path) -> None:
    """T-17, S-14: the inventory learns it when the office opens, and it is not taken twice."""
    copytree(ground, tmp_path / "cut", symlinks=True)
    with pytest.raises(Cut):
        receive(tmp_path / "cut", Published())
    after, last = stands(tmp_path / "cut")
    assert after and last.outcome == TAKEN and "version: role 20 has 2 after 1" in last.sentences
    with pytest.raises(WrongVersion):
        receive(tmp_path / "cut", Disk())


def test_a_killed_process_leaves_a_delivery_taken_or_not(tmp_path: Path, ground: Path) -> None:
    """T-17: SIGKILL, so that nothing of Python's gets a word in."""
    copytree(ground, tmp_path / "killed", symlinks=True)
    here = Path(__file__).parent
    folders = [str(folder) for folder in (here, here.parent, here.parents[1] / "firmware")]
    lines = (
        f"import sys; sys.path[:0] = {folders!r}",
        "from pathlib import Path; from test_intake_cuts import Killed, receive",
        f"receive(Path({str(tmp_path / 'killed')!r}), Killed())",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    after, last = stands(tmp_path / "killed")
    assert after and last.outcome == TAKEN
