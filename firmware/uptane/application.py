"""The application: what an image of ours holds, started from its slot and stepped by our loop.

An application is a module `app` with `start(cabin)` and `step(now_ms)`. It is handed a `Cabin`,
through which it may send frames on the bus and read the regions of its ECU (S-25). A trial is
confirmed once `step` has run for the board's confirm window (an opaque image: once the ECU has); a
crash is not caught here: it resets the board, and the boot counter brings the confirmed image back
(V-67, E-79).

It does not contain a hostile application: docs/threats.md says what one could do (E-37).
"""

if False:  # for the type checker
    from collections.abc import Callable
    from types import ModuleType

    from shapes import Board, Bus
    from uptane.store.area import Area

    Place = Callable[[int], tuple[Area, int]]


class Cabin:
    """What an application may touch. `place(region)` says where a region lies, and its bytes;
    `owner` may be muted."""

    def __init__(self, owner: "Application", bus: "Bus", place: "Place") -> None:
        self._owner = owner
        self._bus = bus
        self._place = place

    def send(self, can_id: int, data: bytes) -> bool:
        """Put a frame of 0..8 bytes on the bus; False when the queue is full, or as long as
        CommunicationControl wants silence."""
        return not self._owner.muted and self._bus.send(can_id, data)

    def read(self, region: int, offset: int, n: int) -> bytes:
        """Up to n bytes that a region (uptane.ids, REGION_...) of what runs holds from that offset
        on; b"" behind its end. NoRegion."""
        area, length = self._place(region)
        n = min(n, length - offset)
        return area.read(offset, n) if n > 0 else b""


class Application:
    """`mount(area, length)` gives the module in a slot, `unmount()` lets it go: the board's.
    `place` as Cabin has it."""

    def __init__(self, board: "Board", place: "Place") -> None:
        self._board = board
        self._place = place
        self._module: ModuleType | None = None
        self._started = self.muted = False
        self._since_ms = 0
        self._next_ms = 0

    def start(self, area: "Area", length: int, now_ms: int) -> bool:
        """Mount and start what the slot holds; False if it is an opaque image, which runs
        elsewhere or not at all."""
        self._since_ms = self._next_ms = now_ms
        self._started = True
        self._module = self._board.mount(area, length)
        if self._module is None:
            return False
        self._module.start(Cabin(self, self._board.can, self._place))
        return True

    def stop(self) -> None:
        self._started = False
        if self._module is not None:
            self._module = None
            self._board.unmount()

    def running(self) -> bool:
        """It was started and not stopped; an opaque image counts as running."""
        return self._started

    def step(self, now_ms: int) -> None:
        """Let it do what is due; it says when it wants to be called again."""
        if self._module is not None and now_ms >= self._next_ms:
            self._next_ms = int(self._module.step(now_ms))

    def due_ms(self) -> "int | None":
        return self._next_ms if self._module is not None else None

    def steady(self, now_ms: int) -> bool:
        """What was started has run, or the ECU with an opaque image has lived, for the board's
        confirm window, without being stopped in between."""
        return self._started and now_ms - self._since_ms >= self._board.confirm_ms
