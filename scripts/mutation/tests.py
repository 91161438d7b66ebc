"""Which device tests execute which lines of the modules that are mutated, and how long they take.

One pass over the tests, each traced by itself, by the functions of tests/device/run.py; kept in a
file for every test module until it or anything it may import has changed. It knows nothing of
mutants.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tests" / "device" / "run.py"


@dataclass
class Test:
    """One test: its module and function, seconds of CPU, and the lines it executes by module."""

    module: str
    function: str
    seconds: float = 0.0
    lines: dict[str, list[int]] = field(default_factory=dict)


def runner() -> Any:
    """tests/device/run.py as a module; makes what the tests import importable."""
    spec = importlib.util.spec_from_file_location("run", RUNNER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Suite:
    """The tests of a folder against the modules {name: path}."""

    def __init__(self, folder: Path, modules: dict[str, Path], cache: Path) -> None:
        self.folder = folder
        self.modules = modules
        self._cache = cache

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("test_*.py"))

    def measure(self, names: list[str]) -> list[Test]:
        """The tests of those modules that passed; those that fail unmutated end everything."""
        self._cache.mkdir(parents=True, exist_ok=True)
        tests: list[Test] = []
        for name in names:
            kept = self._cache / f"{name}.json"
            digest = self._digest(name)
            known = json.loads(kept.read_text()) if kept.is_file() else {}
            if known.get("digest") != digest:
                known = {"digest": digest, "tests": self._trace_apart(name)}
                kept.write_text(json.dumps(known))
            tests += [Test(**test) for test in known["tests"]]
        return tests

    def _digest(self, name: str) -> str:
        files = [*self.folder.glob("*.py"), *(ROOT / "firmware").rglob("*.py")]
        files += [*self.modules.values(), RUNNER]
        digest = hashlib.sha256()
        for path in sorted(set(files)):
            if path.stem == name or not path.stem.startswith("test_"):
                digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _trace_apart(self, name: str) -> list[dict[str, Any]]:
        """Trace in a process of its own, so that this one imports nothing."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            code = 1
            try:
                with os.fdopen(writing, "w") as pipe:
                    json.dump(self._trace(name), pipe)
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            raw = pipe.read()
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"mutants: {name} fails without any mutant")
        return list(json.loads(raw))

    def _trace(self, name: str) -> list[dict[str, Any]]:
        run = runner()
        sys.path.insert(0, str(self.folder))
        module = importlib.import_module(name)
        tests = []
        for function in sorted(dir(module)):
            if function.startswith("test_"):
                trace = Trace(self.modules)
                begun = time.process_time()
                sys.settrace(trace.enter)
                passed = run.attempt(function, run.succeed, getattr(module, function))
                sys.settrace(None)
                if not passed:
                    raise SystemExit(1)
                tests.append(
                    vars(Test(name, function, time.process_time() - begun, trace.found()))
                )
        return tests


class Trace:
    """What sys.settrace is given: notes lines of the modules, and costs little elsewhere."""

    def __init__(self, modules: dict[str, Path]) -> None:
        self._modules = {os.path.realpath(path): name for name, path in modules.items()}
        self._names: dict[str, str | None] = {}  # by the file name as a code object has it
        self._lines: dict[str, set[int]] = {}

    def enter(self, frame: FrameType, event: str, value: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in self._names:
            self._names[file] = self._modules.get(os.path.realpath(file))
        name = self._names[file]
        if name is None:
            return None
        lines = self._lines.setdefault(name, set())

        def note(frame: FrameType, event: str, value: Any) -> Any:
            lines.add(frame.f_lineno)
            return note

        return note(frame, event, value)

    def found(self) -> dict[str, list[int]]:
        return {name: sorted(lines) for name, lines in self._lines.items()}
