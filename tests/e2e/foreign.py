"""A running vehicle in a process of its own, and the tools of others that join its bus.

`Running` starts `muptane vehicle run` as a user does. `attach` is stock udsoncan over stock
can-isotp over the python-can interface (`muptane.bench.tester`); `update` is a feeder of a partial
Secondary made of it alone. Not a test file.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import can
from udsoncan.client import Client

from muptane.bench import firmware
from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.plan import EcuPlan
from muptane.bench.tester import PARAMETERS, attached, download, serve, status, upload
from uptane.uds.codes import (
    RID_CYCLE,
    RID_INSTALL,
    RID_WANTS,
    WANTS_FILE,
    WANTS_INSTALL,
    WANTS_LATER,
)

MUPTANE = [sys.executable, "-c", "from muptane.cli.main import app; app()"]
NODES = "micropython" if firmware.available() else "cpython"


class Running:
    """A vehicle (or a `bus`) that runs in real time until the context ends; `channel` is where."""

    def __init__(self, *arguments: str, noun: str = "vehicle") -> None:
        self._process = subprocess.Popen(
            [*MUPTANE, noun, "run", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed = ""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed += line
            if line.startswith("Ctrl-C"):
                break
        found = re.search(r"can\.logger -i muptane -c (\S+)", self.printed)
        self.channel = found[1] if found else ""

    def port(self, language: str) -> int:
        """Where programs of another language join."""
        found = re.search(rf"{language}: .*?(?::|port=|-r )(\d+)", self.printed)
        assert found, self.printed
        return int(found[1])

    def __enter__(self) -> "Running":
        assert self.channel, self.printed
        return self

    def end(self) -> int:
        """Ctrl-C; returns the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Until it ends by itself; returns the exit code."""
        rest, _ = self._process.communicate(timeout=20)
        self.printed += rest
        return self._process.returncode

    def __exit__(self, *trace: object) -> None:
        if self._process.poll() is None:
            self.end()


@contextmanager
def attach(channel: str, ecu: EcuPlan, **parameters: Any) -> Iterator[Client]:
    """Stock udsoncan, on a bus of its own, that talks to `ecu`. What can-isotp complains about
    fails the test."""
    complaints: list[Exception] = []
    link = ecu.request, ecu.response
    with (
        MuptaneBus(channel, name=f"udsoncan-{ecu.name}") as bus,
        attached(bus, link, complaints.append, **parameters) as client,
    ):
        yield client
    assert not complaints


def update(client: Client, find: Callable[[bytes, Any], bytes | None]) -> dict[bytes, int]:
    """A whole cycle of the ECU behind `client`, and the installation. Returns {file number: bytes
    moved, -1 if absent}."""
    moved, answer = bring(client, find)
    assert answer[0] == WANTS_INSTALL, f"the cycle ended with {answer.hex()}"
    status(client, RID_INSTALL)
    return moved


def bring(
    client: Client, find: Callable[[bytes, Any], bytes | None]
) -> tuple[dict[bytes, int], bytes]:
    """A cycle of the ECU behind `client`: everything that it wants, out of `find(file number,
    detail)`. Returns {file number: bytes moved, -1 if absent} and its last status."""
    moved: dict[bytes, int] = {}
    client.change_session(2)
    status(client, RID_CYCLE)
    while (answer := status(client, RID_WANTS))[0] in (WANTS_FILE, WANTS_LATER):
        if answer[0] == WANTS_FILE:
            file, size = serve(client, answer[1:], find)
            moved[file] = -1 if size is None else size
    return moved, answer


def slow_sedan(folder: Path) -> Path:
    """The sedan on a bus of 10 kbit/s, where a frame takes longer than a program."""
    text = (firmware.ROOT / "vehicles" / "sedan.toml").read_text()
    file = folder / "slow.toml"
    file.write_text(text.replace("bitrate = 500_000", "bitrate = 10_000"))
    return file


def heard(bus: can.BusABC, seconds: float) -> list[can.Message]:
    """What has come, and what comes within that time."""
    messages = []
    end = time.monotonic() + seconds
    while (message := bus.recv(max(end - time.monotonic(), 0))) is not None:
        messages.append(message)
    return messages


__all__ = [
    "PARAMETERS",
    "Running",
    "attach",
    "bring",
    "download",
    "heard",
    "status",
    "update",
    "upload",
]
__all__ = [
    "PARAMETERS",
    "Running",
    "attach",
    "bring",
    "download",
    "heard",
    "status",
    "update",
    "upload",
]
