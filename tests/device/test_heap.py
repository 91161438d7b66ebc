"""What is held at a time: a partial Secondary has 32 KB of heap for a whole cycle (E-81)."""

import gc

from claims import run
from maker import Oem
from memory import SUITE
from uptane.crypto.suite import Suite
from uptane.ids import KEY_CUSTOM, ROOT, TARGETS
from uptane.meta.wants import Commit
from vehicle import Partial

COUNTS = hasattr(gc, "mem_alloc")  # CPython does not
ROOTS = 4
VERIFICATION_BYTES = 5632  # between two slices, 64 bits; with multiples of the base 1.6 KB more
SEED = bytes(range(32))


def held():
    """Bytes that are alive; 0 where nobody counts."""
    gc.collect()
    return gc.mem_alloc() if COUNTS else 0


def held_at_each_root(oem):
    """What a partial Secondary holds whenever it wants the next Root."""
    cycle, answer, seen = Partial(oem).cycle(), None, []
    while len(seen) < ROOTS:
        step = cycle.send(answer)
        answer = None
        if step is not None and not isinstance(step, Commit):
            assert step.number == ROOT
            step = None
            seen.append(held())
            answer = bytes(bytearray(oem.director.files[ROOT, len(seen) + 1]))
    return seen


def test_a_root_that_was_taken_is_not_held_while_the_next_comes():
    """V-71, E-81: a rotation right after a refused delta has to fit."""
    oem = Oem()
    for _ in range(ROOTS):
        oem.director.rotate()
    held_at_each_root(oem)  # what the suite remembers of these signatures is not counted
    seen = held_at_each_root(oem)
    assert max(seen) - seen[0] < len(oem.director.files[ROOT, 2]) // 2, seen


def test_directions_are_held_once_while_they_are_verified():
    """E-19: as long as they may be, for an ECU of 32 KB."""
    oem = Oem()
    oem.publish(1)
    oem.director.alter[TARGETS] = lambda fields: fields.update({KEY_CUSTOM: {1: bytes(3000)}})
    oem.director.publish()
    cycle, most = Partial(oem).cycle(), 0
    want = next(cycle)
    while want is None or want.number != TARGETS:
        want = cycle.send(None)
    answer = bytes(bytearray(oem.director.files[TARGETS, 0]))  # one of its own
    before = held()
    step = cycle.send(answer)
    answer = len(answer)
    while step is None:
        most = max(most, held() - before)
        step = cycle.send(None)
    assert bool(most) == COUNTS and most < answer + 2000, (most, answer)


def test_a_verification_holds_no_more_than_it_needs():
    """The addends of the base point are read from the code when they are needed."""
    public, message = run(SUITE.public_key(SEED)), bytes(300)
    signature = run(SUITE.sign(SEED, (message,)))
    verification = Suite().verify(public, (message,), signature)
    before, most = held(), 0
    try:
        while True:
            next(verification)
            most = max(most, held() - before)
    except StopIteration as stop:
        assert stop.value
    assert bool(most) == COUNTS and most < VERIFICATION_BYTES, most
