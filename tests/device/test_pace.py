"""The pace of files: what is too slow, and what is not, on the clock of those who bring them."""

from downloads import FILE, PICTURE, Sink, block, open_request
from ecu import Ecu, ask, negative
from uptane.errors import SlowRetrieval
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_METADATA, KIND_REPORT, LOCAL, TARGETS
from uptane.limits import N_CR_MS, PACE_PARTS, PACE_SHARE, PACE_WINDOW_MS, S3_MS
from uptane.meta.wants import Want
from uptane.pace import PART_MS, Pace
from uptane.uds.codes import NRC_TRANSFER_DATA_SUSPENDED
from uptane.uds.services import LATER_MS

IDLE_MS = 60_000
WANTS = b"\x31\x01\x02\x01"


def begun(bitrate=500_000):
    pace = Pace(bitrate, IDLE_MS)
    pace.open(0)
    pace.begun = True
    return pace


def refused_at(pace, step_ms, count, until_ms):
    """When this many bytes every so often are found too slow (ms), or None."""
    now_ms = 0
    while now_ms < until_ms:
        now_ms += step_ms
        if pace.is_slow(now_ms):
            return now_ms
        pace.took(count, now_ms)
    return None


def test_the_floor_is_a_share_of_the_bit_rate():
    """V-32: bytes in a window, at every rate of a bus."""
    for bitrate in (10_000, 125_000, 250_000, 500_000, 1_000_000):
        carried = bitrate // 8 * PACE_WINDOW_MS // 1000
        assert begun(bitrate).floor == carried // PACE_SHARE
    assert PACE_WINDOW_MS % PACE_PARTS == 0 and Pace(1, IDLE_MS).floor == 1


def test_what_is_at_the_floor_passes_and_what_is_below_does_not():
    """V-32, E-03: for as long as you like, and within one window and one part."""
    for bitrate in (125_000, 500_000):
        floor = begun(bitrate).floor
        step_ms = PACE_WINDOW_MS // 100
        enough = floor // 99 + 1  # the last one of a window comes at its very end
        assert refused_at(begun(bitrate), step_ms, enough, 3_600_000) is None
        at_ms = refused_at(begun(bitrate), step_ms, floor // 100 - 1, 3_600_000)
        assert PACE_WINDOW_MS <= at_ms <= PACE_WINDOW_MS + PART_MS


def test_a_block_just_within_every_time_out_is_too_slow():
    """V-32, E-03, T-49: the drip that no time-out between frames or blocks sees."""
    for step_ms in (N_CR_MS - 10, S3_MS - 10):
        for count in (1, 7, 256):
            at_ms = refused_at(begun(), step_ms, count, 3_600_000)
            assert at_ms is not None and at_ms <= PACE_WINDOW_MS + S3_MS


def test_a_burst_does_not_pay_for_a_stall():
    """E-03: a fast first half and then silence; a shorter silence is forgiven."""
    for stall_ms, slow in (
        (PACE_WINDOW_MS + PART_MS, True),
        (PACE_WINDOW_MS - 2 * PART_MS, False),
    ):
        pace = begun()
        now_ms = 0
        for _ in range(200):
            now_ms += 100
            assert not pace.is_slow(now_ms)
            pace.took(1024, now_ms)
        assert pace.is_slow(now_ms + stall_ms) == slow


def test_many_small_files_are_no_way_around_the_floor():
    """E-03, T-49: the window runs on from want to want."""
    pace = begun()
    now_ms = files = 0
    slow = False
    while not slow and files < 20:
        files += 1
        now_ms += 4000
        slow = pace.is_slow(now_ms)
        pace.took(145, now_ms)
        pace.open(now_ms)
        pace.begun = True
    assert slow and files == 3


def test_the_ecus_own_time_does_not_count():
    """V-32: it erases, verifies and stores for as long as it needs."""
    pace = begun()
    now_ms = 0
    for _ in range(50):
        now_ms += 50
        assert not pace.is_slow(now_ms)
        now_ms += 9000  # a slow flash
        pace.took(256, now_ms)
    for _ in range(50):
        now_ms += 30_000  # no want was open
        pace.open(now_ms)
        pace.begun = True
        now_ms += 20
        assert not pace.is_slow(now_ms)


def test_idle_wants_have_a_time_for_the_whole_cycle():
    """V-32: not slow, late; a new cycle has it all again."""
    pace = Pace(500_000, IDLE_MS)
    for _ in range(2):
        pace.start()
        for number in range(4):
            pace.open(100_000 * number)
            assert pace.is_slow(100_000 * number + IDLE_MS // 4) == (number == 3)
            pace.begun = True


# --- in a cycle, over UDS -----------------------------------------------------------------------


def image_want(sink):
    want = Want(IMAGE, KIND_IMAGE, 101, bytes(32), 1 << 20)
    want.sink = sink
    return want


def programming():
    ecu = Ecu()
    ask(ecu, b"\x10\x02")
    return ecu


def drip(ecu, pause_ms, count):
    """Blocks until one is refused: the code, and how long it took (ms)."""
    began_ms = ecu.clock.now_ms
    number = 0
    while ecu.clock.now_ms < began_ms + 600_000:
        number += 1
        reply = ask(ecu, block(number, bytes(count)))
        if reply[0] == 0x7F:
            return reply[2], ecu.clock.now_ms - began_ms
        for _ in range(pause_ms // 100):
            ecu.clock.now_ms += 100
            ecu.loop()
    return None, 0


def test_an_image_that_drips_ends_its_cycle_with_one_number():
    """V-32, E-03, T-49: and whoever brought it is told."""
    for pause_ms, count in ((900, 256), (4900, 1024)):
        ecu = programming()
        sink = Sink()
        ecu.want(image_want(sink))
        assert ask(ecu, open_request(PICTURE, 1 << 20))[0] == 0x74
        code, took_ms = drip(ecu, pause_ms, count)
        assert code == NRC_TRANSFER_DATA_SUSPENDED
        assert PACE_WINDOW_MS <= took_ms <= PACE_WINDOW_MS + pause_ms + PART_MS
        assert ecu.noted == [SlowRetrieval.number] and not ecu.cycle.running()
        assert ask(ecu, WANTS) == b"\x71\x01\x02\x01\x03" + bytes((SlowRetrieval.number,))
        assert ecu.noted == [SlowRetrieval.number]


def test_metadata_that_drips_ends_its_cycle():
    """V-32, E-03: a byte at a time."""
    ecu = programming()
    ecu.want(Want(DIRECTOR, KIND_METADATA, TARGETS, 0, 4096))
    ask(ecu, open_request(FILE, 4096))
    assert drip(ecu, 500, 1)[0] == NRC_TRANSFER_DATA_SUSPENDED
    assert ecu.noted == [SlowRetrieval.number] and ecu.answers == []


def test_a_report_that_is_fetched_too_slowly_ends_its_cycle():
    """V-32, T-49: the same floor holds on the way out."""
    ecu = programming()
    want = Want(LOCAL, KIND_REPORT, 1, None, 9000)
    want.offer = bytes(9000)
    ecu.want(want)
    ask(ecu, open_request(b"\x00\x03\x00\x00\x00\x01", 9000, 0x35))
    assert drip(ecu, 900, 0)[0] == NRC_TRANSFER_DATA_SUSPENDED
    assert ecu.noted == [SlowRetrieval.number]


def test_an_image_at_an_honest_rate_arrives():
    """V-32: blocks of 1 KB at 2 KB/s."""
    ecu = programming()
    sink = Sink()
    ecu.want(image_want(sink))
    ask(ecu, open_request(PICTURE, 64 * 1024))
    for number in range(1, 65):
        assert ask(ecu, block(number, bytes(1024)))[0] == 0x76
        for _ in range(5):
            ecu.clock.now_ms += 100
            ecu.loop()
    assert ask(ecu, b"\x37") == b"\x77" and ecu.noted == [] and len(sink.content) == 65536


def test_blocks_sent_again_are_no_progress():
    """E-03: the last block, for ever, keeps no cycle alive."""
    ecu = programming()
    sink = Sink()
    ecu.want(image_want(sink))
    ask(ecu, open_request(PICTURE, 65536))
    code = 0
    for _ in range(300):
        reply = ask(ecu, block(1, bytes(1024)))
        if reply[0] == 0x7F:
            code = reply[2]
            break
        ecu.clock.now_ms += LATER_MS
    assert code == NRC_TRANSFER_DATA_SUSPENDED and len(sink.content) == 1024
    assert ecu.noted == [SlowRetrieval.number]


def test_opening_again_and_again_is_no_progress():
    """E-03: a transfer may be opened anew, the time that was lost is not given back."""
    ecu = programming()
    ecu.want(Want(DIRECTOR, KIND_METADATA, TARGETS, 0, 4096))
    for _ in range(200):
        if ask(ecu, open_request(FILE, 4096))[0] == 0x7F:
            break
        ecu.clock.now_ms += LATER_MS
        ecu.loop()
    assert ecu.noted[0] == SlowRetrieval.number and ecu.cycle.want is None


def test_a_want_that_nobody_begins_is_given_up():
    """V-32: however often somebody asks what is wanted."""
    ecu = programming()
    ecu.want(Want(DIRECTOR, KIND_METADATA, TARGETS, 0, 4096))
    asked = 0
    while ask(ecu, WANTS)[4] == 1:
        asked += 1
        ecu.clock.now_ms += 2000
    assert 299 <= asked <= 301 and ecu.noted == [SlowRetrieval.number]
    assert negative(ecu, open_request(FILE, 4096)) == 0x31
