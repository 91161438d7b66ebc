"""`make mutants [MODULE=trusted] [SAMPLE=N] [SEED=S] [JOBS=2] [AGAIN=1]`: do the tests notice?

Every mutant of `uptane.meta` and `uptane.cose` is tried against the device tests that execute its
statement, on CPython. A survivor must stand in docs/mutants.toml with the reason why it cannot
change a verdict; an entry that is no survivor any more must go; 97 % have to be killed. The
figures of the modules that were run whole go to docs/measured.md. A sample is judged by unlisted
survivors alone and leaves the figures as they were. `AGAIN=1`, for whoever writes tests: tries
only what survived the last whole run of the same code, and corrects its figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muptane.measured import rows_of, table, write_section
from scripts.mutation.mutants import Module, Mutant
from scripts.mutation.tests import ROOT, Suite
from scripts.mutation.trials import Trials

BUILD = ROOT / "build" / "mutants"
LIST = ROOT / "docs" / "mutants.toml"
SOURCE = ROOT / "firmware"
TESTS = ROOT / "tests" / "device"
KILLED_PERCENT_MIN = 97
KEY = ("module", "function", "operator", "was", "now")
HEADS = ("module", "code", "mutants", "killed", "survivors", "killed %")

Survivor = dict[str, str]


class Court:
    """The mutants of some modules, their trials and what comes of them."""

    def __init__(self, options: argparse.Namespace) -> None:
        paths = dict(_modules(options.source, options.modules))
        if not paths:
            raise SystemExit("mutants: there is no such module")
        self.modules = {name: Module(name, path) for name, path in paths.items()}
        self.build = BUILD if options.source == SOURCE else options.source / "build"
        sys.path.insert(0, str(options.source))
        everything = dict(_modules(options.source, []))
        self.suite = Suite(options.tests, everything, self.build / "tests")
        measured = self.suite.measure(options.only or self.suite.names())
        self.tests = [test for test in measured if not self.modules.keys().isdisjoint(test.lines)]
        self.trials = Trials(self.suite, self.tests)
        self.mutants = [mutant for module in self.modules.values() for mutant in module.mutants]
        if options.sample:
            chosen = random.Random(options.seed).sample(
                range(len(self.mutants)), min(options.sample, len(self.mutants))
            )
            self.mutants = [self.mutants[place] for place in sorted(chosen)]

    def keep_survivors(self) -> Counter[str]:
        """Try only what survived the last whole runs; returns how many were tried then."""
        tried: Counter[str] = Counter()
        known: Counter[tuple[str, ...]] = Counter()
        for name, module in self.modules.items():
            figures = _figures(self.build, name, module.path)
            if not figures:
                raise SystemExit(f"mutants: {name} was not run whole as it is; run it whole first")
            tried[name] = figures["mutants"] - len(figures["survivors"])
            known += Counter(_key(survivor) for survivor in figures["survivors"])
        self.mutants = [m for m in self.mutants if self.reads(m) in known]
        return tried

    def reads(self, mutant: Mutant) -> tuple[str, ...]:
        change = self.modules[mutant.module].change(mutant)
        lines = (change.was, change.now) if change else ()
        return (mutant.module, mutant.function, mutant.operator, *lines)

    def hear(self, jobs: int) -> Iterator[tuple[Mutant, Survivor | None]]:
        """Try all; yields each mutant that is one, and how it reads if it survived."""
        seen: set[tuple[str, str]] = set()
        _state["court"] = self
        context = multiprocessing.get_context("fork")
        with context.Pool(jobs) as pool:
            for mutant, source, survivor in pool.imap(_hear, self.mutants, 4):
                if source and (mutant.module, source) not in seen:
                    seen.add((mutant.module, source))
                    yield mutant, survivor


_state: dict[str, Any] = {}  # what the processes of the pool are forked with


def _hear(mutant: Mutant) -> tuple[Mutant, str, Survivor | None]:
    """The mutant, the digest of its source ("": there is no such), how a survivor reads."""
    court: Court = _state["court"]
    module = court.modules[mutant.module]
    change = module.change(mutant)
    if change is None:
        return mutant, "", None
    digest = hashlib.sha256(change.program.encode()).hexdigest()
    tests = court.trials.meet(mutant)
    if tests and court.trials.notice(module, change.source, tests):
        return mutant, digest, None
    return mutant, digest, dict(zip(KEY, court.reads(mutant), strict=True))


def _modules(source: Path, wanted: list[str]) -> Iterator[tuple[str, Path]]:
    """The modules that are mutated, by name; those whose last name is wanted, or all."""
    if source == SOURCE:
        files = [*sorted((source / "uptane" / "meta").glob("*.py")), source / "uptane" / "cose.py"]
    else:
        files = sorted(source.glob("*.py"))
    for path in files:
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        if path.stem != "__init__" and (not wanted or path.stem in wanted):
            yield name, path


def unmutated(court: Court) -> None:
    """The tool itself must change nothing: every module in its own place passes its tests."""
    for module in court.modules.values():
        tests = [test for test in court.tests if module.name in test.lines]
        failed = court.trials.notice(module, module.source, tests)
        if failed:
            raise SystemExit(f"mutants: {failed} fails on {module.name} as it is")


def judge(survivors: list[Survivor], listed: list[Survivor], whole: set[str]) -> list[str]:
    """What is wrong between the survivors and the list of those that may; `whole`: modules."""
    complaints = []
    found = Counter(_key(survivor) for survivor in survivors)
    known = Counter(_key(entry) for entry in listed)
    for key in found - known if whole else {key for key in found if key not in known}:
        complaints.append(f"survives, and is not in the list: {' | '.join(key)}")
    for key in known - found:
        if key[0] in whole:
            complaints.append(f"is in the list, and is no survivor: {' | '.join(key)}")
    for entry in listed:
        if len(entry.get("why", "").split()) < 3:
            complaints.append(f"has no reason in the list: {' | '.join(_key(entry))}")
    return complaints


def _key(entry: Survivor) -> tuple[str, ...]:
    return tuple(entry[name] for name in KEY)


def keep(court: Court, tried: Counter[str], survivors: list[Survivor]) -> None:
    """Keep the figures of modules that were run whole."""
    for name, module in court.modules.items():
        mine = [survivor for survivor in survivors if survivor["module"] == name]
        figures = {"code": _code(module.path), "mutants": tried[name], "survivors": mine}
        (court.build / f"{name}.json").write_text(json.dumps(figures, indent=1))


def record() -> None:
    """Write the figures of today's modules to docs/measured.md."""
    written = {row[0]: row for row in rows_of("mutants", len(HEADS))}
    rows: list[list[object]] = []
    for name, path in _modules(SOURCE, []):
        figures = _figures(BUILD, name, path)
        if figures:
            rows.append(_row(name, figures["code"], figures["mutants"], figures["survivors"]))
        elif name in written and written[name][1] == _code(path):  # run in another checkout
            _, code, *counts, percent = written[name]
            rows.append([name, code, *[int(count.replace(",", "")) for count in counts], percent])
        else:
            rows.append([name, "-", 0, 0, 0, "not run"])
    text = f"""## Mutants

`make mutants` changes one thing in a module of the device and runs the device tests that execute
the changed statement, on CPython {sys.version.split()[0]}; {KILLED_PERCENT_MIN} % have to be
noticed, and `docs/mutants.toml` says of survivors why they cannot change a verdict. code: the
first 8 digits of the SHA-256 of the source that was run.

{table(HEADS, rows)}
"""
    write_section("mutants", text)


def _figures(build: Path, name: str, path: Path) -> dict[str, Any]:
    """What a whole run of a module left there; empty if there is none of today's source."""
    kept = build / f"{name}.json"
    figures: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    return figures if figures.get("code") == _code(path) else {}


def _row(name: str, code: str, tried: int, survivors: list[Survivor]) -> list[object]:
    killed = tried - len(survivors)
    return [name, code, tried, killed, len(survivors), f"{100 * killed / max(tried, 1):.1f}"]


def _code(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def main() -> int:
    options = _options()
    begun = time.perf_counter()
    court = Court(options)
    unmutated(court)
    tried = court.keep_survivors() if options.again else Counter[str]()
    survivors: list[Survivor] = []
    for mutant, survivor in court.hear(options.jobs):
        tried[mutant.module] += 1
        if survivor:
            survivors.append(survivor)
            print("survives: " + " | ".join(_key(survivor)), flush=True)
    total = sum(tried.values())
    killed = total - len(survivors)
    listed = tomllib.loads(options.list.read_text(encoding="utf-8")).get("survivor", [])
    whole = set() if options.sample or options.only else set(court.modules)
    complaints = judge(survivors, listed, whole)
    if whole:
        keep(court, tried, survivors)
    if whole and options.source == SOURCE:
        record()
    if whole and 100 * killed < KILLED_PERCENT_MIN * total:
        complaints.append(f"fewer than {KILLED_PERCENT_MIN} % are killed")
    print("\n".join(complaints))
    seconds = time.perf_counter() - begun
    print(f"mutants: {total}, killed {killed}, survivors {len(survivors)}, {seconds:.0f} s")
    return 1 if complaints or not total else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="last names; none: all")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", default="", help="only what survived the last whole run")
    parser.add_argument("--only", action="append", help="a test module instead of all")
    parser.add_argument("--source", type=Path, default=SOURCE)
    parser.add_argument("--tests", type=Path, default=TESTS)
    parser.add_argument("--list", type=Path, default=LIST)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
