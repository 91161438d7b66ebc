"""A bundle's leader and its ECUs, step by step: whenever it dies, all are new or all are old."""

from led import BUNDLE, ENDLESS, GATEWAY, NUMBERS, Directions, Vehicle
from uptane import cbor
from uptane.bundle import Leader, spent
from uptane.errors import BundleBroken, BundleUndone, Rotten
from uptane.ids import BOOT_REVERTED, BOOT_UNDONE, RECORD_BUNDLE, REPORT_BOOT, REPORT_BUNDLE


def undone(vehicle):
    assert vehicle.finish() == [1, 1, 1]
    assert BundleUndone.number in vehicle.noted and BundleBroken.number not in vehicle.noted


def decided():
    """A vehicle whose Primary has just decided, and told nobody."""
    vehicle = Vehicle()
    vehicle.lead()
    raw = None
    while raw is None or cbor.loads(raw)[1] == 0:
        assert vehicle.step()
        raw = vehicle.records.read(RECORD_BUNDLE)
    return vehicle


def test_all_confirm_or_none():
    """S-45: with an image of the Primary's own, and without."""
    vehicle = Vehicle()
    vehicle.lead()
    assert vehicle.finish() == [2, 2, 2] and vehicle.noted == []
    vehicle = Vehicle(own=False)
    vehicle.lead()
    assert vehicle.finish() == [1, 2, 2] and vehicle.noted == []
    for bad in (GATEWAY,) + NUMBERS:
        vehicle = Vehicle(fails=(bad,))
        vehicle.lead()
        undone(vehicle)
        for part in [vehicle] + vehicle.peers:
            said = part.flash.slots.boot_state()
            assert said == BOOT_REVERTED if part.ecu == bad else said != BOOT_REVERTED


def test_a_leader_that_dies_at_any_step_finishes_or_undoes():
    """S-45: before it has decided all go back, after it all go on."""
    for own in (True, False):
        outcomes = []
        for steps in range(ENDLESS):
            vehicle = Vehicle(own)
            vehicle.lead()
            over = False
            for _ in range(steps):
                over = not vehicle.step()
            if over:
                break
            vehicle.boot()
            found = vehicle.finish()
            assert found[1:] in ([1, 1], [2, 2]) and (not own or found[0] == found[1]), steps
            assert BundleBroken.number not in vehicle.noted
            outcomes.append(found[1])
        assert outcomes[0] == 1 and outcomes[-1] == 2
        if not own:  # a trial of its own goes on after a reset, so there it may be either
            assert outcomes == sorted(outcomes)


def test_an_ecu_that_is_reset_at_any_step_parts_nobody():
    """S-45, E-06."""
    for place in range(2):
        for steps in range(place, ENDLESS, 2):
            vehicle = Vehicle()
            vehicle.lead()
            over = False
            for _ in range(steps):
                over = not vehicle.step()
            if over:
                break
            vehicle.peers[place].boot()
            assert vehicle.finish() in ([1, 1, 1], [2, 2, 2]), steps


def test_nobody_tries_anything_unless_all_can():
    """S-45, T-35."""
    for lacking in ("staged", "on trial", "silent", "own"):
        vehicle = Vehicle()
        vehicle.lead()
        if lacking == "staged":
            vehicle.peers[0].staged = False
        elif lacking == "own":
            vehicle.verified = False
        else:
            directions = Directions([GATEWAY, 2])
            directions.entries[3] = 3  # it says that it has it already
            peer = vehicle.peers[1]
            peer.report = None
            if lacking == "on trial":
                peer.report = b"\x82" + cbor.dumps(cbor.dumps({REPORT_BOOT: 3}))
            vehicle.begin(vehicle.leader.lead(vehicle.peers, directions))
        undone(vehicle)
        assert [peer.flash.slots.tried() for peer in vehicle.peers] == [[], []]


def test_an_ecu_that_never_hears_of_the_decision_makes_the_bundle_broken():
    """S-45, E-06: it goes back when its time is over, and the Primary says so."""
    vehicle = decided()
    vehicle.peers[1].deaf = True
    assert vehicle.finish() == [2, 2, 1]
    assert vehicle.noted == [BundleBroken.number]
    assert vehicle.peers[1].flash.slots.boot_state() == BOOT_UNDONE


def test_an_ecu_that_answers_slowly_keeps_nobody_from_the_commit():
    """S-45, T-49: after the decision it costs the others seconds; before it, the bundle."""
    vehicle = decided()
    hostile, honest = vehicle.peers
    hostile.slow = True
    since_ms = vehicle.clock.now_ms
    while honest.trial.on:
        assert vehicle.step()
    assert honest.image() == 2 and honest.noted == []
    assert vehicle.clock.now_ms - since_ms < 20000
    vehicle = Vehicle()
    vehicle.lead()
    vehicle.peers[0].slow = True
    undone(vehicle)


def test_a_rollback_that_comes_too_late_is_said():
    """E-06: somebody else has said commit to one of them."""
    vehicle = Vehicle(fails=(3,))
    vehicle.lead()
    while not vehicle.peers[0].trial.held():
        assert vehicle.step()
    assert vehicle.peers[0].trial.settle(BUNDLE[0], True)
    assert vehicle.finish() == [1, 2, 1]
    assert vehicle.noted == [BundleUndone.number, BundleBroken.number]


def test_a_commit_to_the_primary_by_somebody_else_is_passed_on():
    """E-06: or, if the others cannot follow, it is said."""
    for rolled_back, runs, noted in (
        (False, [2, 2, 2], []),
        (True, [2, 1, 1], [BundleUndone.number, BundleBroken.number]),
    ):
        vehicle = Vehicle()
        vehicle.lead()
        while not vehicle.trial.held():
            assert vehicle.step()
        assert vehicle.trial.settle(BUNDLE[0], True)
        if rolled_back:
            assert vehicle.peers[0].trial.settle(BUNDLE[0], False)
        assert vehicle.finish() == runs and vehicle.noted == noted


class Rotted:
    """A Primary whose records cannot be read, as far as a leader begins with them."""

    def __init__(self):
        self.noted = []
        self.records = self

    def read(self, number):
        raise Rotten

    def note(self, number):
        self.noted.append(number)


def test_a_promise_that_cannot_be_read_is_none():
    """S-45: in doubt old."""
    ecu = Rotted()
    assert Leader(ecu).due_ms is None and ecu.noted == [Rotten.number]


def test_what_was_tried_as_often_as_allowed_is_not_fetched():
    """S-43, S-44: by what a Secondary says itself; whatever else it says there means nothing."""

    class Listed:
        number = 11

    class Reporting:
        ecu = 2
        report = None

    def said(tried, directions):
        directions.entries[2] = Listed
        Reporting.report = b"\x82" + cbor.dumps(cbor.dumps({REPORT_BUNDLE: tried}))
        return spent(Reporting, directions)

    directions = Directions([2], (7, 0, 2))
    assert said([7, 11, 2], directions)
    for tried in ([7, 11, 1], [8, 11, 2], [7, 12, 2], [7, 11], 7, b"", [[], 11, 2]):
        assert not said(tried, directions)
    assert not said([7, 11, 2], Directions([2], None))
    assert not said([7, 11, 2], Directions([2], (7, 0, 2), (3,)))
    assert not said([7, 11, 2], Directions([3], (7, 0, 2)))
    Reporting.report = None
    assert not spent(Reporting, directions)


def test_what_is_of_no_bundle_is_left_to_itself():
    """S-45: a Primary's own image, and that of a Secondary beside the bundle."""
    for fails, runs in (((), 2), ((2,), 1)):
        vehicle = Vehicle(fails=fails)
        vehicle.verified = True
        vehicle.begin(vehicle.leader.lead(vehicle.peers, Directions([1, 2, 3], BUNDLE, (2,))))
        while vehicle.task is not None:
            assert vehicle.verified
            vehicle.step()
        assert vehicle.trial.on  # its own image, which waits for nobody
        assert [peer.staged for peer in vehicle.peers] == [False, True]
        assert vehicle.peers[0].flash.slots.release() == runs
        assert vehicle.leader.due_ms is None
    for directions in (Directions([2], None), Directions([2], (7, 0, 1)), Directions([], BUNDLE)):
        vehicle = Vehicle()
        vehicle.verified = True
        for _ in vehicle.leader.lead(vehicle.peers, directions):
            raise AssertionError
        assert vehicle.verified
        assert [peer.staged for peer in vehicle.peers] == [True, True]
