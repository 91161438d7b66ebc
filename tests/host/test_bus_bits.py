"""How long a frame is, and which of two wins: against a second opinion, written bit by bit."""

import random

import pytest

from muptane.bench.bus import EXTENDED, arbitration_key, frame_bits

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
