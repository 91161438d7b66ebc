"""`muptane oem serve` and `muptane oem token`, as a person of the maker runs them."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from certificates import Authority
from click.testing import Result
from served import Shop
from typer.testing import CliRunner

from muptane.cli.oem import app

MUPTANE = Path(sys.executable).parent / "muptane"
OPENS = {"MUPTANE_PASSPHRASE": "a passphrase"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("office")
    Shop(made).close()
    return made


def oem(*arguments: object, passphrase: str = "a passphrase") -> Result:
    given = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, given, env={"MUPTANE_PASSPHRASE": passphrase})


def sentence(done: Result) -> str:
    """What a refusal says; there is nothing but words in it."""
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    return " ".join(done.stderr.replace("│", " ").split())


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address that it says it serves at."""
    command = [str(MUPTANE), "oem", "serve", *map(str, arguments)]
    with subprocess.Popen(
        command, env=os.environ | OPENS, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"https?://\S+", process.stdout.readline())
        try:
            assert found is not None
            yield found[0], process
        finally:
            process.terminate()


def test_an_office_is_served_over_tls_until_it_is_told_to_end(
    folder: Path, tmp_path: Path
) -> None:
    """R-31, R-33: public files to everybody, a vehicle's own for its token."""
    authority = Authority(tmp_path)
    certificate, key = authority.vouch("server", ["server"], "127.0.0.1")
    made = oem("token", folder, "VIN1")
    assert made.exit_code == 0, made.stderr
    token = made.stdout.strip()
    with serving(folder, "--port", 0, "--tls-cert", certificate, "--tls-key", key) as (
        url,
        process,
    ):
        assert url.startswith("https://127.0.0.1:")
        with httpx.Client(base_url=url, verify=authority.trusting()) as client:
            assert client.get("2/timestamp.cbor").is_success
            mine = "vehicles/VIN1/1/targets.cbor"
            assert client.get(mine).status_code == 401
            shown = {"Authorization": f"Bearer {token}"}
            assert client.get(mine, headers=shown).is_success
            assert oem("token", folder, "VIN1", "--revoke").stdout == ""
            assert client.get(mine, headers=shown).status_code == 401
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("serve", "{nowhere}"), "no office stands there"),
        (("serve", "{folder}", "--host", "0.0.0.0"), "in the clear"),
        (("serve", "{folder}", "--tls-cert", "x.pem"), "go together"),
        (("serve", "{folder}", "--client-ca", "x.pem"), "go together"),
        (
            ("serve", "{folder}", "--tls-cert", "x.pem", "--tls-key", "x.pem"),
            "x.pem, x.pem: No such file or directory",
        ),
        (("token", "{folder}", "NOWHERE"), "'NOWHERE' is not in the inventory; register it"),
        (("token", "{nowhere}", "VIN1"), "no office stands there"),
    ],
)
def test_what_cannot_be_served_ends_with_a_sentence(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = oem(*(text.format(folder=folder, nowhere=tmp_path) for text in arguments))
    assert words in sentence(done)
    assert list(tmp_path.iterdir()) == [], "nothing half-done"


def test_a_wrong_passphrase_or_a_port_in_use_is_said(folder: Path) -> None:
    """R-17."""
    refused = oem("serve", folder, "--port", 0, passphrase="another")
    assert "does not open with this passphrase" in sentence(refused)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = oem("serve", folder, "--port", port)
    assert f"127.0.0.1:{port}: Address already in use; choose another" in sentence(refused)
