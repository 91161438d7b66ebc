"""The office as signer for suppliers that do not sign: they deliver images, it makes the metadata.

Each such supplier still is a delegated role with images of its own; the key of that role is the
office's. So what he may list is bounded as for everybody else, and a supplier who begins to sign
gets a delegation to keys of his own. It believes what a delivery says of its images: whoever calls
has them confirmed by a second channel.
Rules: R-36, R-37, S-08, S-09.
"""

from collections.abc import Mapping
from typing import Protocol

from pydantic import ValidationError

from muptane.oem.errors import NoSigner, TooLarge
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Keyring
from muptane.oem.supplier import Supplier
from muptane.oem.targets import Entry, Targets
from muptane.oem.terms import Terms


class Keys(Protocol):
    """Where the office's signers are, and where new ones are made and kept."""

    keyring: Keyring

    def make(self, name: str) -> Signer: ...


def key_name(role: int) -> str:
    """Under which the office keeps the key with which it signs for a supplier."""
    return f"supplier.{role}.1"


def sign_for(
    terms: Terms, keys: Keys, known: Targets | None, images: Mapping[int, Entry], now: int
) -> bytes:
    """The file of a supplier's role after `known`, listing `images`. NoSigner, TooLarge."""
    signer = keys.keyring.signers().get(key_name(terms.role))
    if signer is None:
        raise NoSigner(f"the key with which the car maker signs for role {terms.role} is not here")
    identity = bytes.fromhex(terms.repository)
    supplier = Supplier(terms.role, Holders.of(signer), identity, terms.lifetime_s)
    supplier.version = known.version if known is not None else 0
    try:
        return supplier.sign(images, now, known.delegations if known is not None else ())
    except ValidationError as fault:
        said = fault.errors()[0]["msg"]
        raise TooLarge(f"the file of role {terms.role} cannot say that: {said}") from fault
