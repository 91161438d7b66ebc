"""Small parts of the port: the clock, RP2 flash, ROMFS without VfsRom."""

from claims import raises
from uptane.errors import FlashFault
from uptane.port.clock_ticks import TICKS_US, ClockTicks
from uptane.port.flash_rp2 import FlashRp2, mapped
from uptane.port.romfs import RomFs
from vectors import romfs

PERIOD = 1 << 30
BASE = 0xA0000


class Ticks:
    def __init__(self, now_us):
        self.now_us = now_us

    def ticks_us(self):
        return self.now_us % PERIOD

    def ticks_ms(self):
        return self.now_us // 1000 % PERIOD

    def ticks_diff(self, end, start):
        return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2


class Quiet:
    def __init__(self):
        self.frames = 0

    def ready(self, frames):
        return self.frames >= frames


def clock(now_us=0):
    ticks, bus = Ticks(now_us), Quiet()

    def idle():
        ticks.now_us += 1000

    return ticks, bus, ClockTicks(ticks, idle, bus)


def test_time_only_grows_although_ticks_wrap():
    ticks, _, time = clock(PERIOD * 1000 - 5000)
    for step in range(1, 20):
        ticks.now_us += 1000
        assert time.ticks_ms() == step


def test_microseconds_go_round_as_small_integers():
    ticks, _, time = clock(PERIOD - 10)
    before = time.ticks_us()
    ticks.now_us += 30
    assert 0 <= time.ticks_us() < 1 << 29
    assert (time.ticks_us() - before) & TICKS_US == 30


def test_a_wait_ends_at_its_time():
    _, _, time = clock()
    time.wait(7)
    assert time.ticks_ms() == 7
    time.wait(3)
    assert time.ticks_ms() == 7


def test_a_wait_looks_without_sleeping_while_an_untold_controller_sends():
    """S-38: no interrupt says that there is room for the next frame."""
    ticks, looks = Ticks(0), []

    class Untold(Quiet):
        untold = True

        def unsent(self):
            looks.append(ticks.now_us)
            ticks.now_us += 20
            return len(looks) < 5

    ticks_before = ticks.now_us

    def idle():
        ticks.now_us += 1000

    ClockTicks(ticks, idle, Untold()).wait(2)
    assert looks[:5] == [ticks_before + 20 * at for at in range(5)]
    assert len(looks) < 9 and ticks.now_us >= 2000


def test_a_wait_ends_when_enough_frames_are_there():
    _, bus, time = clock()
    bus.frames = 2
    time.wait(5, 2)
    assert time.ticks_ms() == 0
    time.wait(5, 3)
    assert time.ticks_ms() == 5


class Nor:
    """rp2.Flash: 16 blocks; programming only clears bits, in whole pages; a stuck bit."""

    def __init__(self):
        self.array = bytearray(b"\xff" * 65536)
        self.stuck = -1

    def readblocks(self, block, buf, offset):
        at = block * 4096 + offset
        buf[:] = self.array[at : at + len(buf)]

    def writeblocks(self, block, buf, offset):
        at = block * 4096 + offset
        assert (at | len(buf)) % 256 == 0
        for n in range(len(buf)):
            if at + n != self.stuck:
                self.array[at + n] &= buf[n]

    def ioctl(self, op, arg):
        assert op == 6
        self.array[arg * 4096 : arg * 4096 + 4096] = b"\xff" * 4096
        return 0


def test_rp2_pages_read_back_and_blocks_are_erased():
    part = Nor()
    flash = FlashRp2(part, BASE, 65536)
    page = bytes(range(256))
    flash.program(BASE + 4096 - 256, page + page)  # over the end of a block
    into = bytearray(8)
    flash.read_into(BASE + 4096 - 4, into)
    assert bytes(into) == b"\xfc\xfd\xfe\xff\x00\x01\x02\x03"
    flash.erase(BASE + 4096)
    flash.read_into(BASE + 4096 - 4, into)
    assert bytes(into) == b"\xfc\xfd\xfe\xff\xff\xff\xff\xff"


def test_rp2_refuses_what_is_misaligned_or_not_its_own():
    flash = FlashRp2(Nor(), BASE, 65536)
    page = bytes(256)
    for address in (BASE + 128, BASE - 256, BASE + 65536):
        assert raises(FlashFault, flash.program, address, page)
    assert raises(FlashFault, flash.program, BASE, bytes(255))
    for address in (BASE + 256, BASE - 4096, BASE + 65536):
        assert raises(FlashFault, flash.erase, address)
    assert raises(FlashFault, flash.read_into, BASE + 65530, bytearray(8))


def test_rp2_finds_a_stuck_cell_by_reading_back():
    part = Nor()
    part.stuck = 300
    assert raises(FlashFault, FlashRp2(part, BASE, 65536).program, BASE, bytes(512))


def test_rp2_flash_is_seen_as_memory_from_its_start():
    assert mapped(lambda address, length: (address, length))(0xF0000, 7) == (0x100F0000, 7)


def test_files_of_a_romfs_image_are_found_and_read():
    fs = RomFs(romfs.IMAGE)
    for path, content in romfs.FILES:
        assert fs.open(path, "rb").read() == content
        assert fs.stat(path)[0] == 0x8000
        assert fs.stat(path)[6] == len(content)
    assert fs.stat("lib")[0] == 0x4000
    assert sorted([entry[0] for entry in fs.ilistdir("/")]) == ["app.py", "lib"]
    assert fs.open("app.py", "r").readline() == "from lib import wheel\n"


def test_what_is_not_in_the_image_is_missing():
    fs = RomFs(romfs.IMAGE)
    for path in ("app", "lib/app.py", "app.py/x", "lib/wheel.py/"[:5] + "x"):
        assert raises(OSError, fs.stat, path)
    assert raises(OSError, fs.open, "lib", "rb")


def test_a_truncated_image_is_no_filesystem():
    for length in range(len(romfs.IMAGE)):
        assert raises(OSError, RomFs, romfs.IMAGE[:length])


def test_a_damaged_image_gives_os_errors_only():
    for at in range(len(romfs.IMAGE)):
        for bit in (0x01, 0x08, 0x80):
            image = bytearray(romfs.IMAGE)
            image[at] ^= bit
            try:
                fs = RomFs(image)
                for path, _ in romfs.FILES:
                    fs.open(path, "rb").read()
            except OSError:
                pass


def test_a_name_that_is_no_text_makes_no_filesystem():
    """V-35: listing such a folder raised what nobody who mounts an image looks for."""
    image = bytearray(romfs.IMAGE)
    image[image.find(b"app.py")] = 0xFF
    raises(OSError, list, RomFs(image).ilistdir("/"))
