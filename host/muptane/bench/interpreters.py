"""Interpreters: what answers the world for one ECU, in a process of its own or in this one.

An `Interpreter` answers one message with one message (boards/unix/silicon.py has the format), in
lock-step. `MicroPythonProcess` is the real interpreter as a child process; `CPythonNode` runs the
same device code here, in a greenlet that the world switches to and back from. A child that dies,
or computes for longer than the wall clock allows, says why (`NodeDied`).

It does not know what passes between an ECU and the world.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from greenlet import getcurrent, greenlet

from boards.unix import silicon

ANSWER_TIMEOUT_S = 60.0  # wall time: a process that computes longer than this hangs
LAST_WORDS_CHARACTERS = 2000


class NodeDied(Exception):
    """An ECU's interpreter ended without a reset; the message holds its last words."""


class Interpreter(Protocol):
    """Answers one message with one message. `start` returns the first message of a new life."""

    def start(self) -> bytes: ...
    def exchange(self, message: bytes) -> bytes: ...
    def stop(self) -> None: ...


class MicroPythonProcess:
    """The unix port as a child process, its heap limited, its flash in a file.

    `command` starts the interpreter, in `folder`; the number of the inherited socket is put
    behind it. What the child prints goes to the file `words`. A child that does not answer for
    `answer_timeout_s` of wall time is killed.
    """

    def __init__(
        self,
        command: list[str],
        folder: Path,
        words: Path,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._command = command
        self._folder = folder
        self._words = words
        self._answer_timeout_s = answer_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(self) -> bytes:
        self.stop()
        ours, theirs = socket.socketpair()
        with self._words.open("ab") as words:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                cwd=self._folder,
                pass_fds=[theirs.fileno()],
                stdout=words,
                stderr=words,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for us: we end it when the vehicle is done
            )
        theirs.close()
        ours.settimeout(self._answer_timeout_s)
        self._socket = ours
        return self._receive()

    def exchange(self, message: bytes) -> bytes:
        try:
            self._open().sendall(message)
        except TimeoutError:
            self._hangs()
        except ConnectionError:
            self._died()
        return self._receive()

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._socket = self._process = None

    def _receive(self) -> bytes:
        head = self._read(silicon.NODE_HEAD_BYTES)
        data_bytes, records = head[1], head[2]
        return head + self._read(records * (silicon.SENT_BYTES + data_bytes))

    def _read(self, length: int) -> bytes:
        ours = self._open()
        parts = b""
        while len(parts) < length:
            try:
                part = ours.recv(length - len(parts))
            except TimeoutError:
                self._hangs()
            except ConnectionError:
                part = b""
            if not part:
                self._died()
            parts += part
        return parts

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise NodeDied("the interpreter was not started")
        return self._socket

    def _hangs(self) -> NoReturn:
        self.stop()
        raise NodeDied(
            f"the interpreter has not answered for {self._answer_timeout_s} s; "
            f"{self._last_words()}"
        )

    def _died(self) -> NoReturn:
        code: int | str = "unknown"
        if self._process is not None:
            try:
                code = self._process.wait(self._answer_timeout_s)
            except subprocess.TimeoutExpired:
                code = "none: it closed its socket and lives on"
        self.stop()
        raise NodeDied(f"the interpreter ended with code {code}; {self._last_words()}")

    def _last_words(self) -> str:
        words = self._words.read_text(errors="replace")[-LAST_WORDS_CHARACTERS:].strip()
        return f"its last words:\n{words}" if words else "it said nothing"


class Unwound(BaseException):
    """Ends a life inside CPython: raised where the device code called reset."""


class CPythonNode:
    """The device code in this process: `live(node)` runs it until it resets. An endless loop in it
    is one of this process too: nobody can end it."""

    def __init__(self, live: Callable[[CPythonNode], None]) -> None:
        self._live = live
        self._life: greenlet | None = None
        self._world: greenlet | None = None

    def start(self) -> bytes:
        self._world = getcurrent()
        self._life = greenlet(self._run, self._world)
        return bytes(self._life.switch())

    def exchange(self, message: bytes) -> bytes:
        if self._life is None:
            raise NodeDied("the ECU was not started")
        self._life.parent = getcurrent()
        return bytes(self._life.switch(message))

    def stop(self) -> None:
        if self._life is not None and not self._life.dead:
            self._life.throw(Unwound)
        self._life = None

    def _run(self) -> bytes:
        try:
            self._live(self)
        except Unwound:
            pass
        return b""


def world() -> greenlet:
    """The greenlet that woke the one running now."""
    parent = getcurrent().parent
    if parent is None:
        raise NodeDied("device code runs outside a node")
    return parent


class GreenletWire:
    """The node's end of the lock-step inside CPython: a switch to the world and back."""

    def exchange(self, out: bytearray, length: int, inbox: memoryview) -> None:
        answer = world().switch(bytes(out[:length]))
        inbox[: len(answer)] = answer

    def reset(self, out: bytearray, length: int) -> None:
        world().switch(bytes(out[:length]))
        raise Unwound
