"""Figures of the back office: what a request costs, in fleets of 10 to 100,000 vehicles.

A request is a vehicle version manifest of the sedan's three ECUs: four signatures verified, the
images decided on, three files signed, all of it on the disk (SQLite: write-ahead log, synchronous
FULL; PostgreSQL: fsync and synchronous_commit on). Its ratio is to PyNaCl alone verifying and
signing that often, over messages of those lengths, on the same machine at the same time: the two
take turns, as all fleets do, and the median of the rounds counts. Each request is of another real
vehicle where the fleet has enough of them. No network is in it, and one request after the other.
Rules: R-17, R-32.
"""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from nacl.signing import SigningKey
from sqlalchemy import text

from muptane.bench.crowd import Crowd, RealVehicle
from muptane.bench.figures import Figure
from muptane.bench.postgres import NoPostgres, postgres
from muptane.oem.database import connect
from muptane.oem.envelopes import (
    HEADERS,
    OF_MANY,
    OF_ONE,
    SEAL_HEADERS,
    Context,
    read_sign,
    to_be_signed,
)
from muptane.oem.metadata import BYTES_MAX
from uptane import algorithms, ids

TURN = 10  # requests, and then the signatures of as many
SQLITE_RATIO, POSTGRES_RATIO, FLAT_RATIO = 8, 15, 1.3
MEMORY_MB = 48  # of which 32 are SQLite's page cache
STATM = Path("/proc/self/statm")  # pages: of the address space, resident, ...
SIGNED_ROLES = (ids.TARGETS, ids.SNAPSHOT, ids.TIMESTAMP)


@dataclass(frozen=True)
class Extent:
    """How much is measured: vehicles of each fleet, rounds after one to warm up, requests in each,
    and those of the process whose memory is looked at. `places`: where PostgreSQL may be."""

    sqlite: tuple[int, ...] = (10, 1_000, 100_000)
    postgres: tuple[int, ...] = (1_000, 100_000)
    rounds: int = 5
    requests: int = 100
    served: int = 2_000
    places: Sequence[Path] | None = None

    @property
    def real(self) -> int:
        """Vehicles that sign: as many as there are requests."""
        return self.requests * (self.rounds + 1)


def oem_figures(tell: Callable[[str], None], extent: Extent) -> list[Figure]:
    """Every figure; some minutes. `tell` hears what is going on, and why one is missing."""
    sqlite, servers = extent.sqlite, extent.postgres
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muptane-scale-")))
        urls = {f"sqlite_{size}": f"sqlite:///{folder / str(size)}.sqlite" for size in sqlite}
        names = [f"postgres_{size}" for size in servers]
        try:
            server = stack.enter_context(postgres(extent.places))
            urls |= {name: _database(server, name) for name in names}
        except NoPostgres as missing:
            tell(f"no figure of PostgreSQL: {missing}")
        crowds = {}
        for name, url in urls.items():
            tell(f"filling {name}")
            size = int(name.split("_")[1])
            crowds[name] = Crowd.fill(folder / name, url, size, extent.real)
            stack.callback(crowds[name].close)
        ratios = _ratios(crowds, extent, tell)
        made = [_figure(name, ratios) for name in (*urls, *(n for n in names if n not in urls))]
        made += _flat("sqlite", sqlite, ratios) + _flat("postgres", servers, ratios)
        tell("serving in a process of its own")
        largest = f"sqlite_{max(sqlite)}"
        grown = _grown_mb(folder / largest, urls[largest], max(sqlite), extent)
        return [*made, Figure("memory", grown, "MB", MEMORY_MB)]


def _figure(name: str, ratios: Mapping[str, float]) -> Figure:
    target = SQLITE_RATIO if name.startswith("sqlite") else POSTGRES_RATIO
    found = ratios.get(name)
    return Figure(name, None if found is None else round(found, 1), "x", target)


def _flat(kind: str, sizes: Sequence[int], ratios: Mapping[str, float]) -> list[Figure]:
    """How much dearer a request is in the largest fleet than in the smallest."""
    small, large = (ratios.get(f"{kind}_{size}") for size in (min(sizes), max(sizes)))
    value = None if small is None or large is None else round(large / small, 2)
    return [Figure(f"{kind}_flat", value, "x", FLAT_RATIO)]


def _ratios(
    crowds: Mapping[str, Crowd], extent: Extent, tell: Callable[[str], None]
) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in crowds}
    queues = {name: _sent(crowd) for name, crowd in crowds.items()}
    for number in range(extent.rounds + 1):  # the first one warms up
        for name, crowd in crowds.items():
            spent, alone = _round(crowd, queues[name], extent.requests)
            if number:
                found[name].append(spent / alone)
                each, bare = (1e3 * took / extent.requests for took in (spent, alone))
                tell(f"{name}: {each:.2f} ms, bare {bare:.2f} ms")
    return {name: median(values) for name, values in found.items()}


def _round(
    crowd: Crowd, queue: Iterator[tuple[RealVehicle, bytes]], requests: int
) -> tuple[float, float]:
    """Seconds of the requests of a round, and of their bare signatures, taking turns."""
    bare = Bare(crowd)
    spent = alone = 0.0
    for _ in range(requests // TURN):
        sent = [next(queue) for _ in range(TURN)]
        begun = perf_counter()
        for vehicle, raw in sent:
            crowd.request(vehicle, raw)
        between = perf_counter()
        for _ in range(TURN):
            bare.once()
        spent, alone = spent + between - begun, alone + perf_counter() - between
    return spent, alone


def _sent(crowd: Crowd) -> Iterator[tuple[RealVehicle, bytes]]:
    """What the real vehicles send, one after the other, for ever."""
    while True:
        for vehicle in crowd.vehicles:
            yield vehicle, vehicle.send(crowd.office.director.identity)


class Bare:
    """The signatures of one request and nothing else, by PyNaCl."""

    def __init__(self, crowd: Crowd) -> None:
        identity, ecus = crowd.office.director.identity, len(crowd.planned)
        kinds = [*[ids.TYPE_REPORT] * ecus, ids.TYPE_VEHICLE]
        headers = SEAL_HEADERS[algorithms.ALG_EDDSA]
        seals = [
            to_be_signed(OF_ONE, headers, Context(kind, identity, kind), bytes(32))
            for kind in kinds
        ]
        self._key = SigningKey(bytes(32))
        self._public = self._key.verify_key
        self._sealed = [(message, self._key.sign(message).signature) for message in seals]
        self._signed = [self._message(crowd, role) for role in SIGNED_ROLES]

    def _message(self, crowd: Crowd, role: int) -> bytes:
        """What was signed for the first vehicle last."""
        raw = crowd.office.director.read(crowd.vehicles[0].vin, role, 0)
        payload, _ = read_sign(raw or b"", BYTES_MAX[role])
        context = Context(role, crowd.office.director.identity, role)
        return to_be_signed(OF_MANY, HEADERS[algorithms.ALG_EDDSA], context, payload)

    def once(self) -> None:
        for message, signature in self._sealed:
            self._public.verify(message, signature)
        for message in self._signed:
            self._key.sign(message)


def _database(server: str, name: str) -> str:
    """The URL of a new database on this server."""
    engine = connect(server).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


def _grown_mb(folder: Path, url: str, size: int, extent: Extent) -> float:
    """MB by which resident memory grows, at most, in a process that opened this office and answers
    requests of many vehicles."""
    counts = (str(count) for count in (size, extent.real, extent.served))
    command = [sys.executable, "-m", "muptane.bench.scale", str(folder), url, *counts]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def serve(folder: Path, url: str, counts: Sequence[int]) -> float:
    """What `_grown_mb` starts. `counts`: vehicles, those that sign, requests."""
    size, real, served = counts
    crowd = Crowd.again(folder, url, size, real)
    queue = _sent(crowd)
    before = most = _resident_mb()
    for number in range(served):
        crowd.request(*next(queue))
        if number % TURN == 0:
            most = max(most, _resident_mb())
    crowd.close()
    return round(most - before, 1)


def _resident_mb() -> float:
    """Now; where a system does not tell, the most so far."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    grown = serve(Path(sys.argv[1]), sys.argv[2], [int(count) for count in sys.argv[3:]])
    sys.stdout.write(f"{grown}\n")
