"""`muptane backup` and `muptane gc`, as somebody types them."""

import re

import pytest
from backup_office import PASSPHRASE
from typer.main import get_command
from typer.testing import CliRunner

from muptane.cli.main import NOUNS, app
from muptane.oem.authority import DAY_S
from muptane.oem.office import Office
from muptane.oem.premises import Premises


@pytest.fixture
def muptane(kept):
    """Runs a command; gives its exit code and what it said. `{office}` and so on are filled in."""
    kept.office.close()
    places = {
        "office": kept.folder,
        "target": kept.folder.parent / "target",
        "keys": kept.folder.parent / "owner",
        "new": kept.folder.parent / "new",
        "key": kept.key.public.hex(),
    }

    def run(line):
        words = [word.format(**places) for word in line.split()]
        environment = {"MUPTANE_PASSPHRASE": PASSPHRASE.decode(), "COLUMNS": "200"}
        result = CliRunner().invoke(app, words, env=environment)
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        return result.exit_code, result.output

    return run


MAKE = "backup make {office} {target} --key-folder {keys}"
VERIFY = "backup verify {office} {target} --key {key}"
RESTORE = "backup restore {target} {new} --key {key}"


def test_a_backup_is_made_verified_and_restored(kept, muptane):
    """S-18, S-19, R-39."""
    code, said = muptane(f"{MAKE} --with-keys")
    assert code == 0 and said.startswith("Backup 1 on ")
    assert kept.key.public.hex() in said
    receipt = re.search(r"1:[0-9a-f]{64}", said)[0]
    assert muptane(f"{VERIFY} --receipt {receipt}")[0] == 0
    code, said = muptane(f"{RESTORE} --receipt {receipt}")
    assert code == 0 and "every object and signature is right" in said
    assert "muptane backup advance" in said
    code, said = muptane("backup advance {new}")
    assert code == 0 and "The office may work" in said
    Office.open(lambda: kept.now, Premises(kept.folder.parent / "new", PASSPHRASE)).close()
    code, said = muptane("backup advance {new}")
    assert code == 1 and "no office that was restored" in said


def test_tampering_ends_with_exit_code_1_and_says_what_and_what_next(kept, muptane):
    """E-90, S-19: so that a job that runs each night can tell."""
    assert muptane(MAKE)[0] == 0
    kept.sql(("UPDATE assignments SET image = 8",))
    kept.plant("index.html", b"owned")
    code, said = muptane(VERIFY)
    assert code == 1
    assert "TAMPERED assignments 1: image changed, which never happens" in said
    assert "TAMPERED index.html was planted" in said
    assert "2 things are not the office's own work" in said and "restore the newest" in said
    code, said = muptane(MAKE)
    assert code == 1 and "index.html" in said


def test_a_backup_that_is_gone_is_missed(kept, muptane):
    """S-19: by the receipt of its owner, or by the office's own."""
    said = muptane(MAKE)[1] + muptane(MAKE)[1]
    receipts = re.findall(r"\d:[0-9a-f]{64}", said)
    newest = kept.folder.parent / "target" / "records" / "00000002.cbor"
    newest.unlink()
    for command in (VERIFY, RESTORE):
        code, said = muptane(f"{command} --receipt {receipts[1]}")
        assert code == 1 and "2 was made and is gone" in said
        assert muptane(f"{command} --receipt {receipts[0]}")[0] == 0
    code, said = muptane(MAKE)
    assert code == 1 and "2 was made and is gone" in said


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("backup make {target} {target}", 2, "is not the folder of an office"),
        ("backup make {office} {office}/backups", 2, "what takes the one takes the"),
        ("backup make {office} nowhere://x", 1, "nowhere://x"),
        ("backup verify {office} {target} --key 12", 2, "is no public key"),
        (f"{VERIFY} --receipt 12", 2, "is no receipt"),
        (VERIFY, 1, "there is no backup"),
        (RESTORE, 1, "there is no backup"),
        ("backup restore {target} {office} --key {key}", 1, "is not empty"),
        ("gc {target}", 2, "is not the folder of an office"),
    ],
)
def test_what_cannot_be_done_is_said(muptane, line, code, sentence):
    """S-18: what, why, and nothing half-done."""
    found, said = muptane(line)
    assert found == code, said
    assert sentence in re.sub(r"[\s│]+", " ", said)


def test_garbage_is_named_before_it_is_removed(kept, muptane):
    """S-20: each thing with its reason."""
    kept.now += -400 * DAY_S
    office = Office.open(lambda: kept.now, kept.premises)
    office.refresh()
    office.release_image(9, b"a new one", [20], 9)
    office.close()
    before = sorted(path.name for path in kept.current.iterdir())
    code, said = muptane("gc {office} --dry-run")
    assert code == 0 and "could be removed" in said
    assert sorted(path.name for path in kept.current.iterdir()) == before
    code, again = muptane("gc {office}")
    assert code == 0 and again == said.replace("could be removed", "were removed")
    assert muptane("gc {office}") == (0, "0 things of 0 bytes were removed.\n")


def test_every_noun_has_its_command():
    """R-33: the command line has what it lists."""
    group = get_command(app)
    assert {"backup", "gc"} < set(NOUNS)
    for name in ("backup", "gc"):
        assert group.get_command(None, name).name == name
