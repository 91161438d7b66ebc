"""An ECU of three regions in a modelled flash, and images for one or more of them.

The application has two blocks, the calibration three, and the user data one of another size. The
part, the records and the regions are real; the images are bytes. Not a test file.
"""

import io

from boards.unix.nor import Geometry, Nor
from claims import run
from slotted_ecu import Suite, digest_of
from uptane.ids import REGION_APPLICATION, REGION_CALIBRATION, REGION_USER_DATA
from uptane.image.scope import choose
from uptane.store.area import Area
from uptane.store.boot import Installed
from uptane.store.records import Records
from uptane.store.regions import Regions

UNIT = 8
BLOCK = 1024
RECORD_BLOCKS = 4
SMALL = 256  # bytes of a block of the user data
# {region: (address, other address, block bytes, blocks)}
PLACES = {
    REGION_APPLICATION: (4096, 6144, BLOCK, 2),
    REGION_CALIBRATION: (8192, 11264, BLOCK, 3),
    REGION_USER_DATA: (14336, 14848, SMALL, 2),
}
FLASH_BYTES = 15360

CODE_1 = b"code one " * 100
DATA_1 = bytes([i * 3 & 0xFF for i in range(2560)])
USER_1 = b"user" * 70
FACTORY = {REGION_APPLICATION: CODE_1, REGION_CALIBRATION: DATA_1, REGION_USER_DATA: USER_1}
CODE_2 = b"code two! " * 120
DATA_2 = bytes([i * 5 & 0xFF for i in range(1900)])
USER_2 = b"USER" * 90


class Entry:
    """What a Director's entry says of an image, as far as regions go."""

    def __init__(self, number, parts, regions=True):
        self.number = number
        self.content = image_of(parts)
        self.length = len(self.content)
        self.digest = digest_of(self.content)
        self.regions = regions_of(parts) if regions else None


def image_of(parts) -> bytes:
    """The parts, (region, bytes), one behind the other, each at a multiple of 256 bytes."""
    content = b""
    for _, part in parts:
        content += b"\xff" * (-len(content) % 256) + part
    return content


def regions_of(parts):
    """[[region, bytes], ...], each but the last up to where the next begins."""
    padded = [[region, len(part) + (-len(part) % 256)] for region, part in parts[:-1]]
    return padded + [[parts[-1][0], len(parts[-1][1])]]


class ZonedEcu:
    """Provisioned with FACTORY, or made of the flash of another one."""

    def __init__(self, content=None):
        regions = [(0, BLOCK, 14, 900), (14336, SMALL, 4, 300)]
        self.nor = Nor(io.BytesIO(content or b""), Geometry(regions, UNIT, 16), lambda us: None)
        self.start()
        if content is None:
            self._provision()

    def start(self):
        self.nor.power_on()
        self.records = Records(Area(self.nor, 0, BLOCK, RECORD_BLOCKS, UNIT))
        self.records.mount()
        places = [
            (number, self.area(number, 0), self.area(number, 1)) for number in sorted(PLACES)
        ]
        application = places.pop(0)
        self.slots = Regions(list(application[1:]), places, self.records)

    def area(self, number, side) -> Area:
        place = PLACES[number]
        return Area(self.nor, place[side], place[2], place[3], UNIT)

    def _provision(self):
        parts = sorted(FACTORY.items())
        for number, content in parts:
            self.area(number, 0).program(0, content + b"\xff" * (-len(content) % UNIT))
        held = [(number, len(content), digest_of(content)) for number, content in parts]
        self.slots.furnish(held, 1, 5000, digest_of(b"the factory's"), 1)
        assert self.reset() == (0, False)

    def content(self):
        content = bytearray(FLASH_BYTES)
        self.nor.peek(0, content)
        return bytes(content)

    def reset(self):
        self.start()
        booted = self.slots.boot()
        run(self.slots.check(Suite))
        return booted

    def holds(self):
        """{region: bytes} of what runs, as far as it holds what was put there."""
        found = {}
        for number in PLACES:
            area, length = self.slots.place(number)
            found[number] = area.read(0, length).rstrip(b"\xff")
        return found

    def takes(self, entry, step=100, end=None):
        """Fetch and stage; returns from where."""
        choose(self.slots, entry)
        run(self.slots.begin(Installed(entry.number, entry.length, entry.digest, entry.number)))
        start = self.slots.resume_offset()
        stop = entry.length if end is None else end
        for at in range(start, stop, step):
            self.slots.write(at, entry.content[at : min(at + step, stop)])
        if end is None:
            run(self.slots.finish(Suite))
        return start

    def installs(self, entry):
        """From where it was fetched; it is confirmed afterwards."""
        start = self.takes(entry)
        self.slots.start_trial()
        slot, on_trial = self.reset()
        assert on_trial and not self.slots.rotten
        self.slots.confirm()
        return start


def merged(*changes):
    """{region: bytes} of the factory with these in it."""
    made = dict(FACTORY)
    for change in changes:
        made.update(change)
    return made
