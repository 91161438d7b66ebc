"""`make guards [GUARD=words] [JOBS=2]`: which fault needs which guard of the store.

Each guard of docs/guards.toml is taken away, and every kind of fault is played on a store without
it. The store has to work where nothing fails, and to break its word under the faults of the list
and under no other. What came of it goes to docs/measured.md, if all guards were tried.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from muptane.measured import table, write_section
from scripts.guarding.guards import Guard, listed, load
from scripts.guarding.kinds import KINDS, SOUND, Outcome, play, plays

HEADS = ("guard", "where", "needed by")
Tried = tuple[Outcome, dict[str, Outcome]]  # without any fault; of each kind


def attempt(guard: Guard | None) -> Tried:
    """Every kind of fault on a store without that guard, or on the store as it is."""
    with TemporaryDirectory() as folder:
        store = load(Path(folder), f"planted_{time.monotonic_ns()}", guard)
        module = guard.module if guard else "area"
        kinds = {kind: play(store, plays(kind, module)) for kind in KINDS}
        return play(store, SOUND), kinds


def complaints(guard: Guard | None, tried: Tried) -> list[str]:
    """What is not as the list has it."""
    name = guard.name if guard else "the store as it is"
    sound, kinds = tried
    found = {kind for kind, outcome in kinds.items() if outcome.verdict}
    expected = set(guard.faults if guard else ())
    said = [f"{name}: {kind} is not noticed" for kind in sorted(expected - found)]
    for kind in sorted(found - expected):
        outcome = kinds[kind]
        said.append(f"{name}: {outcome.verdict} by {kind}, {outcome.case}: {outcome.why}")
    if sound.verdict:
        said.append(f"{name}: {sound.verdict} without any fault, {sound.case}: {sound.why}")
    return said


def row(guard: Guard, kinds: dict[str, Outcome]) -> list[object]:
    """Of the table."""
    needs = [
        f"{kind}: {outcome.verdict.replace('_', ' ')}"
        for kind, outcome in kinds.items()
        if outcome.verdict
    ]
    where = f"{guard.module}.{guard.function}"
    return [guard.name, where, "; ".join(needs) or f"nothing: {guard.why}"]


def record(rows: list[list[object]], cases: int) -> None:
    """The section of docs/measured.md."""
    text = f"""## Guards

Written by `make guards`. A *guard* is what the store does only because flash can fail. Without it,
and by the change that docs/guards.toml names, the store still works where nothing fails; under the
faults that stand here it breaks its word - first found: a value or image rolled back, a corruption
accepted, or an ECU bricked - and under no other. The store as it is survives all {cases:,} cases.
The kinds are those of `muptane faults list`, a brownout and rot being a cut and a flip; what a *+*
joins is suffered together.

{table(HEADS, rows)}
"""
    write_section("guards", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="of the names of guards; none: all")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    words = " ".join(options.words)
    guards = [guard for guard in listed() if words in guard.name]
    said, rows, cases = [], [], 0
    with multiprocessing.Pool(options.jobs) as pool:
        for guard, tried in zip([None, *guards], pool.imap(attempt, [None, *guards]), strict=True):
            said += complaints(guard, tried)
            if guard is None:
                cases = sum(outcome.cases for outcome in tried[1].values())
                continue
            rows.append(row(guard, tried[1]))
            print(" | ".join(str(cell) for cell in rows[-1]), flush=True)
    print("\n".join(said))
    print(f"guards: {len(guards)}, {len(said)} complaints")
    if not words and not said:
        record(rows, cases)
    return 1 if said or not guards else 0


if __name__ == "__main__":
    sys.exit(main())
