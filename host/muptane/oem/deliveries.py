"""What suppliers delivered to the Image repository: delegated files, checked before they count.

A file is taken if everyone who delegates to its role names keys that signed it, its version rises,
it is not expired, and each image in it is its role's to list. A Deliveries never changes: taking
files makes a new one, and a refusal leaves nothing behind. It publishes nothing.
Rules: V-15, V-74, R-06, R-36, R-43, V-85, E-37, E-38, E-56, E-91, T-41, T-53.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from muptane.oem.check import verify_role
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.envelopes import Context, read_sign
from muptane.oem.errors import (
    Expired,
    ImageNumberUsed,
    Malformed,
    NotDelegated,
    UnknownImage,
    WrongVersion,
)
from muptane.oem.fields import hashes_of
from muptane.oem.lookup import check_scope, find_image
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.targets import Entry, Targets
from uptane import ids


@dataclass(frozen=True)
class Deliveries:
    """For the repository of `identity`. `delegations`: those of its top-level Targets, by
    priority; `files` and `targets`: the newest file of each delegated role, as it came and
    read."""

    identity: bytes
    delegations: tuple[Delegation, ...] = ()
    files: Mapping[int, bytes] = field(default_factory=dict)
    targets: Mapping[int, Targets] = field(default_factory=dict)

    @classmethod
    def reopened(
        cls, identity: bytes, delegations: tuple[Delegation, ...], raws: Mapping[int, bytes]
    ) -> "Deliveries":
        """What stood before, verified: `raws` are files by role, also of roles long ended."""
        made = cls(identity, delegations)
        waiting = dict(raws)
        while ready := {one.number for one in made._delegates()} & set(waiting):
            for role in sorted(ready):
                made = made._with_file(waiting.pop(role), 0)
        return made.accepted((), 0)

    def delegated(self, delegation: Delegation, raws: Iterable[bytes], now: int) -> "Deliveries":
        """With one delegation more, of the lowest priority, and the first files of its roles:
        devices never see a delegation without a file (T-41)."""
        return replace(self, delegations=(*self.delegations, delegation)).accepted(raws, now)

    def accepted(self, raws: Iterable[bytes], now: int) -> "Deliveries":
        """With newer files, whoever delegates before those he delegates to.

        Refuses with NotDelegated, WrongVersion, Expired, ImageNumberUsed, Malformed, and like
        `check.verify_role`.
        """
        made = self
        for raw in raws:
            made = made._with_file(raw, now)
        for delegate in made._delegates():
            if delegate.number not in made.files:
                raise NotDelegated(f"role {delegate.number} is delegated to and has no file")
            made._verify(made.files[delegate.number], delegate)  # by keys that may be new
        return made

    def ended(self, role: int) -> "Deliveries":
        """Without the top-level delegations to a role, and without its file (R-43)."""
        left = tuple(made for made in self.delegations if role not in made.numbers())
        if left == self.delegations:
            raise NotDelegated(f"nothing is delegated to role {role}")
        files = {number: raw for number, raw in self.files.items() if number != role}
        targets = {number: self.targets[number] for number in files}
        return replace(self, delegations=left, files=files, targets=targets)

    def versions(self) -> dict[int, int]:
        """Role -> version, for the Snapshot."""
        return {role: targets.version for role, targets in self.targets.items()}

    def find(self, top: Targets, number: int, hardware: Iterable[int]) -> Entry | None:
        """What a device finds below `top`."""
        return find_image(top, lambda role: self.targets[role.number], number, hardware)

    def entry(self, number: int, content: bytes) -> Entry:
        """What a delegated file says of this image, else UnknownImage."""
        hashes = hashes_of(content)
        for entry in self.entries(number):
            if entry.length == len(content) and entry.hashes == hashes:
                return entry
        raise UnknownImage(f"no delivered file lists image {number} like this")

    def entries(self, number: int) -> list[Entry]:
        """What the delegated files say of an image, wherever it stands."""
        known = self.targets.values()
        return [targets.images[number] for targets in known if number in targets.images]

    def _delegates(self) -> list[Delegate]:
        """Everyone whom anyone delegates to, as often as that is."""
        listed = [*self.delegations]
        for targets in self.targets.values():
            listed.extend(targets.delegations)
        return [delegate for delegation in listed for delegate in delegation.roles]

    def _with_file(self, raw: bytes, now: int) -> "Deliveries":
        claimed = Targets.from_payload(read_sign(raw, BYTES_MAX[ids.TARGETS])[0])
        role = claimed.number
        delegates = [delegate for delegate in self._delegates() if delegate.number == role]
        if not delegates:
            raise NotDelegated(f"nothing is delegated to role {role}")
        for delegate in delegates:
            self._verify(raw, delegate)
        known = self.targets.get(role)
        if known is not None and claimed.version <= known.version:
            raise WrongVersion(f"role {role}: {claimed.version} came after {known.version}")
        if claimed.expires <= now:
            raise Expired(f"the file of role {role} has expired")
        top = Targets(version=1, expires=now, images={}, delegations=self.delegations)
        check_scope(top, {**self.targets, role: claimed}, claimed)
        self._check_numbers(claimed)
        return replace(
            self,
            files={**self.files, role: raw},
            targets={**self.targets, role: claimed},
        )

    def _verify(self, raw: bytes, delegate: Delegate) -> None:
        context = Context(ids.TARGETS, self.identity, delegate.number)
        made = verify_role(raw, delegate.keys, delegate.threshold, context)
        if not isinstance(made, Targets) or made.vehicle is not None:
            raise Malformed("not the Targets of a supplier")

    def _check_numbers(self, upload: Targets) -> None:
        """An image number names one release (V-85, T-53), whoever lists it."""
        for number, entry in upload.images.items():
            for known in self.entries(number):
                if known.as_map() != entry.as_map():
                    raise ImageNumberUsed(f"image {number} is something else already")
