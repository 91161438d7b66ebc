"""How long a frame is, and which of two wins: against a second opinion, written bit by bit."""

import random

import pytest

from muptane.bench.can.frames import (
    FD_LENGTHS,
    Frame,
    arbitration_key,
    bits_of,
    duration_ns,
    fault_of,
    fd_bits,
    frame_bits,
    until_ns,
    wire_bits,
)
from muptane.bench.world import S
from muptane.identifiers import EXTENDED

CRC_POLYNOMIAL = "1100010110011001"  # x^15+x^14+x^10+x^8+x^7+x^4+x^3+1, ISO 11898-1, 10.4.2.6


def drawn_bits(can_id, data):
    """The frame as ISO 11898-1 draws it, from SOF to the last data bit, as a string."""
    if can_id & EXTENDED:
        number = format(can_id & 0x1FFFFFFF, "029b")
        head = "0" + number[:11] + "11" + number[11:] + "0" + "00"  # SRR, IDE; RTR; r1, r0
    else:
        head = "0" + format(can_id, "011b") + "0" + "0" + "0"  # RTR, IDE, r0
    return head + format(len(data), "04b") + "".join(format(byte, "08b") for byte in data)


def divided(bits):
    """The remainder of a polynomial division by hand, which is the CRC sequence."""
    rest = [int(bit) for bit in bits + "0" * 15]
    for at in range(len(bits)):
        if rest[at]:
            for i, bit in enumerate(CRC_POLYNOMIAL):
                rest[at + i] ^= int(bit)
    return "".join(str(bit) for bit in rest[-15:])


def stuffed(bits):
    """With a complementary bit after each five equal ones, stuff bits counting as bits."""
    out = ""
    for bit in bits:
        out += bit
        if len(out) >= 5 and out[-5:] == out[-1] * 5 and run_length(out) % 5 == 0:
            out += "1" if out[-1] == "0" else "0"
    return out


def run_length(out):
    return len(out) - len(out.rstrip(out[-1]))


def bits_by_hand(can_id, data):
    bits = drawn_bits(can_id, data)
    tail = "1" + "0" + "1" + "1" * 7 + "1" * 3  # CRC delimiter, ACK, its delimiter, EOF, IFS
    return len(stuffed(bits + divided(bits)) + tail)


def random_frames(count):
    chance = random.Random(11898)
    for _ in range(count):
        extended = chance.random() < 0.5
        number = chance.randrange(1 << (29 if extended else 11))
        length = chance.randrange(9)
        data = chance.choice(
            [chance.randbytes(length), bytes(length), b"\xff" * length, b"\xcc" * length]
        )
        yield number | (EXTENDED if extended else 0), data


def test_every_frame_is_as_long_as_by_hand():
    for can_id, data in random_frames(3000):
        assert frame_bits(can_id, data) == bits_by_hand(can_id, data), (hex(can_id), data)


def test_stuffing_stays_between_none_and_the_worst_case():
    """47 + 8n bits and at most (34 + 8n - 1) / 4 more; 67 + 8n and (54 + 8n - 1) / 4."""
    for can_id, data in random_frames(3000):
        low, stuffable = (67, 54) if can_id & EXTENDED else (47, 34)
        payload_bits = 8 * len(data)
        least = low + payload_bits
        assert least <= frame_bits(can_id, data) <= least + (stuffable + payload_bits - 1) // 4


@pytest.mark.parametrize(("can_id", "mean"), [(0x7E0, 116.5), (0x18DA10F1 | EXTENDED, 134.4)])
def test_consecutive_frames_of_noise_have_the_known_mean(can_id, mean):
    """What an encrypted image costs on the wire, as others have computed it."""
    chance = random.Random(1)
    frames = [bytes([0x20 | number % 16]) + chance.randbytes(7) for number in range(4800)]
    bits = [frame_bits(can_id, data) for data in frames]
    assert abs(sum(bits) / len(bits) - mean) < 0.2


def test_a_frame_may_need_no_stuffing_at_all():
    assert frame_bits(0x085, bytes.fromhex("52a8543634312a16")) == 47 + 64


def test_arbitration_compares_the_bits_on_the_wire():
    chance = random.Random(5)
    ids = [can_id for can_id, _ in random_frames(200)] + [chance.randrange(0x800)]

    def field(can_id):
        """Base, SRR or RTR, IDE, and of an extended frame the rest with its RTR."""
        bits = drawn_bits(can_id, b"")
        return bits[1:33] if can_id & EXTENDED else bits[1:14] + "0" * 19

    for one in ids:
        for other in ids[::7]:
            lower = field(one) < field(other)
            assert (arbitration_key(one) < arbitration_key(other)) == lower


# --- remote frames ---------------------------------------------------------------------------


def test_a_remote_frame_is_a_data_frame_without_data_and_a_recessive_bit():
    for can_id in (0x123, 0x12345678 | EXTENDED):
        drawn = drawn_bits(can_id, b"")
        at = 12 if can_id == 0x123 else 32  # where RTR is, SOF being 0
        drawn = drawn[:at] + "1" + drawn[at + 1 : -4] + format(5, "04b")
        by_hand = len(stuffed(drawn + divided(drawn))) + 13
        assert frame_bits(can_id, b"", 5) == by_hand


def test_a_data_frame_wins_over_a_remote_one_of_its_identifier():
    standard, extended = 0x123, 0x123 << 18 | EXTENDED
    keys = [
        arbitration_key(standard),
        arbitration_key(standard, remote=True),
        arbitration_key(extended),
        arbitration_key(extended, remote=True),
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == 4


# --- CAN FD ------------------------------------------------------------------------------------


def fd_by_hand(can_id, data, brs):
    """(bits of the arbitration phase, bits of the data phase) of an FD frame, drawn as text: SOF,
    identifier, RRS, IDE, FDF, res, BRS; ESI, DLC, data; stuff count, CRC with its fixed stuff
    bits; CRC delimiter; ACK, its delimiter, EOF, IFS (ISO 11898-1:2015, 10.4.2 and 10.5)."""
    if can_id & EXTENDED:
        number = format(can_id & 0x1FFFFFFF, "029b")
        head = "0" + number[:11] + "11" + number[11:] + "0" + "1" + "0" + str(int(brs))
    else:
        head = "0" + format(can_id, "011b") + "0" + "0" + "1" + "0" + str(int(brs))
    dlc = {12: 9, 16: 10, 20: 11, 24: 12, 32: 13, 48: 14, 64: 15}.get(len(data), len(data))
    rest = "0" + format(dlc, "04b") + "".join(format(byte, "08b") for byte in data)
    early, whole = stuffed(head), stuffed(head + rest)
    if len(whole) >= 5 and stuffed((head + rest)[:-1]) + (head + rest)[-1] != whole:
        whole = whole[:-1]  # the bit that opens the CRC field stands in its place
    crc_bits = 4 + (17 if len(data) <= 16 else 21)
    fixed = 1 + crc_bits // 4
    return len(early) + 12, len(whole) - len(early) + crc_bits + fixed + 1


def random_fd_frames(count):
    chance = random.Random(2015)
    for _ in range(count):
        extended = chance.random() < 0.5
        number = chance.randrange(1 << (29 if extended else 11))
        length = chance.choice(FD_LENGTHS)
        data = chance.choice(
            [chance.randbytes(length), bytes(length), b"\xff" * length, b"\xf8" * length]
        )
        yield number | (EXTENDED if extended else 0), data, chance.random() < 0.8


def test_every_fd_frame_is_as_long_as_by_hand():
    for can_id, data, brs in random_fd_frames(2000):
        assert fd_bits(can_id, data, brs) == fd_by_hand(can_id, data, brs), (hex(can_id), data)


def test_fd_frames_of_64_bytes_have_the_known_mean_and_worst_length():
    """As others have computed them: 31 and 566.8 bits of noise, at most 33 and 679."""
    chance = random.Random(1)
    lengths = [
        fd_bits(0x7E0, bytes([0x20 | number % 16]) + chance.randbytes(63), True)
        for number in range(2000)
    ]
    assert abs(sum(data for _, data in lengths) / 2000 - 566.8) < 0.4
    worst = max(
        (
            fd_bits(can_id, bytes([byte]) * 64, True)
            for can_id in (0x000, 0x7E0, 0x07C)
            for byte in (0x00, 0xFF, 0x0F, 0x1E, 0x3C, 0x78, 0x87, 0xC3, 0xE1, 0xF0)
        ),
        key=lambda bits: bits[1],
    )
    assert 600 < worst[1] <= 679
    for can_id, data, brs in random_fd_frames(2000):
        if not can_id & EXTENDED and len(data) == 64:
            assert fd_bits(can_id, data, brs)[0] <= 33
            assert fd_bits(can_id, data, brs)[1] <= 679


def test_without_a_second_rate_all_bits_of_an_fd_frame_are_nominal():
    fast, slow = (Frame(0x123, bytes(12), fd=True, brs=brs) for brs in (True, False))
    assert bits_of(slow) == (sum(fd_bits(0x123, bytes(12), False)), 0)
    assert duration_ns(slow, 500_000, 2_000_000) == bits_of(slow)[0] * S // 500_000
    nominal, data = bits_of(fast)
    assert duration_ns(fast, 500_000, 2_000_000) == nominal * 2000 + data * 500


def test_the_bits_of_a_frame_pass_at_their_own_rates():
    frame = Frame(0x123, bytes(64), fd=True, brs=True)
    nominal, data = bits_of(frame)
    head, rates = nominal - 12, (500_000, 2_000_000)
    assert until_ns(frame, head, *rates) == head * 2000
    assert until_ns(frame, head + 10, *rates) == head * 2000 + 10 * 500
    assert until_ns(frame, head + data + 3, *rates) == head * 2000 + data * 500 + 3 * 2000
    assert until_ns(frame, nominal + data, *rates) == duration_ns(frame, *rates)
    classic = Frame(0x123, bytes(8))
    assert until_ns(classic, 30, 500_000) == 60_000


def test_what_is_on_the_wire_begins_as_drawn_and_tells_frames_apart():
    for can_id, data in random_frames(200):
        drawn = drawn_bits(can_id, data)
        assert wire_bits(Frame(can_id, data)) == stuffed(drawn + divided(drawn))
    fd = wire_bits(Frame(0x123, b"abc", fd=True))
    assert fd != wire_bits(Frame(0x123, b"abc"))
    assert fd.startswith("0" + format(0x123, "011b") + "00100")


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame(0x800), "identifier 0x800 is too large"),
        (Frame(0x20000000 | EXTENDED), "identifier 0x20000000 is too large"),
        (Frame(0x1, bytes(9)), "9 bytes in a frame of classic CAN"),
        (Frame(0x1, bytes(9), fd=True), "9 bytes: an FD frame has 0 to 8, 12"),
        (Frame(0x1, remote=4, fd=True), "no remote frames"),
        (Frame(0x1, b"a", remote=1), "has no data"),
        (Frame(0x1, remote=9), "9 bytes in a frame of classic CAN"),
        (Frame(0x1, brs=True), "only an FD frame"),
    ],
)
def test_a_frame_that_no_controller_can_send_is_told_why(frame, why):
    assert why in fault_of(frame)


@pytest.mark.parametrize("length", FD_LENGTHS)
def test_every_length_of_an_fd_frame_can_be_sent(length):
    assert fault_of(Frame(0x7FF, bytes(length), fd=True, brs=True)) == ""
