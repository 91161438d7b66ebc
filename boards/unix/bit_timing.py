"""How a controller divides its clock into the bits of a bus, as MicroPython's machine.CAN does.

It only calculates: the emulated bus has the bit rate that its vehicle says.
"""

CLOCK_HZ = 42_000_000  # of the peripheral bus of an STM32F4 at 168 MHz
PRESCALER_MAX = 1024
TSEG1_MAX = 16
TSEG2_MAX = 8
SJW_MAX = 4


def divided(given: "dict[str, int | None]") -> "list[int | None]":
    """[exact bit rate, sjw, tseg1, tseg2, None, None] of what `machine.CAN.init` was given: a
    `bitrate`, with a `sample_point` in percent or with both segments. ValueError."""
    for name in given:
        if name not in ("bitrate", "sample_point", "sjw", "tseg1", "tseg2"):
            raise TypeError("extra keyword arguments given")
    bitrate, sjw = given["bitrate"], given.get("sjw", 1)
    tseg1, tseg2 = given.get("tseg1"), given.get("tseg2")
    sample_point = given.get("sample_point", 75)
    if bitrate is None or sjw is None or sample_point is None:
        raise TypeError
    if not 1 <= sjw <= SJW_MAX:
        raise ValueError("sjw")
    if not allowed(tseg1, TSEG1_MAX, tseg2):
        raise ValueError("tseg1")
    if not allowed(tseg2, TSEG2_MAX, tseg1):
        raise ValueError("tseg2")
    if not 0 < sample_point < 100:
        raise ValueError("sample_point")
    best = None
    for prescaler in range(PRESCALER_MAX, 0, -1):
        clock = CLOCK_HZ // prescaler
        if tseg1 is None or tseg2 is None:
            quanta = (clock + bitrate // 2) // bitrate
            if not 3 <= quanta <= TSEG1_MAX + TSEG2_MAX + 1:
                continue
            one = sampled(quanta, sample_point)
            rank = abs(bitrate - clock // quanta), off(one, quanta, sample_point)
        else:
            one, quanta = tseg1, tseg1 + tseg2 + 1
            rank = abs(bitrate - clock // quanta), 0
        if rank[0] < bitrate and (best is None or rank <= best[0]):
            best = rank, clock // quanta, one, quanta - 1 - one
    if best is None:
        raise ValueError("unable to calculate BRP for baudrate")
    return [best[1], sjw, best[2], best[3], None, None]


def allowed(segment: "int | None", most: int, other: "int | None") -> bool:
    """Both segments or none, and each within its bounds."""
    if segment is None:
        return other is None
    return 1 <= segment <= most


def sampled(quanta: int, sample_point: int) -> int:
    """Of the segments before the sample point that a bit of `quanta` allows, the one nearest to
    `sample_point`, and of two the longer."""
    best = 0
    for one in range(max(1, quanta - 1 - TSEG2_MAX), min(TSEG1_MAX, quanta - 2) + 1):
        if not best or off(one, quanta, sample_point) <= off(best, quanta, sample_point):
            best = one
    return best


def off(one: int, quanta: int, sample_point: int) -> int:
    """How far a sample after `one` quanta is from the sample point, in hundredths of a percent."""
    return abs(10_000 * (1 + one) // quanta - sample_point * 100)
