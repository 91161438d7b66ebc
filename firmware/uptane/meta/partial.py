"""Partial verification: the cycle of a Secondary that checks only the Director.

It follows the Director's Root, so it survives a change of keys, and verifies the Director's
Targets. It does NOT see the Image repository: whoever holds the Director's Targets key can make
it install anything (E-32); that is the limit of partial verification, not a fault of this module.
Rules: V-60, V-63, V-70, V-71, V-74, V-80, T-13, T-17, T-18, T-19, T-28.
"""

from uptane.errors import Withheld
from uptane.ids import TARGETS
from uptane.meta import decision
from uptane.meta.trusted import Trusted
from uptane.meta.wants import Commit

if False:  # for the type checker
    from errand import Clock, Cycle


def refresh(
    director: Trusted, ecu: decision.Ecu, clock: "Clock", ticks_ms: int
) -> "Cycle[decision.Decision]":
    """Run one cycle and return its Decision; `director` is made anew for each cycle.

    Wants: the next Root until absent, then the latest Targets. Commits: each Root step by itself,
    everything else at once at the end. `ticks_ms` are those `clock` was given.
    Refusals: those of Trusted and of `decision`; Withheld. V-70, 5.4.4.1.
    """
    policy = director.policy
    yield from director.follow_root(clock, ticks_ms)
    raw = yield director.want(TARGETS, 0)
    if raw is None:
        raise Withheld
    envelope = director.open(raw, TARGETS)
    del raw  # not held: the heap is small
    targets = yield from director.take_targets(envelope, clock.now(ticks_ms))
    decision.check_vehicle(policy, targets, ecu.vehicle)
    decided = decision.Decision(ecu, targets)
    if decided.refusal is not None:
        director.files.set_targets_aside()
    for number in decided.new:
        entry = decided.entries[number]
        decision.check_entry(policy, entry, ecu.installed)
        decision.check_hardware(entry, ecu.hardware)
        decision.check_time(policy, clock.fresh)
    changes = director.files.changes
    if changes:
        yield Commit(changes)
    return decided
