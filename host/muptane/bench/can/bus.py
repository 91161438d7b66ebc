"""A CAN bus that takes time: exact frame lengths, arbitration, errors and what follows them.

The bus is held for the exact number of bits of each frame, stuffing included; of all frames
waiting the lowest arbitration key wins. A frame is destroyed where somebody sees an error in it:
two controllers that send different frames of one identifier, a frame that nobody acknowledges, a
sender that loses its power, an FD frame that a classic controller hears, and whatever `noise`
strikes (`can.noise`). An error frame follows, counters count (`can.confinement`), and the sender
tries again. An error that only error-passive receivers see costs them the frame; one in the last
bit but one, seen by some, gives the others the frame twice.

It does not model: overload frames, sampling and clock tolerance, propagation along the wire. An
error that only some see is answered by the longest flag. Who sends in vain because nobody
acknowledges is not followed for ever: after LONELY_TRIES the bus is busy with it until somebody
comes. Source: ISO 11898-1:2015.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from muptane.bench.can.collision import collided
from muptane.bench.can.frames import Frame, bits_of, duration_ns, fd_head, until_ns
from muptane.bench.can.port import Port
from muptane.bench.can.recovery import Recovery
from muptane.bench.world import ARBITRATION, Event, S, World

FLAG_BITS = 6
DELIMITER_BITS = 8
INTERMISSION_BITS = 3
SUSPEND_BITS = 8  # an error-passive sender waits so long before it sends again
ACK_BITS = 9  # from the ACK slot to the end of frame
REFUSABLE_BITS = 2  # the last bit in which a receiver may refuse, from the end of frame
LONELY_TRIES = 32  # twice what makes a sender error-passive; all that follow are alike
CLASSIC_LOST_BITS = 6  # of the data phase, until a classic controller sees a stuff error


class Strike(NamedTuple):
    """An error in a frame: at which bit, counted from SOF with stuff bits, and the names of the
    ports that see it (None: all of them)."""

    bit: int
    seen_by: frozenset[str] | None = None


Noise = Callable[[Port, Frame, int], Strike | None]  # sender, frame, its bits without intermission
Listener = Callable[[int, str, Frame], None]  # time (ns), sender, frame


class Attempt:
    """A frame on the wire: who sends it, and what will have become of it."""

    def __init__(self, senders: list[Port], frame: Frame, began_ns: int) -> None:
        self.senders = senders
        self.frame = frame
        self.bits = sum(bits_of(frame)) - INTERMISSION_BITS
        self.began_ns = began_ns
        self.strike: Strike | None = None
        self.unheard = False  # the strike is that nobody acknowledges
        self.end: Event | None = None

    def saw(self, port: Port) -> bool:
        """Whether that port sees the strike itself."""
        strike = self.strike
        return strike is not None and (strike.seen_by is None or port.name in strike.seen_by)


class Bus:
    """The wire between ports. `data_bitrate` makes it a CAN FD bus. Counts what passed: frames,
    payload bytes, bits, broken frames (`errors`), and the time in which it was not idle."""

    def __init__(self, world: World, bitrate: int, data_bitrate: int = 0) -> None:
        self.world = world
        self.bitrate = bitrate
        self.data_bitrate = data_bitrate
        self.ports: list[Port] = []
        self.frames = 0
        self.payload_bytes = 0
        self.bits = 0
        self.errors = 0
        self.busy_ns = 0
        self.listeners: list[Listener] = []
        self.error_listeners: list[Listener] = []
        self.noise: Noise | None = None
        self._receivers: dict[int, list[Port]] = {}
        self._attempt: Attempt | None = None
        self._contended = False
        self._recovery = Recovery(world, bitrate, self.contend)
        self._in_vain = 0  # attempts, one after the other, that nobody acknowledged
        self._lonely_since_ns: int | None = None
        self._erred = False  # an error counter somewhere may be above 0

    def port(self, name: str, queue_frames: int = 3) -> Port:
        port = Port(self, name, queue_frames, self.data_bitrate > 0)
        self.ports.append(port)
        self.contend()
        return port

    def leave(self, port: Port) -> None:
        """The controller is off the bus for good, its queue lost."""
        port.cut()
        self.ports.remove(port)
        self.filters_changed()

    def load(self) -> float:
        """Share of the time so far in which frames passed, broken ones too, 0..1."""
        return self.busy_ns / self.world.now_ns if self.world.now_ns else 0.0

    def filters_changed(self) -> None:
        """Somebody came, went, or hears something else from now on."""
        self._receivers.clear()
        self.contend()

    # --- who sends -------------------------------------------------------------------------

    def contend(self) -> None:
        """Some port has a frame: arbitrate when all who are waking now have spoken."""
        if self._lonely_since_ns is not None:
            self.busy_ns += self.world.now_ns - self._lonely_since_ns
            self._lonely_since_ns = None
            self._in_vain = 0
        if self._attempt is None and not self._contended:
            self._contended = True
            self.world.at(self.world.now_ns, self._arbitrate, ARBITRATION)

    def _arbitrate(self) -> None:
        self._contended = False
        senders: list[tuple[Port, Frame]] = []
        lowest = 1 << 33
        for port in self.ports:
            frame = port.first()
            if frame is not None and frame.key <= lowest:
                if frame.key < lowest:
                    senders.clear()
                lowest = frame.key
                senders.append((port, frame))
        if senders:
            self._begin(senders)

    def _begin(self, sending: list[tuple[Port, Frame]]) -> None:
        struck = None
        if len(sending) > 1:
            sending, struck = collided(sending)
        frame = sending[0][1]
        attempt = Attempt([port for port, _ in sending], frame, self.world.now_ns)
        attempt.strike = Strike(*struck) if struck else self._struck(attempt)
        self._attempt = attempt
        self._recovery.frame_begins()
        length_ns = duration_ns(frame, self.bitrate, self.data_bitrate)
        if attempt.strike is None or self._is_only_missed(attempt):
            attempt.end = self.world.at(
                attempt.began_ns + length_ns, lambda: self._passed(attempt)
            )
        else:
            self._break(attempt, attempt.strike)

    def _struck(self, attempt: Attempt) -> Strike | None:
        """What destroys a frame that one sends, or several send alike."""
        sender, frame = attempt.senders[0], attempt.frame
        others = [port for port in self.ports if port.hears() and port not in attempt.senders]
        if frame.fd and (deaf := frozenset(port.name for port in others if not port.fd)):
            return Strike(fd_head(frame.id, frame.brs)[1] + CLASSIC_LOST_BITS, deaf)
        strike = self.noise(sender, frame, attempt.bits) if self.noise is not None else None
        if strike is None and not sender.loops and all(port.silent for port in others):
            attempt.unheard = True
            strike = Strike(attempt.bits - ACK_BITS, frozenset((sender.name,)))
        return strike

    def _is_only_missed(self, attempt: Attempt) -> bool:
        """Nobody who sees the error can make the others see it."""
        seers = [port for port in self.ports if port.hears() and attempt.saw(port)]
        return not any(port.flags_errors() or port in attempt.senders for port in seers)

    # --- what becomes of a frame -----------------------------------------------------------

    def _passed(self, attempt: Attempt) -> None:
        frame = attempt.frame
        nominal, data = bits_of(frame)
        self._in_vain = 0
        self._over(attempt)
        self.bits += nominal + data
        self.frames += 1
        self.payload_bytes += len(frame.data)
        for sender in attempt.senders:
            sender.queue.remove(frame)
            if sender.counts.passive:
                self._hold(sender)
        name = attempt.senders[0].name
        self.world.note("frame", name, frame.id, frame.data)
        for listener in self.listeners:
            listener(self.world.now_ns, name, frame)
        if self._erred or attempt.strike is not None:
            self._forgive(attempt)
        self._deliver(attempt)
        for sender in attempt.senders:
            sender.on_sent(frame)
        self.contend()

    def _deliver(self, attempt: Attempt) -> None:
        """Give the frame to whoever lets it in and saw nothing wrong with it."""
        frame = attempt.frame
        receivers = self._receivers.get(frame.id)
        if receivers is None:
            receivers = [p for p in self.ports if p.hears() and p.lets_in(frame.id)]
            self._receivers[frame.id] = receivers
        for port in receivers:
            if port not in attempt.senders and not attempt.saw(port):
                port.hand(frame)

    def _break(self, attempt: Attempt, strike: Strike) -> None:
        """The frame ends at the strike, an error frame follows."""
        rates = (self.bitrate, self.data_bitrate)
        struck_ns = attempt.began_ns + until_ns(attempt.frame, strike.bit + 1, *rates)
        if strike.bit >= attempt.bits - REFUSABLE_BITS:  # the others have taken it by then
            self.world.at(struck_ns, lambda: self._deliver(attempt))
        flags = FLAG_BITS if strike.seen_by is None or attempt.unheard else 2 * FLAG_BITS
        after = flags + DELIMITER_BITS + INTERMISSION_BITS
        end_ns = struck_ns + after * S // self.bitrate
        attempt.end = self.world.at(end_ns, lambda: self._broken(attempt))

    def _broken(self, attempt: Attempt) -> None:
        self._over(attempt)
        self.errors += 1
        self._erred = True
        names = "+".join(port.name for port in attempt.senders)
        self.world.note("error", names, attempt.frame.id)
        for listener in self.error_listeners:
            listener(self.world.now_ns, names, attempt.frame)
        for port in list(self.ports):
            if port in attempt.senders:
                self._failed(port, attempt.unheard)
            elif port.hears():
                self._refused(port, attempt)
        self._in_vain = self._in_vain + 1 if attempt.unheard else 0
        if self._in_vain < LONELY_TRIES or self._recovery.pending():
            self.contend()
        else:
            self._lonely_since_ns = self.world.now_ns

    def _failed(self, sender: Port, unheard: bool) -> None:
        sender.count(lambda: sender.counts.failed_sending(unheard))
        if sender.counts.passive:
            self._hold(sender)

    def _refused(self, port: Port, attempt: Attempt) -> None:
        strike = attempt.strike
        first = strike is not None and strike.seen_by is not None and port.name in strike.seen_by
        port.count(lambda: port.counts.failed_receiving(first))

    def _over(self, attempt: Attempt) -> None:
        """The bus is idle from now on."""
        self._attempt = None
        self.busy_ns += self.world.now_ns - attempt.began_ns
        self._recovery.frame_ended()

    def _forgive(self, attempt: Attempt) -> None:
        """A frame has passed: who sent or received it has an error less to answer for."""
        self._erred = False
        for port in self.ports:
            if port.hears():
                sent, saw = port in attempt.senders, attempt.saw(port)
                if port.counts.tec or port.counts.rec or saw:
                    self._erred = True
                    port.count(partial(port.counts.passed, sent, saw))

    def carries(self, port: Port) -> Frame | None:
        """The frame of that port that is on the wire."""
        attempt = self._attempt
        return attempt.frame if attempt is not None and port in attempt.senders else None

    def cut(self, port: Port) -> None:
        """A frame of this port that is on the wire will reach nobody."""
        attempt = self._attempt
        if attempt is None or port not in attempt.senders:
            return
        attempt.senders.remove(port)
        if not attempt.senders and attempt.end is not None:
            attempt.end.cancel()  # six recessive bits, and everybody sees it
            after = 2 * FLAG_BITS + DELIMITER_BITS + INTERMISSION_BITS
            end_ns = self.world.now_ns + after * S // self.bitrate
            attempt.strike = Strike(0)
            attempt.unheard = False
            attempt.end = self.world.at(end_ns, lambda: self._broken(attempt))

    # --- who has to wait -------------------------------------------------------------------

    def _hold(self, port: Port) -> None:
        """It is error-passive and has just sent: others may go first."""
        port.held_until_ns = self.world.now_ns + SUSPEND_BITS * S // self.bitrate
        self.world.at(port.held_until_ns, self._held_no_more)

    def _held_no_more(self) -> None:
        if self._lonely_since_ns is None:
            self.contend()

    def recover(self, port: Port) -> None:
        """The port is off the bus and counts recessive bits from now on."""
        self._recovery.begin(port, idle=self._attempt is None)
