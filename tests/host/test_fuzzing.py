"""The fuzzer can fail, its mutations keep the encoding, its corpus does the same everywhere."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import cbor2
import pytest
from oem_targets import TARGETS as OEM_TARGETS
from oem_targets import outcome

from muptane.measured import rows_of, table, write_section
from muptane.oem import encoding
from scripts.fuzz import report, written
from scripts.fuzzing import CORPUS, ROOT, corpus
from scripts.fuzzing.mutations import change_item, change_prefixed_steps, change_steps, encode

MICROPYTHON = Path(sys.executable).parent / "micropython"
REPLAY = "tests/device/replay.py"
HEAP_LEFT_BYTES = 32 * 1024  # above what is loaded, on a 64-bit interpreter
CORPUS_BYTES_MAX = 400_000
CORPUS_FILES_MAX = 600
EXECS = 10_000
without_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris exists for Linux x86-64 only"
)
without_micropython = pytest.mark.skipif(
    not MICROPYTHON.exists(), reason="no MicroPython wheel for this machine"
)


def fuzz(name: str, folder: Path, *seeds: bytes) -> list[bytes]:
    """Fuzz a target from these seeds; the inputs that it fell over."""
    inputs = folder / "corpus"
    inputs.mkdir()
    corpus.write(inputs, seeds)
    options = [f"-runs={EXECS}", "-max_len=64", f"-artifact_prefix={folder}/", "-seed=1"]
    command = [sys.executable, "-m", "scripts.fuzzing.worker", name, *options, str(inputs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = [path.read_bytes() for path in folder.glob("crash-*")]
    assert bool(done.returncode) == bool(found), done.stderr[-2000:]
    return found


@without_atheris
def test_a_planted_leniency_is_found(tmp_path):
    """E-60: the oracle, not an exception, shows a number in a longer form."""
    seed = encoding.encode({1: [2, b"three"], 4: 500})
    (found,) = fuzz("planted_lenient", tmp_path, seed)
    assert cbor2.dumps(cbor2.loads(found)) != found


@without_atheris
def test_a_planted_overrun_is_found(tmp_path):
    """T-52: a frame that is too short, in the middle of a message."""
    seed = b"\x00\x08\x10\x14ABCDEF\x02\x00\x00\x08\x21GHIJKLM"
    assert len(fuzz("planted_hasty", tmp_path, seed)) == 1


@without_atheris
def test_a_sound_reader_is_left_standing(tmp_path):
    """E-60: the same fuzzing finds nothing in the reader that has no planted bug."""
    assert fuzz("planted_sound", tmp_path, encoding.encode({1: [2, b"three"], 4: 500})) == []


def test_a_row_is_of_the_files_that_its_target_runs():
    """E-60: what a parser never runs may change, and its executions still count."""
    inputs = corpus.read(CORPUS / "timestamp")
    run = {
        Path(file).relative_to(ROOT).as_posix() for file in corpus.files_run("timestamp", inputs)
    }
    device = {file for file in run if file.startswith("firmware/uptane/")}
    expected = ("cbor.py", "meta/roles.py", "meta/shape.py")
    assert device == {f"firmware/uptane/{file}" for file in expected}
    assert run - device == {"tests/fuzz/parsers.py", "tests/fuzz/finding.py"}
    assert corpus.code_of("timestamp") == corpus.code_of("snapshot") != corpus.code_of("cbor")


def replay(*interpreter: str, left_bytes: str = "") -> list[str]:
    """The sorted lines of a replay: target, input, outcome."""
    command = [*interpreter, REPLAY, *([left_bytes] if left_bytes else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    return sorted(done.stdout.splitlines())


@without_micropython
def test_both_interpreters_end_alike_in_a_small_heap():
    """E-60, T-52: the same refusals in the same order, with 32 KB of heap above what is loaded."""
    reference = replay(sys.executable)
    assert len(reference) > 100
    small = replay(str(MICROPYTHON), "-X", "heapsize=2m", left_bytes=str(HEAP_LEFT_BYTES))
    assert small == reference


def test_the_corpus_is_small():
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert len(files) <= CORPUS_FILES_MAX
    assert sum(path.stat().st_size for path in files) <= CORPUS_BYTES_MAX
    assert {path.parent.name for path in files} == set(corpus.names())


@pytest.mark.parametrize("name", list(OEM_TARGETS))
def test_what_vehicles_send_is_accepted_or_refused_by_the_back_office(name):
    """E-60: with a class of its own, and every target knows both."""
    outcomes = [outcome(name, raw) for raw in corpus.read(CORPUS / name)]
    assert [] in outcomes
    assert any(outcomes)


@pytest.mark.parametrize("name", ["root", "targets_image", "cose_sign", "time", "mark"])
def test_changed_items_are_still_deterministic_cbor(name):
    """E-60: so most of them get past the encoding, where the shapes are looked at."""
    chance = random.Random(3)
    changed = set()
    for raw in corpus.read(CORPUS / name):
        for _ in range(30):
            made = change_item(raw, chance)
            if made is not None:
                changed.add(made)
                assert encode(cbor2.loads(made)) == made
    assert len(changed) > 20


@pytest.mark.parametrize("raw", ["c5821b7fffffffffffffff01", "c4821b7fffffffffffffff01", ""])
def test_what_cannot_be_read_is_left_to_the_fuzzers_own_mutations(raw):
    """Numbers with a wild exponent of their own among it, which end no campaign."""
    assert change_item(bytes.fromhex(raw), random.Random(5)) is None


def test_changed_steps_are_steps():
    chance = random.Random(4)
    raw = b"\x00\x02\x3e\x00\x04\x02\x01\x00"
    made = {change_steps(raw, chance) for _ in range(300)}
    assert len(made) > 100
    for changed in made:
        at = 0
        while at < len(changed):
            at += 2 + changed[at + 1]
        assert at == len(changed)
    assert change_steps(b"", chance) is None
    assert (change_prefixed_steps(b"\x09" + raw, chance) or b"").startswith(b"\x09")


# --- docs/measured.md ----------------------------------------------------------------------------


def test_a_section_is_replaced_and_the_others_stay(tmp_path):
    document = tmp_path / "measured.md"
    document.write_text("# Measured\n")
    write_section("one", "## One\n\nold \\1", document)
    write_section("two", "## Two", document)
    write_section("one", "## One\n\nnew \\1", document)
    text = document.read_text()
    assert "old" not in text
    assert text.count("new \\1") == text.count("## Two") == 1
    assert text.startswith("# Measured\n") and text.index("## One") < text.index("## Two")


def test_a_table_sets_numbers_to_the_right():
    lines = table(("name", "bytes"), [("cbor", 12345)]).splitlines()
    assert lines == ["| name | bytes |", "| --- | ---: |", "| cbor | 12,345 |"]


def test_rows_that_were_written_are_read_again(tmp_path):
    document = tmp_path / "measured.md"
    document.write_text("# Measured\n")
    assert rows_of("one", 2, document) == []
    write_section("one", "## One\n\n" + table(("name", "bytes"), [("cbor", 12345)]), document)
    write_section("two", "## Two\n\n" + table(("name", "bytes"), [("cose", 2)]), document)
    assert rows_of("one", 2, document) == [["cbor", "12,345"]]
    assert rows_of("one", 3, document) == []


def test_figures_of_another_checkout_stay_in_the_document():
    row = {"code": "12ab", "executions": 1200, "corpus": 3, "peak_bytes": 99999}
    row["refusals"] = {"0": 2, "1001": 1, "Malformed": 7}
    line = report({"cbor": row}).splitlines()[-1]
    assert written(line.strip("| ").split(" | ")) == row
