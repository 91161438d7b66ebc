"""A delta applied where the old image lies, for an ECU without a spare slot.

First the old image is moved up, block by block from its end; then each segment of the new image
is made at the bottom, from what of the old one lies above that segment. Every step can be done
again after a power cut, because what it reads is not yet erased: a block is erased only once a
checkpoint is stored from which everything after it can be made again. So `save` has to be atomic,
and `restore` is given what it last stored.
From the first stroke on nothing runs here, and a wrong patch destroys both images. So this has to
be given only what has been authenticated: the base (`verify_base`) before, and each piece of the
patch, by its hash in signed metadata. It does NOT check that, nor keep the checkpoint.
Rules: S-29, V-30, E-79, E-81.
"""

import struct

from uptane.errors import NothingStaged, Rotten, UnsupportedDelta, WrongFile, WrongHash
from uptane.image.delta import Patch
from uptane.image.patching import advance
from uptane.store.area import digest_of

if False:  # for the type checker
    from collections.abc import Callable

    from storage import Buffer, Hashing, Work
    from uptane.image.plan import Plan
    from uptane.store.area import Area

# What is saved: one of these; then the delta's SHA-256 and u32, the blocks still to be moved; or
# the patch's checkpoint.
MOVING = 0
MAKING = 1
MOVE = "<B32sI"
MOVE_BYTES = 37
COPY_BYTES = 256


class InPlace:
    """`area` holds the old image from its start on, and `plan` has a layout. In front of what is
    given to `save` are `lead` bytes for its own use. UnsupportedDelta if that layout is not this
    area's."""

    def __init__(
        self, area: "Area", plan: "Plan", save: "Callable[[bytearray], object]", lead: int = 0
    ) -> None:
        if plan.layout is None:
            raise UnsupportedDelta
        memory, segment, shift = plan.layout
        block_bytes = area.block_bytes
        whole = not (segment % block_bytes or shift % block_bytes or memory % block_bytes)
        if not whole or segment < 1 or not 0 < shift <= memory <= area.size:
            raise UnsupportedDelta
        if plan.old_length > memory or plan.new_length > memory:
            raise UnsupportedDelta
        self._area = area
        self._plan = plan
        self._save = save
        self._lead = lead
        self._shift = shift
        self._patch = Patch(plan, self._read_old, self._write)
        moved = min(plan.old_length, memory - shift)  # the rest is given up
        self._moving = (moved + block_bytes - 1) // block_bytes  # blocks still to be moved
        self._started = False
        self._unit = bytearray(area.program_bytes)
        self._held = 0  # bytes in it
        self._copied = memoryview(bytearray(max(COPY_BYTES, area.program_bytes)))

    def restore(self, raw: "Buffer") -> None:
        """Go on from what was last saved, without its lead. Rotten; WrongFile if it is of another
        delta."""
        if len(raw) < 1 or raw[0] not in (MOVING, MAKING):
            raise Rotten
        if raw[0] == MOVING:
            if len(raw) != MOVE_BYTES:
                raise Rotten
            _, digest, moving = struct.unpack(MOVE, bytes(raw))
            if moving > self._moving:
                raise Rotten
            if digest != self._plan.digest:
                raise WrongFile
            self._moving = moving
            return
        self._patch.restore(memoryview(raw)[1:])
        self._moving = 0
        self._started = True
        if self._patch.made % self._area.block_bytes:
            raise Rotten

    def resume_offset(self) -> int:
        """The byte of the patch that `write` wants next."""
        return self._patch.position

    def write(self, piece: "Buffer") -> "Work[None]":
        """The next bytes of the patch. Refusals: those of Patch.take, FlashFault. Nothing is
        erased before the head of the patch has been read and compared."""
        view = memoryview(piece)
        if not self._patch.ready():
            used = yield from self._patch.take(view, 0)
            view = view[used:]
        if not self._patch.ready():
            return
        if not self._started:
            yield from self._move()
            self._started = True
            self._save_patch()
        yield from advance(self._patch, view, self._area.block_bytes, self._save_patch)

    def end(self) -> None:
        """All of the patch was given. NothingStaged, Truncated."""
        if not self._started:
            raise NothingStaged
        self._patch.finish()

    def finish(self, suite: "Hashing", digest: bytes) -> "Work[None]":
        """Hash what was made, as it lies in flash. Truncated, WrongHash."""
        self.end()
        area = self._area
        length = self._plan.new_length
        if (yield from digest_of(area.read_into, length, suite.sha256())) != digest:
            raise WrongHash

    # --- inside ---------------------------------------------------------------------------------

    def _save_patch(self) -> None:
        checkpoint = self._patch.checkpoint(self._lead + 1)
        checkpoint[self._lead] = MAKING
        self._save(checkpoint)

    def _move(self) -> "Work[None]":
        """Move the old image up by the shift, its last block first. A block that was moved is
        overwritten when the one that far below is moved, and not before that is noted."""
        while self._moving:
            move = struct.pack(MOVE, MOVING, self._plan.digest, self._moving)
            self._save(bytearray(self._lead) + move)
            yield from self._move_block((self._moving - 1) * self._area.block_bytes)
            self._moving -= 1

    def _move_block(self, start: int) -> "Work[None]":
        area, copied = self._area, self._copied
        area.erase((start + self._shift) // area.block_bytes)
        yield
        for at in range(start, start + area.block_bytes, len(copied)):
            part = copied[: min(len(copied), start + area.block_bytes - at)]
            area.read_into(at, part)
            area.program(at + self._shift, part)
            yield  # a block may have 128 KB

    def _read_old(self, at: int, buffer: memoryview) -> None:
        self._area.read_into(at + self._shift, buffer)

    def _write(self, view: memoryview) -> "Work[None]":
        """New bytes: erase a block when its first byte comes, hold back what is no whole unit."""
        area, unit = self._area, self._unit
        at = self._patch.made
        if at % area.block_bytes == 0:
            area.erase(at // area.block_bytes)
            self._held = 0
            yield
        last = at + len(view) == self._plan.new_length
        while len(view):
            n = min(len(unit) - self._held, len(view))
            if n == len(unit):
                n = len(view) // n * n
                area.program(at, view[:n])
            else:
                unit[self._held : self._held + n] = view[:n]
                self._held += n
                if self._held == len(unit):
                    area.program(at + n - self._held, unit)
                    self._held = 0
            view = view[n:]
            at += n
        if last and self._held:
            for i in range(self._held, len(unit)):
                unit[i] = 0xFF
            area.program(at - self._held, unit)
            self._held = 0
        yield
