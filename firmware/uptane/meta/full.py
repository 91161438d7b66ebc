"""Full verification: the cycle of a Primary, or of a Secondary that trusts no Primary.

Both repositories must agree on every image before anything of it is stored (V-75). An unchanged
Snapshot saves the download of what it covers, but ends the cycle only if the directions it covers
were acted on: what is stored is verified again and decided on again. Which file of the Image
repository speaks for an image is found by `resolver`.
Rules: V-33, V-47, V-63, V-71..V-75, V-80, T-15, T-16, T-17, T-18, T-19, T-28, T-35, T-36, E-86,
E-87.
"""

from uptane.errors import Withheld
from uptane.ids import SNAPSHOT, TARGETS, TIMESTAMP
from uptane.meta import decision
from uptane.meta.resolver import Resolver
from uptane.meta.targets import Targets
from uptane.meta.trusted import Trusted
from uptane.meta.wants import Commit

if False:  # for the type checker
    from errand import Clock, Cycle


def refresh(
    director: Trusted, image: Trusted, ecu: decision.Ecu, clock: "Clock", ticks_ms: int
) -> "Cycle[decision.Decision]":
    """Run one cycle and return its Decision; both Trusted are made anew for each cycle.

    Commits: each Root step by itself, everything else of both repositories at once at the end.
    `ticks_ms` are those `clock` was given. Refusals: those of Trusted and of `decision`; Withheld.
    V-75, 5.4.4.2.
    """
    yield from director.follow_root(clock, ticks_ms)  # V-75.2
    targets = yield from bring_targets(director, clock.now(ticks_ms))  # .3 to .5
    decision.check_vehicle(director.policy, targets, ecu.vehicle)
    decided = decision.Decision(ecu, targets)
    if decided.refusal is not None:
        director.files.set_targets_aside()
    if decided.new:  # .6
        decision.check_time(director.policy, clock.fresh)
        yield from image.follow_root(clock, ticks_ms)
        listed = yield from bring_targets(image, clock.now(ticks_ms))  # .7 to .9
        resolver = Resolver(image, listed, clock.now(ticks_ms))
        yield from _match(director, decided, ecu, resolver)  # .10
    changes = dict(director.files.changes)
    changes.update(image.files.changes)
    if changes:
        yield Commit(changes)
    return decided


def bring_targets(repository: Trusted, now: int) -> "Cycle[Targets]":
    """Bring Timestamp, Snapshot and Targets of a repository to their newest (V-75.3 to .5)."""
    raw = yield from _fetch(repository, TIMESTAMP, 0)
    yield from repository.update_timestamp(raw, now)
    if (yield from repository.reuse_snapshot(now)):
        stored = yield from repository.reuse_targets(now)
        if stored is not None:
            return stored
    else:
        raw = yield from _fetch(repository, SNAPSHOT, repository.snapshot_named())
        yield from repository.update_snapshot(raw, now)
    raw = yield from _fetch(repository, TARGETS, repository.listed_version(TARGETS))
    targets = yield from repository.update_targets(raw, now)
    return targets


def _fetch(repository: Trusted, role: int, version: int) -> "Cycle[bytes]":
    raw = yield repository.want(role, version)
    if raw is None:
        raise Withheld
    return raw


def _match(
    director: Trusted, decided: decision.Decision, ecu: decision.Ecu, resolver: Resolver
) -> "Cycle[None]":
    """Check every entry: one bad image refuses the bundle (T-35)."""
    for number in sorted(decided.entries):
        entry = decided.entries[number]
        decision.match_entry(entry, (yield from resolver.find(entry)))
        # What a Secondary says of itself is nobody's proof: its own counter holds it (T-21).
        installed = ecu.installed if number == ecu.number else None
        decision.check_entry(director.policy, entry, installed)
        if number == ecu.number:
            decision.check_hardware(entry, ecu.hardware)
