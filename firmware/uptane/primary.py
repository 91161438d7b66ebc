"""The Primary's cycle: the seven steps of the Standard (V-40), then its own image.

Reports of all Secondaries; the vehicle version manifest; time; metadata and images of the whole
vehicle, fully verified; then each Secondary is served its time, its metadata and its image by the
same wants that the Primary itself was served by. A silent Secondary is noted and left out; it
does not hold up the others. The Primary's own image comes last: it is the gateway (V-87).

It cannot make a Secondary install anything: each verifies for itself (V-92, E-70).
Rules: V-32, V-33, V-40, V-42, V-46, V-47, V-48, V-49, V-50, V-52, V-68, T-35, T-38.
"""

from uptane import cose
from uptane.bundle import spent, try_out
from uptane.errors import NoReply, Refusal, Withheld
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DIRECTOR,
    IMAGE,
    KIND_DELTA,
    KIND_IMAGE,
    KIND_MAP,
    KIND_METADATA,
    KIND_TIME,
    RECORD_MAP,
    REPORT_VEHICLE,
    ROOT,
    TARGETS,
)
from uptane.image.parcel import Parcel
from uptane.limits import (
    MAP_BYTES_MAX,
    REPOSITORIES_MAX,
    ROOT_BYTES_MAX,
    S3_MS,
    SECONDARY_MS_MAX,
    TARGETS_BYTES_MAX,
)
from uptane.meta.decision import Installed
from uptane.meta.files import record_of
from uptane.meta.roles import Head
from uptane.meta.wants import Want
from uptane.report import installed_of, nonce_of
from uptane.steps import attested, fetch, offer
from uptane.uds.codes import (
    DIAGNOSTIC_SESSION_CONTROL,
    SESSION_DEFAULT,
    SUPPRESS,
    TESTER_PRESENT,
    WANTS_INSTALL,
)
from uptane.uds.feeding import Feeding, Held

if False:  # for the type checker
    from errand import Cycle
    from uptane.cycle import Cycle as Running
    from uptane.main import Ecu
    from uptane.meta.decision import Decision
    from uptane.store.records import Records
    from uptane.uds.client import Client
    from uptane.uds.feeding import Found

PRESENT = bytes((TESTER_PRESENT, SUPPRESS))
LEAVE = bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_DEFAULT | SUPPRESS))


class Lead:
    """A Primary in its cycle is not gone for its Secondaries: it says so. When the cycle is over,
    however it ended, their applications run again. `due_ms`: when it says so next."""

    def __init__(self, clients: "list[tuple[int, Client]]", cycle: "Running") -> None:
        self._clients = clients
        self._cycle = cycle
        self._leading = False
        self.due_ms = 0

    def watch(self, now_ms: int) -> None:
        running = self._cycle.running()
        if running and now_ms >= self.due_ms:
            self.due_ms = now_ms + S3_MS // 2
            self._tell(PRESENT)
        elif self._leading and not running:
            for _, client in self._clients:
                client.channel.abort()
            self._tell(LEAVE)
        self._leading = running

    def _tell(self, message: bytes) -> None:
        for _, client in self._clients:
            if client.channel.idle():
                client.channel.send(message)


class Peer:
    """A Secondary in this cycle: its conversation, its report, what it still needs."""

    def __init__(self, ecu_id: int, client: "Client") -> None:
        self.ecu = ecu_id
        self.client = client
        self.report: bytes | None = None  # None: it is silent, or talks nonsense
        self.nonce = b""
        self.installed: Installed | None = None
        self.staged = False  # an image that nobody has told it to try

    def take(self, raw: bytes) -> None:
        """Its report, to be relayed as it is. BadShape if it does not even look like one."""
        self.nonce = nonce_of(raw)
        self.installed = installed_of(raw)
        self.report = raw


class Shelf:
    """What a Primary can hand to a Secondary: the source of its feeding."""

    def __init__(self, ecu: "Ecu", peer: Peer) -> None:
        self._ecu = ecu
        self._peer = peer
        self.raw_time: bytes | None = None

    def take(self, file: bytes, raw: bytes) -> "Cycle[None]":
        self._peer.take(raw)
        return
        yield

    def find(self, file: bytes, detail: object, offset: int) -> "Cycle[Found | None]":
        kind = file[1]
        number = int.from_bytes(file[2:], "big")
        raw = None
        if kind == KIND_TIME:
            raw = self.raw_time
        elif kind == KIND_METADATA:
            raw = yield from self._metadata(file[0], number, detail)
        elif kind == KIND_MAP and isinstance(detail, bytes):
            raw = yield from self._map(number, detail)
        elif kind in (KIND_IMAGE, KIND_DELTA) and isinstance(detail, bytes):
            return self._ecu.depot.find(detail, offset)
        return None if raw is None or offset >= len(raw) else Held(raw, offset)

    def _metadata(self, repository: int, role: int, version: object) -> "Cycle[bytes | None]":
        """What we hold; or, on the Secondary's behalf, an intermediate Root that we no longer
        hold, and any file of a repository that is on its map and not on ours."""
        raw_root = stored(self._ecu.records, repository, ROOT)
        if type(version) is not int or version < 0:
            return None
        if raw_root is None:
            if DIRECTOR <= repository <= REPOSITORIES_MAX:
                return (yield Want(repository, KIND_METADATA, role, version, TARGETS_BYTES_MAX))
            return None
        if role != ROOT:
            return stored(self._ecu.records, repository, role)
        ours = Head(cose.read_sign(raw_root).payload, ROOT).version
        if version >= ours:
            return raw_root if version == ours else None
        return (yield Want(repository, KIND_METADATA, ROOT, version, ROOT_BYTES_MAX))

    def _map(self, number: int, digest: bytes) -> "Cycle[bytes | None]":
        """Our map if it is that one, else whatever comes under that number."""
        raw = self._ecu.records.read(RECORD_MAP)
        if raw is not None:
            hash = self._ecu.suite.sha256()
            hash.update(raw)
            if hash.digest() == digest:
                return raw
        return (yield Want(IMAGE, KIND_MAP, number, digest, MAP_BYTES_MAX))


def stored(records: "Records", repository: int, role: int) -> "bytes | None":
    """The stored file of a role, to be relayed; None if there is none. The numbers come from a
    Secondary: no other record than of metadata is ever reached by them."""
    if not DIRECTOR <= repository <= REPOSITORIES_MAX:
        return None
    if not ROOT <= role <= TARGETS and not DELEGATED_FIRST <= role <= DELEGATED_LAST:
        return None
    return records.read(record_of(repository, role))


def cycle(ecu: "Ecu") -> "Cycle[None]":
    """One cycle of a Primary; `ecu` is uptane.main.Ecu."""
    yield from ecu.leader.settle()
    ecu.depot.clear()  # of a cycle that nobody finished
    peers = [Peer(number, client) for number, client in ecu.clients]
    reports = [(yield from ecu.make_report())]
    nonces = [ecu.trust.nonce()]
    for peer in peers:
        yield from collect(ecu, peer)
        if peer.report is not None:
            reports.append(peer.report)
            nonces.append(peer.nonce)
    yield offer(REPORT_VEHICLE, (yield from ecu.reports.vehicle_manifest(reports)))
    raw_time = yield from attested(ecu, nonces)
    decision = yield from ecu.trust.check(registered(ecu, peers))
    ecu.decided(decision)
    yield from gather(ecu, peers, decision)
    for peer in peers:
        if peer.report is not None:
            yield from serve(ecu, peer, raw_time)
    yield from ecu.leader.lead(peers, decision)
    for peer in peers:
        if peer.staged:
            yield from try_out(ecu, peer.client)
    ecu.depot.clear()


def registered(ecu: "Ecu", peers: "list[Peer]") -> "dict[int, Installed | None]":
    """What every ECU of this vehicle says is installed: {ecu id: Installed, None if silent}."""
    mine = ecu.installed()
    known: dict[int, Installed | None] = {
        ecu.identity.ecu: Installed(mine.number, mine.digest, ecu.slots.release())
    }
    for peer in peers:
        known[peer.ecu] = peer.installed
    return known


def collect(ecu: "Ecu", peer: Peer) -> "Cycle[None]":
    """Step 1: let a Secondary begin its cycle and fetch its report. Whatever it does wrong costs
    it its place in this cycle, and the others nothing."""
    peer.client.allow(SECONDARY_MS_MAX, ecu.cycle.pace.floor)
    feeding = Feeding(peer.client, Shelf(ecu, peer), ecu.block)
    try:
        yield from feeding.begin()
        yield from feeding.once(ecu.clock)
        if peer.report is None:  # it wanted something else first
            ecu.note(NoReply.number)
    except Refusal as refusal:
        ecu.note(refusal.number)


def gather(ecu: "Ecu", peers: "list[Peer]", decision: "Decision") -> "Cycle[None]":
    """Step 4: every image of the vehicle that is not installed yet; all or none (T-35)."""
    entry = ecu.trial.wanted(decision.entry(ecu.identity.ecu))
    if entry is not None:
        yield from fetch(ecu, entry)
    for peer in peers:
        entry = decision.entry(peer.ecu)
        if entry is None or peer.report is None or spent(peer, decision):
            continue
        depot = ecu.depot
        parcel = Parcel(entry)
        if depot.holds(parcel.digest):
            continue
        yield from depot.begin(parcel)
        if (yield parcel.want(depot)) is None:
            raise Withheld
        yield from depot.finish(ecu.suite)


def serve(ecu: "Ecu", peer: Peer, raw_time: "bytes | None") -> "Cycle[None]":
    """Steps 5 to 7: time, metadata and image, as the Secondary asks for them."""
    shelf = Shelf(ecu, peer)
    shelf.raw_time = raw_time
    feeding = Feeding(peer.client, shelf, ecu.block)
    try:
        peer.staged = (yield from feeding.serve(ecu.clock)) == WANTS_INSTALL
        if not peer.staged:
            yield from feeding.end()
    except Refusal as refusal:
        ecu.note(refusal.number)
