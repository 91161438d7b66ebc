"""Where an image stands below the top-level Targets: the back office's own search.

It is written from the Standard and apart from the device's, so that a test can hold one against
the other. It serves the office too: whoever uploads a delegated file is asked, for each image in
it, whether some way from the top leads there. Files are given already verified; a file that
cannot be had ends a search, as it does on a device (T-22).
Rules: V-76, V-77, R-06, T-22..T-25, T-41, E-38, E-57, E-58, E-59, E-91.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.errors import NotDelegated, TooLarge
from muptane.oem.targets import Entry, Targets
from uptane import limits

Read = Callable[[Delegate], Targets]  # the file of a role by these keys, or an OemRefusal


class _Over(Exception):
    """A terminating delegation yielded nothing."""


@dataclass
class _Way:
    """One independent search: the roles it has seen; `visits` is shared by all of one lookup."""

    seen: list[int]
    visits: list[int]

    def enters(self, role: int, depth: int) -> bool:
        if role in self.seen:
            return False
        self.visits.append(role)
        if depth > limits.DELEGATION_DEPTH_MAX or len(self.visits) > limits.DELEGATION_VISITS_MAX:
            raise TooLarge(f"too many delegations on the way to role {role}")
        self.seen.append(role)
        return True


def find_image(top: Targets, read: Read, number: int, hardware: Iterable[int]) -> Entry | None:
    """What the repository says of an image meant for all of `hardware`, or None.

    Refuses like `read` for an applicable file, and TooLarge beyond the bounds of devices.
    """
    if number in top.images:
        return top.images[number]
    lookup = _Lookup(read, number, tuple(hardware))
    try:
        return lookup.below(top, _Way([], []), 1)
    except _Over:
        return None


class _Lookup:
    def __init__(self, read: Read, number: int, hardware: tuple[int, ...]) -> None:
        self._read = read
        self._number = number
        self._hardware = hardware

    def below(self, targets: Targets, way: _Way, depth: int) -> Entry | None:
        for delegation in targets.delegations:
            if not delegation.covers(self._number, self._hardware):
                continue
            if delegation.agreement is None:
                found = self._inside(delegation, delegation.roles[0], way, depth)
            else:
                found = self._agreed(delegation, way, depth)
            if found is not None:
                return found
            if delegation.terminating:
                raise _Over
        return None

    def _inside(
        self, delegation: Delegation, role: Delegate, way: _Way, depth: int
    ) -> Entry | None:
        if not way.enters(role.number, depth):
            return None
        targets = self._read(role)
        if self._number in targets.images:
            return targets.images[self._number]
        return None if delegation.terminating else self.below(targets, way, depth + 1)

    def _agreed(self, delegation: Delegation, way: _Way, depth: int) -> Entry | None:
        answers: list[Entry] = []
        for role in delegation.roles:
            try:
                found = self._inside(delegation, role, _Way([*way.seen], way.visits), depth)
            except _Over:
                continue
            if found is not None:
                answers.append(found.model_copy(update={"custom": {}}))
        needed = delegation.agreement or 1
        return next((answer for answer in answers if answers.count(answer) >= needed), None)


def delegates_of(
    top: Targets, files: dict[int, Targets], number: int, hardware: Iterable[int]
) -> set[int]:
    """The roles that some way from the top lets speak for this image. `files`: role -> file; each
    is looked at once, since the ways to it may be too many to go (E-57)."""
    found: set[int] = set()
    seen: set[int] = set()
    level = [top]
    for _ in range(limits.DELEGATION_DEPTH_MAX + 1):
        below: set[int] = set()
        for delegation in (one for targets in level for one in targets.delegations):
            if delegation.covers(number, hardware):
                found.update(delegation.numbers())
                below.update(() if delegation.terminating else delegation.numbers())
        level = [files[role] for role in sorted(below - seen) if role in files]
        seen |= below
    return found


def check_scope(top: Targets, files: dict[int, Targets], upload: Targets) -> None:
    """Refuse with NotDelegated an upload that lists an image which is not its role's (R-06)."""
    for number, entry in upload.images.items():
        if upload.number not in delegates_of(top, files, number, entry.hardware):
            raise NotDelegated(f"image {number} is not role {upload.number}'s to list")
