"""What one ECU trusts, tied to its records: the meeting of `meta`, which does no I/O, and `store`.

It keeps the attested clock and makes the trusted sets anew for each cycle from what is stored. It
decides nothing: `meta.full` and `meta.partial` do.
Rules: V-20, V-31, V-51, V-56, T-15, T-37.
"""

from uptane.errors import NotProvisioned
from uptane.ids import DIRECTOR, PARTIAL, RECORD_MAP, RECORD_TIME
from uptane.meta import targets
from uptane.meta.attested_time import AttestedTime
from uptane.meta.decision import Ecu as Chooser
from uptane.meta.decision import Installed
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted

if False:  # for the type checker
    from errand import Codec, Cycle
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
        root = self._open(DIRECTOR, self._identity.director).root
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
        if mine.verification == PARTIAL:
            from uptane.meta import partial  # here, because a full ECU has no use for it

            director = self._open(DIRECTOR, mine.director)
            return (yield from partial.refresh(director, chooser, self._clock, ticks))
        # Imported here, because a partial ECU has no room for them.
        from uptane.meta import delegation, full, mapping

        if mine.image is None:
            raise NotProvisioned
        current = mapping.Map(mine.director, mine.image, self._records.read(RECORD_MAP))
        opened = {
            number: self._open(number, current.repositories[number], delegation)
            for number in current.repositories
        }
        return (yield from full.refresh(opened, current, chooser, self._clock, ticks))

    def _open(self, repository: int, identity: bytes, codec: "Codec" = targets) -> Trusted:
        files = Files(self._suite, codec, DEVICE, repository, self._records.read)
        return Trusted(files, identity)
