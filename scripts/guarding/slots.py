"""An update that suffers: a fault at each moment of it, from the first erase to the confirm.

A play is a generator of cases; it raises Bad, or what a store raises that is lost, in the case in
which the slots broke their word. What that is, and the ECU: scripts.guarding.ecu.
Rules: E-79, E-78, E-89, T-21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from boards.unix.ailments import KINDS, Unsteady
from boards.unix.nor import TEARS, PowerCut
from muptane.bench.faults.judge import BRICKED, CORRUPT, Bad
from scripts.guarding.ecu import BLOCK, NEW, Ecu, Suite, copied, provisioned
from scripts.guarding.guards import Store
from uptane.errors import Refusal

EVERY = 83  # bytes of an image, between two that are flipped


def sound(store: Store) -> Iterator[str]:
    """No fault at all."""
    for delta in (False, True):
        ecu = provisioned(store)
        yield f"sound {delta}"
        ecu.judge()
        ecu.ends(delta)
    ecu = provisioned(store)
    yield "sound, a reset at rest"
    ecu.start()
    ecu.judge()


def cut(store: Store) -> Iterator[str]:
    """In each stroke, torn in one of its ways or two."""
    begun = provisioned(store)
    for delta in (False, True):
        for stroke in range(9999):
            yield f"cut delta {delta} stroke {stroke}"
            if not _cut_in(begun, delta, stroke, stroke % TEARS):
                break
            if stroke % 3 == 0:
                _cut_in(begun, delta, stroke, (stroke + 5) % TEARS)


def _cut_in(begun: Ecu, delta: bool, stroke: int, tear: int) -> bool:
    """False if there is no such stroke."""
    ecu = copied(begun)
    ecu.nor.cut_after(stroke, tear, stroke)
    try:
        ecu.ends(delta)
        return False
    except PowerCut:
        ecu.nor.power_on()
    ecu.judge()
    ecu.ends(delta)
    return True


def reset(store: Store) -> Iterator[str]:
    """At each step, while the flash is at rest; then the image crashes, or it goes on."""
    begun = provisioned(store)
    for delta in (False, True):
        for steps in range(9999):
            ecu = copied(begun)
            yield f"reset delta {delta} step {steps}"
            if not _stopped(ecu, delta, steps):
                break
            ecu.judge()
            other = copied(ecu)
            ecu.ends(delta)
            if other.slots.running() == 0 or other.store.state(other.records.read(2)).slot == 0:
                other.crashes()
    yield from _changed_mind(begun)


def _stopped(ecu: Ecu, delta: bool, steps: int) -> bool:
    """An update up to that step; False if it is over before."""
    return any(step == steps for step, _ in enumerate(ecu.install(delta)))


def _changed_mind(begun: Ecu) -> Iterator[str]:
    """A delta left behind its checkpoint, another image begun; the delta again, left before."""
    for steps in range(2, 8):
        ecu = copied(begun)
        yield f"changed mind step {steps}"
        _stopped(ecu, True, 12)
        ecu.boot()
        next(iter(ecu.fill(2)))
        _stopped(ecu, True, steps)
        ecu.judge()
        ecu.ends(True)


def ailing(kind: str) -> Callable[[Store], Iterator[str]]:
    """From each stroke on, as the fault engine strikes. A lie is over once it is found out."""

    def play(store: Store) -> Iterator[str]:
        begun = provisioned(store)
        for stroke in range(9999):
            ecu = copied(begun)
            struck = _arm(ecu, kind, stroke)
            yield f"{kind} stroke {stroke}"
            try:
                ecu.ends(tries=4)
            except (Bad, Refusal):
                if kind == "lie":
                    raise
                ecu.judge(may_rot=kind == "unsteady")
            if not struck:
                break
        yield f"{kind} while another image is begun"
        _other_begun(begun, kind)

    return play


def _other_begun(begun: Ecu, kind: str) -> None:
    """All of an image is written; another is begun, and the first erase fails."""
    ecu = copied(begun)
    ecu.boot()
    ecu.choose(3)
    for _ in ecu.slots.begin(ecu.image(3)):
        pass
    ecu.slots.write(0, NEW)
    ecu.nor.ailments.append(KINDS[kind](ecu.where(1, 0), BLOCK))
    ecu.choose(2)
    for step in (ecu.slots.begin(ecu.image(2)), ecu.slots.finish(Suite)):
        try:
            for _ in step:
                pass
        except Refusal:
            pass
    ecu.judge(may_rot=kind == "unsteady")


def _arm(ecu: Ecu, kind: str, stroke: int) -> list[int]:
    """From that stroke on the part ails; returns a list that is not empty when it has begun."""
    struck: list[int] = []
    at = ecu.nor.strokes + stroke

    def before(address: int, size: int, erasing: bool) -> None:
        if ecu.nor.strokes != at:
            return
        struck.append(address)
        if kind in ("stuck", "worn"):
            _, address, size, _ = ecu.nor.geometry.block(address)
        ailment = KINDS[kind](address, size, stroke)
        if isinstance(ailment, Unsteady):
            ailment.young = True
        ecu.nor.ailments.append(ailment)

    ecu.nor.before = before
    return struck


def flip(store: Store) -> Iterator[str]:
    """A bit of the new image, written, staged, on trial or confirmed."""
    for at in range(0, len(NEW), EVERY):
        ecu = provisioned(store)
        ecu.boot()
        yield f"flip byte {at} written"
        _flip_written(ecu, at)
        ecu.judge()
        ecu.ends()
        for name in ("staged", "trial"):
            ecu = provisioned(store)
            ecu.boot()
            for _ in ecu.fill(3):
                pass
            ecu.slots.start_trial()
            if name == "trial":
                ecu.boot()
            yield f"flip byte {at} {name}"
            _flip(ecu, ecu.where(1, at))
            ecu.judge(may_rot=True)
            if ecu.boot() != (0, False):
                raise Bad(BRICKED, "a rotten image is tried again")
            ecu.ends()
        ecu.judge()
        yield f"flip byte {at} confirmed"
        _flip(ecu, ecu.where(1, at))
        ecu.judge(may_rot=True)


def _flip_written(ecu: Ecu, at: int) -> None:
    """Between the last byte that was written and its hash."""
    slots = ecu.slots
    ecu.choose(3)
    for _ in slots.begin(ecu.image(3)):
        pass
    slots.write(0, NEW)
    _flip(ecu, ecu.where(1, at))
    try:
        for _ in slots.finish(Suite):
            pass
    except Refusal:
        return
    raise Bad(CORRUPT, "staged what is not the image")


def _flip(ecu: Ecu, address: int) -> None:
    cell = bytearray(1)
    ecu.nor.peek(address, cell)
    ecu.nor.poke(address, bytes((cell[0] ^ 1 << address % 8,)))
