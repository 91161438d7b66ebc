"""One world: the simulator is just another board, and its seed and clock decide what happens.

Laws 5 and 8 of the house. `WALL_CLOCK` names the modules of the bench whose duty is the wall
clock, each with its reason; an entry that no longer needs to be there is a complaint too.

It does not prove that traces repeat: the tests of the bench do.
"""

import ast
from collections.abc import Iterator

from tests.house.source import Source, bites, keep, plain_name, python, spares

WALL_CLOCK: dict[str, str] = {
    "host/muptane/bench/attacks/engine.py": "it plays each attack in a process of its own",
    "host/muptane/bench/courier.py": "a server answers in its own time, or too late",
    "host/muptane/bench/demo.py": "it says how much wall time it took, beside virtual time",
    "host/muptane/bench/join/gallia.py": "a scanner of others, in real time",
    "host/muptane/bench/join/plugin.py": "foreign tools on the virtual bus live in real time",
    "host/muptane/bench/realtime.py": "it lets the world's events happen when the wall says so",
    "host/muptane/bench/scale.py": "it compares what two things take by the wall clock",
    "host/muptane/bench/tester.py": "an independent diagnostic stack has real time-outs",
    "host/muptane/bench/rig.py": "real boards live in real time",
}

PARALLEL = {"threading", "_thread", "concurrent", "multiprocessing", "asyncio", "secrets"}
CLOCKS = {
    f"time.{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
} | {"time.sleep", "time.localtime", "time.gmtime", "time.ctime", "time.strftime"}
TODAY = {
    f"datetime.{part}{name}"
    for part in ("", "datetime.", "date.")
    for name in ("now", "utcnow", "today")
}
UNSEEDED = {
    "os.urandom", "os.getrandom", "random.SystemRandom", "uuid.uuid1", "uuid.uuid4",
    "nacl.utils.random", "nacl.signing.SigningKey.generate", "nacl.public.PrivateKey.generate",
}  # fmt: skip
RANDOM_CLASSES = {"random.Random", "random.SystemRandom"}


def outside_the_world(source: Source) -> Iterator[str]:
    """Law 8, whoever breaks it."""
    for node, _, dotted in source.imports:
        if plain_name(dotted) in PARALLEL:
            yield source.complain(node, f"{dotted} in the bench", _cure("let the world call you"))
    for use, dotted in source.uses():
        if dotted in CLOCKS | TODAY:
            yield source.complain(use, f"{dotted} is a wall clock", _cure("ask the world's clock"))
        elif dotted in UNSEEDED:
            yield source.complain(use, f"{dotted} has no seed", _cure("draw from the world"))
        elif dotted.startswith("random.") and dotted not in RANDOM_CLASSES:
            yield source.complain(use, f"{dotted} is everybody's", _cure("draw from the world"))
    for call in ast.walk(source.tree):
        bare = isinstance(call, ast.Call) and not call.args and not call.keywords
        if isinstance(call, ast.Call) and bare and source.dotted(call.func) == "random.Random":
            yield source.complain(call, "Random without a seed", _cure("give it the seed"))


def _cure(step: str) -> str:
    return f"{step}, or name the module with its reason in WALL_CLOCK of {__name__}"


def worldly(source: Source) -> Iterator[str]:
    """Law 8 with its named exceptions, which have to be true."""
    complaints = list(outside_the_world(source))
    if source.path not in WALL_CLOCK:
        yield from complaints
    elif not complaints:
        yield source.complain(
            1, "listed in WALL_CLOCK without need", f"take it off the list in {__name__}"
        )


def naps(source: Source) -> Iterator[str]:
    """A test that sleeps is slow on a good day and wrong on a bad one."""
    for use, dotted in source.uses():
        if dotted == "time.sleep":
            yield source.complain(use, "a test sleeps", "wait for the event, or use virtual time")


def board_names() -> set[str]:
    """Every board of the checkout; `unix` is left out in texts, where it is also a time."""
    return {s.path.split("/")[1] for s in python("boards") if s.path.count("/") > 1}


def knows_its_board(source: Source) -> Iterator[str]:
    """Law 5."""
    yield from _knows(source, board_names())


def _knows(source: Source, boards: set[str]) -> Iterator[str]:
    cure = "let the board pass in what differs (board.py, board.toml)"
    on_device = source.under("firmware")
    for use, dotted in source.uses():
        if dotted == "sys.implementation" or (on_device and dotted == "sys.platform"):
            yield source.complain(use, f"{dotted} is read", cure)
        elif on_device and {"simulator", "simulated", "emulator", "emulated"} & _words(dotted):
            yield source.complain(use, f"{dotted} knows of the simulator", cure)
    said = {id(body[0].value) for body in _bodies(source) if isinstance(body[0], ast.Expr)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = set(node.value.replace("/", " ").split())
            named = words & (boards if on_device else boards - {"unix"})
            if named and id(node) not in said:
                yield source.complain(node, f"the board {named.pop()} is named", cure)


def _words(dotted: str) -> set[str]:
    return set(dotted.rpartition(".")[2].lower().split("_"))


def _bodies(source: Source) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            yield node.body


def seeded_on_a_board(source: Source) -> Iterator[str]:
    """A pseudo-random source is for the simulator; a board has noise, or a counter and a seed."""
    for node, _, dotted in source.imports:
        if plain_name(dotted) == "random":
            yield source.complain(
                node, "a seeded random source", "take the random source that the board passes in"
            )


# --- the laws ---------------------------------------------------------------------------------


def test_the_bench_lives_in_one_world() -> None:
    keep(worldly, python("host/muptane/bench"))


def test_every_exception_to_the_one_world_has_a_reason() -> None:
    assert all(len(reason.split()) > 3 for reason in WALL_CLOCK.values())


def test_no_test_sleeps() -> None:
    keep(naps, [s for s in python("tests") if not s.under("tests/hil", "tests/e2e")])


def test_nothing_but_boards_and_drivers_knows_the_board() -> None:
    device = [s for s in python("firmware") if not s.under("firmware/uptane/port")]
    keep(knows_its_board, [*device, *python("host")])


def test_the_seeded_random_source_stays_in_the_unix_board() -> None:
    keep(
        seeded_on_a_board,
        [s for s in python("firmware", "boards") if not s.under("boards/unix")],
    )


# --- each law bites -----------------------------------------------------------------------------


def test_the_law_of_one_world_bites() -> None:
    bench = "host/muptane/bench/can/bus.py"
    bites(worldly, bench, "import time\ntime.sleep(1)\n")
    bites(worldly, bench, "from time import monotonic as now\nx = now()\n")
    bites(worldly, bench, "import time\nclock = time.perf_counter_ns\n")
    bites(worldly, bench, "from datetime import datetime\nx = datetime.now()\n")
    bites(worldly, bench, "import datetime\nx = datetime.datetime.now()\n")
    bites(worldly, bench, "import threading\n")
    bites(worldly, bench, "import random\nx = random.random()\n")
    bites(worldly, bench, "import random\nx = random.Random()\n")
    bites(worldly, bench, "from os import urandom\nx = urandom(8)\n")
    spares(worldly, bench, "import random\nx = random.Random(7)\ny = x.random()\n")
    spares(worldly, bench, "def f(self):\n    return self.time.time()\n")
    bites(naps, "tests/host/test_a.py", "import time\ntime.sleep(0.1)\n")


def test_an_exception_that_is_not_needed_is_seen() -> None:
    listed = next(iter(WALL_CLOCK))
    bites(worldly, listed, "x = 1\n")
    spares(worldly, listed, "import time\nx = time.monotonic()\n")


def test_the_law_of_the_unknown_board_bites() -> None:
    device = "firmware/uptane/main.py"
    for text in (
        "import sys\nx = sys.implementation.name\n",
        "from sys import implementation\nx = implementation\n",
        "import sys\nx = sys.platform\n",
        "def f(board):\n    return board.is_simulator or emulated\n",
    ):
        bites(knows_its_board, device, text)
    named = list(_knows(Source(device, '"""For a pico."""\nBOARD = "boards/pico"\n'), {"pico"}))
    assert len(named) == 1
    assert ":2: " in named[0]


def test_the_law_of_the_seeded_source_bites() -> None:
    bites(seeded_on_a_board, "boards/pico/board.py", "import urandom\n")
