"""Wires between a client and a server that go wrong: cut cables, and servers that say anything.
Not a test file."""

import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

WAIT_S = 10


class Wire:
    """Listens on 127.0.0.1 and handles one connection after the other in a thread."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._serve)
        self._ended = False

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            line, _ = self._listening.accept()
            with line:
                if self._ended:
                    return
                line.settimeout(WAIT_S)
                self.calls += 1
                try:
                    self.handle(line)
                except OSError:
                    pass  # the client hung up

    def handle(self, line: socket.socket) -> None:
        raise NotImplementedError


class Cable(Wire):
    """Leads to a server; `cuts(call)` says after how many bytes from the server each call breaks,
    or None for never. `passed`: bytes from the server in all."""

    def __init__(self, port: int, cuts: Callable[[int], int | None]) -> None:
        super().__init__()
        self._far = port
        self._cuts = cuts
        self.passed = 0

    def handle(self, line: socket.socket) -> None:
        left = self._cuts(self.calls)
        with socket.create_connection(("127.0.0.1", self._far), WAIT_S) as far:
            up = threading.Thread(target=_pump, args=(line, far))
            up.start()
            while left is None or left > 0:
                piece = far.recv(min(65536, left or 65536))
                if not piece:
                    break
                line.sendall(piece)
                self.passed += len(piece)
                left = None if left is None else left - len(piece)
            for end in (line, far):
                end.shutdown(socket.SHUT_RDWR)
            up.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # cut


class Liar(Wire):
    """Says the next of `answers` on each call, whatever it is asked, and hangs up; after the last
    one it says that again. An empty answer is silence until the client goes."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        super().__init__()
        self._answers = answers
        self.heard: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle(self, line: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked and (piece := line.recv(65536)):
            asked += piece
        self.heard.append(asked)
        answer = self._answers[min(self.calls, len(self._answers)) - 1]
        line.sendall(answer)
        if answer:
            line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass
