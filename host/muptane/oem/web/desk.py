"""The office as a server uses it: with the online keys alone, from threads, and never stale.

It opens the office that stands in a folder, with the Director's keys other than Root's and no key
of the Image repository (R-37): whoever takes this process over can direct, not publish. Other
programs may go on working in the folder: public files are read from the published folder, and
the Director is opened anew when its Root has changed. Readers run beside each other, those of
strangers apart from those of vehicles; whatever writes the inventory waits for its turn in one
thread, since SQLite has one writer.
It does not know who asks, nor HTTP.
Rules: R-05, R-07, R-08, R-31, R-32, R-33, R-37, R-60, E-22, T-53.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, TypeVar

from sqlalchemy import func, select

from muptane.oem.errors import NoSigner
from muptane.oem.fields import sha256
from muptane.oem.inventory import Image, RootFile, Vehicle
from muptane.oem.keys import Signer
from muptane.oem.keystore import Keyring
from muptane.oem.maps import is_director
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.web.names import File, read_name
from uptane import ids

READERS = 4
WAITING_MAX = 64  # requests that wait for a thread; more are turned away
KEPT_BYTES = 64 * 1024 * 1024  # of files that never change

P = ParamSpec("P")
T = TypeVar("T")


class Busy(Exception):
    """Too many requests wait already."""


class Found(NamedTuple):
    """A file: its bytes, its strong entity tag, and whether other bytes may come tomorrow."""

    raw: bytes
    tag: str
    changes: bool


class OnlineKeys:
    """What a server needs of a keyring: the Director's keys and the time's, but not Root's."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def save(self, name: str, signer: Signer) -> None:
        raise NoSigner(f"a server makes no keys, and {name} least of all")

    def signers(self) -> Mapping[str, Signer]:
        return {
            name: signer
            for name, signer in self._keyring.signers().items()
            if name.startswith("director.") and not name.startswith("director.root.")
        }


@dataclass(frozen=True)
class OnlinePremises(Premises):
    """The premises as a server opens them."""

    def keyring(self) -> Keyring:
        return OnlineKeys(super().keyring())


class Desk:
    """`premises` has a folder; `clock` returns seconds since 1970. `look_up`, `read` and
    `write` run this object's other methods."""

    def __init__(self, premises: Premises, clock: Callable[[], int]) -> None:
        """Refuses like Office.open."""
        self._premises = OnlinePremises(**vars(premises))
        self._clock = clock
        self._store = self._premises.store()
        self._opened = Office.open(clock, self._premises)
        self._opening = threading.Lock()
        self._shelf = Shelf(KEPT_BYTES)
        self._strangers = Pool(READERS)
        self._readers = Pool(READERS)
        self._writer = Pool(1)

    async def look_up(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run what anybody may ask, whoever he is: a flood of it leaves the rest alone. Busy."""
        return await self._strangers.run(lambda: act(*given, **named))

    async def read(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run for a known vehicle what only reads, or signs and keeps nothing. Busy."""
        return await self._readers.run(lambda: act(*given, **named))

    async def write(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run what writes the inventory, one after the other. Busy."""
        return await self._writer.run(lambda: act(*given, **named))

    # --- what anybody may have -----------------------------------------------------------------

    def public(self, repository: int, name: str) -> Found | None:
        """A public file by its V-21 name: the Director's Roots, and whatever the Image repository
        published, but no image that is confidential or not entered into the inventory yet."""
        file = read_name(name)
        if file is None:
            return None

        def fetch() -> bytes | None:
            return self._public(repository, name, file)

        return self._shelf.get(("", repository, name), file, fetch)

    def _public(self, repository: int, name: str, file: File) -> bytes | None:
        if repository == ids.DIRECTOR:
            if (file.kind, file.number) != (ids.KIND_METADATA, ids.ROOT) or file.changes:
                return None
            return self._office().director.read("", ids.ROOT, int(file.detail or 0))
        if repository != ids.IMAGE or file.kind == ids.KIND_DELTA:
            return None
        if isinstance(file.detail, bytes) and not self._is_open(file.number, file.detail):
            return None
        return self._store.read(name)

    def _is_open(self, number: int, digest: bytes) -> bool:
        with self._opened.inventory.begin() as session:
            image = session.get(Image, number)
            return image is not None and not image.confidential and image.sha256 == digest

    # --- what one vehicle may have -------------------------------------------------------------

    def knows(self, vehicle: str) -> bool:
        with self._opened.inventory.begin() as session:
            return session.get(Vehicle, vehicle) is not None

    def private(self, vehicle: str, repository: int, name: str) -> Found | None:
        """A Director's file for this vehicle: metadata, or what travels in an image's place."""
        file = read_name(name)
        if file is None or not is_director(repository):
            return None

        def answer() -> bytes | None:
            number, detail = file.number, file.detail
            return self._office().answer(vehicle, repository, file.kind, number, detail)

        return self._shelf.get((vehicle, repository, name), file, answer)

    def attest(self, vehicle: str, nonces: object) -> bytes | None:
        """The time for these nonces; None if they are no list. Refuses with Malformed."""
        return self._office().answer(vehicle, ids.DIRECTOR, ids.KIND_TIME, 0, nonces)

    def receive(self, vehicle: str, raw: bytes) -> int:
        """Hand in a vehicle version manifest; returns the version of the Targets that answers it.
        Refuses like Director.receive_manifest."""
        return self._office().accept_manifest(vehicle, raw).targets_version

    def close(self) -> None:
        for pool in (self._strangers, self._readers, self._writer):
            pool.close()
        self._opened.close()

    def _office(self) -> Office:
        """The office, with the Director's newest Root."""
        with self._opening:
            with self._opened.inventory.begin() as session:
                newest = session.scalar(select(func.max(RootFile.version)))
            if newest != self._opened.director.authority.root.version:
                self._opened.close()
                self._opened = Office.open(self._clock, self._premises)
            return self._opened


class Shelf:
    """Files that never change, the last used first, up to so many bytes of them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._lock = threading.Lock()
        self._files: OrderedDict[tuple[str, int, str], Found] = OrderedDict()

    def get(
        self, key: tuple[str, int, str], file: File, fetch: Callable[[], bytes | None]
    ) -> Found | None:
        """The file under a key, fetched if it is not here or may have changed."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
        raw = fetch()
        if raw is None:
            return None
        found = Found(raw, f'"{sha256(raw).hex()}"', file.changes)
        if not file.changes:
            self._put(key, found)
        return found

    def _put(self, key: tuple[str, int, str], found: Found) -> None:
        with self._lock:
            if key in self._files or len(found.raw) > self._bytes_max:
                return
            self._files[key] = found
            self._bytes += len(found.raw)
            while self._bytes > self._bytes_max:
                _, gone = self._files.popitem(last=False)
                self._bytes -= len(gone.raw)


class Pool:
    """Threads with a queue that has an end."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "desk")
        self._most = threads + WAITING_MAX
        self._open = 0

    async def run(self, act: Callable[[], T]) -> T:
        """Busy."""
        if self._open >= self._most:
            raise Busy
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, act)
        finally:
            self._open -= 1

    def close(self) -> None:
        self._executor.shutdown()
