"""Nodes: what wakes an ECU, what it loses, and when its frames leave."""

import pytest
from scripted import BITRATE, FRAME_NS, Rig, Scripted, listen, sleep

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import frame_bits
from muptane.bench.interpreters import NodeDied
from muptane.bench.nodes import Node
from muptane.bench.world import US, World

# --- waking ----------------------------------------------------------------------------------


def test_a_node_sleeps_until_its_time():
    woken = []

    def life():
        for until_us in (1000, 2500, 2500):
            woken.append((yield sleep(until_us=until_us)).now_us)
        yield sleep()

    Rig(life).on().run_until_us(9000)
    assert woken == [1000, 2500, 2500]


def test_computing_moves_time_before_the_node_wakes_again():
    woken = []

    def life():
        yield listen()
        woken.append((yield sleep(until_us=100, busy_us=700)).now_us)
        woken.append((yield sleep(frames=1, busy_us=5000)).now_us)
        yield sleep()

    rig = Rig(life).on()
    rig.world.at(1000 * US, lambda: rig.send(1))
    rig.run_until_us(20_000)
    assert woken == [700, 5700]


def test_received_frames_may_wait_for_each_other():
    """Coalescing: eight frames cost one wake, in the order in which they came."""
    news = []

    def life():
        yield listen()
        news.append((yield sleep(frames=8)))
        news.append((yield sleep(frames=8, until_us=5000)))
        yield sleep()

    rig = Rig(life, rx_queue=16).on()
    rig.send(11)
    rig.run_until_us(10_000)
    assert [data[0] for data in news[0].data] == list(range(8))
    assert news[0].now_us == -(-rig.passed[7][0] // US)
    assert [data[0] for data in news[1].data] == [8, 9, 10]
    assert news[1].now_us == 5000
    assert rig.world.wakes == 3


def test_a_node_that_waits_for_no_frames_is_not_woken_by_them():
    news = []

    def life():
        yield listen()
        news.append((yield sleep(until_us=9000)))
        yield sleep()

    rig = Rig(life).on()
    rig.send(3)
    rig.run_until_us(10_000)
    assert (news[0].now_us, len(news[0].data)) == (9000, 3)


def test_frames_that_do_not_fit_into_one_exchange_come_with_the_next():
    counts = []

    def life():
        yield listen()
        news = yield sleep(until_us=10_000)
        while True:
            counts.append(len(news.data))
            news = yield sleep(frames=1)

    rig = Rig(life, rx_queue=40).on()
    rig.send(30)
    rig.run_until_us(20_000)
    assert counts == [16, 14]


def test_nothing_comes_in_before_the_filters_are_set():
    news = []

    def life():
        yield sleep(until_us=1000)
        yield listen([(0x200, 0x7FF)])
        news.append((yield sleep(until_us=5000)))
        yield sleep()

    rig = Rig(life).on()
    rig.send(2)
    rig.world.at(2000 * US, lambda: rig.send(1))
    rig.world.at(2000 * US, lambda: rig.send(1, 0x200))
    rig.run_until_us(6000)
    assert len(news[0].data) == 1


# --- losing ----------------------------------------------------------------------------------


def test_frames_that_find_no_room_are_lost_and_counted():
    news = []

    def life():
        yield listen()
        news.append((yield sleep(until_us=10_000)))
        news.append((yield sleep(frames=1)))
        yield sleep()

    rig = Rig(life, rx_queue=4).on()
    rig.send(7)
    rig.run_until_us(10_500)
    rig.send(1)
    rig.run_until_us(20_000)
    assert [data[0] for data in news[0].data] == [0, 1, 2, 3]
    assert (rig.node.overruns, news[0].overruns, news[1].overruns) == (3, 3, 3)
    assert len(news[1].data) == 1


# --- sending ---------------------------------------------------------------------------------


def test_frames_leave_when_the_slice_has_come_to_them():
    def life():
        yield sleep([(500, 0x10, b""), (900, 0x11, b"")], busy_us=1000)

    rig = Rig(life).on()
    rig.run_until_us(5000)
    lengths = [frame_bits(can_id, b"") * 2 for can_id in (0x10, 0x11)]
    assert rig.from_node() == [(500 + lengths[0], 0x10), (900 + lengths[1], 0x11)]


def test_a_node_is_woken_when_its_transmit_slots_are_nearly_empty():
    """Refilled before they are empty, the node keeps the bus busy."""
    free = []

    def life():
        frames, buffers = [(0, 0x100, bytes(8))] * 3, range(3)
        for _ in range(10):
            buffers = (yield sleep(frames, buffers, low=1)).free
            free.append(len(buffers))
            frames = [(0, 0x100, bytes(8))] * len(buffers)
        yield sleep()

    rig = Rig(life).on()
    rig.run_until_us(23 * FRAME_NS // US)
    assert free == [2] * 10
    assert len(rig.from_node()) == 21
    assert rig.from_node()[-1][0] == 21 * FRAME_NS // US  # not one bit was idle


def test_a_node_may_wait_until_all_has_left():
    woken = []

    def life():
        frames = [(0, 0x100, bytes(8))] * 3
        woken.append((yield sleep(frames, low=0)))
        yield sleep()

    Rig(life).on().run_until_us(2000)
    assert woken[0].free == [0, 1, 2]
    assert woken[0].now_us == -(-3 * FRAME_NS // US)


def test_frames_not_yet_queued_count_as_unsent():
    """A frame at the end of a long slice is not forgotten when slots are asked for."""
    woken = []

    def life():
        woken.append((yield sleep([(3000, 0x100, bytes(8))], busy_us=3000, low=0)).now_us)
        yield sleep()

    Rig(life).on().run_until_us(9000)
    assert woken == [3000 + -(-FRAME_NS // US)]


def test_a_node_that_overfills_its_queue_is_a_broken_node():
    def life():
        yield sleep([(0, 0x100, b"")] * 4)

    with pytest.raises(NodeDied, match="overfilled"):
        Rig(life).on().run_until_us(1000)


def test_two_nodes_that_wake_at_once_wake_by_index():
    order = []
    world = World()
    bus = Bus(world, BITRATE)

    def living(name):
        def life():
            for until_us in (1000, 1500):
                yield sleep(until_us=until_us)
                order.append(name)
            yield sleep()

        return life

    for index in (2, 0, 1):
        interpreter = Scripted(living(index))
        interpreter.world = world
        Node(world, index, bus.port(f"node {index}"), interpreter).power_on()
    world.at(2000 * US, lambda: None)
    world.run(lambda: world.now_ns >= 2000 * US)
    assert order == [0, 1, 2, 0, 1, 2]
