"""What suppliers deliver: taken if it is theirs, refused as a whole if anything in it is not."""

from itertools import pairwise

import pytest
from grammar import conforms
from oem_vehicle import NOW

from muptane.oem.delegations import Delegation
from muptane.oem.envelopes import read_sign
from muptane.oem.errors import (
    BelowThreshold,
    Expired,
    ImageNumberUsed,
    NotDelegated,
    OemRefusal,
    TooLarge,
    UnknownImage,
    WrongVersion,
)
from muptane.oem.fields import sha256
from muptane.oem.image_repository import ImageRepository
from muptane.oem.keys import Holders, Signer
from muptane.oem.storage import MemoryStore
from muptane.oem.supplier import LIFETIME_S, Supplier
from muptane.oem.targets import Targets, entry_of
from uptane import ids

SIGNERS = [Signer.from_seed(b"supplier tests", name) for name in "rtsg"]
HOLDERS = {role: Holders.of(signer) for role, signer in enumerate(SIGNERS)}
BRAKE, LINING = 20, 21


def entry(content: bytes = b"brake 3", hardware: tuple[int, ...] = (20,)):
    return entry_of(content, hardware, 3)


class Trade:
    """A repository, a supplier of brakes for images 200 to 299, and one below him from 290 on."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.repository = ImageRepository.create(self.store, HOLDERS, NOW)
        self.brake = self.supplier(BRAKE)
        self.lining = self.supplier(LINING)
        self.below = Delegation(ranges=((290, 299),), roles=(self.lining.delegate,))

    def supplier(self, number: int, name: str = "") -> Supplier:
        signer = Signer.from_seed(b"supplier tests", f"{number}{name}")
        return Supplier(number, Holders.of(signer), self.repository.identity)

    def delegation(self, **more: object) -> Delegation:
        fields = {"ranges": ((200, 299),), "hardware": (20, 21)}
        return Delegation(roles=(self.brake.delegate,), **{**fields, **more})

    def begin(self) -> None:
        raws = [
            self.brake.sign({203: entry()}, NOW, [self.below]),
            self.lining.sign({295: entry(b"lining")}, NOW),
        ]
        images = {203: b"brake 3", 295: b"lining"}
        self.repository.delegate(self.delegation(), raws, images, NOW)
        self.repository.publish(NOW)

    def newest(self, role: int) -> Targets:
        raw = self.repository.read(ids.KIND_METADATA, role, 0)
        conforms("role-file", raw)
        return Targets.from_payload(conforming_payload(raw))


def conforming_payload(raw: bytes) -> bytes:
    return read_sign(raw, 4096)[0]


@pytest.fixture
def trade():
    made = Trade()
    made.begin()
    return made


def test_what_suppliers_deliver_is_published(trade):
    """R-02, S-03, S-08, V-15, V-18, V-21, R-05."""
    repository = trade.repository
    assert "1.targets.20.cbor" in trade.store.names()
    assert repository.read(ids.KIND_METADATA, BRAKE, 1) == repository.read(0, BRAKE, 0)
    assert trade.newest(ids.TARGETS).images == {}
    assert trade.newest(ids.TARGETS).delegations == (trade.delegation(),)
    assert trade.newest(BRAKE).delegations == (trade.below,)
    assert repository.find(203, [20]) == entry() and repository.find(203, [30]) is None
    assert repository.find(295, [21]) == entry(b"lining") and repository.find(204, [20]) is None
    assert repository.read(ids.KIND_IMAGE, 203, sha256(b"brake 3")) == b"brake 3"


def test_a_repository_with_suppliers_is_opened_as_it_was_left(trade):
    again = ImageRepository.open(trade.store, SIGNERS)
    assert again.find(295, [20]) == entry(b"lining")
    again.deliver([trade.brake.sign({203: entry()}, NOW, [trade.below])], {}, NOW)
    again.publish(NOW)
    assert again.read(ids.KIND_METADATA, BRAKE, 2) is not None
    raw = trade.store.read("1.targets.21.cbor")
    for bad in (raw[:-1] + bytes([raw[-1] ^ 1]), b""):
        trade.store.publish({"1.targets.21.cbor": bad})
        with pytest.raises(OemRefusal):
            ImageRepository.open(trade.store, SIGNERS)


def test_the_maker_keeps_priority_and_numbers_stay_unique(trade):
    """V-85, T-53."""
    with pytest.raises(ImageNumberUsed):
        trade.repository.add_image(203, b"other", [20], 3)
    with pytest.raises(ImageNumberUsed):
        trade.repository.deliver(
            [trade.brake.sign({203: entry(b"new")}, NOW, [trade.below])], {203: b"new"}, NOW
        )


@pytest.mark.parametrize(
    ("images", "refusal"),
    [
        ({203: entry(), 300: entry(b"door")}, NotDelegated),
        ({203: entry(hardware=(20, 30))}, NotDelegated),
        ({295: entry(b"not the lining")}, ImageNumberUsed),
    ],
    ids=["number", "hardware", "reused"],
)
def test_nobody_lists_what_is_not_his(trade, images, refusal):
    """R-36, S-05, S-13, R-06, E-38, E-91: and nothing of the delivery is taken."""
    before = trade.repository.read(ids.KIND_METADATA, BRAKE, 0)
    with pytest.raises(refusal):
        trade.repository.deliver([trade.brake.sign(images, NOW, [trade.below])], {}, NOW)
    trade.repository.publish(NOW)
    assert trade.repository.read(ids.KIND_METADATA, BRAKE, 0) == before


def test_a_delivery_by_a_stranger_is_refused(trade):
    """S-13, E-37, E-56: another key, a role nobody delegates to, another repository."""
    stranger = trade.supplier(BRAKE, "stranger")
    stranger.version = 5
    foreign = Supplier(BRAKE, trade.brake.holders, bytes(32))
    foreign.version = 5
    for forger in (stranger, foreign):
        with pytest.raises(BelowThreshold):
            trade.repository.deliver([forger.sign({}, NOW)], {}, NOW)
    with pytest.raises(NotDelegated):
        trade.repository.deliver([trade.supplier(40).sign({}, NOW)], {}, NOW)
    director = Targets(version=9, expires=NOW + 9, images={}, vehicle="VIN1")
    with pytest.raises(OemRefusal):
        trade.repository.deliver([trade.repository.authority.sign(director)], {}, NOW)


def test_old_and_expired_deliveries_are_refused(trade):
    """S-13, R-36, E-12, E-56."""
    old = trade.repository.read(ids.KIND_METADATA, BRAKE, 1)
    with pytest.raises(WrongVersion):
        trade.repository.deliver([old], {}, NOW)
    with pytest.raises(Expired):
        trade.repository.deliver([trade.lining.sign({}, NOW - LIFETIME_S)], {}, NOW)


def test_a_role_without_a_file_is_not_delegated_to(trade):
    """T-41: devices would refuse the Snapshot that does not list it."""
    nobody = Delegation(ranges=((400, 499),), roles=(trade.supplier(40).delegate,))
    with pytest.raises(NotDelegated):
        trade.repository.delegate(nobody, [], {}, NOW)
    with pytest.raises(NotDelegated):
        nested = trade.below.model_copy(update={"roles": nobody.roles})
        trade.repository.deliver([trade.brake.sign({}, NOW, [nested])], {}, NOW)
    trade.repository.publish(NOW)
    assert len(trade.newest(ids.TARGETS).delegations) == 1


def test_new_keys_below_need_a_new_file_below(trade):
    """V-74.3: else every device would refuse the old one."""
    new = trade.supplier(LINING, "new")
    new.version = 1
    below = trade.below.model_copy(update={"roles": (new.delegate,)})
    with pytest.raises(BelowThreshold):
        trade.repository.deliver([trade.brake.sign({}, NOW, [below])], {}, NOW)
    raws = [trade.brake.sign({}, NOW, [below]), new.sign({295: entry(b"lining")}, NOW)]
    trade.repository.deliver(raws, {}, NOW)
    trade.repository.publish(NOW)
    assert trade.repository.find(295, [20]) == entry(b"lining")


def test_images_are_delivered_as_they_are_listed(trade):
    for number, content in ((203, b"other"), (204, b"brake 3")):
        with pytest.raises(UnknownImage):
            trade.repository.deliver([], {number: content}, NOW)


def test_the_word_of_a_supplier_can_be_taken_away(trade):
    """R-43, T-40: the Snapshot forgets him with the next keys of its own."""
    repository = trade.repository
    repository.end_delegation(BRAKE)
    repository.publish(NOW)
    assert repository.find(203, [20]) is None
    assert repository.read(ids.KIND_METADATA, BRAKE, 0) is not None
    with pytest.raises(NotDelegated):
        repository.end_delegation(BRAKE)
    repository.rotate({ids.TIMESTAMP: Holders.of(Signer(bytes([1]) * 32))}, NOW)
    assert repository.read(ids.KIND_METADATA, BRAKE, 0) is not None
    fresh = {role: Holders.of(Signer(bytes([role + 2]) * 32)) for role in (1, 2)}
    repository.rotate(fresh, NOW)
    assert repository.read(ids.KIND_METADATA, BRAKE, 0) is None
    assert ImageRepository.open(trade.store, SIGNERS).find(203, [20]) is None


def test_several_roles_have_to_agree_in_the_office_too():
    """V-77, T-25."""
    trade = Trade()
    three = [trade.supplier(number) for number in (30, 31, 32)]
    panel = Delegation(
        ranges=((200, 299),), roles=tuple(one.delegate for one in three), agreement=2
    )
    raws = [one.sign({203: entry()} if one.number > 31 else {}, NOW) for one in three]
    trade.repository.delegate(panel, raws, {203: b"brake 3"}, NOW)
    trade.repository.publish(NOW)
    assert trade.repository.find(203, [20]) is None
    trade.repository.deliver([three[0].sign({203: entry()}, NOW)], {}, NOW)
    trade.repository.publish(NOW)
    assert trade.repository.find(203, [20]) == entry()


def test_delegations_without_end_are_refused():
    """E-57, T-23."""
    trade = Trade()
    chain = [trade.supplier(number) for number in range(20, 26)]
    raws = [
        one.sign({}, NOW, [Delegation(ranges=((0, 999),), roles=(after.delegate,))])
        for one, after in pairwise(chain)
    ]
    raws.append(chain[-1].sign({}, NOW))
    first = Delegation(ranges=((0, 999),), roles=(chain[0].delegate,))
    trade.repository.delegate(first, raws, {}, NOW)
    trade.repository.publish(NOW)
    with pytest.raises(TooLarge):
        trade.repository.find(203, [20])
