"""The boot record: which slot is confirmed, how far the other has come, and which one to boot.

The decision is a pure function of the record, so a reset at any moment finds the same answer.
It does NOT read or write flash: `uptane.store.slots` does.
Rules: V-67, V-88, T-42, E-79.
"""

import struct

from uptane.errors import Rotten
from uptane.limits import TRIAL_BOOTS_MAX

# format, confirmed slot, phase of the other, trial boots, reverted; of the last trial: how many
# of this image in its bundle, is the bundle confirmed together, number of bundle and image
STATE = "<BBBBBBBII"
STATE_BYTES = 15
STATE_FORMAT = 2
IMAGE = "<III32s"  # number, length, release counter, SHA-256
IMAGE_BYTES = 44
NO_SLOT = 0xFF

# Phases of the slot that is not confirmed.
EMPTY = 0
ERASING = 1
WRITING = 2
STAGED = 3
TRIAL = 4
HELD = 5  # on trial, seen healthy, waiting for the commit of its bundle


class Installed:
    """The image in a slot, as its metadata described it; lengths in bytes."""

    def __init__(self, number: int, length: int, digest: bytes, release: int) -> None:
        self.number = number
        self.length = length
        self.digest = digest
        self.release = release

    def packed(self) -> bytes:
        return struct.pack(IMAGE, self.number, self.length, self.release, self.digest)


def unpack_installed(raw: bytes, offset: int) -> Installed:
    number, length, release, digest = struct.unpack_from(IMAGE, raw, offset)
    return Installed(number, length, digest, release)


class State:
    """The boot record: which slot is confirmed, and how far the other one has come."""

    def __init__(self, raw: "bytes | None") -> None:
        self.slot: int | None = None
        self.phase = EMPTY
        self.boots = 0
        self.reverted = 0  # or why the last trial ended: BOOT_REVERTED, BOOT_UNDONE
        self.trials = 0
        self.together = 0
        self.bundle = 0  # 0: none
        self.tried = 0
        self.confirmed: Installed | None = None
        self.other: Installed | None = None  # while EMPTY: what last ran from there, if known
        if raw is None:
            return
        if len(raw) != STATE_BYTES + 2 * IMAGE_BYTES or raw[0] != STATE_FORMAT:
            raise Rotten
        _, slot, self.phase, self.boots, *rest = struct.unpack_from(STATE, raw, 0)
        self.reverted, self.trials, self.together, self.bundle, self.tried = rest
        if slot != NO_SLOT:
            self.slot = slot
            self.confirmed = unpack_installed(raw, STATE_BYTES)
        if any(raw[STATE_BYTES + IMAGE_BYTES :]):
            self.other = unpack_installed(raw, STATE_BYTES + IMAGE_BYTES)

    def packed(self) -> bytes:
        slot = NO_SLOT if self.slot is None else self.slot
        trial = (self.reverted, self.trials, self.together, self.bundle, self.tried)
        return (
            struct.pack(STATE, STATE_FORMAT, slot, self.phase, self.boots, *trial)
            + (self.confirmed.packed() if self.confirmed else bytes(IMAGE_BYTES))
            + (self.other.packed() if self.other else bytes(IMAGE_BYTES))
        )

    def spare(self) -> int:
        """The slot that is not confirmed."""
        return 1 if self.slot == 0 else 0


def choose(state: State) -> "int | None":
    """The slot to boot: a function of the boot record alone. None: there is no image at all."""
    if state.phase >= TRIAL and state.boots < TRIAL_BOOTS_MAX:
        return state.spare()
    return state.slot
