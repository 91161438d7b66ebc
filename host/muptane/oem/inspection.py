"""What the car maker looks at in a delivery, one after the other, and says in sentences.

`Deliveries` verified signatures, versions, expiry and delegations before, and holds the result;
here is what was agreed beyond that: whose files these are, how far a version may go and how long
a file may live, that release counters rise, and that every image that is listed is there with its
hash. Each check refuses, or adds what it saw to `sentences`. Nothing is kept or published.
Rules: V-15, R-06, R-36, R-41, S-05, S-08, S-09, S-13, E-16, E-37, E-38, E-56, E-57, E-91.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from muptane.oem.archive import Delivery
from muptane.oem.authority import DAY_S
from muptane.oem.contracts import Agreement
from muptane.oem.delegations import Delegate
from muptane.oem.deliveries import Deliveries
from muptane.oem.errors import (
    LivesTooLong,
    Malformed,
    NotDelegated,
    ReleaseLeap,
    ReleaseNotRaised,
    UnknownImage,
    WrongVersion,
)
from muptane.oem.targets import Entry, Targets
from muptane.oem.terms import Terms
from uptane import ids, limits

VERSION_STEP_MAX = 1000  # more than anyone packs in vain, and a thief cannot use up the versions
SLACK_S = DAY_S  # between the supplier's clock and ours

# image number -> what the inventory knows of it; content by (image number, SHA-256)
Known = Mapping[int, Entry]
Content = Callable[[int, bytes], bytes | None]


@dataclass(frozen=True)
class Inspection:
    """Of `delivery` under `agreement`: `before` and `after` it was accepted, at time `now`."""

    delivery: Delivery
    agreement: Agreement
    before: Deliveries
    after: Deliveries
    now: int
    sentences: list[str] = field(default_factory=list)

    def roles(self, changed: Iterable[int], others: Iterable[int]) -> None:
        """Each role that changed is the supplier's or below his, of a version and an expiry that
        were agreed. `others`: roles that have contracts of their own."""
        own = self.agreement.terms.role
        below = set(_below(own, self.after.targets)) - set(others) | {own}
        for role in changed:
            if role not in below:
                raise NotDelegated(f"role {role} is neither role {own} nor below it")
            self._role(self.after.targets[role])

    def _role(self, made: Targets) -> None:
        known = self.before.targets.get(made.number)
        version = known.version if known is not None else 0
        days = self.agreement.terms.days
        check_terms(made, version, self.agreement.terms, self.now)
        for delegate in _delegates(made.number, self.after):
            self.sentences.append(
                f"signatures: role {made.number} is signed by {delegate.threshold} or more of the"
                f" {len(delegate.keys)} keys that were delegated to"
            )
        self.sentences.append(f"version: role {made.number} has {made.version} after {version}")
        self.sentences.append(
            f"expiry: role {made.number} is valid until {_day(made.expires)}, within {days} days"
        )
        for delegation in made.delegations:
            roles = " and ".join(map(str, delegation.numbers()))
            self.sentences.append(f"delegations: role {made.number} leaves a part to role {roles}")

    def images(self, changed: Iterable[int], known: Known, content: Content) -> None:
        """Each image that the changed roles list is there, and each that is new is one that the
        supplier may list, with a release counter above the older ones. `known`: every image of
        the inventory."""
        listed = {role: self.after.targets[role].images for role in changed}
        older = {**self._listed_before(), **known}
        for role, entries in listed.items():
            for number, entry in entries.items():
                if number not in older:
                    self._new(role, number, entry, older)
                self._there(role, number, entry, content)
        for number, raw in self.delivery.images.items():
            if not says(self.delivery.entries[number], self.after.entry(number, raw)):
                raise Malformed(f"contents.json says of image {number} what no role file does")

    def _listed_before(self) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        for targets in self.before.targets.values():
            found.update(targets.images)
        return found

    def _new(self, role: int, number: int, entry: Entry, older: Known) -> None:
        hardware = ", ".join(map(str, entry.hardware))
        self.sentences.append(
            f"delegations: image {number} on hardware {hardware} is role {role}'s to list"
        )
        delegation = self.agreement.delegation
        releases = [
            one.release
            for other, one in older.items()
            if delegation.covers(other, ()) and set(one.hardware) & set(entry.hardware)
        ]
        highest = max(releases, default=None)
        if highest is None:
            self.sentences.append(
                f"release: image {number} has {entry.release}, the first on hardware {hardware}"
            )
            return
        if entry.release <= highest:
            raise ReleaseNotRaised(
                f"image {number} has release {entry.release}, and an older image on hardware"
                f" {hardware} has {highest}"
            )
        if entry.release - highest > limits.RELEASE_STEP_MAX:
            raise ReleaseLeap(
                f"image {number} has release {entry.release} after {highest}; ECUs take"
                f" {limits.RELEASE_STEP_MAX} more at most"
            )
        self.sentences.append(f"release: image {number} has {entry.release} after {highest}")

    def _there(self, role: int, number: int, entry: Entry, content: Content) -> None:
        digest = entry.hashes.get(ids.ALG_SHA256, b"")
        if number in self.delivery.images:
            self.after.entry(number, self.delivery.images[number])
            self.sentences.append(
                f"hashes: image {number} has {entry.length} bytes of SHA-256 {digest.hex()}, as"
                f" role {role} lists it"
            )
        elif content(number, digest) is None:
            raise UnknownImage(
                f"role {role} lists image {number}, which is neither in this delivery nor in the"
                " repository"
            )

    def found(self, changed: Iterable[int], top: Mapping[int, Entry]) -> None:
        """Say which listed images vehicles do not find. Refuses with TooLarge where they would
        have to search too far. `top`: images of the top-level Targets."""
        whole = Targets(
            version=1,
            expires=self.now,
            images=dict(top),
            delegations=self.after.delegations,
        )
        for role in changed:
            for number, entry in self.after.targets[role].images.items():
                if not says(self.after.find(whole, number, entry.hardware), entry):
                    self.sentences.append(
                        f"NOT found: vehicles do not find image {number} as role {role} lists it;"
                        " another role has to agree, or has the first word"
                    )


def check_terms(made: Targets, version: int, terms: Terms, now: int) -> None:
    """A role file, which comes after `version`, keeps to what was agreed, else WrongVersion,
    LivesTooLong."""
    if made.version > version + VERSION_STEP_MAX:
        raise WrongVersion(
            f"role {made.number}: {made.version} came after {version}, more than"
            f" {VERSION_STEP_MAX} versions at once"
        )
    if made.expires > now + terms.lifetime_s + SLACK_S:
        raise LivesTooLong(
            f"the file of role {made.number} is valid until {_day(made.expires)}, and"
            f" {terms.days} days were agreed"
        )


def says(found: Entry | None, entry: Entry) -> bool:
    """Whether `found` is `entry`, but for custom data (V-77)."""
    if found is None:
        return False
    return found.model_copy(update={"custom": {}}) == entry.model_copy(update={"custom": {}})


def _below(role: int, targets: Mapping[int, Targets]) -> set[int]:
    """The roles to which a role hands on, directly or not."""
    seen: set[int] = set()
    waiting = [role]
    while waiting:
        made = targets.get(waiting.pop())
        for delegation in () if made is None else made.delegations:
            fresh = [number for number in delegation.numbers() if number not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
    return seen


def _delegates(role: int, deliveries: Deliveries) -> list[Delegate]:
    listed = [*deliveries.delegations]
    for targets in deliveries.targets.values():
        listed.extend(targets.delegations)
    return [one for delegation in listed for one in delegation.roles if one.number == role]


def _day(seconds: int) -> str:
    """A day in UTC; far away, the seconds themselves."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
