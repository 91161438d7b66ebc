"""How long the records of each board stand somebody who begins cycles as fast as he may."""

import io

import pytest

from boards.unix.nor import part_of
from muptane.bench.settings import settings_of
from muptane.boards import board_names, load_board
from uptane import ids
from uptane.limits import CYCLE_MS, CYCLES_MAX, LIFE_MS_MIN
from uptane.store.area import Area
from uptane.store.records import Records

DAY_S = 86_400
DAYS_MIN = 30
CYCLES = 3000


@pytest.mark.parametrize("board", board_names())
def test_a_month_of_forced_cycles_does_not_wear_out_the_records(board, tmp_path):
    """E-89: writes only in cycles, these by rate, and levelled over the blocks."""
    spec = load_board(board)
    settings = settings_of(spec, tmp_path / "flash", 500_000)
    nor = part_of(io.BytesIO(), settings["flash"], lambda us: None)
    address, block_bytes, blocks = settings["records"]
    records = Records(Area(nor, address, block_bytes, blocks, settings["flash"]["program_bytes"]))
    records.mount()
    records.commit({ids.RECORD_METADATA + role: bytes(1500) for role in range(4)})
    before = list(nor.erased)
    for counter in range(CYCLES):
        records.commit({ids.RECORD_COUNTER: counter.to_bytes(4, "big")})
    worn = max(now - then for now, then in zip(nor.erased, before, strict=True))
    a_life = CYCLES_MAX + LIFE_MS_MIN // CYCLE_MS  # cycles, and then a reset
    cycles_a_day = a_life * DAY_S * 1000 // LIFE_MS_MIN
    days = spec.flash.erasures * CYCLES // max(worn, 1) // cycles_a_day
    print(f"{board}: {days} days")
    assert days >= DAYS_MIN
