"""The whole story by command: from a supplier's first key to an image that a Director directs.

Commands run in this process, with passphrases from the environment as a script would give them.
What they refuse is said in three lines: what, why, what next.
"""

import json
from pathlib import Path

import cbor2
import pytest
from oem_vehicle import BRAKE, Vehicle
from typer import Typer
from typer.testing import CliRunner

from muptane.cli import oem, supplier
from muptane.oem.keystore import SecretStore
from muptane.oem.office import Office, Premises

ENVIRONMENT = {"MUPTANE_PASSPHRASE": "a passphrase of tests", "COLUMNS": "200"}


class Desk:
    """A folder in which both sides work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = folder / "office"

    def __call__(self, app: Typer, *words: object, code: int = 0, heard: str = "") -> str:
        """Run a command; what it printed."""
        said = [str(word) for word in words]
        done = CliRunner().invoke(app, said, input=heard, env=ENVIRONMENT)
        assert done.exit_code == code, (said, done.output, done.exception)
        return str(done.output)

    def oem(self, verb: str, *words: object, code: int = 0, heard: str = "") -> str:
        office = ("--office", self.office)
        return self(oem.app, *verb.split(), *words, *office, code=code, heard=heard)

    def supplier(self, verb: str, *words: object, code: int = 0, who: str = "brakes") -> str:
        folder = ("--folder", self.folder / who)
        return self(supplier.app, verb, *words, *folder, code=code)

    def begin(self, who: str, *words: object) -> Path:
        self(supplier.app, "init", self.folder / who, "--name", who, "--guessing", "low", *words)
        return self.folder / who / "card.json"

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made(oem.app, "init", made.office, "--guessing", "low")
    return made


def hire(desk: Desk, who: str, role: int, images: str, *words: object) -> None:
    terms = desk.folder / "terms"
    said = ("--role", f"{role}:{desk.folder / who / 'card.json'}", "--images", images)
    desk.oem("supplier add", *said, *words, "--terms", terms)
    desk.supplier("join", terms / f"terms-{role}.json", who=who)


def test_from_a_suppliers_first_key_to_a_directed_image(desk: Desk) -> None:
    """S-03, S-05, S-06, S-08, S-10, S-11, S-13, S-14, R-06, R-36: and a vehicle gets it."""
    card = desk.begin("brakes", "--keys", 2)
    words = desk(oem.app, "supplier", "words", card).splitlines()
    assert words[0] == "brakes: 2 of 2 keys sign" and len(words) == 5
    hire(desk, "brakes", 20, "200-299", "--hardware", 20, "--hardware", 21)
    image, delivery = desk.file("brake.bin", b"a brake"), desk.folder / "first.zip"
    said = ("--image", f"203={image}", "--hardware", 20, "--release", 3)
    desk.supplier("pack", delivery, *said)
    refused = desk.oem("receive", delivery, code=1)
    for line in ("Refused: nobody has signed", "why:  BelowThreshold", "next: let as many"):
        assert line in refused
    assert "2 signatures, 2 are needed" in desk.supplier("sign", delivery)
    hashes = desk.folder / "hashes.txt"
    desk.supplier("hashes", delivery, hashes)
    taken = desk.oem("receive", delivery, "--hashes", hashes)
    assert "taken: first.zip, role 20 (brakes)" in taken and "second channel: the list" in taken
    told = desk.oem("deliveries", "--json", desk.folder / "told.json")
    assert "refused BelowThreshold: first.zip" in told and "taken: first.zip" in told
    rows = json.loads((desk.folder / "told.json").read_text())
    assert [row["outcome"] for row in rows] == ["refused", "taken"]
    assert "role 20: brakes: images 200-299, hardware 20, 21; 2 keys sign" in desk.oem(
        "supplier list"
    )
    premises = Premises(desk.office, ENVIRONMENT["MUPTANE_PASSPHRASE"].encode())
    office = Office.open(oem.now, premises)
    vehicle = Vehicle()
    office.register_vehicle(vehicle.vin, vehicle.new())
    office.assign(vehicle.vin, BRAKE, 203)
    decision = office.accept_manifest(vehicle.vin, vehicle.manifest(office.director.identity))
    office.close()
    assert decision.directions == {BRAKE: 203}


def test_words_are_typed_as_they_are_heard(desk: Desk) -> None:
    """S-08, S-10, S-12: for a supplier that does not sign; too few of them are nothing."""
    desk.begin("wipers", "--keys", 0)
    hire(desk, "wipers", 24, "400-499")
    delivery = desk.folder / "wiper.zip"
    image = desk.file("wiper.bin", b"a wiper")
    said = ("--image", f"400={image}", "--hardware", 40, "--release", 1)
    desk.supplier("pack", delivery, *said, who="wipers")
    words = desk(supplier.app, "words", delivery)
    assert "next: get his signed list" in desk.oem("receive", delivery, code=1)
    one = words.splitlines()[0] + "\n"
    assert "16 words" in desk.oem("receive", delivery, "--words", code=1, heard=one + "\n")
    assert "HashesDiffer" in desk.oem("deliveries")
    taken = desk.oem("receive", delivery, "--words", heard=words)
    assert "taken: wiper.zip" in taken and "the words that were read aloud" in taken
    assert desk.oem("refresh") == ""
    assert "the car maker signs" in desk.oem("supplier list")


def test_several_roles_and_roles_below_are_made_by_command(desk: Desk) -> None:
    """V-15, V-17, T-25, T-41."""
    for who in ("anna", "ben", "brakes", "pads"):
        desk.begin(who)
    cards = {who: desk.folder / who / "card.json" for who in ("anna", "ben", "brakes", "pads")}
    terms = desk.folder / "terms"
    roles = ("--role", f"30:{cards['anna']}", "--role", f"31:{cards['ben']}")
    desk.oem("supplier add", *roles, "--images", "700-799", "--agreement", 2, "--terms", terms)
    for role, who in ((30, "anna"), (31, "ben")):
        desk.supplier("join", terms / f"terms-{role}.json", who=who)
        delivery = desk.folder / f"{who}.zip"
        desk.supplier("pack", delivery, who=who)
        desk.supplier("sign", delivery, who=who)
        outcome = "held" if who == "anna" else "taken"
        assert f"{outcome}: {who}.zip" in desk.oem("receive", delivery)
    assert "2 of role 30 and 31 have to agree" in desk.oem("supplier list")
    hire(desk, "brakes", 20, "200-299")
    below = ("--role", f"21:{cards['pads']}", "--images", "290-299", "--terms", terms)
    desk.supplier("delegate", *below)
    desk.supplier("join", terms / "terms-21.json", who="pads")
    pad, brake = desk.folder / "pad.zip", desk.folder / "brake.zip"
    image = desk.file("pad.bin", b"a pad")
    said = ("--image", f"290={image}", "--hardware", 20, "--release", 1)
    desk.supplier("pack", pad, *said, who="pads")
    desk.supplier("sign", pad, who="pads")
    desk.supplier("pack", brake, "--include", pad)
    desk.supplier("sign", brake)
    assert "role 20 leaves a part to role 21" in desk.oem("receive", brake)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "brakes.json", "--images", "1-2"), "say NUMBER:CARD"),
        (("--role", "20:none.json", "--images", "1-2"), "cannot be read"),
        (("--role", "20:{card}", "--images", "x"), "say FIRST-LAST"),
        (("--role", "20:{card}", "--images", "9-1"), "the first is above"),
        (("--role", "300:{card}", "--images", "1-2"), "not terms"),
    ],
)
def test_wrong_words_are_told_what_to_say(desk: Desk, words: tuple[str, ...], said: str) -> None:
    card = desk.begin("brakes")
    made = [word.format(card=card) for word in words]
    code = 1 if said in ("cannot be read", "not terms") else 2
    assert said in desk.oem("supplier add", *made, code=code)
    assert desk.oem("supplier list") == ""


def test_an_office_is_one_and_opens_with_its_passphrase(desk: Desk) -> None:
    """R-17, R-32: nothing is made over another, and nothing is opened by a guess."""
    assert "not empty" in desk(oem.app, "init", desk.office, code=2)
    nowhere = ("deliveries", "--office", desk.folder)
    assert "muptane oem init" in desk(oem.app, *nowhere, code=2)
    secret = desk.file("passphrase", b"another one\n")
    said = desk.oem("refresh", "--passphrase-file", secret, code=1)
    assert "WrongPassphrase" in said and "next: try the passphrase again" in said
    empty = desk.file("empty", b"\n")
    assert "empty" in desk.oem("refresh", "--passphrase-file", empty, code=2)
    delivery = desk.file("broken.zip", b"PK")
    assert "no zip archive" in desk.oem("receive", delivery, code=1)
    assert "refused Malformed: broken.zip" in desk.oem("deliveries")


def test_two_commands_do_not_work_on_one_office(desk: Desk) -> None:
    """T-17: the second says so, and touches nothing."""
    with oem.at_work(desk.office, desk.file("secret", b"a passphrase of tests")):
        assert "another command works on" in desk.oem("refresh", code=2)
    assert desk.oem("refresh") == ""


def test_secrets_at_rest_are_guarded_by_the_cost_that_was_said(tmp_path: Path) -> None:
    """R-37: high unless somebody says low."""
    desk = Desk(tmp_path)
    desk(supplier.app, "init", tmp_path / "high", "--name", "High")
    desk.begin("low")
    headers = [tmp_path / name / "keys" / SecretStore.HEADER for name in ("high", "low")]
    high, low = (cbor2.loads(header.read_bytes())[2] for header in headers)
    assert high >= 256 << 20 > low
