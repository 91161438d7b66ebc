"""A vehicle file: what it says is what is built, and whatever is wrong in it names its line."""

import re
from pathlib import Path

import pytest

from muptane.bench.factory import seed_of
from muptane.bench.plan import BadVehicle, load
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import World
from uptane.ids import FULL, PARTIAL, PRIMARY

SEDAN = Path(__file__).parents[2] / "vehicles" / "sedan.toml"


@pytest.fixture
def complaint(tmp_path):
    """What `load` says of the sedan after `old` was replaced by `new` (the last `old`)."""

    def complain(old, new):
        text = SEDAN.read_text()
        assert old in text
        head, _, tail = text.rpartition(old)
        return refusal_of(head + new + tail)

    def refusal_of(content):
        path = tmp_path / "car.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(BadVehicle) as refused:
            load(path)
        said = str(refused.value)
        assert said.startswith(f"{path}:")
        return said.removeprefix(f"{path}:")

    complain.of = refusal_of
    return complain


def line_of(text):
    """The line of the sedan on which a text stands last."""
    lines = SEDAN.read_text().splitlines()
    return max(number for number, line in enumerate(lines, 1) if text in line)


def test_the_sedan_is_what_its_file_says():
    plan = load(SEDAN)
    assert (plan.vin, plan.seed, plan.bus.bitrate) == ("MUPTANE0SEDAN0001", 1, 500_000)
    assert [ecu.name for ecu in plan.ecu] == ["gateway", "brake", "door"]
    assert [ecu.level() for ecu in plan.ecu] == [PRIMARY, FULL, PARTIAL]
    assert plan.primary().name == "gateway"
    assert [ecu.name for ecu in plan.secondaries()] == ["brake", "door"]


def test_a_data_bitrate_makes_the_bus_one_of_can_fd(tmp_path):
    path = tmp_path / "car.toml"
    path.write_text(SEDAN.read_text().replace("[bus]", "[bus]\ndata_bitrate = 2_000_000"))
    plan = load(path)
    assert (load(SEDAN).bus.data_bitrate, plan.bus.data_bitrate) == (0, 2_000_000)
    vehicle = Vehicle(plan, World(), tmp_path / "car", "cpython")
    assert vehicle.bus.data_bitrate == 2_000_000
    assert {vehicle.settings(ecu.name)["data_bytes"] for ecu in plan.ecu} == {64}


def test_a_board_without_can_fd_is_named_with_its_line(complaint):
    text = SEDAN.read_text().replace("bitrate = 500_000", "data_bitrate = 2_000_000")
    head, _, tail = text.rpartition('board = "unix"')
    said = complaint.of(head + 'board = "pyboard_v11"' + tail)
    at = line_of('board = "unix"')
    assert said.startswith(f"{at}: ecu.2.board: pyboard_v11 has no CAN FD")


def test_a_data_phase_is_not_slower_than_the_rest(complaint):
    said = complaint("bitrate = 500_000", "bitrate = 500_000\ndata_bitrate = 250_000")
    assert said.startswith(f"{line_of('bitrate') + 1}: bus.data_bitrate: slower")


def test_every_ecu_has_a_key_of_its_own_that_the_seed_decides():
    plan = load(SEDAN)
    seeds = {seed_of(plan, ecu) for ecu in plan.ecu}
    other = plan.model_copy(update={"seed": 2})
    assert len(seeds) == 3
    assert not seeds & {seed_of(other, ecu) for ecu in other.ecu}
    assert seeds == {seed_of(plan, ecu) for ecu in load(SEDAN).ecu}


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ('board = "unix"', 'bord = "unix"', 'board = "unix"', ("bord", "unknown key", "board")),
        ("bitrate = 500_000", "bitrat = 5", "bitrate", ("bus.bitrat", "unknown", "bitrate")),
        ("bitrate = 500_000", "functional = 0x2000_0000", "bitrate", ("bus.functional", "less")),
        (
            "bitrate = 500_000",
            "functional = 0x7E9",
            "response = 0x7E9",
            ("CAN identifier of all ECUs", "choose another"),
        ),
        (
            "seed = 1",
            "seeds = 1",
            "seed",
            ("seeds", "unknown", "vin, seed, bus, repository, ecu"),
        ),
        ("number = 3", 'number = "3"', "number = 3", ("ecu.2.number", "integer")),
        ("number = 3", "number = 3.0", "number = 3", ("ecu.2.number", "integer")),
        ("number = 3", "number = true", "number = 3", ("ecu.2.number", "integer")),
        ("number = 3", "number = 0", "number = 3", ("ecu.2.number", "greater")),
        ("number = 3", "number = 4294967296", "number = 3", ("ecu.2.number", "less")),
        ("seed = 1", "seed = -1", "seed", ("seed", "greater")),
        ("bitrate = 500_000", "bitrate = 5_000_000", "bitrate", ("bitrate", "1000000")),
        ("request = 0x7E2", "request = 0x2000_0000", "0x7E2", ("ecu.2.request", "536870911")),
        ('name = "door"', 'name = "Door!"', 'name = "door"', ("ecu.2.name", "pattern")),
        ('name = "door"', 'name = ""', 'name = "door"', ("ecu.2.name", "pattern")),
        ('vin = "MUPTANE0SEDAN0001"', 'vin = "a vin"', "vin", ("vin", "pattern")),
        ('"partial"', '"some"', '"partial"', ("ecu.2.verification", "'full' or 'partial'")),
        ('role = "secondary"', 'role = "boss"', "secondary", ("role", "'primary' or")),
        (
            'name = "door"',
            'name = "brake"',
            'name = "door"',
            ("ecu.2.name", "'brake'", "choose another"),
        ),
        ("number = 3", "number = 2", "number = 3", ("ecu.2.number", "2 is the number", "brake")),
        ("0x7E2", "0x7E8", "0x7E2", ("ecu.2.request", "2024", "'gateway' already")),
        ("0x7EA", "0x7E2", "0x7EA", ("ecu.2.response", "CAN identifier", "'door' already")),
        ('role = "secondary"', 'role = "primary"', "secondary", ("ecu.2.role", "second Primary")),
    ],
)
def test_a_mistake_names_its_line_and_what_to_do(complaint, old, new, at, words):
    """V-03: no ECU verifies less than partially."""
    said = complaint(old, new)
    assert said.startswith(f"{line_of(at)}: "), said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('regions = ["maps"]', ("ecu.2.regions", "'bootloader', 'library'")),
        ('regions = ["application"]', ("ecu.2.regions", "'bootloader', 'library'")),
        (
            'regions = ["calibration", "calibration"]',
            ("ecu.2.regions", "a region is named twice; name each once"),
        ),
        (
            'in_place = true\nregions = ["calibration"]',
            ("ecu.2.regions", "has one region; drop regions, or in_place"),
        ),
    ],
)
def test_regions_that_an_ecu_cannot_have_are_refused(complaint, lines, words):
    """S-25, S-29."""
    said = complaint("number = 3", f"number = 3\n{lines}")
    for word in words:
        assert word in said


def test_a_region_that_a_board_does_not_have_is_refused_with_those_that_it_has(tmp_path):
    """S-25: before anything is built."""
    text = SEDAN.read_text().replace("number = 3", 'number = 3\nregions = ["library"]')
    path = tmp_path / "car.toml"
    path.write_text(text)
    with pytest.raises(
        BadVehicle, match="door: unix has no library region; has calibration, user"
    ):
        Vehicle(load(path), World(seed=1), tmp_path / "flash", "cpython")


def test_a_vehicle_without_a_primary_is_refused(complaint):
    said = complaint('role = "primary"', 'role = "secondary"')
    assert said.startswith("8: ecu.0: ")
    assert "give one of them role = 'primary'" in said


def test_a_primary_that_verifies_partially_is_refused(complaint):
    """V-03, V-34."""
    text = SEDAN.read_text().replace('verification = "full"', 'verification = "partial"', 1)
    said = complaint.of(text)
    assert said.startswith("12: ecu.0.verification: ")
    assert "set verification = 'full'" in said


def test_a_primary_with_a_symmetric_key_is_refused(complaint):
    """V-24: it signs manifests; a Secondary may have one."""
    text = SEDAN.read_text()
    primary = text.replace("number = 1\n", 'number = 1\nkey = "symmetric"\n')
    said = complaint.of(primary)
    assert said.startswith("11: ecu.0.key: ")
    assert "only a Secondary's key" in said
    assert "'asymmetric' or 'symmetric'" in complaint("number = 3\n", 'number = 3\nkey = "none"\n')


def test_a_missing_key_names_the_table_it_belongs_to(complaint):
    said = complaint("hardware = 0x3001\n", "")
    assert said == f"{line_of('[[ecu]]')}: ecu.2.hardware: is missing; add it"
    assert complaint.of("seed = 1\n").endswith(": is missing; add it")


def test_of_several_mistakes_the_first_in_the_file_is_named(complaint):
    text = SEDAN.read_text().replace("0x7E1", '"no"').replace("hardware = 0x3001", "hardware = -1")
    assert complaint.of(text + "\n[novelty]\na = 1\n").startswith(f"{line_of('0x7E1')}: ecu.1")


def test_too_many_or_no_ecus_are_refused(complaint):
    assert "ecu" in complaint.of('vin = "V"\necu = []\n')
    tables = "".join(
        f'[[ecu]]\nname = "e{n}"\nnumber = {n}\nrole = "secondary"\nverification = "full"\n'
        f'board = "unix"\nhardware = 1\nrequest = {n}\nresponse = {1000 + n}\napplication = "a"\n'
        for n in range(1, 19)
    )
    assert "17" in complaint.of('vin = "V"\n' + tables)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('vin = "a"\nseed = = 1\n', 2),
        ("vin = 'a'\nvin = 'b'\n", 2),
        ("[[ecu]]\nname = \n", 2),
        ('vin = "a', 1),
        ('vin = """a\n\n', 2),
        (b'vin = "a"\n# \xff\n', 2),
        (b"\x00\x01\x02", 1),
    ],
)
def test_a_file_that_is_not_toml_names_its_line(complaint, content, line):
    said = complaint.of(content)
    assert said.startswith(f"{line}: not "), said


def test_a_wrong_shape_of_tables_is_refused(complaint):
    for content in (
        'vin = "v"\necu = 5\n',
        'vin = "v"\n[ecu]\nname = "a"\n',
        "bus = 1\n",
        "",
        "a.b = 1",
    ):
        assert complaint.of(content)[0].isdigit()


def test_a_dotted_key_names_its_line(complaint):
    assert complaint.of('vin = "v"\nbus.bitrate = "fast"\necu = []\n').startswith("2: bus.bitrate")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadVehicle, match="cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(BadVehicle, match="cannot be read"):
        load(tmp_path)


FLEET = SEDAN.with_name("fleet.toml")


def test_a_vehicle_may_have_more_repositories(tmp_path):
    """V-20, S-47"""
    assert load(SEDAN).repository == []
    assert [(one.number, one.owner) for one in load(FLEET).repository] == [(3, "fleet")]
    text = FLEET.read_text()
    for old, new, words in (
        ("number = 3\nowner", "number = 2\nowner", "repository.0.number"),
        ("number = 3\nowner", "number = 7\nowner", "repository.0.number"),
        ("owner =", "ower =", "unknown key; known here: number, owner"),
        ("[bus]", '[[repository]]\nnumber = 3\nowner = "x"\n\n[bus]', "choose another number"),
    ):
        file = tmp_path / "wrong.toml"
        file.write_text(text.replace(old, new, 1))
        with pytest.raises(BadVehicle, match=re.escape(words)):
            load(file)
