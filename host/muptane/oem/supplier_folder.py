"""What a first-tier supplier keeps, in one folder: his card, his keys, the terms, what he signed.

`card.json` goes to the car maker, whose answer becomes `terms.json`; `keys` are encrypted at rest;
`signed` has every file that was signed here, and the newest is what the next one begins with. If
several people have to sign, each has a folder of his own. It packs and signs nothing: see
`packing`.
Rules: V-15, R-36, R-37, S-08.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from muptane.oem.delegations import Delegation, read_delegations, write_delegations
from muptane.oem.encoding import decode, encode
from muptane.oem.envelopes import read_sign
from muptane.oem.errors import (
    AlreadyRegistered,
    Malformed,
    NotDelegated,
    NoTerms,
    WrongPurpose,
    WrongVersion,
)
from muptane.oem.keys import Signer
from muptane.oem.keystore import Cost, KeyStore
from muptane.oem.metadata import BYTES_MAX
from muptane.oem.offers import Offer
from muptane.oem.storage import Disk
from muptane.oem.targets import Targets
from muptane.oem.terms import Card, Terms, delegate_of
from uptane import ids, limits

CONTACT = "contact"
KEY = "sign"
TARGETS_BYTES_MAX = BYTES_MAX[ids.TARGETS]


class SupplierFolder:
    """In `folder`, which `create` makes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.card = Card.read(folder / "card.json")

    @classmethod
    def create(
        cls, folder: Path, name: str, shares: tuple[int, int], secret: tuple[bytes, Cost | None]
    ) -> "SupplierFolder":
        """`shares`: (threshold, keys) of the role, (0, 0) for whom the car maker signs; `secret`:
        passphrase, and what a guess of it costs. AlreadyRegistered, Malformed."""
        if folder.exists() and any(folder.iterdir()):
            raise AlreadyRegistered(f"{folder} is not empty")
        threshold, count = shares
        if not (1 <= threshold <= count <= limits.SIGNATURES_MAX or shares == (0, 0)):
            raise Malformed(f"{threshold} of {count} keys: 1 to {limits.SIGNATURES_MAX} can sign")
        keyring = KeyStore(folder / "keys", *secret)
        contact, signers = Signer.generate(), [Signer.generate() for _ in range(count)]
        try:
            card = Card(
                supplier=name,
                threshold=threshold,
                keys=tuple(signer.key.public.hex() for signer in signers),
                contact=contact.key.public.hex(),
            )
        except ValidationError as fault:
            raise Malformed(f"not a card: {fault.errors()[0]['msg']}") from fault
        keyring.save(CONTACT, contact)
        for number, signer in enumerate(signers, 1):
            keyring.save(f"{KEY}-{number}", signer)
        (folder / "signed").mkdir()
        _write(folder / "card.json", card.write())
        return cls(folder)

    @property
    def terms(self) -> Terms:
        """NoTerms: the car maker has given none yet."""
        path = self._folder / "terms.json"
        if not path.exists():
            raise NoTerms(f"there are no terms in {self._folder} yet")
        return Terms.read(path)

    def join(self, terms: Terms) -> None:
        """Work by these terms from now on. WrongPurpose: for another role or repository."""
        if terms.signs is not bool(self.card.keys):
            raise Malformed("the terms and the card do not agree on who signs")
        if (self._folder / "terms.json").exists():
            known = self.terms
            if (known.role, known.repository) != (terms.role, terms.repository):
                raise WrongPurpose(f"this folder is role {known.role} of {known.maker} already")
        _write(self._folder / "terms.json", terms.write())

    def newest(self) -> Targets | None:
        """What was signed here last."""
        found = [self._read_signed(path) for path in self._signed()]
        return max(found, key=lambda made: made.version, default=None)

    def delegate(self, offer: Offer) -> list[Terms]:
        """Leave a part to others, from the next packing on; returns their terms. NotDelegated: it
        is not his to leave."""
        terms = self.terms
        for party in offer.parties:
            if not party.signs:
                raise Malformed(f"role {party.role} has no keys, and only the car maker signs")
        roles = tuple(
            delegate_of(party.role, party.agreed_threshold(), list(party.cards))
            for party in offer.parties
        )
        made = offer.delegation(roles)
        for first, last in made.ranges:
            if not any(low <= first and last <= high for low, high in terms.ranges):
                raise NotDelegated(f"images {first}-{last} are not all role {terms.role}'s")
        wider = made.hardware is None or not set(made.hardware) <= set(terms.hardware or ())
        if terms.hardware is not None and wider:
            raise NotDelegated(f"role {terms.role} has hardware {_listed(terms.hardware)} only")
        below = (*self.below(), made)
        _write(self._folder / "below.cbor", encode(write_delegations(below)))
        return [offer.terms(party, bytes.fromhex(terms.repository)) for party in offer.parties]

    def keep(self, made: Targets, raw: bytes) -> None:
        """A file that was signed here. WrongVersion: another one of this version was."""
        path = self._folder / "signed" / f"{made.version}.targets.{made.number}.cbor"
        if path.exists() and self._read_signed(path) != made:
            raise WrongVersion(f"another version {made.version} was signed here already")
        _write(path, raw)

    def signers(self, passphrase: bytes) -> list[Signer]:
        """The keys of the role that are here. WrongPassphrase."""
        kept = self._keys(passphrase)
        return [kept[name] for name in kept if name.startswith(KEY)]

    def contact(self, passphrase: bytes) -> Signer:
        """The key that vouches for hashes."""
        return self._keys(passphrase)[CONTACT]

    def _keys(self, passphrase: bytes) -> Mapping[str, Signer]:
        return KeyStore(self._folder / "keys", passphrase).signers()

    def below(self) -> tuple[Delegation, ...]:
        """What is left to others."""
        path = self._folder / "below.cbor"
        if not path.exists():
            return ()
        return read_delegations(decode(path.read_bytes(), TARGETS_BYTES_MAX))

    def _signed(self) -> list[Path]:
        return sorted((self._folder / "signed").glob("*.cbor"))

    def _read_signed(self, path: Path) -> Targets:
        return Targets.from_payload(read_sign(path.read_bytes(), TARGETS_BYTES_MAX)[0])


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    disk, draft = Disk(), path.with_name(path.name + ".draft")
    disk.write(draft, content)
    disk.replace(draft, path)
    disk.settle(path.parent)
