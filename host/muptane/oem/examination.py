"""From a delivery to what would be published of it, without changing anything.

Finds the contract, signs for a supplier that does not, gathers the first files of a delegation
that waits for them, and has `Deliveries`, `Inspection` and the second channel look at the whole;
the last is asked when all else is good, since it costs somebody a telephone call. The result is a
`Plan`; carrying it out is `intake`'s.
Rules: V-15, R-06, R-36, S-05, S-08, S-10, S-13, T-41, T-53, E-91.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from muptane.oem.archive import Delivery
from muptane.oem.check import verify_role
from muptane.oem.contracts import Agreement, agreement_of, agreements, held_files
from muptane.oem.envelopes import Context, is_signed
from muptane.oem.errors import (
    BelowThreshold,
    Expired,
    ImageNumberUsed,
    Malformed,
    StillWaiting,
)
from muptane.oem.hash_list import Confirmation, check_confirmed
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inspection import Inspection, check_terms, says
from muptane.oem.inventory import Image, Inventory
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.proxy import Keys, sign_for
from muptane.oem.targets import Entry, Targets
from uptane import ids

UNCONFIRMED = "NOT verified: nobody confirmed the hashes by a second channel (--hashes, --words)"


@dataclass(frozen=True)
class Plan:
    """What a delivery would publish: `raws`, role files by role, and its images; or `held`, a
    first file that waits for others. `sentences`: what was verified."""

    delivery: Delivery
    agreement: Agreement
    raws: dict[int, bytes]
    held: bytes
    sentences: list[str]


@dataclass(frozen=True)
class Examination:
    """At time `now`, of what stands in a repository and an inventory."""

    images: ImageRepository
    inventory: Inventory
    keys: Keys
    now: int

    def plan(self, delivery: Delivery, confirm: Confirmation) -> Plan:
        """Refuses with whatever is wrong with the delivery."""
        agreement = agreement_of(self.inventory, delivery.contents.role)
        own = self._own_files(delivery, agreement)
        sentences = [f"archive: {len(delivery.named())} files of the sizes and hashes it names"]
        before, raws = self.images.deliveries, own
        if agreement.delegation in before.delegations:
            after = before.accepted(own.values(), self.now)
        else:
            first = self._first_files(agreement, own)
            missing = [role for role in agreement.delegation.numbers() if role not in first]
            if missing:
                sentences.append(self._waits(delivery, agreement, missing))
                sentences.append(_confirmed(delivery, agreement, confirm))
                return Plan(delivery, agreement, {}, own[agreement.terms.role], sentences)
            raws = first | own
            after = before.delegated(agreement.delegation, raws.values(), self.now)
        seen = Inspection(delivery, agreement, before, after, self.now, sentences)
        self._inspect(seen, own)
        sentences.append(_confirmed(delivery, agreement, confirm))
        return Plan(delivery, agreement, raws, b"", sentences)

    def _inspect(self, seen: Inspection, own: Iterable[int]) -> None:
        roles = list(own)
        seen.roles(roles, set(agreements(self.inventory)) - {seen.agreement.terms.role})
        known, confidential = self._known()
        for role in roles:
            for number, entry in seen.after.targets[role].images.items():
                there = known.get(number)
                if number in confidential or (there is not None and not says(there, entry)):
                    raise ImageNumberUsed(f"image {number} is something else already")
        seen.images(roles, known, self._content)
        seen.found(roles, self.images.images)

    def _own_files(self, delivery: Delivery, agreement: Agreement) -> dict[int, bytes]:
        """The role files that count, by role: the supplier's, or the office's for him."""
        role = agreement.terms.role
        if agreement.terms.signs:
            if not delivery.files:
                raise BelowThreshold(f"there is no metadata in it, and role {role} signs his own")
            for other, raw in delivery.files.items():
                if not is_signed(raw, BYTES_MAX[ids.TARGETS]):
                    raise BelowThreshold(f"nobody has signed the file of role {other} yet")
            return dict(delivery.files)
        if delivery.files:
            raise Malformed(f"there is metadata in it, and the car maker signs for role {role}")
        if not delivery.images:
            raise Malformed("there is nothing in it")
        known = self.images.deliveries.targets.get(role)
        listed = dict(known.images) if known is not None else {}
        for number, entry in delivery.entries.items():
            if listed.get(number, entry) != entry:
                raise ImageNumberUsed(f"image {number} is something else already")
        if not set(delivery.entries) - set(listed):
            raise ImageNumberUsed("every image in it was taken already")
        listed.update(delivery.entries)
        return {role: sign_for(agreement.terms, self.keys, known, listed, self.now)}

    def _first_files(self, agreement: Agreement, own: dict[int, bytes]) -> dict[int, bytes]:
        """Of the roles of a delegation that waits, those that are here, in its order."""
        agreed = agreements(self.inventory)
        found = held_files(self.inventory, agreement.delegation.numbers())
        for role in agreement.delegation.numbers():
            if role in own:
                found[role] = own[role]
            elif not agreed[role].terms.signs:
                found[role] = sign_for(agreed[role].terms, self.keys, None, {}, self.now)
        return {role: found[role] for role in agreement.delegation.numbers() if role in found}

    def _waits(self, delivery: Delivery, agreement: Agreement, missing: list[int]) -> str:
        """The first file of a role whose delegation waits is good by itself."""
        roles = " and ".join(map(str, missing))
        role = agreement.terms.role
        if delivery.images or set(delivery.files) != {role}:
            raise StillWaiting(f"role {roles} still owes its first file")
        (delegate,) = [one for one in agreement.delegation.roles if one.number == role]
        context = Context(ids.TARGETS, self.images.identity, role)
        made = verify_role(delivery.files[role], delegate.keys, delegate.threshold, context)
        if not isinstance(made, Targets) or made.images or made.delegations:
            raise StillWaiting(f"it lists something, and role {roles} still owes its first file")
        if made.expires <= self.now:
            raise Expired(f"the file of role {role} has expired")
        check_terms(made, 0, agreement.terms, self.now)
        return (
            f"signatures: role {role} is signed by {delegate.threshold} or more of the"
            f" {len(delegate.keys)} keys that were agreed; it waits for role {roles}"
        )

    def _known(self) -> tuple[dict[int, Entry], set[int]]:
        """Every image of the inventory, and which are confidential."""
        with self.inventory.begin() as session:
            images = list(session.scalars(select(Image)))
            entries = {image.number: image.entry(()) for image in images}
            return entries, {image.number for image in images if image.confidential}

    def _content(self, number: int, digest: bytes) -> bytes | None:
        return self.images.read(ids.KIND_IMAGE, number, digest)


def _confirmed(delivery: Delivery, agreement: Agreement, confirm: Confirmation) -> str:
    said = confirm(delivery, agreement.contact)
    if agreement.terms.vouches:
        return f"second channel: {check_confirmed(said)}"
    return UNCONFIRMED if said is None else f"second channel: {said}"
