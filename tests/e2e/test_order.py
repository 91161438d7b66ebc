"""What goes over the bus in one update, and in which order: the Standard's steps, one by one.

Heard by the tap, which knows no code of the device; what the office signed says what had to pass.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from garage import Garage
from played import kind_of
from tap import UPLOAD, File, Tap

from muptane.oem.inventory import Assignment
from uptane import errors, ids

REPORT_ECU = (ids.LOCAL, ids.KIND_REPORT, ids.REPORT_ECU)
REPORT_VEHICLE = (ids.LOCAL, ids.KIND_REPORT, ids.REPORT_VEHICLE)
TIME = (ids.DIRECTOR, ids.KIND_TIME, 0)
AN_IMAGE = (ids.IMAGE, ids.KIND_IMAGE, 0)
INSTALL = bytes((0x31, 0x01, 0x02, 0x03))
WANTS = bytes((0x31, 0x01, 0x02, 0x01))
PARTIAL_ROLES = (ids.ROOT, ids.TARGETS)
ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def metadata(repository: int, *roles: int) -> list[tuple[int, int, int]]:
    return [(repository, ids.KIND_METADATA, role) for role in roles]


class Update:
    """A vehicle that has taken release 2 everywhere after a change of every key of Targets, with
    all that was said; then one more cycle, for its reports."""

    def __init__(self, garage: Garage) -> None:
        self.garage = garage
        for repository in (ids.DIRECTOR, ids.IMAGE):
            garage.office.rotate(repository, ids.TARGETS)
        for name in garage.vehicle.ecus:
            garage.publish(name, 2)
        self.tap = Tap(garage.plan)
        garage.vehicle.bus.listeners.append(self.tap.hear)
        garage.cycle()
        self.files = list(self.tap.files)
        self.exchanges = list(self.tap.exchanges)
        garage.cycle()
        self.later = self.tap.files[len(self.files) :]

    def passed(self, name: str) -> list[tuple[int, int, int]]:
        """What went to and from an ECU, in order."""
        return [kind_of(file) for file in self.files if file.ecu == name]

    def of(self, name: str, kind: tuple[int, int, int]) -> list[File]:
        return [file for file in self.files if file.ecu == name and kind_of(file) == kind]

    def said(self, name: str, start: bytes) -> list[int]:
        """When an ECU was asked this, as places among all exchanges."""
        return [
            place
            for place, done in enumerate(self.exchanges)
            if done.ecu == name and done.request.startswith(start)
        ]


@pytest.fixture(scope="module")
def update(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Update]:
    folder: Path = tmp_path_factory.mktemp("order")
    with Garage(folder) as garage:
        yield Update(garage)


def test_the_update_went_in(update: Update) -> None:
    """Else the tests below prove less than they say."""
    assert [update.garage.release(name) for name in ("gateway", "brake", "door")] == [2, 2, 2]


def test_a_primary_goes_the_seven_steps(update: Update) -> None:
    """V-40, V-42, V-46, V-47, V-48: vehicle version manifest, time, metadata of both repositories,
    an image for each ECU; only then is anything handed to a Secondary."""
    assert update.passed("gateway") == [
        REPORT_VEHICLE,
        TIME,
        *metadata(ids.DIRECTOR, *ROLES),
        *metadata(ids.IMAGE, *ROLES),
        AN_IMAGE,
        AN_IMAGE,
        AN_IMAGE,
    ]
    order = [(file.ecu == "gateway", kind_of(file)) for file in update.files]
    last_in = max(place for place, (mine, _) in enumerate(order) if mine)
    handed_on = [place for place, (mine, kind) in enumerate(order) if not mine]
    reports = [place for place in handed_on if order[place][1] == REPORT_ECU]
    assert reports == [0, 1] and all(place > last_in for place in set(handed_on) - {0, 1})


def test_an_ecu_installs_in_the_order_of_the_standard(update: Update) -> None:
    """V-55, V-56, V-49, V-75.1: time before metadata before the image, for every Secondary."""
    full = metadata(ids.DIRECTOR, *ROLES) + metadata(ids.IMAGE, *ROLES)
    partial = metadata(ids.DIRECTOR, *PARTIAL_ROLES)
    assert update.passed("brake") == [REPORT_ECU, TIME, *full, AN_IMAGE]
    assert update.passed("door") == [REPORT_ECU, TIME, *partial, AN_IMAGE]
    attested = update.of("gateway", TIME)[0].content
    for name in ("brake", "door"):
        assert update.of(name, TIME)[0].content == attested


def test_each_secondary_gets_what_it_needs_as_it_came(update: Update) -> None:
    """V-50, V-33, V-70: new Roots too, the partial one nothing of the Image repository; and all of
    it is what the Primary had verified before."""
    verified = {file.content for file in update.of("gateway", TIME)}
    for kind in metadata(ids.DIRECTOR, *ROLES) + metadata(ids.IMAGE, *ROLES):
        verified |= {file.content for file in update.of("gateway", kind)}
    for name, kinds in (("brake", 9), ("door", 3)):
        given = [file for file in update.files if file.ecu == name and file.service != UPLOAD]
        files = [file.content for file in given if kind_of(file) != AN_IMAGE]
        assert len(files) == kinds and set(files) <= verified


def test_an_image_is_asked_for_and_only_after_its_metadata(update: Update) -> None:
    """V-52, V-58: nobody pushes; the working image stays where it is meanwhile."""
    for name in ("brake", "door"):
        image = update.of(name, AN_IMAGE)[0]
        opened = bytes((0x34, 0x00, 0x46)) + image.number
        begun = update.said(name, opened)[0]
        asked = [update.exchanges[place] for place in update.said(name, WANTS) if place < begun]
        want = cbor2.loads(asked[-1].response[5:])
        assert want[0] == image.number and want[1] == sha256(image.content).digest()
        assert want[3] == len(image.content)


def test_the_image_is_the_one_that_the_director_lists_for_that_ecu(update: Update) -> None:
    """V-59, V-14: its number comes from the entry that names the ECU."""
    garage = update.garage
    vin, director = garage.plan.vin, garage.office.director
    raw = garage.office.answer(vin, ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS, 0)
    assert raw is not None
    listed = director.authority.verify(raw, ids.TARGETS)
    for name in ("brake", "door"):
        number = int.from_bytes(update.of(name, AN_IMAGE)[0].number[2:], "big")
        assert listed.images[number].ecus == (garage.vehicle_ecu(name).number,)


def test_what_was_verified_is_installed_once_and_reported(update: Update) -> None:
    """V-55, V-68: install after the image, and the next report says what runs."""
    for name in ("brake", "door"):
        (installed,) = update.said(name, INSTALL)
        assert installed > max(update.said(name, b"\x37"))
    reports = [file for file in update.later if kind_of(file) == REPORT_ECU]
    running = {}
    for file in reports:
        content = cbor2.loads(cbor2.loads(file.content)[0])
        running[file.ecu] = content[4][0], content[4][3]
    assert running == {"brake": (202, 2), "door": (302, 2)}


def test_an_ecu_for_which_nothing_is_meant_says_so(tmp_path: Path) -> None:
    """V-60: its next report names it, which is no fault; its earlier Targets stay."""
    with Garage(tmp_path) as garage:
        garage.cycle()
        newest = garage.vehicle.records("door").read(ids.RECORD_METADATA + ids.TARGETS)
        door = garage.vehicle_ecu("door").number
        with garage.office.inventory.begin() as session:  # a wish that the Director withholds
            session.add(Assignment(ecu_id=door, image=201, made_s=garage.office.now()))
            session.commit()
        garage.publish("brake", 2)
        tap = Tap(garage.plan)
        garage.vehicle.bus.listeners.append(tap.hear)
        garage.cycle()
        garage.cycle()
        assert garage.vehicle.records("door").read(ids.RECORD_METADATA + ids.TARGETS) == newest
        reports = [file for file in tap.files if (file.ecu, kind_of(file)) == ("door", REPORT_ECU)]
        named = [cbor2.loads(cbor2.loads(file.content)[0])[5] for file in reports]
        assert named == [[], [errors.NoImage.number]]
        assert [garage.release(name) for name in ("brake", "door")] == [2, 1]


def test_each_ecu_stores_the_newest_of_what_it_verifies(update: Update) -> None:
    """V-51: the partial one the Director's Root and Targets, the others four roles of each."""
    garage = update.garage
    for name in garage.vehicle.ecus:
        records = garage.vehicle.records(name)
        for repository in (ids.DIRECTOR, ids.IMAGE):
            for role in ROLES:
                record = ids.RECORD_METADATA + 0x100 * (repository - ids.DIRECTOR) + role
                kept = records.read(record)
                partial = name == "door"
                if partial and (repository == ids.IMAGE or role not in PARTIAL_ROLES):
                    assert kept is None
                else:
                    newest = garage.office.answer(
                        garage.plan.vin, repository, ids.KIND_METADATA, role, 0
                    )
                    assert kept == newest, (name, repository, role)
