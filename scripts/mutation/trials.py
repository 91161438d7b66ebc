"""The trial of a mutant: a process forked from one that is warm, and the tests that meet it.

The warm process has imported every module and run every test once, so what the tests remember of
signatures is there for all. A child forgets the mutated module and all that import it, executes
the mutant in its place, imports a test module when its turn comes, and stops at the first test
that fails. CPU time and memory are limited: a mutant that loops or swells is noticed, too. Tests
that have noticed many mutants of a module come first, then fast ones. It does NOT judge survivors.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import os
import resource
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.mutation.mutants import Module, Mutant
from scripts.mutation.tests import Suite, Test, runner

MEMORY_BYTES_MAX = 1 << 30
SECONDS_MIN = 1.0
SLOWER_MAX = 4  # a test may take that much longer under a mutant


class Trials:
    """Trials of the mutants of one module after the other, in this process."""

    def __init__(self, suite: Suite, tests: list[Test]) -> None:
        self._tests = tests
        self._run = runner()
        sys.path.insert(0, str(suite.folder))
        for name in sorted({test.module for test in tests}):
            importlib.import_module(name)
        for name in suite.modules:
            importlib.import_module(name)
        self._uses = _uses()
        for test in tests:
            if not self._succeeds(test):
                raise SystemExit(f"mutants: {_title(test)} fails without any mutant")
        gc.freeze()
        self._noticed: Counter[str] = Counter()

    def meet(self, mutant: Mutant) -> list[Test]:
        """The tests that execute a line of the mutant's statement."""
        first, last = mutant.lines
        met = []
        for test in self._tests:
            lines = test.lines.get(mutant.module, [])
            if any(mutant.at_import or first <= line <= last for line in lines):
                met.append(test)
        return sorted(met, key=lambda t: (t.seconds / (1 + self._noticed[_title(t)]), _title(t)))

    def notice(self, module: Module, source: str, tests: list[Test]) -> str:
        """The title of the test that failed, "time" if none ended in time, "" if none noticed."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                self._try(module, source, tests, writing)
            finally:
                os._exit(2)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            begun = pipe.read().split()
        _, status = os.waitpid(child, 0)
        if status == 0:
            return ""
        last = begun[-1] if begun else "import"
        self._noticed[last] += 1
        return last

    def _try(self, module: Module, source: str, tests: list[Test], pipe: int) -> None:
        """In the child: ends with 0 if no test fails, whatever else happens with another."""
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, SECONDS_MIN)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        self._replace(module, source)
        for test in tests:
            os.write(pipe, _title(test).encode() + b"\n")
            signal.setitimer(signal.ITIMER_PROF, SECONDS_MIN + SLOWER_MAX * test.seconds)
            if not self._succeeds(test):
                os._exit(1)
        os._exit(0)

    def _succeeds(self, test: Test) -> bool:
        call = getattr(importlib.import_module(test.module), test.function)
        return bool(self._run.attempt(_title(test), self._run.succeed, call))

    def _replace(self, module: Module, source: str) -> None:
        stale = {module.name}
        while True:
            more = {name for name, used in self._uses.items() if used & stale} - stale
            if not more:
                break
            stale |= more
        for name in stale:
            sys.modules.pop(name, None)
            package, _, last = name.rpartition(".")
            if package in sys.modules:
                vars(sys.modules[package]).pop(last, None)
        spec = importlib.util.spec_from_file_location(module.name, module.path)
        assert spec is not None
        mutated = importlib.util.module_from_spec(spec)
        sys.modules[module.name] = mutated
        exec(compile(source, str(module.path), "exec"), vars(mutated))
        package, _, last = module.name.rpartition(".")
        if package:
            setattr(sys.modules[package], last, mutated)


def _title(test: Test) -> str:
    return f"{test.module}.{test.function}"


def _uses() -> dict[str, set[str]]:
    """Which loaded modules each loaded module of ours imports, also inside functions."""
    uses = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        ours = name != "__main__" and not name.startswith(("scripts", "muptane"))
        if ours and file.endswith(".py") and "site-packages" not in file and "/lib/" not in file:
            uses[name] = _imports(Path(file)) & set(sys.modules)
    return uses


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    nodes: list[Any] = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found
