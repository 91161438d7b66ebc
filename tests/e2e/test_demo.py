"""The demo, as a user runs it: its JSON, its exit codes, its words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from muptane.bench import firmware
from tests import images

MUPTANE = Path(sys.executable).parent / "muptane"
WALL_S_MAX = 60


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MUPTANE), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not firmware.available():
        pytest.skip("there is no MicroPython wheel for this machine")
    file = tmp_path_factory.mktemp("demo") / "demo.json"
    done = run("demo", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(file.read_text())
    result["printed"] = done.stdout
    return result


def test_three_real_interpreters_take_the_update(demo: dict[str, Any]) -> None:
    """V-34, V-40."""
    assert [ecu["id"] for ecu in demo["ecus"]] == ["gateway", "brake", "door"]
    assert [ecu["role"] for ecu in demo["ecus"]] == ["primary", "secondary", "secondary"]
    assert [ecu["verification"] for ecu in demo["ecus"]] == ["full", "full", "partial"]
    for ecu in demo["ecus"]:
        assert ecu["interpreter"] == "micropython"
        assert ecu["interpreter_version"].startswith("1.")
        assert ecu["heap_limit_bytes"] > 0
        assert ecu["after"]["release"] > ecu["before"]["release"]
        assert ecu["after"]["sha256"] != ecu["before"]["sha256"]


def test_the_full_secondary_refuses_and_the_partial_one_installs(demo: dict[str, Any]) -> None:
    """E-32."""
    full, partial = demo["attacks"]
    assert (full["ecu"], full["verification"], full["observed"]) == ("brake", "full", 52)
    assert (partial["ecu"], partial["observed"]) == ("door", "installs")
    assert all(
        attack["ok"] and attack["name"] == "director_key_stolen" for attack in (full, partial)
    )
    refusals = {ecu["id"]: ecu["refusals"] for ecu in demo["ecus"]}
    assert refusals == {"gateway": [], "brake": [52], "door": []}


def test_the_bus_took_time(demo: dict[str, Any]) -> None:
    assert demo["bus"]["frames"] > 1000
    assert demo["bus"]["payload_bytes"] > demo["bus"]["frames"]
    assert 0 < demo["bus"]["load"] < 1
    assert demo["bus"]["virtual_s"] > 10
    assert demo["bus"]["wall_s"] < WALL_S_MAX
    assert demo["seed"] == 1


def test_the_story_is_told(demo: dict[str, Any]) -> None:
    """What the applications do on the bus changes, and the limit is said plainly."""
    told = " ".join(demo["printed"].split())
    assert "door 1 x 310 01 01" in told
    assert "door 4 x 310 02 01 28" in told
    assert "52 ImagesDiffer" in told
    assert "door installs it. By design: a partial Secondary checks the Director alone" in told


def test_a_real_firmware_goes_in_as_an_opaque_image(tmp_path: Path) -> None:
    """R-45, S-25, V-85: bytes are bytes; here inside CPython, 187 KB over the bus twice."""
    if not images.available():
        pytest.skip(images.MISSING)
    file = tmp_path / "demo.json"
    image = f"door={images.path(images.NEWER)}"
    done = run("demo", "--nodes", "cpython", "--image", image, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    door = json.loads(file.read_text())["ecus"][2]
    assert door["after"]["sha256"] == images.SHA256[images.NEWER]
    assert door["interpreter"] == "cpython"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--vehicle", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--image", "roof=x"), "say ECU=PATH, the ECU one of ['gateway', 'brake', 'door']"),
        (("--image", "door=nofile"), "there is no file nofile"),
        (("--image", "door=/dev/null"), "a plain file is needed"),
        (("--json", "/nonexistent/demo.json"), "No such file or directory"),
        (("--nodes", "pascal"), "--nodes is micropython or cpython, not 'pascal'"),
    ],
)
def test_bad_arguments_end_with_a_sentence(arguments: tuple[str, str], words: str) -> None:
    done = run("demo", *arguments)
    assert done.returncode == 2
    shown = " ".join(done.stderr.replace("│", " ").split())
    assert words in shown
    assert "Traceback" not in done.stderr


def test_a_vehicle_file_with_an_unknown_key_names_its_line(tmp_path: Path) -> None:
    text = (firmware.ROOT / "vehicles" / "sedan.toml").read_text()
    file = tmp_path / "typo.toml"
    file.write_text(text.replace('board = "unix"', 'bored = "unix"', 1))
    line = file.read_text().splitlines().index('bored = "unix"') + 1
    done = run("demo", "--vehicle", str(file))
    assert done.returncode == 2
    assert f"typo.toml:{line}:" in "".join(done.stderr.replace("│", "").split())


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('board = "unix"', 'board = "esp32"', "no board 'esp32'"),
        ('board = "unix"', 'board = "pyboard_v11"', "pyboard_v11 cannot be primary"),
        ('"unix"', '"pico_mcp2515"', "does not run at 500000; use 125000, 250000"),
        ('application = "door"', 'application = "wiper"', "has no app.py"),
    ],
)
def test_a_vehicle_that_cannot_be_built_says_why(
    tmp_path: Path, was: str, becomes: str, words: str
) -> None:
    text = (firmware.ROOT / "vehicles" / "sedan.toml").read_text()
    file = tmp_path / "wish.toml"
    file.write_text(text.replace(was, becomes))
    done = run("demo", "--nodes", "cpython", "--vehicle", str(file))
    assert done.returncode == 2
    shown = " ".join(done.stderr.replace("│", " ").split())
    assert words in shown
    assert "Traceback" not in done.stderr


def zoned(folder: Path) -> str:
    """The sedan, whose door module has a calibration."""
    text = (firmware.ROOT / "vehicles" / "sedan.toml").read_text()
    file = folder / "zoned.toml"
    file.write_text(text.replace("number = 3", 'number = 3\nregions = ["calibration"]'))
    return str(file)


def test_a_file_goes_into_one_region_and_the_application_stays(tmp_path: Path) -> None:
    """S-25, S-39."""
    data = tmp_path / "maps.bin"
    data.write_bytes(b"maps " * 50)
    arguments = ("--nodes", "cpython", "--vehicle", zoned(tmp_path))
    done = run("demo", *arguments, "--image", f"door.calibration={data}")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line.split() for line in done.stdout.splitlines() if line.startswith("  door ")]
    frames = [line[-2:] for line in said if "310" in line]
    assert len(frames) == 2, "heard before and after"
    assert frames[0] == frames[1] == ["01", "01"], "release 1 of the application goes on"


@pytest.mark.parametrize(
    ("name", "size", "code", "words"),
    [
        ("door.maps", 9, 2, "door has no region 'maps'; it has application, calibration"),
        ("gateway.calibration", 9, 2, "gateway has no region 'calibration'; it has application"),
        ("door.calibration", 65_537, 1, "has 65537 bytes for region 4 (calibration), ECU 3 has"),
    ],
)
def test_a_file_for_a_region_that_is_not_there_or_too_small_is_refused(
    tmp_path: Path, name: str, size: int, code: int, words: str
) -> None:
    """S-25, R-31: with the numbers."""
    data = tmp_path / "maps.bin"
    data.write_bytes(bytes(size))
    arguments = ("--nodes", "cpython", "--vehicle", zoned(tmp_path))
    done = run("demo", *arguments, "--image", f"{name}={data}")
    assert done.returncode == code
    shown = " ".join((done.stderr + done.stdout).replace("│", " ").split())
    assert words in shown
    assert "Traceback" not in done.stderr


def test_two_files_for_one_place_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "some.bin"
    data.write_bytes(b"some")
    arguments = ("--image", f"door={data}", "--image", f"door.application={data}")
    done = run("demo", "--nodes", "cpython", *arguments)
    assert done.returncode == 2
    assert "door is given a file already; drop one" in " ".join(done.stderr.split())


def test_an_image_that_fits_nowhere_ends_with_its_refusal(tmp_path: Path) -> None:
    """V-48: the gateway has no room for it and hands it on all the same; the door has none."""
    image = tmp_path / "large.bin"
    image.write_bytes(bytes(270_000))  # the slot has 262,144
    done = run("demo", "--nodes", "cpython", "--image", f"door={image}")
    assert done.returncode == 1
    assert "door refused (58 TooLarge): the image does not fit the slot" in done.stdout


def test_the_whole_bundle_of_metadata_is_small(tmp_path: Path) -> None:
    """The promise: 1 ECU updated, 7 images listed, threshold 1."""
    file = tmp_path / "metadata.json"
    done = run("measure", "metadata", "--json", str(file))
    assert done.returncode == 0
    total = json.loads(file.read_text())[0]
    assert total["name"] == "metadata_bundle"
    assert total["unit"] == "bytes"
    assert 0 < total["value"] <= total["target"] == 2400
