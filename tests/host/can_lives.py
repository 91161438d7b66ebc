"""Lives of a chip whose software uses `machine.CAN`; both interpreters have to say the same.

A life is given the controller, a function that sleeps (until a time in us, frames) and one that
says something. As a script, this file is such a chip: NAME, settings and socket are its arguments.
Not a test file.
"""

import sys

NEVER = 0xFFFFFFFFFFFFFFFF


def refused(say, what, *arguments, **named):
    try:
        what(*arguments, **named)
    except (ValueError, OSError, OverflowError, IndexError, TypeError) as error:
        say(type(error).__name__, error.args[0] if error.args else "")
    else:
        say("nothing refused")


def read(can, say):
    frame = can.recv()
    while frame is not None:
        say(hex(frame[0]), bytes(frame[1]), frame[2], frame[3])
        frame = can.recv()


def filters(can, wait, say):
    wait(1000, 0)
    read(can, say)  # nothing comes in before they are set
    can.set_filters([(0x100, 0x7F0, 0), (0x18DA0000, 0x1FFF0000, can.FLAG_EXT_ID)])
    wait(2000, 0)
    read(can, say)
    can.set_filters([])
    wait(3000, 0)
    read(can, say)
    can.set_filters(None)
    wait(4000, 0)
    read(can, say)
    refused(say, can.set_filters, [(0x800, 0x7FF, 0)])
    refused(say, can.set_filters, [(0x7FF, 0x800, 0)])
    refused(say, can.set_filters, [(1 << 29, 0, can.FLAG_EXT_ID)])
    refused(say, can.set_filters, [(1, 2)])
    refused(say, can.set_filters, [(1, 2, can.FLAG_RTR)])
    refused(say, can.set_filters, [(1, 2, 0)] * (can.FILTERS_MAX + 1))
    can.set_filters([(1, 2, 0)] * can.FILTERS_MAX)


def received_lists(can, wait, say):
    """A list that is given is filled; one that was given out may be given back."""
    can.set_filters(None)
    mine = [0, memoryview(bytearray(8)), 0, 0]
    wait(5000, 0)
    for _ in range(3):
        say(can.recv(mine) is mine, hex(mine[0]), bytes(mine[1]), mine[2], mine[3])
    theirs = can.recv()
    say(bytes(theirs[1]))
    say(can.recv(theirs) is theirs, bytes(theirs[1]))
    refused(say, can.recv, (0, memoryview(bytearray(8)), 0, 0))
    refused(say, can.recv, [0, bytearray(8), 0, 0])
    say(can.get_counters()[6], "unread")
    wait(6000, 0)
    say(can.get_counters()[6], "unread")  # what was not taken is still there
    read(can, say)


def overrun(can, wait, say):
    can.set_filters(None)
    wait(9000, 0)
    say(can.get_counters()[6:])
    read(can, say)
    say(can.get_counters()[6:])
    wait(20_000, 1)
    read(can, say)


def priority(can, wait, say):
    """The buffers are numbered, the lowest identifier leaves first, equal ones one at a time."""
    say(can.TX_QUEUE_LEN)
    say(can.send(0x300, b"a"), can.send(0x200, b"b"), can.send(0x300, b"c"))
    say(can.send(0x100, b"d", can.FLAG_EXT_ID), can.send(0x050, b"e"))
    say(can.get_counters(list(range(8))))
    wait(3000, 0)
    say(can.get_counters([0] * 8))
    say([can.send(0x700, bytes([n]), can.FLAG_UNORDERED) for n in range(4)])
    wait(6000, 0)
    say(can.send(0x123, b" " * 5, can.FLAG_RTR), can.send(0x123, b"", can.FLAG_EXT_ID))
    wait(9000, 0)
    refused(say, can.send, 0x800, b"")
    refused(say, can.send, 1 << 29, b"", can.FLAG_EXT_ID)
    refused(say, can.send, -1, b"")
    refused(say, can.send, 1, bytes(9))


def cancelling(can, wait, say):
    """What waits behind a frame on the wire is taken back; the one on the wire is not."""
    events = []

    def handler(one):
        flags = one.irq().flags()
        while flags:
            index = flags >> one.IRQ_TX_IDX_SHIFT & one.IRQ_TX_IDX_MASK
            events.append((flags & 0xFF, index))
            flags = one.irq().flags()

    can.irq(handler, trigger=can.IRQ_TX, hard=True)
    first, second = can.send(0x100, bytes(8)), can.send(0x200, bytes(8))
    wait(can_now(can) + 50, 0)
    say(can.cancel_send(first), can.cancel_send(second), can.cancel_send(2))
    say(can.send(0x201, b"") == second, events)
    wait(3000, 0)
    say(events, can.cancel_send(first))
    refused(say, can.cancel_send, can.TX_QUEUE_LEN)


def can_now(can):
    return can._core.elapsed_us()


def leaving(can, wait, say):
    """Who asks how many are unsent, and is told some, is woken when none is."""
    for asks in (False, True):
        since = can_now(can)
        can.send(0x100, bytes(8))
        can.send(0x200, bytes(8))
        if asks:
            say(can.get_counters()[5])
        can._core.wait(since + 50_000, 0)
        say(can_now(can) - since, can.get_counters()[5])


def interrupts(can, wait, say):
    """Each trigger alone, then all; a buffer is free when `flags` has told of it."""
    events = []

    def handler(one):
        flags = one.irq().flags()
        while flags:
            events.append(flags)
            if flags & one.IRQ_RX:
                one.recv()
            flags = one.irq().flags()

    can.set_filters(None)
    for trigger in (can.IRQ_RX, can.IRQ_TX, can.IRQ_RX | can.IRQ_TX):
        irq = can.irq(handler, trigger)
        say(irq is can.irq(), irq.trigger() == trigger)
        can.send(0x10, b"")
        can.send(0x11, b"")
        wait(can_now(can) + 2000, 0)
        say(events)
        events.clear()
        read(can, lambda *frame: None)
    can.irq(None, can.IRQ_TX)
    say([can.send(n, b"") for n in range(3)])
    wait(can_now(can) + 2000, 0)
    say(can.send(5, b""), can.get_counters()[5])  # nobody took the flags: no buffer is free
    say(hex(can.irq().flags()), can.send(5, b""))
    can.irq().trigger(0)
    wait(can_now(can) + 2000, 0)
    say([can.send(n, b"") for n in range(3)])
    refused(say, can.irq, 5)
    refused(say, can.irq, handler, can.IRQ_TX_FAILED)


def bus_off(can, wait, say):
    """Warning, passive and off are told; only `restart` leads out, after 128 times 11 bits."""
    states = []

    def handler(one):
        flags = one.irq().flags()
        while flags:
            if flags & one.IRQ_STATE:
                states.append(one.state())
            flags = one.irq().flags()

    can.irq(handler, can.IRQ_STATE)
    can.send(0x100, bytes(8))
    can.send(0x200, bytes(8))
    wait(50_000, 0)
    while can.state() != can.STATE_BUS_OFF:
        wait(50_000, 0)
    say(states, can.get_counters())
    refused(say, can.send, 0x100, b"")
    wait(100_000, 0)
    say(can.state(), can.get_counters()[5])
    can.restart()
    say(can.state(), can.get_counters()[2:6])
    wait(100_000 + 2700, 0)
    say(can.state())
    wait(100_000 + 2900, 0)
    say(can.state(), can.get_counters())
    say(can.send(0x300, b"back"))
    wait(110_000, 0)
    say(states, can.get_counters())


def modes(can, wait, say):
    can.set_filters(None)
    can.init(500_000, can.MODE_LOOPBACK)
    can.set_filters(None)
    can.send(0x111, b"loop")
    wait(3000, 0)
    read(can, say)
    can.init(500_000, mode=can.MODE_SILENT_LOOPBACK)
    can.send(0x222, b"before")
    wait(4000, 0)
    can.set_filters([(0x222, 0x7FF, 0)])
    can.send(0x222, b"silent")
    can.send(0x333, b"silent")
    wait(5000, 0)
    read(can, say)
    can.init(500_000, can.MODE_SILENT)
    can.set_filters(None)
    can.send(0x444, b"never")
    wait(8000, 0)
    read(can, say)
    say(can.get_counters())
    can.deinit()
    say(can.state())
    refused(say, can.send, 1, b"")
    refused(say, can.irq)
    can.init(500_000)
    say(can.state())
    refused(say, can.init, 500_000, 5)
    refused(say, can.init, 500_000, tseg1=3)
    refused(say, can.init, 500_000, tseg2=3)
    refused(say, can.init, 500_000, tseg1=17, tseg2=3)
    refused(say, can.init, 500_000, sjw=5)
    refused(say, can.init, 500_000, sample_point=100)
    refused(say, can.init, 42_000_001)
    say(can.get_timings())
    can.init(500_000, sample_point=80, sjw=2)
    say(can.get_timings([None] * 6))
    can.init(125_000, 0, 75, 1, 13, 2)
    say(can.get_timings())


def live(name, core, can, say):
    """For ever."""

    def wait(until_us, frames):
        core.wait(until_us, frames)
        while core.now_us < until_us and not (frames and core.received):
            core.wait(until_us, frames)

    LIVES[name](can, wait, say)
    say("over")
    while True:
        core.wait(NEVER, 0)


LIVES = {
    one.__name__: one
    for one in (
        filters,
        received_lists,
        overrun,
        priority,
        cancelling,
        leaving,
        interrupts,
        bus_off,
        modes,
    )
}

if __name__ == "__main__":
    sys.path.insert(0, "boards/unix")
    sys.path.insert(0, "")
    import machine

    machine.attach(sys.argv[2], int(sys.argv[3]))
    live(sys.argv[1], machine.core, machine.CAN(1, 500_000), print)
