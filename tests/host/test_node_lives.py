"""Nodes: resets and power, which end one life of an ECU and begin the next."""

from scripted import Rig, listen, record, said, sleep

from boards.unix import silicon
from muptane.bench.world import US


def resetting(sends=(), busy_us=0):
    def life():
        yield listen()
        yield sleep(until_us=1000)
        records = b"".join(record(*send, b"", at) for at, send in enumerate(sends))
        yield said(silicon.RESET, records, len(sends), busy_us=busy_us)

    return life


def quiet():
    yield sleep()


def test_a_reset_begins_a_new_life_after_the_boot_time():
    rig = Rig(resetting(busy_us=300), quiet).on()
    rig.node.boot_ns = 50_000 * US
    rig.run_until_us(2000)
    assert rig.interpreter.stops == 1
    rig.run_until_us(100_000)
    assert rig.interpreter.started_us == [0, 51_300]
    assert rig.node.resets == 1


def test_the_last_frames_of_a_life_leave_before_the_reset():
    rig = Rig(resetting([(100, 0x10)], busy_us=1000), quiet).on()
    rig.run_until_us(10_000)
    assert [can_id for _, can_id in rig.from_node()] == [0x10]


def test_frames_still_queued_when_a_reset_comes_are_lost():
    rig = Rig(resetting([(0, 0x300), (0, 0x301)], busy_us=150), quiet).on()
    rig.run_until_us(10_000)
    assert [can_id for _, can_id in rig.from_node()] == [0x300]


def test_a_new_life_knows_nothing_of_frames_and_filters_of_the_old_one():
    news = []

    def second():
        news.append((yield sleep(until_us=20_000)))
        yield sleep()

    rig = Rig(resetting(), second).on()
    rig.node.boot_ns = 5000 * US
    rig.send(2)
    for at_us in (3000, 10_000):
        rig.world.at(at_us * US, lambda: rig.send(2))
    rig.run_until_us(30_000)
    assert news[0].data == []


def test_power_that_goes_takes_everything_along_and_may_come_back():
    def life():
        yield listen()
        yield sleep([(0, 0x300, bytes(8)), (5000, 0x301, b"")], busy_us=6000, until_us=50_000)
        yield sleep([(0, 0x400, b"")])

    rig = Rig(life, life).on()
    rig.run_until_us(100)
    rig.node.power_off()
    rig.send(2)
    rig.run_until_us(20_000)
    assert rig.from_node() == []
    assert rig.interpreter.stops == 1
    rig.on()
    rig.run_until_us(60_000)
    assert [can_id for _, can_id in rig.from_node()] == [0x300, 0x301, 0x400]
    assert rig.interpreter.started_us == [0, 20_000]
    assert rig.node.resets == 0


def test_power_that_goes_during_a_reset_ends_it():
    rig = Rig(resetting(), quiet).on()
    rig.node.boot_ns = 5000 * US
    rig.run_until_us(2000)
    rig.node.power_off()
    rig.run_until_us(20_000)
    assert rig.interpreter.started_us == [0]
