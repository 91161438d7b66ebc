"""A Primary leads a bundle: every ECU confirms its image, or none (two-phase commit, S-45).

First each Secondary tries what it has verified and holds it, the Primary itself last; then it is
decided, in one commit of the Primary's records together with its own confirmation; then every
Secondary is told. Until the decision a reset, a silence or a refusal of anyone undoes it all;
after it nothing does: it is told again, also after resets, until each has answered. An ECU that
hears nothing goes back by itself. It says BOOT_HELD only while it will wait for PROMISE_MS yet,
and the decision needs that of all; so the vehicle is mixed only if its Primary is cut off for
longer than that, or through more than two resets of the other, just after it decided; or if it
lies (E-06, E-23).

It does NOT know whether a bundle is worth trying again: that stands in the directions.
Rules: S-43, S-44, S-45, E-06, E-23, T-35.
"""

from uptane import cbor
from uptane.errors import BundleBroken, BundleUndone, Negative, NoReply, Refusal, Rotten
from uptane.ids import BOOT_HELD, BOOT_TRIAL, RECORD_BUNDLE, REPORT_BOOT, REPORT_BUNDLE
from uptane.limits import HELD_MS_MAX
from uptane.meta.wants import Commit
from uptane.report import content_of
from uptane.uds.codes import (
    DID_BOOT,
    READ_DATA_BY_IDENTIFIER,
    RID_COMMIT,
    RID_INSTALL,
    RID_ROLLBACK,
    ROUTINE_CONTROL,
    START_ROUTINE,
)

if False:  # for the type checker
    from typing import Any

    from errand import Cycle, Wait
    from uptane.main import Ecu
    from uptane.meta.decision import Decision
    from uptane.primary import Peer
    from uptane.uds.client import Client

TRIAL_WAIT_MS = 30000  # for a Secondary to boot its trial and show how it fares
POLL_MS = 200
ASKING_MS = 60000  # for all to say that they hold their images; of PROMISE_MS
EACH_MS = 5000  # for one to take a word: nobody may keep the others from hearing it in time
AGAIN_MS = 1000  # who did not hear is told again
TELLING_MS = 10000  # in one go
ROLLBACK_MS = 5000  # who does not hear of a rollback goes back by himself
BOOT_REPLY_BYTES = 4  # service, identifier, BOOT_...
ASK_BOOT = bytes((READ_DATA_BY_IDENTIFIER, DID_BOOT >> 8, DID_BOOT & 0xFF))


class Leader:
    """What a Primary has promised a bundle, in flash and here. `due_ms`: when to watch next."""

    def __init__(self, ecu: "Ecu") -> None:
        self._ecu = ecu
        self._plan: Any = None  # [bundle number, 1 if decided, [ECU id, ...]]
        self._give_up_ms = 0
        self.due_ms: int | None = None
        try:
            raw = ecu.records.read(RECORD_BUNDLE)
        except Rotten:  # in doubt old: nobody will hear from us
            ecu.note(Rotten.number)
            raw = None
        if raw is not None:
            self._promise(cbor.loads(raw))

    def watch(self, now_ms: int) -> None:
        """Called while nobody is served: begin again what a reset or a broken cycle left open."""
        if self._plan is None or self._ecu.cycle.running() or now_ms < (self.due_ms or 0):
            return
        self.due_ms = now_ms + AGAIN_MS
        if self._ecu.trial.on and not self._ecu.trial.held():
            return
        self._ecu.verified = False  # what was staged beside an open bundle is for its next cycle
        self._ecu.cycle.begin(self.settle())

    def settle(self) -> "Cycle[None]":
        """Bring to its end what was promised, as far as it can be now."""
        if self._plan is None:
            return
        trial = self._ecu.trial
        if trial.on and not trial.held():
            return  # how our own image fares will be known soon
        yield from self._resolve(trial.held() or self._is_confirmed())

    def _is_confirmed(self) -> bool:
        """Did somebody else say commit to this ECU? Then the others had better hear it, too."""
        ecu = self._ecu
        return not ecu.trial.on and ecu.slots.settle(self._plan[0], True)

    def lead(self, peers: "list[Peer]", decision: "Decision") -> "Cycle[None]":
        """The two phases, if the directions have a bundle that is confirmed together. If the
        Primary has an image of it, too, that is left to be tried, and `settle` goes on then."""
        ecu = self._ecu
        members = [peer for peer in peers if peer.ecu in decision.bundled]
        theirs = [peer for peer in members if decision.entry(peer.ecu) is not None]
        mine = decision.bundle is not None and decision.entry(ecu.identity.ecu) is not None
        if decision.led is None or not decision.led[1] or not (theirs or mine):
            return
        ready = not ecu.trial.on and (ecu.verified or not mine)
        ready = ready and self._ready(members, decision)
        for peer in members:
            peer.staged = False
        if not ready:
            ecu.verified = ecu.verified and not mine
            ecu.note(BundleUndone.number)
            return
        plan = [decision.led[0], 0, [peer.ecu for peer in theirs]]
        yield Commit({RECORD_BUNDLE: cbor.dumps(plan)})
        self._promise(plan)
        for peer in theirs:
            if (yield from try_out(ecu, peer.client)) != BOOT_HELD:
                ecu.verified = ecu.verified and not mine
                yield from self._undo()
                return
        if not mine:
            yield from self._resolve(True)

    def _ready(self, members: "list[Peer]", decision: "Decision") -> bool:
        """Has every Secondary of the bundle its image, and is none on an earlier trial? (T-35)"""
        for peer in members:
            if decision.entry(peer.ecu) is not None:
                if not peer.staged:
                    return False
            elif peer.report is None or content_of(peer.report).get(REPORT_BOOT) in ON_TRIAL:
                return False
        return True

    def _resolve(self, may_decide: bool) -> "Cycle[None]":
        if not self._plan[1]:
            if not (may_decide and (yield from self._all_held())):
                yield from self._undo()
                return
            decided = [self._plan[0], 1, self._plan[2]]
            changes: dict[int, bytes | None] = {RECORD_BUNDLE: cbor.dumps(decided)}
            if self._ecu.trial.on:
                self._ecu.trial.confirm(changes)
            else:
                yield Commit(changes)
            self._promise(decided)
        silent = yield from self._tell(RID_COMMIT, TELLING_MS)
        if silent and self._ecu.clock.ticks_ms() < self._give_up_ms:
            return
        if silent:
            self._ecu.note(BundleBroken.number)
        yield from self._forget()

    def _all_held(self) -> "Cycle[bool]":
        """Do all hold their images, and was the first one asked a short while ago?"""
        ecu = self._ecu
        over_ms = ecu.clock.ticks_ms() + ASKING_MS
        for number, client in ecu.clients:
            if number not in self._plan[2]:
                continue
            client.allow(TRIAL_WAIT_MS, ecu.cycle.pace.floor)
            if (yield from outcome(ecu, client)) != BOOT_HELD:
                return False
        return ecu.clock.ticks_ms() < over_ms

    def _undo(self) -> "Cycle[None]":
        self._ecu.note(BundleUndone.number)
        yield from self._tell(RID_ROLLBACK, ROLLBACK_MS)
        self._ecu.trial.settle(self._plan[0], False)
        yield from self._forget()

    def _tell(self, routine: int, wait_ms: int) -> "Cycle[list[int]]":
        """Tell each Secondary of the bundle; return the ids of those that have not answered. One
        that refuses is on the other side already."""
        clock = self._ecu.clock
        head = bytes((ROUTINE_CONTROL, START_ROUTINE, routine >> 8, routine & 0xFF))
        message = head + self._plan[0].to_bytes(4, "big")
        until_ms = clock.ticks_ms() + wait_ms
        waiting: list[int] = self._plan[2]
        while waiting and clock.ticks_ms() < until_ms:
            silent = []
            for number, client in self._ecu.clients:
                if number not in waiting:
                    continue
                client.allow(EACH_MS, self._ecu.cycle.pace.floor)
                try:
                    yield from client.request(message)
                except Negative:
                    self._ecu.note(BundleBroken.number)
                except Refusal:
                    silent.append(number)
            waiting = silent
            if waiting:
                yield from pause(self._ecu, AGAIN_MS)
        return waiting

    def _promise(self, plan: "Any") -> None:
        now_ms = self._ecu.clock.ticks_ms()
        self._plan = plan
        self._give_up_ms = now_ms + HELD_MS_MAX
        self.due_ms = now_ms

    def _forget(self) -> "Cycle[None]":
        yield Commit({RECORD_BUNDLE: None})
        self._plan = self.due_ms = None


ON_TRIAL = (BOOT_TRIAL, BOOT_HELD)


def pause(ecu: "Ecu", wait_ms: int) -> "Wait[None]":
    until_ms = ecu.clock.ticks_ms() + wait_ms
    while ecu.clock.ticks_ms() < until_ms:
        yield until_ms


def try_out(ecu: "Ecu", client: "Client") -> "Cycle[int]":
    """Let a Secondary try what it has verified; return how that went, as `outcome` does."""
    head = bytes((ROUTINE_CONTROL, START_ROUTINE, RID_INSTALL >> 8, RID_INSTALL & 0xFF))
    try:
        yield from client.request(head)
    except Refusal as refusal:
        ecu.note(refusal.number)
        return BOOT_TRIAL
    return (yield from outcome(ecu, client))


def outcome(ecu: "Ecu", client: "Client") -> "Cycle[int]":
    """The BOOT_... of a Secondary once it is not BOOT_TRIAL any more; that, if it stays so or says
    nothing, which is noted."""
    give_up_ms = ecu.clock.ticks_ms() + TRIAL_WAIT_MS
    while ecu.clock.ticks_ms() < give_up_ms:
        yield from pause(ecu, POLL_MS)
        try:
            reply = yield from client.request(ASK_BOOT)
        except (NoReply, Negative):
            continue
        except Refusal as refusal:
            ecu.note(refusal.number)
            return BOOT_TRIAL
        if len(reply) == BOOT_REPLY_BYTES and reply[3] != BOOT_TRIAL:
            return reply[3]
    ecu.note(NoReply.number)
    return BOOT_TRIAL


def spent(peer: "Peer", decision: "Decision") -> bool:
    """Does a Secondary report that it tried its image as often as its bundle allows? Then it will
    not want it, and nobody has to fetch it."""
    bundle = decision.led
    entry = decision.entry(peer.ecu)
    if bundle is None or entry is None or peer.report is None:
        return False
    tried = content_of(peer.report).get(REPORT_BUNDLE)
    if peer.ecu not in decision.bundled or type(tried) is not list or len(tried) != 3:
        return False
    return tried[:2] == [bundle[0], entry.number] and tried[2] == bundle[2]
