"""Interpreters: they answer message by message, and their death is told with their last words."""

import struct
import sys
from pathlib import Path

import pytest

from boards.unix import silicon
from muptane.bench import firmware
from muptane.bench.interpreters import CPythonNode, GreenletWire, MicroPythonProcess, NodeDied

# A child that speaks the protocol with nothing but CPython: its argument is the socket.
CHILD = """
import socket, struct, sys
wire = socket.socket(fileno=int(sys.argv[1]))
def say(kind=0):
    wire.sendall(struct.pack("<BBBBQIBBH", kind, 8, 0, 0, 1000000, 0, 1, 0, 0xFFFF))
def hear():
    head = wire.recv(29, socket.MSG_WAITALL)
    return head + wire.recv((6 + head[9]) * head[8], socket.MSG_WAITALL)
say()
hear()
"""
TELL = struct.pack(silicon.WORLD_HEAD, 1, 0, 8, *[0] * 9)


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
