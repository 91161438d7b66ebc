"""How a supplier makes a delivery: packed where images are built, signed where the keys are.

The next file of his role lists what the one before did, and the new images; it is packed without
a signature and needs no key for it. Signing adds to whatever signatures are there, after it was
seen that the images are those that the file lists. For a supplier that does not sign, a delivery
is images alone. It sends nothing: how a delivery travels is for the two sides to agree on.
Rules: V-15, R-36, S-06, S-08, S-09.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from muptane.oem.archive import Delivery
from muptane.oem.envelopes import Context, cosign, draft_payload, read_sign, unsigned
from muptane.oem.errors import (
    ImageNumberUsed,
    Malformed,
    NoSigner,
    NotDelegated,
    TooLarge,
    UnknownImage,
    WrongPurpose,
)
from muptane.oem.fields import hashes_of
from muptane.oem.keys import Holders
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.offers import SIGNATURE_BYTES_MAX
from muptane.oem.supplier import Supplier
from muptane.oem.supplier_folder import SupplierFolder
from muptane.oem.targets import Entry, Targets
from muptane.oem.terms import Terms
from uptane import ids

TARGETS_BYTES_MAX = BYTES_MAX[ids.TARGETS]
Carried = Mapping[int, tuple[Entry, bytes]]  # images by number


@dataclass(frozen=True)
class Packing:
    """What goes into a delivery: `images`, numbers `withdrawn` that are listed no more, `included`
    deliveries of suppliers below, and `draft`, packed before and not sent, or refused."""

    images: Carried = field(default_factory=dict)
    withdrawn: Sequence[int] = ()
    included: Sequence[Delivery] = ()
    draft: Delivery | None = None


def pack(folder: SupplierFolder, packing: Packing, now: int) -> Delivery:
    """A delivery that nobody has signed yet. NotDelegated, ImageNumberUsed, UnknownImage,
    TooLarge."""
    terms = folder.terms
    _check_scope(packing.images, terms)
    images, files = dict(packing.images), {}
    if packing.draft is not None:
        images = {**carried(packing.draft), **images}
    if terms.signs:
        made = _draft(folder, packing, now)
        files[made.number, made.version] = unsigned(made.payload())
    elif packing.withdrawn or packing.included:
        raise Malformed("the car maker signs for this supplier: it delivers images only")
    for one in packing.included:
        images.update(carried(one))
        for line in one.contents.roles:
            files[line.role, line.version] = one.files[line.role]
    return Delivery.of((folder.card.supplier, terms.role), files, images)


def sign(folder: SupplierFolder, delivery: Delivery, passphrase: bytes) -> tuple[Delivery, int]:
    """With signatures by every key of the folder; how many there are now. WrongPurpose,
    WrongVersion, WrongPassphrase, NoSigner, UnknownImage."""
    terms = folder.terms
    if not terms.signs:
        raise NoSigner("the car maker signs for this supplier; send the delivery as it is")
    made = _file_of(delivery, terms.role)
    for number, raw in delivery.images.items():
        entry = made.images.get(number)
        if entry is not None and entry.hashes != hashes_of(raw):
            raise UnknownImage(f"image {number} in it is not the one that its metadata lists")
    context = Context(ids.TARGETS, bytes.fromhex(terms.repository), terms.role)
    signers = folder.signers(passphrase)
    signed = cosign(delivery.files[terms.role], signers, context, TARGETS_BYTES_MAX)
    folder.keep(made, signed)
    files = {(one.role, one.version): delivery.files[one.role] for one in delivery.contents.roles}
    files[made.number, made.version] = signed
    whole = Delivery.of((delivery.contents.supplier, terms.role), files, carried(delivery))
    return whole, len(read_sign(signed, TARGETS_BYTES_MAX)[1])


def carried(delivery: Delivery) -> dict[int, tuple[Entry, bytes]]:
    """The images of a delivery with what it says of them."""
    entries = delivery.entries
    return {number: (entries[number], raw) for number, raw in delivery.images.items()}


def _draft(folder: SupplierFolder, packing: Packing, now: int) -> Targets:
    """The next file of his role."""
    terms, known = folder.terms, folder.newest()
    version = known.version if known is not None else 0
    listed = dict(known.images) if known is not None else {}
    if packing.draft is not None:
        drafted = _file_of(packing.draft, terms.role)
        version, listed = max(version, drafted.version - 1), dict(drafted.images)
    for number in packing.withdrawn:
        if listed.pop(number, None) is None:
            raise UnknownImage(f"image {number} is not on the list, so it cannot be taken off")
    for number, (entry, _) in packing.images.items():
        if listed.setdefault(number, entry) != entry:
            raise ImageNumberUsed(f"image {number} is something else already")
    identity = bytes.fromhex(terms.repository)
    supplier = Supplier(terms.role, Holders(1, ()), identity, terms.lifetime_s)
    supplier.version = version
    try:
        made = supplier.draft(listed, now, folder.below())
    except ValidationError as fault:
        raise TooLarge(f"one file cannot say that: {fault.errors()[0]['msg']}") from fault
    found = len(made.payload()) + terms.threshold * SIGNATURE_BYTES_MAX
    if found > TARGETS_BYTES_MAX:
        raise TooLarge(
            f"the list of {len(listed)} images has {found} of {TARGETS_BYTES_MAX} bytes; take old"
            " ones off with --withdraw"
        )
    return made


def _file_of(delivery: Delivery, role: int) -> Targets:
    """The file of a role in a delivery, signed or not."""
    if role not in delivery.files:
        raise WrongPurpose(f"there is no file of role {role} in this delivery")
    return Targets.from_payload(draft_payload(delivery.files[role], TARGETS_BYTES_MAX))


def _check_scope(images: Carried, terms: Terms) -> None:
    """Refuse here what the car maker would refuse: NotDelegated."""
    for number, (entry, _) in images.items():
        if not any(first <= number <= last for first, last in terms.ranges):
            ranges = ", ".join(f"{first}-{last}" for first, last in terms.ranges)
            raise NotDelegated(f"image {number} is not in {ranges}, which role {terms.role} has")
        if terms.hardware is not None and not set(entry.hardware) <= set(terms.hardware):
            raise NotDelegated(f"image {number} is for hardware that role {terms.role} has not")
