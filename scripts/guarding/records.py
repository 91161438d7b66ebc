"""The records of an ECU that suffer: a fault at each moment of a small log.

A play is a generator of cases; it raises Bad, or what a store raises that is lost, in the case in
which the store broke its word. What that is, and the part: scripts.guarding.patient.
Rules: E-79, E-87, E-89.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from boards.unix.ailments import KINDS, Unsteady
from boards.unix.nor import TEARS, PowerCut
from scripts.guarding.guards import Store
from scripts.guarding.patient import (
    CHANGES,
    COUNTER,
    MANY,
    NEXT,
    SCENES,
    SHAPES,
    SNAPSHOT,
    TARGETS,
    Patient,
    Values,
    aged,
    applied,
    copied,
    nothing,
    once,
)
from uptane.errors import FlashFault

FLIP_EVERY = 13  # written bytes
HEAD_BYTES = 12
FILLER = {SNAPSHOT: bytes(150)}
WAVERS = 16  # seeds of a stored bit that does
SEEDS = 4  # of cells that read differently each time


def sound(store: Store) -> Iterator[str]:
    """No fault at all: whatever is a guard, and no more, is not missed."""
    for shape in SHAPES:
        for scene in SCENES.values():
            patient, state = scene(store, shape)
            patient.hold([state], nothing)
            for changes in (CHANGES, {COUNTER: None, TARGETS: b"4"}, {COUNTER: b"5"}, {4: b""}):
                patient.commit(changes)
                state = applied(state, changes)
                patient.hold([state], nothing)
            for count in range(MANY):
                patient.commit({SNAPSHOT: bytes([count]) * 99})
                state[SNAPSHOT] = bytes([count]) * 99
            patient.mount()
            patient.hold([state], nothing)
            patient.go_on(state, nothing)
            yield "sound"


def cut(store: Store) -> Iterator[str]:
    """In each stroke of a commit, torn in half of the ways, and once more in what mends it."""
    for shape in SHAPES:
        for name, scene in SCENES.items():
            begun, old = scene(store, shape)
            new = applied(old, CHANGES)
            for stroke in range(999):
                if not cuts(begun, stroke):
                    break
                for tear in range(stroke % 2, TEARS, 2):
                    yield f"{name} {shape} stroke {stroke} tear {tear}"
                    patient, state = cut_at(begun, [old, new], stroke, tear)
                    patient.go_on(state, nothing)


def cuts(begun: Patient, stroke: int) -> bool:
    """Does that commit have so many strokes?"""
    patient = copied(begun)
    patient.nor.cut_after(stroke, 0, 0)
    try:
        patient.commit(CHANGES)
    except PowerCut:
        return True
    return False


def cut_at(begun: Patient, states: list[Values], stroke: int, tear: int) -> tuple[Patient, Values]:
    """What a cut leaves after its reset, which is cut as well."""
    patient = copied(begun)
    patient.nor.cut_after(stroke, tear, stroke * TEARS + tear)
    try:
        patient.commit(CHANGES)
    except PowerCut:
        pass
    patient.nor.power_on()
    if stroke % 2:
        patient.nor.cut_after(stroke % 5, TEARS - 1 - tear, stroke)
        try:
            patient.boot()
        except PowerCut:
            pass
    patient.mount()
    return patient, patient.hold(states, nothing)


def ailing(kind: str) -> Callable[[Store], Iterator[str]]:
    """From each stroke of a commit on, as the fault engine strikes; stuck and worn are blocks.

    A commit that goes to a bad place is made in the next bank; if that is the bad one it may be
    refused, and nothing is lost."""

    def play(store: Store) -> Iterator[str]:
        for shape in SHAPES:
            for name, scene in SCENES.items():
                begun, old = scene(store, shape)
                for case in range(9999):
                    stroke, seed = divmod(case, SEEDS if kind == "unsteady" else 1)
                    patient = copied(begun)
                    if not _strike(patient, kind, stroke, seed):
                        break
                    yield f"{kind} {name} {shape} stroke {stroke} seed {seed}"
                    _ail(patient, name, old, once if kind == "unsteady" else nothing, kind)
        if kind == "unsteady":
            yield from _wavers(store)

    return play


def _wavers(store: Store) -> Iterator[str]:
    """A bit of a stored value reads as it likes, while its bank is mounted and mended."""
    for shape in SHAPES:
        begun, state = aged(store, shape)
        at = begun.image().index(b"who", begun.newest())
        for seed in range(WAVERS):
            yield f"wavers {shape} seed {seed}"
            patient = copied(begun)
            patient.waver(at, 1, seed)
            patient.mount()
            for _ in range(5):  # it moves house meanwhile; what differs as it is copied is refused
                try:
                    patient.commit(FILLER)
                except FlashFault:
                    pass
                patient.hold([state, applied(state, FILLER)], once)


def _strike(patient: Patient, kind: str, stroke: int, seed: int) -> bool:
    """Arm the part: from that stroke of its next commit on it ails. False if there is none."""
    trial = copied(patient)
    strokes = trial.nor.strokes
    trial.commit(CHANGES)
    if trial.nor.strokes - strokes <= stroke:
        return False
    at = patient.nor.strokes + stroke

    def before(address: int, size: int, erasing: bool) -> None:
        if patient.nor.strokes != at:
            return
        if kind in ("stuck", "worn"):
            _, address, size, _ = patient.nor.geometry.block(address)
        ailment = KINDS[kind](address, size, stroke * SEEDS + seed)
        if isinstance(ailment, Unsteady):
            ailment.young = True
        patient.nor.ailments.append(ailment)

    patient.nor.before = before
    return True


def _ail(
    patient: Patient, name: str, old: Values, may_rot: Callable[[int], bool], kind: str
) -> None:
    new = applied(old, CHANGES)
    ails = kind != "lie" and name == "move"
    try:
        patient.commit(CHANGES)
        states = [new]
    except FlashFault:
        if name == "append":
            raise
        patient.hold([old], may_rot)
        if kind == "lie":  # the next one is done, whatever the first has left
            patient.commit(NEXT)
            old, new = applied(old, NEXT), applied(new, NEXT)
        states = [old, new]
    state = patient.hold(states, may_rot)
    patient.mount()
    state = patient.hold(states, may_rot)
    patient.go_on(state, may_rot, ails)


def flip(store: Store) -> Iterator[str]:
    """A bit of every few bytes that are written, of all heads, of what is behind and of the mark;
    with and without a reset before it is met."""
    for shape in SHAPES:
        begun, state = aged(store, shape)
        image = begun.image()
        written = [at for at in range(len(image)) if image[at] != 0xFF]
        end = begun.commits()[-1][3]
        mark = begun.newest() + begun.bank_bytes - 1
        places = sorted({*written[::FLIP_EVERY], *_heads(begun), *range(end, end + 40, 5), mark})
        for count, at in enumerate(places):
            yield f"flip {shape} byte {at}"
            patient = copied(begun)
            patient.flip(at, 1 << at % 8)
            patient.hold([state], once)
            if at % 2:
                patient.commit(NEXT)
                patient.hold([applied(state, NEXT)], once)
            patient.mount()
            found = applied(state, NEXT) if at % 2 else state
            patient.hold([found], once)
            if count % 5 == 0 or patient.rotten(found):
                patient.go_on(found, once)


def _heads(patient: Patient) -> list[int]:
    """Addresses of what decides what a commit is: its intent and the heads of its copies."""
    commits = patient.commits()
    return [
        piece + at for commit in commits for piece in commit[:3] for at in range(0, HEAD_BYTES, 2)
    ]
