"""Nodes: what wakes an ECU, what it loses, how it starts anew, and how its death is told."""

import struct
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from boards.unix import silicon
from muptane.bench import firmware
from muptane.bench.bus import Bus, Frame, frame_bits
from muptane.bench.interpreters import CPythonNode, GreenletWire, MicroPythonProcess, NodeDied
from muptane.bench.nodes import Node
from muptane.bench.world import US, S, World

BITRATE = 500_000
FRAME_NS = frame_bits(0x100, bytes(8)) * S // BITRATE
ALL = [(0, 0)]


class News(NamedTuple):
    """What the world tells a node when it wakes."""

    now_us: int
    tx_free: int
    overruns: int
    data: list[bytes]


def said(kind, records=b"", count=0, **rest):
    """A message of a node: see boards/unix/silicon.py."""
    fields = {"until_us": silicon.NEVER, "busy_us": 0, "frames": 0, "low": silicon.NOT_SENDING}
    fields.update(rest)
    return struct.pack(silicon.NODE_HEAD, kind, 0, count, *fields.values()) + records


def sleep(sends=(), **rest):
    """Send these (after us, identifier, data), and sleep: until_us, frames, low."""
    records = b"".join(
        struct.pack(silicon.SENT, after_us, can_id, len(data), data)
        for after_us, can_id, data in sends
    )
    return said(silicon.WAIT, records, len(sends), **rest)


def listen(filters=ALL):
    records = b"".join(struct.pack(silicon.SENT, f, mask, 0, b"") for f, mask in filters)
    return said(silicon.FILTER, records, len(filters))


class Scripted:
    """An interpreter whose lives are generators: they yield messages and are sent News."""

    def __init__(self, *lives):
        self.lives = list(lives)
        self.started_us = []
        self.stops = 0
        self.world = None

    def start(self):
        self.started_us.append(self.world.now_ns // US)
        self._life = self.lives.pop(0)()
        return next(self._life)

    def exchange(self, message):
        now_us, count, tx_free, _, overruns = struct.unpack_from(silicon.WORLD_HEAD, message)
        data = []
        for i in range(count):
            at = silicon.WORLD_HEAD_BYTES + i * silicon.RECEIVED_BYTES
            _, length, raw = struct.unpack_from(silicon.RECEIVED, message, at)
            data.append(raw[:length])
        return self._life.send(News(now_us, tx_free, overruns, data))

    def stop(self):
        self.stops += 1


class Rig:
    """A world with one node and one foreign port on its bus."""

    def __init__(self, *lives, rx_queue=8, tx_queue=3):
        self.world = World()
        self.bus = Bus(self.world, BITRATE)
        self.interpreter = Scripted(*lives)
        self.interpreter.world = self.world
        port = self.bus.port("node", tx_queue)
        self.node = Node(self.world, 0, port, self.interpreter, rx_queue)
        self.other = self.bus.port("other", 100)
        self.passed = []
        self.bus.listeners.append(lambda *heard: self.passed.append(heard))

    def on(self):
        self.node.power_on()
        return self

    def send(self, count, can_id=0x100):
        """Put frames on the bus back to back; their data begins with their number."""
        for number in range(count):
            self.other.send(Frame(can_id, bytes([number]) + bytes(7)))

    def run_until_us(self, us):
        self.world.at(us * US, lambda: None)
        self.world.run(lambda: self.world.now_ns >= us * US)

    def from_node(self):
        return [(ns // US, frame.id) for ns, sender, frame in self.passed if sender == "node"]


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
        frames = [(0, 0x100, bytes(8))] * 3
        for _ in range(10):
            news = yield sleep(frames, low=1)
            free.append(news.tx_free)
            frames = [(0, 0x100, bytes(8))] * news.tx_free
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
    assert woken[0].tx_free == 3
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


# --- resets and power ------------------------------------------------------------------------


def resetting(sends=(), busy_us=0):
    def life():
        yield listen()
        yield sleep(until_us=1000)
        records = b"".join(struct.pack(silicon.SENT, *send[:2], 0, b"") for send in sends)
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


# --- real interpreters -----------------------------------------------------------------------

# A child that speaks the protocol with nothing but CPython: its argument is the socket.
CHILD = """
import socket, struct, sys
wire = socket.socket(fileno=int(sys.argv[1]))
def say(kind=0):
    wire.sendall(struct.pack("<BBHQIHH", kind, 0, 0, 1000000, 0, 1, 0xFFFF))
def hear():
    head = wire.recv(16, socket.MSG_WAITALL)
    more = wire.recv(13 * struct.unpack_from("<QH", head)[1], socket.MSG_WAITALL)
    return head + more
say()
hear()
"""
TELL = struct.pack(silicon.WORLD_HEAD, 1, 0, 3, 0, 0)


@pytest.fixture
def child(tmp_path):
    """Makes a process from what its script does after the first exchange."""
    made = []

    def make(script, *command, timeout_s=30.0):
        words = tmp_path / "words"
        words.touch()
        command = command or (sys.executable, "-I", "-c", CHILD + script)
        process = MicroPythonProcess(list(command), tmp_path, words, timeout_s)
        made.append(process)
        return process

    yield make
    for process in made:
        process.stop()


def test_a_process_answers_message_by_message_and_can_be_started_anew(child):
    process = child("while True:\n say()\n hear()\n")
    for _ in range(2):
        assert len(process.start()) == silicon.NODE_HEAD_BYTES
        for _ in range(3):
            assert len(process.exchange(TELL)) == silicon.NODE_HEAD_BYTES


def test_a_process_that_dies_is_told_with_its_code_and_last_words(child):
    process = child("print('it was the brake', flush=True)\nsys.exit(3)\n")
    process.start()
    with pytest.raises(NodeDied, match=r"code 3; its last words:\nit was the brake"):
        process.exchange(TELL)


def test_a_process_that_dies_of_an_exception_leaves_its_traceback(child):
    process = child("1 / 0\n")
    process.start()
    with pytest.raises(NodeDied, match="ZeroDivisionError"):
        process.exchange(TELL)


def test_a_process_that_dies_between_messages_is_told_too(child):
    process = child("say()\nprint('gone', flush=True)\nsys.exit(4)\n")
    process.start()
    process.exchange(TELL)
    with pytest.raises(NodeDied, match=r"code 4; its last words:\ngone"):
        for _ in range(3):
            process.exchange(TELL)


def test_a_process_that_computes_for_ever_is_ended_by_the_wall_clock(child):
    process = child("print('on my way', flush=True)\nwhile True: pass\n", timeout_s=0.5)
    process.start()
    with pytest.raises(NodeDied, match=r"not answered for 0\.5 s; its last words:\non my way"):
        process.exchange(TELL)
    with pytest.raises(NodeDied, match="not started"):
        process.exchange(TELL)


def test_a_process_that_closes_its_socket_and_lives_on_is_ended(child):
    process = child("wire.close()\nwhile True: pass\n", timeout_s=0.5)
    process.start()
    with pytest.raises(NodeDied, match="closed its socket"):
        process.exchange(TELL)


def test_a_command_that_is_no_ecu_is_told(child):
    process = child("", sys.executable, "-c", "print('hello')")
    with pytest.raises(NodeDied, match=r"code 0; its last words:\nhello"):
        process.start()


@pytest.mark.skipif(not firmware.available(), reason="no MicroPython for this machine")
def test_the_real_interpreter_says_why_it_died(child):
    script = "import machine; machine.no_such_thing()"
    process = child("", *firmware.micropython(256 << 10, "-c", script))
    with pytest.raises(NodeDied, match="AttributeError"):
        process.start()


def test_device_code_in_this_process_lives_and_ends_as_in_a_process():
    ended = []

    def live(node):
        wire = GreenletWire()
        inbox = memoryview(bytearray(64))
        try:
            for number in range(100):
                message = bytes([number])
                wire.exchange(bytearray(message), 1, inbox)
            wire.reset(bytearray(b"reset"), 5)
        finally:
            ended.append(bytes(inbox[:2]))

    node = CPythonNode(live)
    assert node.start() == b"\x00"
    assert node.exchange(b"ab") == b"\x01"
    assert node.exchange(b"cd") == b"\x02"
    node.stop()
    assert ended == [b"cd"]
    with pytest.raises(NodeDied, match="not started"):
        node.exchange(b"ef")
    assert node.start() == b"\x00"
    for _ in range(99):
        node.exchange(b"gh")
    assert node.exchange(b"gh") == b"reset"
    node.stop()
    assert ended == [b"cd", b"gh"]


def test_what_a_flash_file_holds_outlives_the_process(child, tmp_path):
    """The file is the flash: power may go at any time."""
    flash = tmp_path / "flash"
    flash.write_bytes(b"\xff" * 8)
    script = (
        f"f = open({str(flash)!r}, 'r+b', buffering=0)\nbefore = f.read()\n"
        "f.seek(0); f.write(b'ab')\nprint(before, flush=True)\nsay()\nwhile True: pass\n"
    )
    process = child(script)
    for _ in range(2):
        process.start()
        process.exchange(TELL)
        process.stop()
    assert Path(tmp_path / "words").read_text().split() == [
        repr(b"\xff" * 8),
        repr(b"ab" + b"\xff" * 6),
    ]
