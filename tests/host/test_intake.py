"""Deliveries: what is theirs is published and can be assigned, anything else is refused and told.

Each refusal is one lie in a delivery that would have been good; nothing of it is published, it
stands in the record with its reason, and the honest delivery goes in afterwards.
"""

import pytest
from oem_vehicle import BRAKE, NOW, Vehicle
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from supplied import BRAKES, PASSPHRASE, WIPERS, Trade, image

from muptane.oem import errors
from muptane.oem.archive import Delivery
from muptane.oem.authority import DAY_S
from muptane.oem.contracts import REFUSED, TAKEN
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.fields import sha256
from muptane.oem.hash_list import by_words, digest_of
from muptane.oem.keys import Holders, Signer
from muptane.oem.packing import Packing, carried, pack
from muptane.oem.spoken import read_aloud
from muptane.oem.targets import entry_of
from uptane import ids
from uptane.limits import RELEASE_STEP_MAX, VERSION_MAX

STRANGERS = [Signer.from_seed(b"strangers", name) for name in "ab"]


@pytest.fixture
def trade(tmp_path):
    made = Trade(tmp_path)
    yield made
    made.office.close()


def test_what_a_supplier_signs_is_published_and_assigned(trade):
    """R-06, S-03, S-05, S-06, S-08, S-13, S-14, R-36, V-15: and the vehicle is directed to it."""
    receipt = trade.receive(trade.brake())
    assert receipt.outcome == TAKEN and receipt.role == BRAKES and receipt.supplier == "Brakes Ltd"
    said = " ".join(receipt.sentences)
    for checked in ("archive:", "signatures:", "version:", "expiry:", "delegations:", "release:"):
        assert checked in said
    assert f"SHA-256 {sha256(b'brake 203').hex()}" in said and "NOT verified: nobody" in said
    assert trade.found(203, 20) == entry_of(b"brake 203", [20], 3)
    office, vehicle = trade.office, Vehicle()
    office.register_vehicle(vehicle.vin, vehicle.new())
    office.assign(vehicle.vin, BRAKE, 203)
    decision = office.accept_manifest(vehicle.vin, vehicle.manifest(office.director.identity))
    assert decision.directions == {BRAKE: 203}
    digest = sha256(b"brake 203")
    assert office.answer(vehicle.vin, ids.IMAGE, ids.KIND_IMAGE, 203, digest) == b"brake 203"


def test_the_next_delivery_adds_to_the_one_before(trade):
    """S-09, R-41: with a higher release; and takes old images off the list."""
    trade.receive(trade.brake())
    receipt = trade.receive(trade.brake(204, 4))
    assert "release: image 204 has 4 after 3" in receipt.sentences
    assert "version: role 20 has 2 after 1" in receipt.sentences
    assert trade.found(203, 20) and trade.found(204, 20)
    trade.receive(trade.signed(trade.brakes, Packing(withdrawn=[203])))
    assert trade.found(203, 20) is None and trade.found(204, 20)
    with pytest.raises(errors.ReleaseNotRaised):  # of what was withdrawn, too
        trade.receive(trade.brake(205, 3))


def altered(delivery: Delivery, **contents: object) -> Delivery:
    """Its contents say something else of it."""
    said = delivery.contents.model_copy(update=contents)
    return Delivery(said, said.model_dump_json().encode(), delivery.files, delivery.images)


def by_nobody(trade):
    return pack(trade.brakes, Packing(images={204: image(b"new", release=4)}), NOW)


def by_one_of_two(trade):
    return trade.forged({204: image(b"new", release=4)}, trade.brakes.signers(PASSPHRASE)[:1])


def without_metadata(trade):
    return Delivery.of(("Brakes Ltd", BRAKES), {}, {204: image(b"new", release=4)})


def not_in_the_archive(trade):
    entry, _ = image(b"new", release=4)
    return trade.forged({204: (entry, b"")})


def another_image(trade):
    made = trade.forged({204: image(b"new", release=4)})
    return Delivery.of(
        ("Brakes Ltd", BRAKES), {(BRAKES, 9): made.files[BRAKES]}, {204: image(b"bad", release=4)}
    )


def another_release(trade):
    made = trade.forged({204: image(b"new", release=4)})
    files = {(BRAKES, 9): made.files[BRAKES]}
    return Delivery.of(("Brakes Ltd", BRAKES), files, {204: image(b"new", release=5)})


def below_a_stranger(trade):
    below = Delegation(ranges=((290, 299),), roles=(Delegate.of(77, Holders.of(STRANGERS[0])),))
    return trade.forged({}, delegations=(below,))


def of_the_other_supplier(trade):
    made = trade.forged(new())
    files = {(BRAKES, 9): made.files[BRAKES]}
    return Delivery.of(("Wipers SA", WIPERS), files, carried(made))


def new(**more):
    return {204: image(b"new", **{"release": 4, **more})}


LIES = {
    "unsigned": (by_nobody, errors.BelowThreshold),
    "half signed": (by_one_of_two, errors.BelowThreshold),
    "by strangers": (lambda trade: trade.forged(new(), STRANGERS), errors.BelowThreshold),
    "without metadata": (without_metadata, errors.BelowThreshold),
    "replayed": (lambda trade: trade.forged(new(), version=1), errors.WrongVersion),
    "versions used up": (
        lambda trade: trade.forged(new(), version=VERSION_MAX),
        errors.WrongVersion,
    ),
    "expired": (lambda trade: trade.forged(new(), expires=NOW), errors.Expired),
    "for ever": (
        lambda trade: trade.forged(new(), expires=NOW + 92 * DAY_S),
        errors.LivesTooLong,
    ),
    "number": (lambda trade: trade.forged({300: image(b"new", release=4)}), errors.NotDelegated),
    "hardware": (lambda trade: trade.forged(new(hardware=(20, 30))), errors.NotDelegated),
    "reused": (lambda trade: trade.forged({203: image(b"new")}), errors.ImageNumberUsed),
    "release": (lambda trade: trade.forged(new(release=3)), errors.ReleaseNotRaised),
    "leap": (
        lambda trade: trade.forged(new(release=4 + RELEASE_STEP_MAX)),
        errors.ReleaseLeap,
    ),
    "image withheld": (not_in_the_archive, errors.UnknownImage),
    "image exchanged": (another_image, errors.UnknownImage),
    "contents lie": (another_release, errors.Malformed),
    "role without file": (below_a_stranger, errors.NotDelegated),
    "other supplier": (of_the_other_supplier, errors.Malformed),
    "no contract": (
        lambda trade: altered(trade.forged(new()), role=77),
        errors.NotDelegated,
    ),
    "no zip": (lambda trade: b"PK but not for long", errors.Malformed),
}


@pytest.fixture(scope="module")
def lied_to(tmp_path_factory):
    """One office for all lies, since none leaves anything behind."""
    made = Trade(tmp_path_factory.mktemp("lies"))
    made.receive(made.brake())
    yield made
    made.office.close()


@pytest.mark.parametrize("lie", LIES)
def test_what_is_wrong_is_refused_and_recorded(lied_to, lie):
    """R-06, S-05, S-13, R-36, S-09, E-16, E-37, E-38, E-56, E-91."""
    make, refusal = LIES[lie]
    trade = lied_to
    before, delivery = trade.files(), make(trade)
    with pytest.raises(refusal) as refused:
        trade.receive(delivery)
    last = trade.history()[-1]
    assert (last.outcome, last.refusal) == (REFUSED, refusal.__name__)
    assert last.sentences == (str(refused.value),)
    raw = delivery if isinstance(delivery, bytes) else delivery.write()
    assert last.sha256 == sha256(raw)
    assert trade.files() == before


def test_lies_leave_nothing_behind(trade):
    """E-91, T-17: the honest delivery goes in after them, in the same office and in another."""
    trade.receive(trade.brake())
    for make, refusal in LIES.values():
        with pytest.raises(refusal):
            trade.receive(make(trade))
    assert trade.receive(trade.brake(204, 4)).outcome == TAKEN
    trade.reopen()
    assert len(trade.history()) == len(LIES) + 2
    assert trade.receive(trade.brake(206, 5)).outcome == TAKEN


def test_the_record_of_deliveries_stays_as_it_was_written(trade):
    """R-32, E-90, E-91."""
    trade.receive(trade.brake())
    with pytest.raises(errors.OemRefusal):
        trade.receive(b"")
    for table in ("arrivals", "arrivals_ended", "contracts", "delegations"):
        with trade.office.inventory.begin() as session, pytest.raises(IntegrityError):
            session.execute(text(f"DELETE FROM {table}"))
    assert [one.outcome for one in trade.history()] == [TAKEN, REFUSED]


# --- the office signs --------------------------------------------------------------------------


def test_the_office_signs_for_a_supplier_that_does_not(trade):
    """S-08, S-10, S-11, R-36: with a key of that role, when the hashes are vouched for."""
    delivery = trade.wiper()
    with pytest.raises(errors.Unconfirmed):
        trade.receive(delivery)
    receipt = trade.receive(delivery, trade.vouched(delivery))
    assert receipt.outcome == TAKEN and "second channel: the list" in receipt.sentences[-1]
    assert trade.found(400, 40) == entry_of(b"wiper 400", [40], 1)
    role = trade.office.images.deliveries.targets[WIPERS]
    assert role.number == WIPERS and trade.office.images.images == {}
    trade.reopen()
    second = trade.wiper(401, 2)
    trade.receive(second, trade.vouched(second))
    assert trade.found(400, 40) and trade.found(401, 40)
    with pytest.raises(errors.ImageNumberUsed):
        trade.receive(second, trade.vouched(second))


def test_the_office_lists_for_nobody_what_is_not_his(trade):
    """S-09, R-36, E-38."""
    first = trade.wiper()
    trade.receive(first, trade.vouched(first))
    for images, refusal in (
        ({500: image(b"new", (40,), 2)}, errors.NotDelegated),
        ({401: image(b"new", (40,), 1)}, errors.ReleaseNotRaised),
        ({400: image(b"new", (40,), 2)}, errors.ImageNumberUsed),
        ({}, errors.Malformed),
    ):
        lie = Delivery.of(("Wipers SA", WIPERS), {}, images)
        with pytest.raises(refusal):
            trade.receive(lie, trade.vouched(lie))


def test_what_the_office_signs_for_others_is_signed_again_in_time(trade):
    """R-36, E-53: else every vehicle would refuse it after 90 days."""
    delivery = trade.wiper()
    trade.receive(delivery, trade.vouched(delivery))
    trade.clock += 40 * DAY_S
    trade.office.intake.refresh()
    assert trade.office.images.deliveries.versions()[WIPERS] == 1
    trade.clock += 10 * DAY_S
    trade.office.intake.refresh()
    made = trade.office.images.deliveries.targets[WIPERS]
    assert made.version == 2 and made.expires == trade.clock + 90 * DAY_S and 400 in made.images


# --- the second channel -------------------------------------------------------------------------


def test_a_list_of_hashes_is_of_this_delivery_and_by_the_contact(trade):
    """S-10, S-11: or nothing is taken; the release that the office would sign is covered, too."""
    delivery = trade.wiper()
    other = Delivery.of(("Wipers SA", WIPERS), {}, {400: image(b"wiper 400", (40,), 9)})
    more = Delivery.of(
        ("Wipers SA", WIPERS), {}, {**carried(delivery), 401: image(b"more", (40,), 2)}
    )
    for lie in (other, more, trade.wiper(401)):
        with pytest.raises(errors.HashesDiffer):
            trade.receive(delivery, trade.vouched(lie))
    trade.wipers = trade.brakes  # whose contact is another one
    with pytest.raises(errors.HashesDiffer):
        trade.receive(delivery, trade.vouched(delivery))


def test_words_that_are_read_aloud_confirm_a_delivery(trade):
    """S-10, S-12: as somebody types what he hears."""
    delivery = trade.wiper()
    words = read_aloud(digest_of(delivery))
    asked = []

    def hear(count):
        asked.append(count)
        return words.upper().replace(" ", "-")

    for wrong in (words[:-6], words + " babab", words.replace(words[:5], "babab"), ""):
        with pytest.raises(errors.HashesDiffer):
            trade.receive(delivery, by_words(lambda count, wrong=wrong: wrong))
    assert trade.receive(delivery, by_words(hear)).outcome == TAKEN and asked == [16]


def test_a_supplier_that_signs_can_have_to_vouch_besides(trade):
    """S-10."""
    locks = trade.supplier("Locks", (1, 1))
    trade.hire(locks, 25, ((600, 699),), vouches=True)
    delivery = trade.signed(locks, Packing(images={600: image(b"lock", (30,))}))
    with pytest.raises(errors.Unconfirmed):
        trade.receive(delivery)
    assert trade.history()[-1].refusal == "Unconfirmed" and trade.found(600, 30) is None
    trade.wipers = locks
    assert trade.receive(delivery, trade.vouched(delivery)).outcome == TAKEN
