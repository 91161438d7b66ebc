"""The records of an ECU that suffer twice: bits that flip together, after a cut, or beside wear.

A play is a generator of cases, as in scripts.guarding.records. What two places lost may be
refused, whatever it is; it is never an older value.
Rules: E-79, E-87, E-89.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from boards.unix.ailments import KINDS
from muptane.bench.faults.judge import BRICKED, Bad
from scripts.guarding.guards import Store
from scripts.guarding.patient import (
    CHANGES,
    IDENTITY,
    NEXT,
    ROOT,
    SCENES,
    SHAPES,
    Patient,
    Values,
    aged,
    anything,
    applied,
    copied,
    once,
)
from scripts.guarding.records import cut_at, cuts

# (byte of a piece, bits)
SPOTS = ((2, 1), (8, 1), (8, 8), (8, 16), (3, 0x80), (4, 1), (12, 2), (14, 1), (-4, 1))


def flips(store: Store) -> Iterator[str]:
    """A bit in each of two pieces of one commit, at once: refused perhaps, and never older."""
    for shape in SHAPES:
        begun, state = aged(store, shape)
        for intent, first, second, _ in begun.commits():
            pieces = ((intent, first), (first, second), (second, 2 * second - first))
            for one in range(3):
                for two in range(one + 1, 3):
                    for spot in range(len(SPOTS)):
                        yield f"flips {shape} commit {intent} pieces {one} {two} spot {spot}"
                        patient = copied(begun)
                        _flip(patient, pieces[one], spot)
                        _flip(patient, pieces[two], (spot + intent // 16) % len(SPOTS))
                        patient.mount()
                        patient.hold([state], anything)
                        patient.go_on(state, anything)
    yield from _lost_bank(store)
    yield from _flip_after_flip(store)


def cut_and_flip(store: Store) -> Iterator[str]:
    """A bit where a cut commit was going to be written, after the reset that mended it; and one of
    the first copy of what is newest then; and then both copies of it."""
    for shape in SHAPES:
        for name, scene in SCENES.items():
            begun, old = scene(store, shape)
            end = begun.commits()[-1][3]
            states = [old, applied(old, CHANGES)]
            for stroke in range(999):
                if not cuts(begun, stroke):
                    break
                for tear in (1, 2):
                    yield f"cut and flip {name} {shape} stroke {stroke} tear {tear}"
                    patient, state = cut_at(begun, states, stroke, tear)
                    _flip_after_cut(patient, state, end + 7 * begun.grain)


def _flip_after_cut(patient: Patient, state: Values, behind: int) -> None:
    _, first, second, _ = patient.commits()[-1]
    for address, may_rot in ((behind, once), (first + 14, once), (second + 14, anything)):
        sick = copied(patient) if may_rot is once else patient
        if may_rot is anything:
            sick.flip(first + 14)
        if address < len(sick.image()):
            sick.flip(address)
        sick.mount()
        sick.hold([state], may_rot)
    sick.go_on(state, anything)


RESETS = 16


def flip_and_unsteady(store: Store) -> Iterator[str]:
    """A bit of an intent, and one of the copy that has to stand for it reads as it likes; or a bit
    of the first copy, and one of the second."""
    for shape in SHAPES:
        begun, state = aged(store, shape)
        for intent, first, second, _ in begun.commits():
            for at, bits in SPOTS[:-1]:
                for seed in range(3):
                    yield f"flip and unsteady {shape} commit {intent} byte {at} seed {seed}"
                    patient = copied(begun)
                    patient.flip(intent + 4)
                    patient.waver(first + at, bits, seed)
                    patient.mount()
                    patient.hold([state], anything)
            yield f"flip and unsteady {shape} commit {intent} copies"
            patient = copied(begun)
            patient.flip(first + 14)
            patient.waver(second + 14, 1, intent)
            if not any(_reads(patient, state) for _ in range(RESETS)):
                raise Bad(BRICKED, "what reads well now and then is lost for good")


def _reads(patient: Patient, state: Values) -> bool:
    """Does it hold all, after this reset? Bad, if what it holds is wrong."""
    patient.mount()
    patient.hold([state], anything)
    return not patient.rotten(state)


def flip_and(kind: str) -> Callable[[Store], Iterator[str]]:
    """A bit of a copy, and the bank that it is mended into is worn out, or stuck."""

    def play(store: Store) -> Iterator[str]:
        for shape in SHAPES:
            begun, state = aged(store, shape)
            _, first, _, _ = begun.commits()[-1]
            yield f"flip and {kind} {shape}"
            patient = copied(begun)
            patient.flip(first + 14)
            other = patient.bank_bytes - patient.newest()
            patient.nor.ailments.append(KINDS[kind](other, patient.bank_bytes))
            patient.mount()
            patient.hold([state], once)
            patient.go_on(state, once, ails=True)

    return play


def _flip(patient: Patient, piece: tuple[int, int], spot: int) -> None:
    at, bits = SPOTS[spot]
    patient.flip(piece[0] + at if at >= 0 else piece[1] + at, bits)


def _lost_bank(store: Store) -> Iterator[str]:
    """Both copies of the commit that opened the newest bank, which was not mounted since; and a
    bit of the mark of the older one."""
    for shape in SHAPES:
        for mark in (0, 1):
            patient, state = aged(store, shape)
            yield f"lost bank {shape} mark {mark}"
            _, first, second, _ = patient.commits()[0]
            older = patient.bank_bytes - patient.newest()
            patient.flip(first + 14)
            patient.flip(second + 14)
            if mark:
                patient.flip(older + patient.bank_bytes - 3)
            patient.mount()
            patient.hold([state], anything)
            patient.go_on(state, anything)


def _flip_after_flip(store: Store) -> Iterator[str]:
    """The second bit where the twin of the first is by then: what was found is mended before."""
    for shape in SHAPES:
        for number, value in ((IDENTITY, b"who"), (ROOT, b"root 3")):
            for reset in (True, False):
                patient, state = aged(store, shape)
                patient = copied(patient)
                yield f"flip after flip {shape} {number} reset {reset}"
                start = patient.newest()
                patient.flip(patient.image().index(value, start))
                if reset:
                    patient.mount()
                patient.hold([state], once)
                patient.commit(NEXT)
                state = applied(state, NEXT)
                start = patient.newest()
                end = start + patient.bank_bytes
                patient.flip(patient.image().rindex(value, start, end))
                patient.mount()
                patient.hold([state], once)
                patient.go_on(state, once)
