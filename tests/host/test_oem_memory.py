"""What the back office cannot read costs it no memory."""

import gc
import mmap
from pathlib import Path

import pytest

from muptane.oem.encoding import decode
from muptane.oem.errors import OemRefusal

STATM = Path("/proc/self/statm")  # pages: of the address space, resident, ...


def refuse(raw, times):
    """Decode that so often in vain; returns the bytes that the process holds then."""
    for _ in range(times):
        try:
            decode(raw, 64)
        except OemRefusal:
            continue
        raise AssertionError(f"{raw.hex()} was taken")
    gc.collect()
    return int(STATM.read_text().split()[1]) * mmap.PAGESIZE


@pytest.mark.skipif(not STATM.exists(), reason="this system tells a process's memory otherwise")
@pytest.mark.parametrize("raw", ["63ffffff", "d81e820100", "d8236128", "d8254161"])
def test_what_is_no_message_of_ours_costs_no_memory(raw):
    """E-19: text that is no UTF-8, a fraction, a regular expression, a UUID: cbor2's decoder in C
    lost 8 to 15 MB by 20,000 of each."""
    hostile = bytes.fromhex(raw)
    before = refuse(hostile, 2_000)
    assert refuse(hostile, 20_000) - before < 2_000_000
