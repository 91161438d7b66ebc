"""What the OEM is told to look at: each refusal of an ECU once, in words, and every lie."""

import json

import pytest
from oem_vehicle import BRAKE, DOOR, NOW
from typer.testing import CliRunner

from muptane.cli.main import app
from muptane.oem.anomalies import Anomaly, anomalies
from muptane.oem.errors import Replayed, UnknownVehicle


def test_a_refusal_is_raised_once_however_often_it_is_reported(office, vehicle):
    """R-34, E-76: until a report comes without it; then it is a new one."""
    brake = vehicle.ecus[1]
    for attacks in ([], [52], [52, 73], [52, 73], [], [52]):
        brake.attacks = attacks
        office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    found = anomalies(office.inventory)
    assert [(one.ecu, one.refusal) for one in found] == [(BRAKE, 52), (BRAKE, 73), (BRAKE, 52)]
    assert found[0] == Anomaly(NOW, "VIN1", BRAKE, 52)


def test_what_was_refused_is_raised_with_its_sentence(office, vehicle):
    """R-12, R-13, E-72."""
    raw = vehicle.manifest(office.director.identity)
    office.accept_manifest("VIN1", raw)
    with pytest.raises(Replayed):
        office.accept_manifest("VIN1", raw)
    [one] = anomalies(office.inventory)
    assert one.refusal is None and one.sentence.startswith("Replayed: manifest")


def test_they_are_of_one_vehicle_or_of_late_if_that_is_asked(office, vehicle):
    vehicle.ecus[2].attacks = [35]
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert [one.ecu for one in anomalies(office.inventory, "VIN1", NOW)] == [DOOR]
    assert anomalies(office.inventory, "VIN2") == []
    assert anomalies(office.inventory, "VIN1", NOW + 1) == []


def test_the_command_says_what_to_do_next(kept, tmp_path):
    """V-36: a number is explained; what came from outside is printed as plain text."""
    kept.vehicle.ecus[1].attacks = [52]
    kept.report()
    with pytest.raises(UnknownVehicle):
        kept.office.accept_manifest("VIN\x1b[2J", b"?")
    kept.office.close()
    out = tmp_path / "found.json"
    done = CliRunner().invoke(
        app, ["oem", "anomalies", "--office", str(kept.folder), "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "ECU 2 refused 52: the two repositories describe" in done.output.replace("\n", " ")
    assert "next:" in done.output and "\x1b" not in done.output
    rows = json.loads(out.read_text())
    assert {"seen_s", "vehicle", "ecu", "refusal", "sentence"} == set(rows[0])
    none = CliRunner().invoke(
        app, ["oem", "anomalies", "--office", str(kept.folder), "--vehicle", "VIN9"]
    )
    assert "Nothing that anybody has to look at." in none.output
