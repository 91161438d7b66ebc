"""The policy is data: what another record would choose, shown beside what devices ship."""

from claims import raises
from maker import GATEWAY
from uptane import errors
from uptane.ids import DIRECTOR, RECORD_METADATA, TARGETS
from uptane.meta import policy
from vehicle import Partial, updated


class Other(Partial):
    """A partial ECU with a record of its own."""

    def __init__(self, oem):
        super().__init__(oem)
        self.policy = policy.Policy()


def test_another_record_may_take_a_version_twice():
    """T-09"""
    oem, node = updated(Other)
    oem.director.versions[TARGETS] -= 1
    oem.publish(3)
    raises(errors.SameVersionDiffers, node.refresh)
    node.policy.t09_equal_version = policy.SAME_VERSION
    node.update()
    assert node.release() == 3


def test_another_record_may_keep_targets_whose_key_was_revoked():
    """T-12"""
    oem, node = updated(Other)
    node.policy.t12_falls_with[TARGETS] = ()
    oem.director.keys[TARGETS] = [bytes(32)]
    oem.director.rotate()
    del oem.director.files[TARGETS, 0]
    raises(errors.Withheld, node.refresh)
    assert RECORD_METADATA + TARGETS in node.records
    assert node.trusted(DIRECTOR).root.version == 2


def test_another_record_may_ask_for_the_vehicle_of_empty_targets_only():
    """T-18"""
    oem, node = updated(Other)
    node.policy.t18_vehicle = policy.EMPTY_TARGETS
    oem.director.vehicle = None
    oem.direct({GATEWAY: 3})
    assert node.refresh().refusal is errors.NoImage
    oem.direct({})
    raises(errors.WrongVehicle, node.refresh)


def test_another_record_may_take_fewer_roots_and_smaller_files():
    """T-23, T-52: what was taken stays."""
    oem, node = updated(Other)
    for _ in range(3):
        oem.director.rotate()
    oem.publish(3)
    bounds, node.policy.t23_search = node.policy.t23_search, (2, 0, 0, 0)
    raises(errors.TooLong, node.refresh)
    assert node.trusted(DIRECTOR).root.version == 3
    node.policy.t23_search = bounds
    node.policy.t52_bytes_max = (2048, 512, 1024, 100)
    raises(errors.TooLong, node.refresh)
    node.policy.t52_bytes_max = (2048, 512, 1024, 4096)
    node.update()
    assert node.release() == 3


def test_another_record_may_install_on_an_old_time():
    """T-28"""
    oem, node = updated(Other)
    node.fresh = False
    node.policy.t28_time_for_install = policy.ATTESTED_EVER
    oem.publish(3)
    node.update()
    assert node.release() == 3


def test_what_devices_ship_does_not_change():
    """T-09, T-12, T-18, T-23, T-28, T-34, T-52"""
    shipped, fresh = policy.DEVICE, policy.Policy()
    assert shipped.t09_equal_version == fresh.t09_equal_version == policy.SAME_PAYLOAD
    assert shipped.t12_falls_with == fresh.t12_falls_with
    assert shipped.t18_vehicle == fresh.t18_vehicle == policy.EVERY_TARGETS
    assert shipped.t28_time_for_install == fresh.t28_time_for_install == policy.ATTESTED_NOW
    assert shipped.t23_search == fresh.t23_search == (32, 4, 16, 16384)
    assert shipped.t52_bytes_max == fresh.t52_bytes_max == (2048, 512, 1024, 4096)
    assert shipped.t34_hashes == fresh.t34_hashes == (-16,)
