"""Full verification: the cycle of a Primary, or of a Secondary that trusts no Primary.

The repositories that the map names must agree on every image before anything of it is stored
(V-75). An unchanged Snapshot saves the download of what it covers, but ends the cycle only if the
directions it covers were acted on: what is stored is verified again and decided on again. Several
Directors are held against each other ECU by ECU, several Image repositories image by image. Which
file of an Image repository speaks for an image is found by `resolver`, which repositories have a
say by `mapping`.
Rules: V-20, V-33, V-47, V-63, V-71..V-75, V-78, V-80, T-15, T-16, T-17, T-18, T-19, T-28, T-35,
T-36, T-45, S-47, E-83, E-86, E-87.
"""

from uptane.errors import DirectorsDiffer, Withheld
from uptane.ids import DIRECTOR, SNAPSHOT, TARGETS, TIMESTAMP
from uptane.meta import decision, mapping
from uptane.meta.policy import Policy
from uptane.meta.resolver import Resolver
from uptane.meta.targets import Targets
from uptane.meta.trusted import Trusted
from uptane.meta.wants import Commit

if False:  # for the type checker
    from errand import Changes, Clock, Cycle


def refresh(
    repositories: "dict[int, Trusted]",
    current: mapping.Map,
    ecu: decision.Ecu,
    clock: "Clock",
    ticks_ms: int,
) -> "Cycle[decision.Decision]":
    """Run one cycle and return its Decision; `repositories`, one for each number of the `current`
    map, are made anew for each cycle.

    Commits: each Root step by itself, everything else of all repositories at once at the end,
    with a new map, by which the next cycle goes. `ticks_ms` are those `clock` was given.
    Refusals: those of Trusted, `decision` and `mapping`; DirectorsDiffer; Withheld. V-75, 5.4.4.2.
    """
    director = repositories[DIRECTOR]
    said: dict[int, Targets] = {}
    for number in current.of_kind(DIRECTOR):
        targets = yield from _visit(repositories[number], clock, ticks_ms)  # V-75.2 to .5
        decision.check_vehicle(director.policy, targets, ecu.vehicle)
        if ecu.registered is None and ecu.number not in targets.ecus:
            repositories[number].files.set_targets_aside()
        said[number] = targets
    decided = decision.Decision(ecu, said[DIRECTOR])
    for number in current.of_kind(DIRECTOR)[1:]:
        _join(decided, ecu, said[number])
    proposal = mapping.proposed(director.files, current, list(said.values()))
    if not clock.fresh:
        proposal = None
    if decided.new:  # .6
        decision.check_time(director.policy, clock.fresh)
        _check_directors(decided, current, said)
    resolvers: dict[int, Resolver] = {}
    for number in _speakers(decided, current, proposal is not None):
        targets = yield from _visit(repositories[number], clock, ticks_ms)  # .6 to .9
        if not mapping.agrees(targets, proposal):
            proposal = None
        resolvers[number] = Resolver(repositories[number], targets, clock.now(ticks_ms))
    if decided.new:
        yield from _match(decided, ecu, director.policy, current, resolvers)  # .10
    changes = yield from _gather(current, proposal, repositories)
    if changes:
        yield Commit(changes)
    return decided


def _gather(
    current: mapping.Map,
    proposal: "mapping.Listing | None",
    repositories: "dict[int, Trusted]",
) -> "Cycle[Changes]":
    """Return all candidates, with a new map if all repositories of the current one agreed."""
    adopted: Changes = {}
    if proposal is not None:
        adopted = yield from mapping.adopt(current, proposal, repositories)
    changes: Changes = {}
    for number in repositories:
        changes.update(repositories[number].files.changes)
    changes.update(adopted)
    return changes


def _visit(repository: Trusted, clock: "Clock", ticks_ms: int) -> "Cycle[Targets]":
    """Bring a repository to its newest Targets, Root first."""
    yield from repository.follow_root(clock, ticks_ms)
    return (yield from bring_targets(repository, clock.now(ticks_ms)))


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


def _join(decided: decision.Decision, ecu: decision.Ecu, targets: Targets) -> None:
    """Hold one Director against those before it: whoever names an ECU says the same of it (S-47).

    Refusals: UnknownEcu, DirectorsDiffer.
    """
    decided.expires = min(decided.expires, targets.expires)
    for number in sorted(targets.ecus):
        if ecu.registered is None and number != ecu.number:
            continue
        entry = targets.entry(targets.ecus[number])
        known = decided.entries.get(number)
        if known is None:
            decided.add(ecu, number, entry)
        elif entry is None or known.number != entry.number or not known.says_the_same(entry):
            raise DirectorsDiffer
    if ecu.number in decided.entries:
        decided.refusal = None
    decided.new.sort()


def _check_directors(
    decided: decision.Decision, current: mapping.Map, said: "dict[int, Targets]"
) -> None:
    """Does every Director that has to agree on an image name the ECU that it is for?

    Refusals: DirectorsDiffer, NotOnImageRepository.
    """
    for ecu in sorted(decided.entries):
        for number in current.agreeing(decided.entries[ecu].number, DIRECTOR):
            if ecu not in said[number].ecus:
                raise DirectorsDiffer


def _speakers(decided: decision.Decision, current: mapping.Map, all: bool) -> "list[int]":
    """Return the Image repositories that this cycle has to ask: for a new map all of them."""
    if all:
        return current.of_kind(0)
    asked: list[int] = []
    if decided.new:
        for entry in decided.entries.values():
            asked += current.agreeing(entry.number, 0)
    return sorted(set(asked))


def _match(
    decided: decision.Decision,
    ecu: decision.Ecu,
    policy: Policy,
    current: mapping.Map,
    resolvers: "dict[int, Resolver]",
) -> "Cycle[None]":
    """Check every entry: one bad image refuses the bundle (T-35)."""
    for number in sorted(decided.entries):
        entry = decided.entries[number]
        for speaker in current.agreeing(entry.number, 0):
            decision.match_entry(entry, (yield from resolvers[speaker].find(entry)))
        # What a Secondary says of itself is nobody's proof: its own counter holds it (T-21).
        installed = ecu.installed if number == ecu.number else None
        decision.check_entry(policy, entry, installed)
        if number == ecu.number:
            decision.check_hardware(entry, ecu.hardware)
