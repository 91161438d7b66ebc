"""What the car maker leaves to suppliers: from their cards to a delegation, contracts and terms.

One role, or several that have to agree; image numbers that no other supplier has; perhaps only
some hardware. Nothing is published here: a delegation waits for the first files of its roles
(T-41). Keys are taken as the cards say: that they are the suppliers' own was made sure of before,
by reading the words of the cards aloud.
Rules: V-15, V-16, V-17, R-36, R-37, R-38, S-08, T-25.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from muptane.oem.contracts import agreements, record_contracts
from muptane.oem.delegations import Delegate, Delegation, Range
from muptane.oem.errors import BadKey, Malformed, TooLarge
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Inventory
from muptane.oem.keys import Holders, Key
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.proxy import Keys, key_name
from muptane.oem.targets import Targets
from muptane.oem.terms import Card, Terms, delegate_of
from uptane import ids, limits

SIGNATURE_BYTES_MAX = 128  # of one signature with its headers, in an envelope


@dataclass(frozen=True)
class Party:
    """One role of an offer: `threshold` (None: what the only card says) of the cards' keys."""

    role: int
    cards: tuple[Card, ...]
    threshold: int | None = None

    @property
    def signs(self) -> bool:
        return any(card.keys for card in self.cards)

    def agreed_threshold(self) -> int:
        """Of several cards, all have to sign unless somebody says how many."""
        if self.threshold is not None:
            return self.threshold
        return self.cards[0].threshold if len(self.cards) == 1 else len(self.cards)


@dataclass(frozen=True)
class Offer:
    """What `maker` leaves to `parties`: images of `ranges` on `hardware` (None: all), signed for
    `days` at most. `agreement`: how many of several parties have to say the same. `vouches`: each
    delivery needs a second channel."""

    maker: str
    parties: tuple[Party, ...]
    ranges: tuple[Range, ...]
    hardware: tuple[int, ...] | None = None
    agreement: int | None = None
    terminating: bool = False
    days: int = 90
    vouches: bool = False

    def delegation(self, delegates: tuple[Delegate, ...]) -> Delegation:
        """Malformed: ranges that meet, a threshold that cannot be met, ..."""
        several = len(self.parties) if len(self.parties) > 1 else None
        try:
            return Delegation(
                ranges=self.ranges,
                roles=delegates,
                hardware=self.hardware,
                terminating=self.terminating,
                agreement=several if self.agreement is None else self.agreement,
            )
        except ValidationError as fault:
            raise Malformed(f"not a delegation: {fault.errors()[0]['msg']}") from fault

    def terms(self, party: Party, repository: bytes) -> Terms:
        """For one of the parties. Malformed."""
        try:
            return Terms(
                maker=self.maker,
                supplier=party.cards[0].supplier,
                role=party.role,
                repository=repository.hex(),
                ranges=self.ranges,
                hardware=self.hardware,
                days=self.days,
                threshold=party.agreed_threshold() if party.signs else 1,
                signs=party.signs,
                vouches=self.vouches or not party.signs,
            )
        except ValidationError as fault:
            raise Malformed(f"not terms: {fault.errors()[0]['msg']}") from fault


def agree(offer: Offer, images: ImageRepository, inventory: Inventory, keys: Keys, now: int) -> (
    list[Terms]
):  # fmt: skip
    """Contracts with all parties; returns the terms to give each. AlreadyRegistered, BadKey,
    Malformed, RangeTaken, TooLarge."""
    for party in offer.parties:
        if not party.cards:
            raise Malformed(f"role {party.role} has no card")
    terms = [offer.terms(party, images.identity) for party in offer.parties]
    known = [agreed.delegation for agreed in agreements(inventory).values()]
    used = {key for made in known for role in made.roles for key in role.keys}
    used |= set(images.authority.root.keys())
    made = offer.delegation(tuple(_delegate(party, keys, used) for party in offer.parties))
    _check_room([*known, made], images)
    contacts = [Key(bytes.fromhex(party.cards[0].contact)) for party in offer.parties]
    record_contracts(inventory, made, list(zip(terms, contacts, strict=True)), now)
    return terms


def _delegate(party: Party, keys: Keys, used: set[Key]) -> Delegate:
    """The role as a delegation names it; the office makes the key of a party that has none."""
    if not party.signs:
        known = keys.keyring.signers().get(key_name(party.role))
        made = known if known is not None else keys.make(key_name(party.role))
        return Delegate.of(party.role, Holders.of(made))
    delegate = delegate_of(party.role, party.agreed_threshold(), list(party.cards))
    if shared := used & set(delegate.keys):
        kid = min(key.kid for key in shared).hex()
        raise BadKey(f"key {kid} signs for another role already, and each role has its own")
    used.update(delegate.keys)
    return delegate


def _check_room(delegations: list[Delegation], images: ImageRepository) -> None:
    """Refuse with TooLarge a delegation that the top-level Targets could not hold."""
    try:
        whole = Targets(
            version=limits.VERSION_MAX,
            expires=2**40,
            images=dict(images.images),
            delegations=tuple(dict.fromkeys(delegations)),
        )
    except ValidationError as fault:
        raise TooLarge(f"no room for one more delegation: {fault.errors()[0]['msg']}") from fault
    signers = len(images.authority.holders[ids.TARGETS].keys)
    found = len(whole.payload()) + signers * SIGNATURE_BYTES_MAX
    if found > BYTES_MAX[ids.TARGETS]:
        raise TooLarge(
            f"with it the top-level Targets would have {found} bytes; vehicles take"
            f" {BYTES_MAX[ids.TARGETS]}"
        )
