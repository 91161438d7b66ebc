"""The cycle of a Secondary without a spare slot: as any other's, and how it comes back.

Its image is overwritten by what arrives (V-62), so it may be left with none that runs: an image on
trial failed, or what was begun can not be finished. Then the confirmed one comes back, from the
Primary that has kept it (V-58). A broken image waits for nobody, so this needs neither a fresh
time nor directions that are still good (T-42): what comes back is held against what was confirmed.
Rules: V-55, V-58, V-62, V-64, T-32, T-42, E-79.
"""

from uptane.errors import Refusal, Withheld
from uptane.ids import REPORT_ECU
from uptane.steps import attested, fetch, offer

if False:  # for the type checker
    from errand import Cycle
    from uptane.image.rewriting import Rewriting
    from uptane.main import Ecu


def cycle(ecu: "Ecu") -> "Cycle[None]":
    """One cycle of a Secondary; `ecu` is uptane.main.Ecu, whose `intake` is a
    Rewriting."""
    raw = yield from ecu.make_report()
    yield offer(REPORT_ECU, raw)
    yield from attested(ecu, [ecu.trust.nonce()])
    rewriting: Rewriting = ecu.intake  # type: ignore[assignment]
    if rewriting.sole.lost() and (yield from go_back(ecu, rewriting)):
        return  # and that runs first
    try:
        decision = yield from ecu.trust.check()
        ecu.decided(decision)
        entry = ecu.trial.wanted(decision.entry(ecu.identity.ecu))
    except Refusal as refusal:
        yield from go_back(ecu, rewriting)
        raise refusal
    if entry is not None:
        yield from fetch(ecu, entry)
    else:
        yield from go_back(ecu, rewriting)


def go_back(ecu: "Ecu", rewriting: "Rewriting") -> "Cycle[bool]":
    """If no image runs, let the confirmed one come back, in whatever way it may; absent, all stays
    as it is, and that is noted. Returns whether one runs again. Refusals of Rewriting.begin and
    Slots.finish."""
    if not ecu.slots.rotten:
        return False
    want, rewrite = yield from rewriting.begin(rewriting.way_back())
    while want.offset < want.cap:
        if (yield want) is None:
            ecu.note(Withheld.number)
            return False
    yield from rewriting.finish(rewrite)
    return True
