"""Who may deliver what: several roles that agree, roles below, people who sign together.

What is left to suppliers is refused where devices could not use it, or where two could say
different things of one image.
"""

import pytest
from oem_vehicle import BRAKE, NOW, Vehicle
from supplied import BRAKES, PASSPHRASE, Trade, image

from muptane.oem import errors
from muptane.oem.archive import Delivery
from muptane.oem.contracts import HELD, TAKEN, agreements
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Cost
from muptane.oem.lookup import check_scope
from muptane.oem.offers import Offer, Party
from muptane.oem.packing import Packing, carried, pack, sign
from muptane.oem.supplier_folder import SupplierFolder
from muptane.oem.targets import Targets
from muptane.oem.terms import Card
from uptane import limits


@pytest.fixture
def trade(tmp_path):
    made = Trade(tmp_path)
    yield made
    made.office.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """One office for all offers that come to nothing."""
    made = Trade(tmp_path_factory.mktemp("offers"))
    yield made
    made.office.close()


def panel(trade, agreement=2):
    """Three suppliers of images 700 to 799, the third of whom does not sign."""
    three = [trade.supplier(f"Panel {one}", (1, 1)) for one in (1, 2)]
    three.append(trade.supplier("Panel 3", (0, 0)))
    parties = tuple(
        Party(role, (who.card,)) for role, who in zip((30, 31, 32), three, strict=True)
    )
    offer = Offer("Maker", parties, ((700, 799),), agreement=agreement)
    for who, terms in zip(three, trade.office.intake.agree(offer), strict=True):
        who.join(terms)
    return three


def test_a_delegation_to_several_waits_for_the_first_file_of_each(trade):
    """T-41, V-17, V-77, T-25: then an image counts as soon as enough of them say the same."""
    one, two, _ = panel(trade)
    images = {700: image(b"seat", (50,))}
    first = trade.signed(one, Packing(images=images))
    before = trade.files()
    with pytest.raises(errors.StillWaiting):
        trade.receive(first)
    assert trade.receive(trade.signed(one, Packing(withdrawn=[700]))).outcome == HELD
    assert trade.files() == before
    trade.reopen()
    with pytest.raises(errors.BelowThreshold):
        trade.receive(pack(two, Packing(), NOW))
    receipt = trade.receive(trade.signed(two, Packing(images=images)))
    assert receipt.outcome == TAKEN and trade.found(700, 50) is None
    assert any(said.startswith("NOT found:") for said in receipt.sentences)
    with pytest.raises(errors.UnknownImage):
        trade.office.register_vehicle("VIN1", Vehicle().new())
        trade.office.assign("VIN1", BRAKE, 700)
    trade.receive(trade.signed(one, Packing(images=images)))
    assert trade.found(700, 50) == images[700][0]
    (made,) = [made for made in trade.office.images.deliveries.delegations if 30 in made.numbers()]
    assert made.agreement == 2 and made.numbers() == [30, 31, 32]


def test_a_supplier_hands_on_what_is_his_and_delivers_for_those_below(trade):
    """V-15, S-08: delegations travel with the metadata."""
    pads = trade.supplier("Pads GmbH", (1, 1))
    offer = Offer("Brakes Ltd", (Party(21, (pads.card,)),), ((290, 299),), hardware=(20,))
    with pytest.raises(errors.NotDelegated):
        trade.brakes.delegate(Offer("Brakes Ltd", offer.parties, ((290, 300),), hardware=(20,)))
    with pytest.raises(errors.NotDelegated):
        trade.brakes.delegate(Offer("Brakes Ltd", offer.parties, ((290, 299),)))
    (terms,) = trade.brakes.delegate(offer)
    pads.join(terms)
    refused = trade.brake()
    with pytest.raises(errors.NotDelegated):
        trade.receive(refused)  # role 21 has no file yet
    pad = trade.signed(pads, Packing(images={290: image(b"pad")}))
    receipt = trade.receive(trade.brake(204, 3, included=[pad], draft=refused))
    assert "delegations: role 20 leaves a part to role 21" in receipt.sentences
    assert all(trade.found(number, 20) for number in (203, 204, 290))
    only = trade.signed(pads, Packing(images={291: image(b"pad 2", release=4)}))
    alone = Delivery.of(("Brakes Ltd", BRAKES), {(21, 2): only.files[21]}, carried(only))
    trade.receive(alone)
    assert trade.found(291, 20)
    foreign = trade.supplier("Locks", (1, 1))
    trade.hire(foreign, 25, ((600, 699),))
    lock = trade.signed(foreign, Packing(images={600: image(b"lock", (30,))}))
    trade.receive(lock)
    again = trade.signed(foreign, Packing())
    smuggled = Delivery.of(("Brakes Ltd", BRAKES), {(25, 2): again.files[25]}, {})
    with pytest.raises(errors.NotDelegated):
        trade.receive(smuggled)


def test_delegations_that_multiply_are_looked_at_once_each():
    """E-57, T-23: seven files, each of which leaves everything to all of them, sixteen times over,
    are seen through as soon as any seven are."""
    roles = tuple(
        Delegate.of(role, Holders.of(Signer.from_seed(b"many", f"{role}")))
        for role in range(20, 27)
    )
    all_of_it = Delegation(ranges=((0, 999),), roles=roles, agreement=1)
    images = {number: image(b"image")[0] for number in range(50)}
    said = {"version": 1, "expires": NOW + 1, "delegations": (all_of_it,) * 16}
    files = {role: Targets(number=role, images=images, **said) for role in range(20, 27)}
    top = Targets(images={}, **said)
    for targets in files.values():
        check_scope(top, files, targets)
    with pytest.raises(errors.NotDelegated):
        check_scope(top, files, Targets(number=30, images=images, **said))


def test_two_people_sign_with_folders_of_their_own(trade):
    """R-36, R-37, R-38."""
    anna, ben = (trade.supplier(name, (1, 1)) for name in ("Anna", "Ben"))
    offer = Offer("Maker", (Party(26, (anna.card, ben.card)),), ((800, 899),))
    (terms,) = trade.office.intake.agree(offer)
    anna.join(terms)
    ben.join(terms)
    drafted = pack(anna, Packing(images={800: image(b"horn", (60,))}), NOW)
    half, count = sign(anna, drafted, PASSPHRASE)
    assert (count, terms.threshold) == (1, 2)
    with pytest.raises(errors.BelowThreshold):
        trade.receive(half)
    whole, count = sign(ben, half, PASSPHRASE)
    assert count == 2 and sign(anna, whole, PASSPHRASE)[0] == whole
    assert trade.receive(whole).outcome == TAKEN


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"ranges": ((290, 310),)}, errors.RangeTaken),
        ({"ranges": ((290, 310),), "hardware": (21, 22)}, errors.RangeTaken),
        ({"role": BRAKES}, errors.AlreadyRegistered),
        ({"role": 3}, errors.Malformed),
        ({"ranges": ((900, 950), (940, 990))}, errors.Malformed),
        ({"days": 1000}, errors.Malformed),
        ({"threshold": 3}, errors.Malformed),
    ],
)
def test_what_is_left_to_a_supplier_can_be_kept(asked, more, refusal, tmp_path):
    """R-36, V-16, E-42, T-27."""
    who = SupplierFolder.create(tmp_path, "New", (1, 1), (PASSPHRASE, Cost.cheap()))
    fields = {"ranges": ((900, 950),), **more}
    party = Party(fields.pop("role", 27), (who.card,), fields.pop("threshold", None))
    with pytest.raises(refusal):
        asked.office.intake.agree(Offer("Maker", (party,), **fields))
    assert 27 not in agreements(asked.office.inventory)


def test_more_than_a_delivery_can_say_is_refused():
    """T-52."""
    with pytest.raises(errors.Malformed):
        Delivery.of(("Many", 20), {(role, 1): b"" for role in range(20, 30)}, {})
    with pytest.raises(errors.Malformed):
        Delivery.of(("Many", 20), {}, {2**32: image(b"no such number")})


def test_no_key_is_of_two_roles(asked):
    """R-37."""
    with pytest.raises(errors.BadKey):
        offer = Offer("Maker", (Party(27, (asked.brakes.card,)),), ((900, 950),))
        asked.office.intake.agree(offer)


def test_there_are_no_more_suppliers_than_a_device_takes(asked):
    """T-23, T-52: the top-level Targets has to hold them all."""
    taken = len(agreements(asked.office.inventory))
    with pytest.raises(errors.TooLarge):
        for number in range(limits.KEYS_MAX):
            keys = (Signer.generate().key.public.hex(),)
            contact = Signer.generate().key.public.hex()
            card = Card(supplier="Many", threshold=1, keys=keys, contact=contact)
            ranges = ((1000 + number, 1000 + number),)
            asked.office.intake.agree(Offer("Maker", (Party(100 + number, (card,)),), ranges))
    assert taken < len(agreements(asked.office.inventory)) <= limits.DELEGATIONS_MAX
