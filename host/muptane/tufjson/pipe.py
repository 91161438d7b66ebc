"""The host's end of the pipe to a MicroPython that decides (`muptane.tufjson.player`).

It answers what the decisions ask for, through the same port that a session inside CPython has,
and raises their refusal as its own. A player that says nothing has crashed: Silent.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from typing import Any, Protocol

from muptane.bench import firmware
from uptane import errors

HEAP_BYTES = 64 << 20
REFUSALS = {
    refusal.number: refusal
    for refusal in vars(errors).values()
    if isinstance(refusal, type) and issubclass(refusal, errors.Refusal)
}


class Silent(Exception):
    """The player ended without an outcome; what it said last is on stderr."""

    def __init__(self) -> None:
        super().__init__(
            "MicroPython ended before it had decided, perhaps out of memory: what it said is above"
        )


class Port(Protocol):
    """What a session cannot do for itself."""

    def stored(self, repository: int, file: str) -> bytes | None: ...
    def fetch(self, repository: int, file: str, cap: int) -> bytes | None: ...
    def commit(self, repository: int, files: Mapping[str, bytes | None]) -> None: ...
    def verify(
        self, kind: str, scheme: str, public: str, message: bytes, signature: bytes
    ) -> bool: ...
    def identity(self, public: str) -> str: ...


def decide(port: Port, order: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run a session in a MicroPython of its own; its refusal is raised here."""
    command = firmware.micropython(HEAP_BYTES, "-m", "muptane.tufjson.player")
    path = f"{firmware.ROOT / 'firmware'}:{firmware.ROOT / 'host'}:.frozen"
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"MICROPYPATH": path},
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise Silent
        try:
            told = _line(dict(order))
            while True:
                process.stdin.write(told)
                process.stdin.flush()
                line = process.stdout.readline()
                if not line:
                    raise Silent
                said = json.loads(line)
                if isinstance(said, dict):
                    return _outcome(said)
                told = _answer(port, said)
        except BrokenPipeError:
            raise Silent from None
        finally:
            process.kill()


def _answer(port: Port, question: list[Any]) -> bytes:
    what, *arguments = question
    if what == "commit":
        repository, files = arguments
        port.commit(repository, {name: _unpack(files[name]) for name in files})
        return _line(None)
    if what == "verify":
        kind, scheme, public, message, signature = arguments
        return _line(port.verify(kind, scheme, public, _bytes(message), _bytes(signature)))
    if what == "identity":
        return _line(port.identity(*arguments))
    raw = port.stored(*arguments) if what == "stored" else port.fetch(*arguments)
    return _line(None) if raw is None else _line(len(raw)) + raw


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _outcome(said: dict[str, Any]) -> dict[str, Any] | None:
    if "refusal" in said:
        raise REFUSALS[said["refusal"]]
    found: dict[str, Any] | None = said["found"]
    if found is not None:
        found["hashes"] = {name: _bytes(value) for name, value in found["hashes"].items()}
    return found


def _unpack(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value["b"])


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value["b"])
