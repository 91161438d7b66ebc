"""What an ECU has against what it is told to have."""

from claims import raises
from maker import BRAKE, DOOR, GATEWAY, entry_of
from uptane.errors import ReleaseTooFar, UnknownEcu
from uptane.ids import ALG_SHA256, BUNDLE_TOGETHER, KEY_BUNDLE, TARGETS
from uptane.limits import RELEASE_STEP_MAX
from uptane.meta.decision import Installed, check_entry
from uptane.meta.policy import DEVICE
from uptane.meta.targets import Entry
from vehicle import Full, Partial, Primary, updated

NUMBER = 7


def test_an_image_is_the_entrys_by_number_and_digest_alike():
    """V-63, T-18: neither a neighbouring number nor a digest above or below will do."""
    made = entry_of(2, 3)
    entry = Entry(NUMBER, made, False)
    digest = entry.hashes[ALG_SHA256]
    assert Installed(NUMBER, digest, 3).is_entry(entry)
    for number in (NUMBER - 1, NUMBER + 1):
        assert not Installed(number, digest, 3).is_entry(entry)
    for other in (bytes(32), b"\xff" * 32):
        assert not Installed(NUMBER, other, 3).is_entry(entry)


def test_an_image_of_a_lower_number_is_no_image_used_again():
    """V-63.5, T-53: numbers say which image, releases which is newer."""
    entry = Entry(NUMBER, entry_of(2, 3), False)
    for number in (NUMBER - 1, NUMBER + 1):
        check_entry(DEVICE, entry, Installed(number, bytes(32), 3))


def test_a_release_counter_goes_up_by_no_more_than_a_step_from_anywhere():
    """E-16: the distance counts, not the digits."""
    for release in (0, 1, RELEASE_STEP_MAX - 1, 3 * RELEASE_STEP_MAX + 5):
        installed = Installed(NUMBER, bytes(32), release)
        for step in (0, 1, RELEASE_STEP_MAX - 1, RELEASE_STEP_MAX):
            check_entry(DEVICE, Entry(NUMBER + 1, entry_of(2, release + step), False), installed)
        far = Entry(NUMBER + 1, entry_of(2, release + RELEASE_STEP_MAX + 1), False)
        raises(ReleaseTooFar, check_entry, DEVICE, far, installed)


def test_a_bundle_with_an_ecu_that_the_vehicle_has_not_is_refused():
    """V-74.8, S-43: whoever leads it would wait for nobody."""
    oem, node = updated(Primary)
    bundle = [5, BUNDLE_TOGETHER, 2, [BRAKE, DOOR + 70]]
    oem.director.alter[TARGETS] = lambda fields: fields.update({KEY_BUNDLE: bundle})
    oem.publish(3)
    raises(UnknownEcu, node.refresh)


def test_directions_without_an_image_for_the_primary_itself_refuse_nothing():
    """V-60: only a Secondary has to say that there is nothing for it."""
    oem, node = updated(Primary)
    oem.publish(3)
    oem.direct({BRAKE: 3})
    decision = node.refresh()
    assert decision.refusal is None
    assert decision.new == [BRAKE]


def test_a_bundle_is_known_to_all_and_binding_for_its_members():
    """S-43, S-45: who leads it knows all members; everybody else, whether he is one."""
    bundle = [5, BUNDLE_TOGETHER, 2, [BRAKE, DOOR]]
    for kind, member in ((Primary, False), (Full, True), (Partial, True)):
        oem, node = updated(kind)
        oem.director.alter[TARGETS] = lambda fields: fields.update({KEY_BUNDLE: bundle})
        oem.publish(3)
        decision = node.refresh()
        assert decision.led == (5, 1, 2)
        assert list(decision.bundled) == [BRAKE, DOOR] and GATEWAY not in decision.bundled
        assert decision.bundle == (decision.led if member else None)
        oem.director.alter.clear()
        oem.publish(4)
        decision = node.refresh()
        assert decision.led is decision.bundle is None and list(decision.bundled) == []
