"""One target under atheris, in a process of its own: python -m scripts.fuzzing.worker NAME ...

What follows the name is libFuzzer's: options and the folder of the corpus; or the file of a
finding, which is then run alone. Half of the mutations are those of `mutations`, half libFuzzer's
own. A finding ends the process and leaves its input. `uptane` is instrumented (and for the host's
targets `muptane`), the targets themselves are not; libFuzzer hears of an input only if no input
before it took the same set of branches.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable

from scripts.fuzzing import HOST_TARGETS, PLANTED_TARGETS, TARGETS, add_paths
from scripts.fuzzing.mutations import (
    Change,
    change_item,
    change_prefixed_item,
    change_prefixed_steps,
    change_steps,
)

STEPS = {"isotp": change_steps, "uds_server": change_steps, "uds_client": change_steps}
PREFIXED = {
    "uds_transfer": change_prefixed_steps,
    "uds_broadcast": change_prefixed_steps,
    "oem_role": change_prefixed_item,
}
CHANGES: dict[str, Change] = {**STEPS, **PREFIXED}
PATHS = 4096  # counters that stand for sets of branches
INSTRUMENTED = {"uptane", "muptane", PLANTED_TARGETS}  # packages as a whole


class Branches:
    """The branches that one input takes.

    atheris calls into C++ at each branch, at a microsecond each; a set takes a tenth of that.
    libFuzzer hears of the branches, and of a counter for their set, when that set is new.
    """

    def __init__(self) -> None:
        import atheris  # type: ignore[import-untyped]  # there is none but for Linux x86-64

        self._trace = atheris._trace_branch
        self._paths = [atheris._reserve_counter() for _ in range(PATHS)]
        self._taken: set[int] = set()
        self._known: set[frozenset[int]] = set()
        atheris._trace_branch = self._taken.add  # what instrumented code calls, by this name

    def begin(self) -> None:
        self._taken.clear()

    def end(self) -> None:
        path = frozenset(self._taken)
        if path in self._known:
            return
        self._known.add(path)
        for branch in path:
            self._trace(branch)
        self._trace(self._paths[hash(path) % PATHS])


def module_of(name: str) -> str:
    """Where a target's `outcome` lives."""
    known = {"oem": HOST_TARGETS, "planted": PLANTED_TARGETS}
    return known.get(name.partition("_")[0], TARGETS)


def load(name: str) -> Callable[[bytes], None]:
    """The function of a target, with what it tests instrumented as it is imported."""
    from atheris.import_hook import HookManager  # type: ignore[import-untyped]  # as above

    branches = Branches()
    with HookManager(INSTRUMENTED, set(), False, False):
        targets = importlib.import_module(module_of(name))

    def run(raw: bytes) -> None:
        branches.begin()
        targets.outcome(name, raw)
        branches.end()

    return run


def mutator(name: str) -> Callable[[bytes, int, int], bytes]:
    import atheris  # as above

    change = CHANGES.get(name, change_item)
    chance = random.Random(0)

    def mutate(raw: bytes, size_max: int, seed: int) -> bytes:
        chance.seed(seed)
        changed = change(raw, chance) if seed & 1 else None
        if changed is None or len(changed) > size_max:
            changed = atheris.Mutate(raw, size_max)
        return bytes(changed)

    return mutate


def main(arguments: list[str]) -> None:
    import atheris  # as above

    add_paths()
    name = arguments[0]
    run = load(name)
    atheris.Setup([sys.argv[0], *arguments[1:]], run, custom_mutator=mutator(name))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
