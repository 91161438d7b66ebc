"""What one ECU trusts, tied to its records: the meeting of `meta`, which does no I/O, and `store`.

It keeps the attested clock, makes the trusted sets anew for each cycle from what is stored, and
tells a Primary what it may relay. It decides nothing: `meta.full` and `meta.partial` do.
Rules: V-31, V-51, V-56, T-15, T-37.
"""

from uptane.errors import NotProvisioned
from uptane.ids import (
    DELEGATED_LAST,
    DIRECTOR,
    IMAGE,
    PARTIAL,
    RECORD_METADATA,
    RECORD_TIME,
    ROOT,
)
from uptane.meta.attested_time import AttestedTime
from uptane.meta.decision import Ecu as Chooser
from uptane.meta.decision import Installed
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted

if False:  # for the type checker
    from errand import Cycle
    from shapes import Board
    from uptane.identity import Identity
    from uptane.meta.decision import Decision
    from uptane.store.records import Records
    from uptane.store.slots import Slots


class Trust:
    """The trusted state of one ECU. `slots` says what is installed."""

    def __init__(
        self, board: "Board", identity: "Identity", records: "Records", slots: "Slots"
    ) -> None:
        self._suite = board.suite
        self._ticks = board.clock
        self._identity = identity
        self._records = records
        self._slots = slots
        self._clock = AttestedTime(
            board.suite,
            board.random,
            identity.director,
            records.read(RECORD_TIME),
            board.clock.ticks_ms(),
        )

    # --- time --------------------------------------------------------------------------------

    def start_cycle(self) -> None:
        self._clock.start_cycle()

    def time(self) -> int:
        """The latest time this ECU can vouch for, in seconds since 1970."""
        return self._clock.now(self._ticks.ticks_ms())

    def nonce(self) -> bytes:
        """The token that the next attestation has to hold."""
        return self._clock.nonce(self._ticks.ticks_ms())

    def accept_time(self, raw: bytes, asked: "list[bytes]") -> "Cycle[None]":
        """Believe an attestation, or refuse it; see AttestedTime.accept."""
        root = self._open(DIRECTOR).root
        yield (yield from self._clock.accept(raw, root, self._ticks.ticks_ms(), asked))

    # --- metadata ----------------------------------------------------------------------------

    def check(self, registered: "dict[int, Installed | None] | None" = None) -> "Cycle[Decision]":
        """Bring and verify all metadata that this ECU's kind of verification asks for.

        `registered` (Primary): what each ECU of the vehicle says is installed.
        """
        mine = self._identity
        image = self._slots.installed()
        installed = None
        if image is not None:
            installed = Installed(image.number, image.digest, self._slots.release())
        chooser = Chooser(mine.ecu, mine.hardware, mine.vehicle, installed, registered)
        ticks = self._ticks.ticks_ms()
        director = self._open(DIRECTOR)
        if mine.verification == PARTIAL:
            from uptane.meta import partial  # here, because a full ECU has no use for it

            return (yield from partial.refresh(director, chooser, self._clock, ticks))
        from uptane.meta import full  # here, because a partial ECU has no room for it

        repository = self._open(IMAGE)
        return (yield from full.refresh(director, repository, chooser, self._clock, ticks))

    def stored(self, repository: int, role: int) -> "bytes | None":
        """The stored file of a role, to be relayed; None if there is none. The numbers may come
        from a Secondary: no other record than of metadata is ever reached by them."""
        if repository not in (DIRECTOR, IMAGE) or not ROOT <= role <= DELEGATED_LAST:
            return None
        return self._records.read(RECORD_METADATA + 0x100 * (repository - DIRECTOR) + role)

    def root_version(self, repository: int) -> int:
        """Of the trusted Root."""
        return self._open(repository).root.version

    def _open(self, repository: int) -> Trusted:
        identity = self._identity.director if repository == DIRECTOR else self._identity.image
        if identity is None:
            raise NotProvisioned
        return Trusted(self._suite, DEVICE, repository, identity, self._records.read)
