"""One ECU: its board, its stores, its identity, its cycle and its conversations, in one loop.

The only module that knows everything. The loop is plain and tickless: take what has arrived,
answer, work one slice, send, sleep until the next deadline or frame. It never catches what goes
wrong in an application or in itself: the board's guard resets, and the boot decision, a pure
function of flash, brings the ECU back (V-35).
Rules: V-30, V-31, V-32, V-34, V-67, V-88.
"""

from uptane import identifiers, identity
from uptane.abilities import (
    blocks_of,
    cycle_of,
    diagnosis_of,
    ear_of,
    intake_of,
    slots_of,
    transfer_of,
)
from uptane.application import Application
from uptane.cycle import Cycle
from uptane.errors import NotProvisioned, SlowRetrieval, TooOften
from uptane.ids import PRIMARY, REGION_APPLICATION, REPORT_BUNDLE, REPORT_REGIONS
from uptane.limits import (
    BLOCK_BYTES,
    IDLE_MS_MAX,
    PATIENCE_MS,
    REPLY_BYTES_MAX,
    S3_MS,
)
from uptane.pace import Pace
from uptane.report import Reports
from uptane.store.records import Records
from uptane.thrift import Thrift
from uptane.traffic import LISTENING, Traffic
from uptane.trial import Trial
from uptane.trust import Trust
from uptane.uds.codes import SESSION_DEFAULT, SESSION_PROGRAMMING
from uptane.uds.server import FUNCTIONAL_BYTES, Server
from uptane.uds.services import Services

if False:  # for the type checker
    from types import ModuleType

    from errand import Work
    from shapes import Board
    from uptane.link.broadcast import Air
    from uptane.meta.decision import Decision
    from uptane.primary import Lead
    from uptane.store.boot import Installed
    from uptane.uds.client import Client

MESSAGE_BYTES = BLOCK_BYTES + 2
RESET_DELAY_MS = 20  # for the last response to leave
FOREVER_MS = 1 << 52


class Ecu:
    """Everything of one ECU; `board` is what its board.py builds (uptane.port.board.Board)."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.suite = board.suite
        self.clock = board.clock
        self.records = Records(board.records_area)
        self.records.mount()
        self.identity = identity.load(self.records)
        self.slots = slots_of(board, self.records)
        self.reports = Reports(self.suite, self.identity, self.records)
        self._thrift = Thrift(self.clock.ticks_ms())
        self.trust = Trust(board, self.identity, self.records, self.slots)
        pace = Pace(board.bitrate, PATIENCE_MS)
        self.cycle = Cycle(self.records, self.clock, self._refused, board.tidy, pace)
        self.application = Application(board, self.slots.place)
        self._traffic = Traffic(board.can, board.clock)
        open_channel = self._traffic.open
        self.block_bytes, self.two_blocks = blocks_of(board, self.identity.verification)
        self._server_channel = open_channel(
            self.identity.response_id, self.identity.request_id, self.block_bytes + 2
        )
        channels = [self._server_channel]
        for can_id in self.identity.functional_id:
            channels.append(open_channel(LISTENING, can_id, FUNCTIONAL_BYTES))
        self.heard = ear_of(board, self.identity, self._traffic)
        self.services = Services(self, transfer_of(self))
        self._server = Server(channels, self.services, bytearray(REPLY_BYTES_MAX))
        self.diagnosis = diagnosis_of(self)
        self.trial = Trial(self.slots, self.note)
        self._role: ModuleType = cycle_of(board)
        self.clients: list[tuple[int, Client]] = []
        self._lead: Lead | None = None
        if self.identity.verification == PRIMARY:
            self._become_primary()
        self._traffic.listen()
        self.intake = intake_of(self)
        self._reset_at = self._leave_at = 0  # back to the default session, whoever is there
        self.verified = False

    def _become_primary(self) -> None:
        # Imported here, because a Secondary has no room for what only a Primary does.
        from uptane import primary
        from uptane.bundle import Leader  # here for the same reason
        from uptane.image.depot import Depot  # and this one
        from uptane.uds.client import Client  # and this one

        self._role = primary
        self.cycle.pace.idle_ms_max = IDLE_MS_MAX
        self.depot = Depot(self.board.depot_areas, self.records)
        self.block = bytearray(MESSAGE_BYTES)
        self.air: Air | None = None  # for what several Secondaries want
        for can_id in self.identity.broadcast_id:
            self.air = self._traffic.share(can_id, True)
        self.clients = [
            (peer[0], Client(self._traffic.open(peer[2], peer[3], MESSAGE_BYTES), self.clock))
            for peer in self.identity.secondaries
        ]
        traffic, functional = self._traffic, self.identity.functional_id
        self._lead = primary.Lead(self.clients, self.cycle, functional, traffic.shout)
        self.leader = Leader(self)

    # --- what the cycle and the services ask of it -------------------------------------------

    def note(self, number: int) -> None:
        """Remember a refusal for the next version report."""
        if self.diagnosis is not None:
            self.diagnosis.noted(number)
        self.reports.note(number)

    def _refused(self, number: int) -> None:
        """The cycle ended in a refusal, of which whoever serves it may hear; then it is over."""
        self.note(number)
        self._leave_at = self.clock.ticks_ms() + S3_MS

    def make_report(self) -> "Work[bytes]":
        boot = self.trial.boot_state(self.clock.ticks_ms())
        image, time, nonce = self.installed(), self.trust.time(), self.trust.nonce()
        also = {REPORT_BUNDLE: self.slots.tried(), REPORT_REGIONS: self.slots.contents()}
        return (yield from self.reports.make(image, boot, time, nonce, also))

    def installed(self) -> "Installed":
        """The image that runs. NotProvisioned without one."""
        installed = self.slots.installed()
        if installed is None:
            raise NotProvisioned
        return installed

    def begin_cycle(self) -> bool:
        """False if there were too many of late (E-89)."""
        if not self._thrift.may_begin(self.clock.ticks_ms()):
            self.note(TooOften.number)
            return False
        self.verified = False
        self._leave_at = 0
        self.trust.start_cycle()
        self.cycle.begin(self._role.cycle(self))
        return True

    def decided(self, decision: "Decision") -> None:
        """The metadata of this cycle was good: heed what it says besides images."""
        self.trial.directed(decision)
        acknowledged = decision.acknowledged
        if acknowledged is not None and self.reports.acknowledge(acknowledged):
            self.slots.reported()
        if decision.refusal is not None:
            self.note(decision.refusal.number)

    def staged(self) -> bool:
        """Has this cycle verified an image for a trial, and come to its end (T-35)?"""
        return self.verified and self.cycle.completed and self.slots.staged() is not None

    def install_after_response(self) -> bool:
        """RID_INSTALL: try what this cycle has verified, if its directions still hold (T-42)."""
        if not self.staged() or not self.trial.choose(self.trust.time()):
            return False
        self._reset_soon()
        return True

    def reset_after_response(self) -> bool:
        """False during a trial, whose boots no tester uses up (S-39), and too soon (E-89)."""
        if self.trial.on or not self._thrift.may_reset(self.clock.ticks_ms()):
            return False
        self._reset_soon()
        return True

    def _reset_soon(self) -> None:
        if not self._reset_at:
            self._reset_at = self.clock.ticks_ms() + RESET_DELAY_MS

    def session_changed(self, session: int) -> None:
        self._leave_at = 0
        if self.diagnosis is not None:
            self.diagnosis.session_changed(session)
        if session == SESSION_PROGRAMMING:
            self.application.stop()
            self.board.tidy()
        elif not self.application.running():
            self.start_application()

    def read(self, did: int) -> "bytes | None":
        """The value of a data identifier, or None."""
        return identifiers.value_of(self, did)

    # --- the application and the session -----------------------------------------------------

    def start_application(self) -> None:
        area, length = self.slots.place(REGION_APPLICATION)
        if self.slots.rotten:
            return
        self.board.tidy()
        self.application.start(area, length, self.clock.ticks_ms())

    def _watch_session(self, now_ms: int) -> None:
        """Fall back to the default session after S3 of silence (ISO 14229-2, 7.2): whoever opened
        another one is gone, and the application runs again. The same holds for whoever does not
        take a response, and for whoever stays after a refusal."""
        services = self.services
        if not self._server.busy() and now_ms - self._server.heard_ms >= S3_MS:
            if not self._server_channel.idle():
                self._server_channel.abort()
            if services.session != SESSION_DEFAULT:
                if self.cycle.stalled():
                    self.note(SlowRetrieval.number)
                services.enter(SESSION_DEFAULT)
        elif self._leave_at and now_ms >= self._leave_at:
            services.enter(SESSION_DEFAULT)
        if self._lead is not None:
            self._lead.watch(now_ms)
            if services.session == SESSION_DEFAULT and not self._reset_at:
                self.leader.watch(now_ms)

    # --- the loop ----------------------------------------------------------------------------

    def live(self) -> None:
        """Run until reset."""
        self.board.tidy()
        for _ in self.slots.check(self.suite):
            self.board.watchdog.feed()
        if self.slots.rotten:
            self.note(self.slots.rotten)
            if self.trial.on:
                self.board.reset()
        self.start_application()
        while True:
            self.board.watchdog.feed()
            now = self.clock.ticks_ms()
            heard = self._traffic.receive(now)
            if heard:
                self.cycle.until_ms = 0
            self._server.step(now)
            self._traffic.transmit(now)
            self.services.transfer.step()
            self.cycle.step(not heard)
            self.application.step(now)
            if self.trial.watch(self.application.steady(now), now):
                self._reset_soon()
            self._watch_session(now)
            self._traffic.transmit(now)
            if self._reset_at and now >= self._reset_at:
                self.trial.begin()
                self.board.reset()
            self._sleep()

    def _sleep(self) -> None:
        if self._server.busy() or self.cycle.computing() or self.services.transfer.writing():
            self.clock.wait(0, 0)
            return
        now = self.clock.ticks_ms()
        due = self._traffic.poll(now)
        due += [self._server.due_ms(), self.application.due_ms(), self.cycle.due_ms(now)]
        if self.services.session != SESSION_DEFAULT or not self._server_channel.idle():
            due.append(self._server.heard_ms + S3_MS)
        if self._leave_at:
            due.append(self._leave_at)
        if self._lead is not None:
            due.append(self._lead.due_ms if self.cycle.running() else self.leader.due_ms)
        if self.trial.on:
            due.append(self.trial.due_ms(now + self.board.confirm_ms // 4))
        due.append(self._reset_at or FOREVER_MS)
        self.clock.wait(
            min([due_ms for due_ms in due if due_ms is not None]), self._traffic.frames
        )
