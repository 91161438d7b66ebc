"""How the directions of several Directors become one decision."""

from claims import raises
from fleets import ALL, FLEET, OF_BRAKES, Three, Two
from maker import BRAKE, DOOR, GATEWAY, number_of
from uptane import errors
from uptane.ids import DIRECTOR, IMAGE, KEY_IMAGES, TARGETS
from uptane.meta.decision import Installed
from vehicle import Full, Primary, prove, updated

NEXT = number_of(BRAKE, 3)


class Divided(Two):
    """The fleet directs the brakes, the maker everything else."""

    def __init__(self):
        super().__init__()
        mappings = [[OF_BRAKES, [IMAGE, FLEET]], [ALL, [DIRECTOR, IMAGE]]]
        raw = self.charter(5, (DIRECTOR, IMAGE, FLEET), mappings)
        self.provision(raw, FLEET)

    def direct(self, releases):
        self.director.alter[TARGETS] = lambda fields: without(fields, BRAKE)
        self.fleet.alter[TARGETS] = lambda fields: without(fields, GATEWAY, DOOR)
        super().direct(releases)


def without(fields, *ecus):
    images = fields[KEY_IMAGES]
    fields[KEY_IMAGES] = {n: images[n] for n in images if n // 100 not in ecus}


def test_an_ecu_that_the_second_director_alone_names_has_an_image():
    """V-20, V-60, S-47: nothing is missing, whoever said it."""
    oem, node = updated(Full, Divided)
    oem.publish(3)
    decision = node.update()
    assert decision.refusal is None
    assert decision.new == [BRAKE] and node.release() == 3
    oem.direct({GATEWAY: 3})
    assert node.refresh().refusal is errors.NoImage


def test_what_several_directors_name_is_in_order():
    """V-47, S-47: by the ECU's number, whoever named it first."""
    oem, node = updated(Primary, Divided)
    oem.publish(3)
    assert node.refresh().new == [GATEWAY, BRAKE, DOOR]


def test_the_same_content_under_another_number_is_another_image():
    """S-47, E-83: Directors that name different images differ, even if the bytes do not."""

    def under(number):
        def renumber(fields):
            fields[KEY_IMAGES][number] = fields[KEY_IMAGES].pop(NEXT)

        def lie(oem):
            oem.fleet.alter[TARGETS] = renumber
            oem.publish(3)

        return lie

    for number in (NEXT - 2, NEXT + 50):
        prove(Full, under(number), errors.DirectorsDiffer, Three)
        prove(Primary, under(number), errors.DirectorsDiffer, Three)


def test_a_primary_holds_no_ecu_against_its_own_release():
    """T-21, V-75.10.2c: each ECU has a counter of its own, and numbers of ECUs have no order."""

    class Last(Primary):
        number = DOOR

    for kind, own in ((Primary, GATEWAY), (Last, DOOR)):
        oem, node = updated(kind)
        oem.publish(9)
        oem.direct({own: 9})
        node.update()
        assert node.release() == 9
        oem.publish(3)
        oem.direct({BRAKE: 3, own: 9})
        assert node.refresh().new == [BRAKE]
        oem.direct({own: 8})
        before = node.installed[own]
        assert isinstance(before, Installed) and before.release == 9
        oem.image.publish()
        raises(errors.ReleaseRollback, node.refresh)
