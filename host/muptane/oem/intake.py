"""What comes from suppliers goes through here: contracts, deliveries, and a record of each.

A delivery is taken as a whole, in three steps: its arrival is recorded with what was verified,
everything is published at once, the outcome is recorded. Killed in between, the office finds an
arrival without an outcome when it opens, and what is published tells which it was: before, or
after. What is refused is recorded with the reason, and leaves nothing else behind. It makes no
vehicle install anything.
Rules: R-06, R-17, R-32, R-36, S-05, S-06, S-13, S-14, T-17, E-91.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from muptane.oem import fleet, offers
from muptane.oem.archive import DELIVERY_BYTES_MAX, read_delivery
from muptane.oem.contract_tables import Arrival, ArrivalEnded
from muptane.oem.contracts import (
    HELD,
    INTERRUPTED,
    REFUSED,
    TAKEN,
    agreements,
    unfinished,
)
from muptane.oem.errors import OemRefusal
from muptane.oem.examination import Examination, Plan
from muptane.oem.hash_list import Confirmation
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inspection import says
from muptane.oem.inventory import Inventory
from muptane.oem.next_steps import plain
from muptane.oem.proxy import Keys, sign_for
from muptane.oem.terms import Terms
from uptane import ids

NAME_CHARS_MAX = 128
NOT_TAKEN = "the office stopped before it was published; receive it again"


@dataclass(frozen=True)
class Receipt:
    """What came of one delivery. `outcome`: TAKEN, HELD, REFUSED or INTERRUPTED; `sentences`: what
    was verified, or why it was not taken."""

    arrived_s: int
    name: str
    sha256: bytes
    supplier: str
    role: int | None
    outcome: str
    refusal: str
    sentences: tuple[str, ...]


def history(inventory: Inventory) -> list[Receipt]:
    """What came of every delivery, oldest first."""
    query = select(Arrival, ArrivalEnded).join(ArrivalEnded).order_by(Arrival.id)
    with inventory.begin() as session:
        return [
            Receipt(
                arrived_s=came.arrived_s,
                name=came.name,
                sha256=came.sha256,
                supplier=came.supplier,
                role=came.role,
                outcome=ended.outcome,
                refusal=ended.refusal,
                sentences=(ended.sentence,) if ended.sentence else tuple(came.verified),
            )
            for came, ended in session.execute(query)
        ]


class Intake:
    """Of one Image repository and one inventory; `keys` sign for suppliers that do not."""

    def __init__(
        self, images: ImageRepository, inventory: Inventory, keys: Keys, clock: Callable[[], int]
    ) -> None:
        self._images = images
        self._inventory = inventory
        self._keys = keys
        self._clock = clock

    def agree(self, offer: offers.Offer) -> list[Terms]:
        """Leave images to suppliers, with their first files. Refuses like `offers.agree`."""
        return offers.agree(offer, self._images, self._inventory, self._keys, self._clock())

    def receive(self, path: Path, confirm: Confirmation) -> Receipt:
        """Take a delivery, or hold the first file of a role that is not alone in its delegation.

        Refuses with whatever is wrong with it; that is recorded, and nothing else happened. When
        the disk fails, open the office again: it stands before or after.
        """
        raw, arrival = self._arrival(path)
        try:
            delivery = read_delivery(raw)
            arrival.role, arrival.supplier = delivery.contents.role, delivery.contents.supplier
            now = Examination(self._images, self._inventory, self._keys, self._clock())
            plan = now.plan(delivery, confirm)
            if not plan.held:
                self._add(plan)
        except OemRefusal as refusal:
            self._record(arrival, _ended(REFUSED, refusal))
            raise
        arrival.verified = plan.sentences
        if plan.held:
            self._record(arrival, _ended(HELD, held=plan.held))
            return history(self._inventory)[-1]
        versions = self._images.deliveries.versions()
        arrival.versions = [[role, versions[role]] for role in plan.raws]
        self._record(arrival)
        self._images.publish(self._clock())
        self.settle()
        return history(self._inventory)[-1]

    def settle(self) -> None:
        """Say of every arrival without an outcome what became of it, and make the images known
        that it brought."""
        with self._inventory.begin() as session:
            waiting = [(one.id, one.versions) for one in unfinished(session)]
        versions = self._images.deliveries.versions()
        for arrival, wanted in waiting:
            news = [versions.get(role, 0) >= version for role, version in wanted]
            done = bool(news) and all(news)
            if done:
                self._make_known(role for role, _ in wanted)
            ended = _ended(TAKEN) if done else _ended(INTERRUPTED)
            ended.arrival_id, ended.ended_s = arrival, self._clock()
            with self._inventory.begin() as session:
                session.add(ended)
                session.commit()

    def refresh(self) -> None:
        """Sign anew, for suppliers that do not, what has lived half of its life, and publish with
        a fresh Timestamp."""
        now, raws = self._clock(), []
        for role, agreement in agreements(self._inventory).items():
            known = self._images.deliveries.targets.get(role)
            if known is None or agreement.terms.signs:
                continue
            if known.expires - now < agreement.terms.lifetime_s // 2:
                raws.append(sign_for(agreement.terms, self._keys, known, known.images, now))
        self._images.deliver(raws, {}, now)
        self._images.publish(now)

    def _arrival(self, path: Path) -> tuple[bytes, Arrival]:
        """The file, as far as a delivery may be long, and the row of its arrival."""
        with path.open("rb") as file:
            raw = file.read(DELIVERY_BYTES_MAX + 1)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").digest()
            length = file.tell()
        arrival = Arrival(
            arrived_s=self._clock(),
            name=plain(path.name)[:NAME_CHARS_MAX],
            length=length,
            sha256=digest,
            role=None,
            supplier="",
            versions=[],
            verified=[],
        )
        return raw, arrival

    def _add(self, plan: Plan) -> None:
        """To what is published next."""
        raws, images = plan.raws.values(), plan.delivery.images
        delegation = plan.agreement.delegation
        if delegation in self._images.deliveries.delegations:
            self._images.deliver(raws, images, self._clock())
        else:
            self._images.delegate(delegation, raws, images, self._clock())

    def _record(self, arrival: Arrival, ended: ArrivalEnded | None = None) -> None:
        with self._inventory.begin() as session:
            session.add(arrival)
            session.flush()
            if ended is not None:
                ended.arrival_id, ended.ended_s = arrival.id, self._clock()
                session.add(ended)
            session.commit()

    def _make_known(self, roles: Iterable[int]) -> None:
        """Images that vehicles find now, to those who direct them (S-14)."""
        for role in roles:
            for number, entry in self._images.deliveries.targets[role].images.items():
                digest = entry.hashes.get(ids.ALG_SHA256, b"")
                there = self._images.read(ids.KIND_IMAGE, number, digest) is not None
                if there and says(self._images.find(number, entry.hardware), entry):
                    plainly = entry.model_copy(update={"custom": {}})
                    fleet.record_image(self._inventory, number, plainly)


def _ended(outcome: str, refusal: OemRefusal | None = None, held: bytes = b"") -> ArrivalEnded:
    sentence = NOT_TAKEN if outcome == INTERRUPTED else ""
    return ArrivalEnded(
        outcome=outcome,
        refusal="" if refusal is None else type(refusal).__name__,
        sentence=sentence if refusal is None else plain(str(refusal)),
        held=held,
    )
