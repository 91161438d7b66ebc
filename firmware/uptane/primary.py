"""The Primary's cycle: the seven steps of the Standard (V-40), then its own image.

Reports of all Secondaries; the vehicle version manifest; time; metadata and images of the whole
vehicle, fully verified; then each Secondary is served its time, its metadata and its image by the
same wants that the Primary itself was served by. A silent Secondary is noted and left out; it
does not hold up the others. The Primary's own image comes last: it is the gateway (V-87).

It cannot make a Secondary install anything: each verifies for itself (V-92, E-70).
Rules: V-32, V-33, V-40, V-42, V-46, V-47, V-48, V-49, V-50, V-52, V-68, T-35, T-38.
"""

from uptane.bundle import spent, try_out
from uptane.errors import NoReply, Refusal, Withheld
from uptane.ids import (
    BOOT_CONFIRMED,
    BOOT_REVERTED,
    BOOT_REWRITING,
    BOOT_UNDONE,
    REPORT_VEHICLE,
)
from uptane.image.depot import Passing
from uptane.image.parcel import Parcel, recovered
from uptane.limits import (
    S3_MS,
    SECONDARY_MS_MAX,
)
from uptane.meta.decision import Installed
from uptane.report import boot_of, installed_of, nonce_of
from uptane.serving import serve
from uptane.shelf import Shelf
from uptane.steps import attested, fetch, offer
from uptane.uds.codes import (
    DIAGNOSTIC_SESSION_CONTROL,
    SESSION_DEFAULT,
    SUPPRESS,
    TESTER_PRESENT,
)
from uptane.uds.feeding import Feeding

if False:  # for the type checker
    from collections.abc import Callable

    from errand import Cycle
    from uptane.cycle import Cycle as Running
    from uptane.main import Ecu
    from uptane.meta.decision import Decision
    from uptane.meta.targets import Entry
    from uptane.uds.client import Client

PRESENT = bytes((TESTER_PRESENT, SUPPRESS))
LEAVE = bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_DEFAULT | SUPPRESS))


class Lead:
    """A Primary in its cycle is not gone for its Secondaries: it says so, to all at once if there
    is an identifier for that; a request that follows would find the place of one to each taken.
    When the cycle is over, however it ended, their applications run again. `due_ms`: when it says
    so next."""

    def __init__(
        self,
        clients: "list[tuple[int, Client]]",
        cycle: "Running",
        functional: "list[int]",
        shout: "Callable[[int, bytes], None]",
    ) -> None:
        self._clients = clients
        self._cycle = cycle
        self._functional = functional
        self._shout = shout
        self._leading = False
        self.due_ms = 0

    def watch(self, now_ms: int) -> None:
        running = self._cycle.running()
        if running and now_ms >= self.due_ms:
            self.due_ms = now_ms + S3_MS // 2
            for can_id in self._functional:
                self._shout(can_id, PRESENT)
            if not self._functional:
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
        self.boot = BOOT_CONFIRMED
        self.way_back: Parcel | None = None  # to what it is about to overwrite
        self.staged = False  # an image that nobody has told it to try

    def take(self, raw: bytes) -> None:
        """Its report, to be relayed as it is. BadShape if it does not even look like one."""
        self.nonce = nonce_of(raw)
        self.installed = installed_of(raw)
        self.boot = boot_of(raw)
        self.report = raw

    def has_confirmed(self, entry: "Entry") -> bool:
        """Does it say that it runs that image for good?"""
        installed = self.installed
        settled = self.boot in (BOOT_CONFIRMED, BOOT_REVERTED, BOOT_UNDONE)
        return settled and installed is not None and installed.is_entry(entry)


def cycle(ecu: "Ecu") -> "Cycle[None]":
    """One cycle of a Primary; `ecu` is uptane.main.Ecu."""
    yield from ecu.leader.settle()
    yield from ecu.depot.check(ecu.suite)
    peers = [Peer(number, client) for number, client in ecu.clients]
    reports = [(yield from ecu.make_report())]
    nonces = [ecu.trust.nonce()]
    yield from collect(ecu, peers)
    for peer in peers:
        if peer.report is not None:
            reports.append(peer.report)
            nonces.append(peer.nonce)
    yield offer(REPORT_VEHICLE, (yield from ecu.reports.vehicle_manifest(reports)))
    raw_time = yield from attested(ecu, nonces)
    try:
        decision = yield from ecu.trust.check(registered(ecu, peers))
        ecu.decided(decision)
        keep(ecu, peers, decision)
        yield from gather(ecu, peers, decision)
    except Refusal as refusal:
        for peer in peers:  # whoever has no image that runs may come back all the same
            if peer.boot == BOOT_REWRITING:
                yield from serve(ecu, [peer], raw_time)
        raise refusal
    yield from serve(ecu, [peer for peer in peers if peer.report is not None], raw_time)
    yield from ecu.leader.lead(peers, decision)
    for peer in peers:
        if peer.staged:
            yield from try_out(ecu, peer.client)


def registered(ecu: "Ecu", peers: "list[Peer]") -> "dict[int, Installed | None]":
    """What every ECU of this vehicle says is installed: {ecu id: Installed, None if silent}."""
    mine = ecu.installed()
    known: dict[int, Installed | None] = {
        ecu.identity.ecu: Installed(mine.number, mine.digest, ecu.slots.release())
    }
    for peer in peers:
        known[peer.ecu] = peer.installed
    return known


def collect(ecu: "Ecu", peers: "list[Peer]") -> "Cycle[None]":
    """Step 1: let the Secondaries begin their cycles, and fetch their reports, which all of them
    compute meanwhile. Whatever one does wrong costs it its place in this cycle, and the others
    nothing."""
    feedings = []
    for peer in peers:
        peer.client.allow(SECONDARY_MS_MAX, ecu.cycle.pace.floor)
        feeding = Feeding(peer.client, Shelf(ecu, peer), ecu.block)
        try:
            try:
                yield from feeding.begin()
            except NoReply:  # it may have stood still, erasing: once more
                yield from feeding.begin()
            feedings.append((peer, feeding))
        except Refusal as refusal:
            ecu.note(refusal.number)
    for peer, feeding in feedings:
        try:
            yield from feeding.once(ecu.clock)
            if peer.report is None:  # it wanted something else first
                ecu.note(NoReply.number)
        except Refusal as refusal:
            ecu.note(refusal.number)


def gather(ecu: "Ecu", peers: "list[Peer]", decision: "Decision") -> "Cycle[None]":
    """Step 4: every image of the vehicle that is not installed yet; all or none (T-35). Then, for
    ECUs that overwrite what they run, what they run: as far as there is room, and it comes."""
    entry = ecu.trial.wanted(decision.entry(ecu.identity.ecu))
    if entry is not None:
        yield from fetch(ecu, entry)
    depot = ecu.depot
    parcels: list[Parcel] = []
    for peer in peers:
        entry = decision.entry(peer.ecu)
        if entry is None or peer.report is None or spent(peer, decision):
            continue
        parcel = Parcel(entry, peer.ecu)
        if parcel.recovery is not None:
            peer.way_back = Parcel(recovered(parcel.recovery), peer.ecu)
        if parcel.digest not in [other.digest for other in parcels]:
            parcels.append(parcel)
    depot.allot(parcels)
    for parcel in parcels:
        if depot.holds(parcel.digest) or depot.has_room(parcel):
            yield from bring(ecu, parcel)
        else:
            yield from look_at(ecu, parcel)
    for peer in peers:
        if peer.way_back is not None:
            try:
                yield from bring(ecu, peer.way_back)
            except Refusal as refusal:
                ecu.note(refusal.number)


def bring(ecu: "Ecu", parcel: Parcel) -> "Cycle[None]":
    """Have it in the depot. Withheld; refusals of the depot."""
    depot = ecu.depot
    if not depot.holds(parcel.digest):
        yield from depot.begin(parcel)
        if (yield parcel.want(depot)) is None:
            raise Withheld
        yield from depot.finish(ecu.suite)


def look_at(ecu: "Ecu", parcel: Parcel) -> "Cycle[None]":
    """Hash what there is no room for, on a first pass. Withheld; refusals of Parcel.check."""
    if parcel.digest not in ecu.depot.passed:
        passing = Passing(ecu.suite)
        if (yield parcel.want(passing)) is None:
            raise Withheld
        passing.finish(parcel)
        ecu.depot.passed[parcel.digest] = parcel


def keep(ecu: "Ecu", peers: "list[Peer]", decision: "Decision") -> None:
    """Keep in the depot what a Secondary may still want: its image, and the one before, until it
    says that it has confirmed it (V-58, V-90); the latter as long as there is room."""
    digests = []
    ways_back = []
    for peer in peers:
        entry = decision.entries.get(peer.ecu)
        if entry is None or peer.has_confirmed(entry):
            continue
        parcel = Parcel(entry, peer.ecu)
        digests.append(parcel.digest)
        if parcel.recovery is not None:
            ways_back.append(Parcel(recovered(parcel.recovery), peer.ecu).digest)
    ecu.depot.keep(digests, ways_back)
