"""PDX files: every number of the device stands in them, and they are what they say."""

import zipfile
from xml.etree import ElementTree as tree

from typer.testing import CliRunner

from muptane.cli.main import app
from muptane.diagnostics import SERVICES
from muptane.odx import write_pdx
from uptane.uds import codes
from workshop import Workshop

DATA = "muptane.odx-d"


def numbers(prefix):
    return {value for name, value in vars(codes).items() if name.startswith(prefix)}


def values(name):
    """What the constant part of that name is, in all requests."""
    parts = [part for service in SERVICES for part in service.request]
    return {part.value for part in parts if part.name == name}


def test_every_service_identifier_and_routine_is_described():
    tables = Workshop().services.tables
    subs = {row[0]: dict(row[3]) for _, rows in tables for row in rows}
    assert {service.number for service in SERVICES} == set(subs)
    for number, there in subs.items():
        if not there:
            continue
        parts = [service.request[0] for service in SERVICES if service.number == number]
        said = {part.value for part in parts}
        assert said == set(there) or said == {None}, hex(number)
    assert values("identifier") == numbers("DID_")
    assert values("routine") == numbers("RID_")
    names = [service.name for service in SERVICES]
    assert len(names) == len(set(names))


def test_a_file_is_an_archive_of_a_catalogue_and_a_layer_whose_references_lead_somewhere(tmp_path):
    path = tmp_path / "door.pdx"
    write_pdx(path, "door", "requests 7E2")
    with zipfile.ZipFile(path) as pdx:
        assert set(pdx.namelist()) == {DATA, "index.xml"}
        catalogue = tree.fromstring(pdx.read("index.xml"))
        root = tree.fromstring(pdx.read(DATA))
    assert [one.text for one in catalogue.iter("FILE")] == [DATA]
    known = {one.get("ID") for one in root.iter() if one.get("ID")}
    referred = {one.get("ID-REF") for one in root.iter() if one.get("ID-REF")}
    assert referred <= known
    assert len(list(root.iter("DIAG-SERVICE"))) == len(SERVICES)
    assert [one.findtext("SHORT-NAME") for one in root.iter("ECU-VARIANT")] == ["door"]


def test_the_same_ecu_gives_the_same_bytes(tmp_path):
    for name in ("one.pdx", "other.pdx"):
        write_pdx(tmp_path / name, "door", "requests 7E2")
    assert (tmp_path / "one.pdx").read_bytes() == (tmp_path / "other.pdx").read_bytes()


def test_the_command_writes_one_for_each_ecu(tmp_path):
    done = CliRunner().invoke(app, ["vehicle", "describe", str(tmp_path / "pdx")])
    assert done.exit_code == 0, done.output
    made = sorted(path.name for path in (tmp_path / "pdx").iterdir())
    assert made == ["brake.pdx", "door.pdx", "frames.dbc", "gateway.pdx"]
    assert "requests 7E2, responses 7EA" in done.output
    wrong = tmp_path / "file"
    wrong.write_text("")
    done = CliRunner().invoke(app, ["vehicle", "describe", str(wrong)])
    assert done.exit_code == 2
    done = CliRunner().invoke(app, ["vehicle", "describe", str(tmp_path), str(wrong)])
    assert done.exit_code == 2
