"""Lives of a chip whose software uses `pyb.CAN` of an FDCAN, as in `can_lives`.

Not a test file.
"""

import sys

NEVER = 0xFFFFFFFFFFFFFFFF


def refused(say, what, *arguments, **named):
    try:
        what(*arguments, **named)
    except (ValueError, OSError, TypeError) as error:
        say(type(error).__name__, error.args[0] if error.args else "")
    else:
        say("nothing refused")


def exchange(can, wait, say):
    """Both formats out of a FIFO, both formats in."""
    mine = [0, 0, 0, 0, memoryview(bytearray(64))]
    can.setfilter(0, can.MASK, 0, (0x100, 0x700))
    can.setfilter(1, can.RANGE, 0, (0x18DA0000, 0x18DAFFFF), extframe=True)
    can.setfilter(2, can.DUAL, 0, (0x201, 0x203))
    can.send(bytes(range(64)), 0x700, fdf=True, brs=True)
    can.send(bytes(12), 0x010, fdf=True)
    can.send(b"old", 0x18DB0001, extframe=True)
    refused(say, can.send, b"", 1)
    wait(3000)
    say(can.any(0), can.any(1))
    while can.any(0):
        can.recv(0, mine)
        say(hex(mine[0]), mine[1], mine[2], mine[3], len(mine[4]), bytes(mine[4][-1:]))
    refused(say, can.recv, 0, timeout=3)
    say(can.recv(0)[3:])
    for data, named in ((bytes(9), {}), (bytes(9), {"fdf": True}), (bytes(65), {"fdf": True})):
        refused(say, can.send, data, 1, **named)
    can.clearfilter(0)
    can.clearfilter(1, extframe=True)
    wait(12_000)
    say(can.any(0))
    can.send(7, 0x123, rtr=True)
    wait(14_000)
    refused(say, can.setfilter, 28, can.MASK, 0, (0, 0))
    refused(say, can.setfilter, 8, can.MASK, 0, (0, 0), extframe=True)
    refused(say, can.setfilter, 0, can.MASK, 1, (0, 0))
    refused(say, can.setfilter, 0, 3, 0, (0, 0))


def callback(can, wait, say):
    can.setfilter(0, can.MASK, 0, (0, 0))
    reasons = []
    can.rxcallback(0, lambda one, reason: reasons.append(reason))
    wait(2000)
    say(reasons, can.info()[6])
    can.recv(0)
    wait(3000)
    say(reasons)  # it was not empty
    while can.any(0):
        can.recv(0)
    wait(9000)
    say(reasons, can.info()[6])


def bus_off(can, wait, say):
    can.send(bytes(48), 0x100, fdf=True, brs=True)
    while can.state() != can.BUS_OFF:
        wait(1_000_000)
    say(can.info())
    can.restart()
    wait(1_010_000)
    say(can.state(), can.info())
    can.deinit()
    say(can.state())
    refused(say, can.restart)


def live(name, core, can, say):
    def wait(until_us):
        core.wait(until_us, 0)
        while core.now_us < until_us and core.state != can.BUS_OFF:
            core.wait(until_us, 0)

    LIVES[name](can, wait, say)
    say("over")
    while True:
        core.wait(NEVER, 0)


LIVES = {one.__name__: one for one in (exchange, callback, bus_off)}

if __name__ == "__main__":
    sys.path.insert(0, "boards/unix")
    sys.path.insert(0, "")
    import machine

    settings = machine.attach(sys.argv[2], int(sys.argv[3]))
    live(sys.argv[1], machine.core, machine.pyb_can(settings), print)
