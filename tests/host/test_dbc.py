"""The DBC of a vehicle: what its applications really send is what it says."""

import importlib.util

import cantools
import pytest
from typer.testing import CliRunner

from muptane.bench import firmware, plan
from muptane.cli.demo import SEDAN
from muptane.cli.main import app
from muptane.dbc import RELEASE, BadFrames, read_frames, write_dbc

APPS = firmware.ROOT / "firmware" / "apps"
STEPS = 300  # more than a byte counts


@pytest.fixture
def database(tmp_path):
    done = CliRunner().invoke(app, ["vehicle", "describe", str(tmp_path)])
    assert done.exit_code == 0 and "frames.dbc: 3 frames" in done.output
    return cantools.database.load_file(tmp_path / "frames.dbc")


class Recorder:
    """A cabin that keeps what is sent."""

    def __init__(self):
        self.sent = []

    def send(self, can_id, data):
        self.sent.append((can_id, data))


def said_by(folder):
    """[(identifier, data)] and the period (ms) of an application, as it runs."""
    spec = importlib.util.spec_from_file_location(folder.name, folder / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cabin = Recorder()
    module.start(cabin)
    periods = {module.step(1000) - 1000 for _ in range(STEPS)}
    assert len(periods) == 1
    return cabin.sent, periods.pop()


@pytest.mark.parametrize("release", (1, 2))
def test_every_frame_of_an_application_is_described(database, release):
    """Names, ranges and periods: of what runs, not of a drawing."""
    for ecu in plan.load(SEDAN).ecu:
        sent, period_ms = said_by(APPS / f"{ecu.application}_{release}")
        assert len(sent) == STEPS
        for can_id, data in sent:
            message = database.get_message_by_frame_id(can_id)
            found = message.decode(data, allow_truncated=True)
            assert message.senders == [ecu.name] and found[RELEASE] == release
            assert len(found) == len(data), "a byte that nothing describes"
            for name, value in found.items():
                assert 0 <= value <= message.get_signal_by_name(name).maximum, name
        assert f"release {release}: {period_ms} ms" in message.comment


def test_the_same_vehicle_gives_the_same_bytes(tmp_path):
    frames = read_frames(APPS / "frames.toml")
    for name in ("one.dbc", "other.dbc"):
        assert write_dbc(tmp_path / name, {"front": "brake", "rear": "nothing"}, frames) == 1
    assert (tmp_path / "one.dbc").read_bytes() == (tmp_path / "other.dbc").read_bytes()


def test_a_description_that_cannot_be_used_says_why(tmp_path):
    path = tmp_path / "frames.toml"
    with pytest.raises(BadFrames, match="No such file"):
        read_frames(path)
    path.write_text('[[brake]]\nid = 1\nname = "A"\nperiod_ms = {}\ncomment = ""\nsignal = []\n')
    with pytest.raises(BadFrames, match="signals"):
        read_frames(path)
