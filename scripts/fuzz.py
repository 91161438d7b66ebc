"""`make fuzz [EXECS=N] [TARGET=name] [KEEP=1]`: what faces the wire, fuzzed with atheris.

Each target runs in a process of its own, two at a time, from the corpus in the repository and what
earlier runs have left in build/fuzz; memory and the time of each input are limited. One line a
target; then the figures go to docs/measured.md, and with KEEP=1 the inputs that do most into the
repository. A finding ends with exit code 1 and the file that shows it. Linux x86-64 only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from muptane.measured import rows_of, table, write_section
from scripts.fuzzing import CORPUS, ROOT, corpus

BUILD = ROOT / "build" / "fuzz"
FIGURES = BUILD / "figures.json"
RSS_MB_MAX = 256  # of a process: interpreter, atheris and corpus take some 60
INPUT_S_MAX = 10  # of one input; the machine may be busy
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
HEADS = ("parser", "code", "executions", "corpus", "peak bytes", "inputs by refusal (0: accepted)")


class Campaign:
    """One target: its folder in build/fuzz, and what a run of it gave."""

    def __init__(self, name: str, bytes_max: int) -> None:
        self.name = name
        self.bytes_max = bytes_max
        self.folder = BUILD / name
        self.found: list[Path] = []

    def run(self, execs: int) -> int:
        """Fuzz; returns the number of executions, however it ended."""
        inputs = self.folder / "corpus"
        inputs.mkdir(parents=True, exist_ok=True)
        findings = self.folder / "findings"
        shutil.rmtree(findings, ignore_errors=True)
        findings.mkdir()
        for raw in corpus.read(CORPUS / self.name):
            (inputs / corpus.file_name(raw)).write_bytes(raw)
        log = self.folder / "log"
        with log.open("w", encoding="utf-8", errors="replace") as file:
            subprocess.run(
                [sys.executable, "-m", "scripts.fuzzing.worker", self.name, *self.options(execs)],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                check=False,
            )
        self.found = sorted(findings.iterdir())
        executed = EXECUTED.search(log.read_text(encoding="utf-8", errors="replace"))
        if executed is None and not self.found:
            raise SystemExit(f"fuzz: {self.name} did not run; see {log}")
        return int(executed[1]) if executed else 0

    def options(self, execs: int) -> list[str]:
        return [
            f"-runs={execs}",
            f"-max_len={self.bytes_max}",
            f"-rss_limit_mb={RSS_MB_MAX}",
            f"-timeout={INPUT_S_MAX}",
            f"-artifact_prefix={self.folder}/findings/",
            "-print_final_stats=1",
            str(self.folder / "corpus"),
        ]

    def measure(self, executions: int) -> dict[str, Any]:
        """What the corpus of this run does, as a row of figures."""
        inputs = corpus.read(self.folder / "corpus")
        return {
            "executions": executions,
            "corpus": len(inputs),
            "peak_bytes": corpus.peak_bytes(self.name, inputs),
            "refusals": {str(key): n for key, n in corpus.refusals(self.name, inputs).items()},
        }


def row_of(campaign: Campaign, executions: int, known: dict[str, Any]) -> dict[str, Any]:
    """The figures of one target, and its line. `known`: its row of an earlier run, whose
    executions count if they were of the same code."""
    if campaign.found:
        print(f"{campaign.name:<18} FOUND {campaign.found[0]}", flush=True)
        return {}
    code = corpus.code_of(campaign.name)
    if known.get("code") == code:
        executions += known["executions"]
    row = {"code": code, **campaign.measure(executions)}
    print(f"{campaign.name:<18} {json.dumps(row)}", flush=True)
    return row


def figures() -> dict[str, dict[str, Any]]:
    """The rows of all targets: of those that were ever run here, and of others as they were
    written in another checkout."""
    known: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    return {**{row[0]: written(row) for row in rows_of("fuzz", len(HEADS))}, **known}


def written(cells: list[str]) -> dict[str, Any]:
    """A row of the document as figures: what `report` would write as these cells."""
    executions, corpus_size, peak = (int(cell.replace(",", "")) for cell in cells[2:5])
    pairs = (pair.rsplit(":", 1) for pair in cells[5].split())
    return {
        "code": cells[1],
        "executions": executions,
        "corpus": corpus_size,
        "peak_bytes": peak,
        "refusals": {key: int(count) for key, count in pairs},
    }


def report(rows: dict[str, dict[str, Any]]) -> str:
    """The section of docs/measured.md."""
    cells = [
        (
            name,
            row["code"],
            row["executions"],
            row["corpus"],
            row["peak_bytes"],
            " ".join(
                f"{key}:{row['refusals'][key]}" for key in sorted(row["refusals"], key=order)
            ),
        )
        for name, row in sorted(rows.items())
    ]
    return f"{INTRODUCTION}\n\n{table(HEADS, cells)}"


def order(pair: tuple[str, int]) -> tuple[int, str]:
    return (int(pair[0]) if pair[0].isdigit() else 0, pair[0])


INTRODUCTION = f"""## Fuzzing

Written by `make fuzz`. *Code*: a hash of what was fuzzed, every file of which an input of the
repository runs a function. *Executions*: of that code, without a finding; each under {RSS_MB_MAX}
MB of resident memory and {INPUT_S_MAX} s an input. *Corpus*: the inputs at the end, each for a
set of branches that no other took. *Peak bytes*: the most that one of them allocated at once, by
tracemalloc on CPython (64 bits), with what the target itself needs; what a board allocates is
bounded by the heap with which `make test` replays the repository's corpus. The last column counts
inputs of the corpus by what they were refused with: numbers of the POUF, 1000 + code for a
negative response, names of the back office's classes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--execs", type=int, default=20_000)
    parser.add_argument("--target", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print(f"fuzz: atheris exists for Linux x86-64 only, this is {platform.platform()}.")
        return 2
    known = corpus.names()
    chosen = [options.target] if options.target else list(known)
    if not set(chosen) <= set(known):
        print(f"fuzz: no target {options.target}; there are {', '.join(known)}")
        return 2
    campaigns = [Campaign(name, known[name]) for name in chosen]
    with ThreadPoolExecutor(options.jobs) as pool:  # threads that wait for a process each
        ran = pool.map(lambda campaign: campaign.run(options.execs), campaigns)
        for campaign, executions in zip(campaigns, ran, strict=True):
            row = row_of(campaign, executions, figures().get(campaign.name, {}))
            if row:  # read again: it took a while, and another run may have ended meanwhile
                rows = {**figures(), campaign.name: row}
                FIGURES.write_text(json.dumps(rows, indent=1))
                write_section("fuzz", report(rows))
    for campaign in campaigns if options.keep else ():
        kept = corpus.keep(campaign.name, corpus.read(campaign.folder / "corpus"))
        print(f"{campaign.name}: {kept} inputs kept")
    return 1 if any(campaign.found for campaign in campaigns) else 0


if __name__ == "__main__":
    sys.exit(main())
