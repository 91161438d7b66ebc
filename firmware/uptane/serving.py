"""Steps 5 to 7 of a Primary's cycle: every Secondary is brought what it asks for, in rounds.

In a round each is asked what it wants next, and all compute at once until they know; then it is
brought. What several want alike crosses the bus once (V-87): each is told by RID_LISTEN that it
comes, says so that its slot is erased and how long a block takes it, and the blocks follow at the
pace of the slowest (`uptane.link.broadcast`). After the first block and every CHECK_BLOCKS each is
asked how far it is; what one lacks goes to it alone. Images wait until nobody wants anything else,
so that those who verify less do not run ahead of those who verify more.

Whatever a Secondary does wrong costs it its place in this cycle, and the others some time.
Rules: V-47, V-49, V-50, V-52, V-87.
"""

from uptane.errors import BadShape, Refusal
from uptane.ids import KIND_DELTA, KIND_IMAGE
from uptane.limits import BLOCK_BYTES, EXCHANGE_MS_MAX
from uptane.shelf import Shelf
from uptane.uds.codes import ADDRESS_FORMAT, REQUEST_DOWNLOAD, RID_LISTEN, WANTS_INSTALL
from uptane.uds.feeding import Feeding

if False:  # for the type checker
    from errand import Cycle, Wait
    from uptane.link.broadcast import Air
    from uptane.main import Ecu
    from uptane.primary import Peer
    from uptane.uds.feeding import Found, Wanted

CHECK_BLOCKS = 32
LEAVING_MS = 2  # for the last frames, which the controller has, to be heard everywhere
TAGS = 255


class Table:
    """A Secondary that is being served. `want`: what it wants next, None: to be asked. `alone`: it
    hears no broadcast."""

    def __init__(self, ecu: "Ecu", peer: "Peer", raw_time: "bytes | None") -> None:
        shelf = Shelf(ecu, peer)
        shelf.raw_time = raw_time
        self.peer = peer
        self.feeding = Feeding(peer.client, shelf, ecu.block)
        self.want: Wanted | None = None
        self.alone = False
        self.done = False
        self.heard = 0  # bytes of what is broadcast now

    def ask(self, ecu: "Ecu") -> "Cycle[None]":
        """Ask what it wants next; when that is nothing, let it go."""
        said = yield from self.feeding.ask(ecu.clock)
        if not isinstance(said, int):
            self.want = said
            return
        self.done = True
        self.peer.staged = said == WANTS_INSTALL
        if not self.peer.staged:
            yield from self.feeding.end()

    def bring(self, ecu: "Ecu") -> "Cycle[None]":
        want, self.want = self.want, None
        if want is not None:
            yield from self.feeding.bring(want)

    def wants_like(self, other: "Table") -> bool:
        """Is it the same file, from the same place on, and may it come to both at once?"""
        if self.want is None or other.want is None or self.alone or other.alone:
            return False
        return self.want.raw == other.want.raw


class Part:
    """What was found, from `skip` bytes on, as Feeding sends it."""

    def __init__(self, found: "Found", skip: int) -> None:
        self._found = found
        self._skip = skip
        self.length = found.length - skip

    def read_into(self, buffer: memoryview, at: int) -> None:
        self._found.read_into(buffer, self._skip + at)


def serve(ecu: "Ecu", peers: "list[Peer]", raw_time: "bytes | None") -> "Cycle[None]":
    """Time, metadata and image for each of these Secondaries, as they ask for them."""
    tables = [Table(ecu, peer, raw_time) for peer in peers]
    while tables:
        for table in tables:
            if table.want is None:
                yield from attempt(ecu, table, table.ask(ecu))
        tables = [table for table in tables if not table.done]
        small = [table for table in tables if not is_image(table.want)]
        waiting = small or tables[:]
        while waiting:
            group = [waiting.pop(0)]
            group += [table for table in waiting if table.wants_like(group[0])]
            waiting = [table for table in waiting if table not in group]
            if len(group) > 1 and ecu.air is not None:
                yield from spread(ecu, ecu.air, group)
            for table in group:
                yield from attempt(ecu, table, table.bring(ecu))


def attempt(ecu: "Ecu", table: Table, work: "Cycle[None]") -> "Cycle[None]":
    """Do something for one Secondary; a refusal is noted, and ends its turn."""
    try:
        yield from work
    except Refusal as refusal:
        ecu.note(refusal.number)
        table.want = None
        table.done = True


def is_image(want: "Wanted | None") -> bool:
    return want is not None and want.file[1] in (KIND_IMAGE, KIND_DELTA)


# --- what several want ---------------------------------------------------------------------------


def spread(ecu: "Ecu", air: "Air", group: "list[Table]") -> "Cycle[None]":
    """Send what all of `group` want to those who listen; they are to be asked again. The others
    keep their wants."""
    want = group[0].want
    found = None
    if want is not None:
        try:
            found = yield from group[0].feeding.find(want)
        except Refusal as refusal:
            ecu.note(refusal.number)
    if want is None or found is None:
        return
    cast = Cast(ecu, air, want, found)
    yield from cast.enrol(group)
    while cast.tables and cast.at < cast.length:
        if is_image(want) and cast.blocks % CHECK_BLOCKS == 1:
            yield from cast.check()  # who lacks a part of another file wants all of it again
        yield from cast.send()


class Cast:
    """A file on its way to several. `tables`: who listens; `at`: how much of it is sent."""

    def __init__(self, ecu: "Ecu", air: "Air", want: "Wanted", found: "Found") -> None:
        self._ecu = ecu
        self._air = air
        self._want = want
        self._found = found
        self.length = want.most(found)
        self.tables: list[Table] = []
        self.at = 0
        self.blocks = 0
        self._pace_ms = 0
        self._tag = air.tag % TAGS + 1

    def enrol(self, group: "list[Table]") -> "Wait[None]":
        """Tell each that it comes. Who can not listen, or does not, is served alone."""
        for table in group:
            try:
                table.feeding.count()
                yield from self._listen(table)
            except Refusal:
                table.alone = True
                continue
            self.tables.append(table)
            table.want = None
            table.heard = 0

    def send(self) -> "Wait[None]":
        """The next block, and a pause until the slowest has written it."""
        clock = self._ecu.clock
        block = memoryview(self._ecu.block)
        take = min(BLOCK_BYTES, self.length - self.at)
        self._found.read_into(block[:take], self.at)
        self._air.spread(self._tag, self._want.offset + self.at, block, take)
        over_ms = clock.ticks_ms() + EXCHANGE_MS_MAX
        while not self._air.idle():
            if clock.ticks_ms() >= over_ms:  # the bus is gone: who is asked next will not answer
                self._air.abort()
                self.tables = []
                return
            yield clock.ticks_ms() + 1
        self.at += take
        self.blocks += 1
        until_ms = clock.ticks_ms() + self._pace_ms + LEAVING_MS
        while clock.ticks_ms() < until_ms:
            yield until_ms

    def check(self) -> "Cycle[None]":
        """Ask each how far it is, and bring it what it lacks."""
        self._pace_ms = 0
        for table in self.tables:
            yield from attempt(self._ecu, table, self._catch_up(table))
        self.tables = [table for table in self.tables if not table.done]

    def _catch_up(self, table: Table) -> "Cycle[None]":
        there = yield from self._listen(table)
        start = there - self._want.offset
        if not 0 <= start <= self.at:
            raise BadShape
        table.peer.client.gave(start - table.heard)
        table.heard = self.at
        if start < self.at:
            part = Part(self._found, start)
            yield from table.feeding.download(self._want, part, self.at - start)
            yield from table.feeding.ask(self._ecu.clock)  # it wants the rest: that is known
            yield from self._listen(table)

    def _listen(self, table: Table) -> "Wait[int]":
        """Let it listen from here on; return the place in the file that it is at."""
        left = self.length - self.at
        opening = bytes((self._tag, REQUEST_DOWNLOAD, self._want.form, ADDRESS_FORMAT))
        record = opening + self._want.file + left.to_bytes(4, "big")
        status = yield from table.feeding.routine(RID_LISTEN, record)
        if len(status) != 6:
            raise BadShape
        self._pace_ms = max(self._pace_ms, status[4] << 8 | status[5])
        return int.from_bytes(bytes(status[:4]), "big")
