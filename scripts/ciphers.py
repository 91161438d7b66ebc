"""`make ciphers`: how fast an ECU's secrecy is here, on both interpreters.

An agreement of X25519, and the key stream of ChaCha20, by machine code where the interpreter has
it and by Python; the best of some rounds, since the machine is shared. It is wall time, so it says
how the implementations compare; no test looks at it. The figures go to docs/measured.md.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

from muptane.bench import firmware
from muptane.measured import table, write_section

ROUNDS = 9
HEAP_BYTES = 512 * 1024
MACHINE = platform.machine()
PROGRAM = """
import json
import sys
import time
sys.path.insert(0, {folder!r})
from uptane.crypto import chacha20, x25519
from uptane.crypto.secrecy import Secrecy
from uptane.crypto.suite import Suite

def now_us():
    return time.ticks_us() if hasattr(time, "ticks_us") else time.perf_counter_ns() // 1000

def best_us(work):
    took = []
    for _ in range({rounds}):
        began = now_us()
        work()
        took.append(now_us() - began)
    return min(took)

def agree():
    for _ in x25519.agree(bytes(range(32)), b"\\x09" + bytes(31)):
        pass

def stream(new):
    data = bytearray(8192)
    cipher = new(bytes(range(32)), bytes(12))
    return 8000000 // best_us(lambda: cipher.xor(0, data))

secrecy = Secrecy(Suite(), lambda: None)
print(json.dumps([best_us(agree), stream(secrecy.cipher), stream(chacha20.ChaCha20)]))
"""


def measured(command: list[str], folder: Path) -> list[int]:
    """us of one agreement, KB/s of the stream that was chosen, KB/s of the one in Python."""
    program = PROGRAM.format(folder=str(folder), rounds=ROUNDS)
    done = subprocess.run([*command, "-c", program], capture_output=True, text=True, check=True)
    found: list[int] = json.loads(done.stdout)
    return found


def main() -> int:
    micropython = measured(firmware.micropython(HEAP_BYTES), firmware.compiled())
    cpython = measured([sys.executable], firmware.FIRMWARE.parent)
    rows = [
        ("X25519, us an agreement", micropython[0], cpython[0]),
        ("ChaCha20 as chosen, KB/s", micropython[1], cpython[1]),
        ("ChaCha20 in Python, KB/s", micropython[2], cpython[2]),
    ]
    text = table(("what", "MicroPython", f"CPython {platform.python_version()}"), rows)
    print(text)
    write_section("ciphers", f"{INTRODUCTION}\n\n{text}")
    return 0


INTRODUCTION = f"""## Ciphers

Written by `make ciphers`: the best of {ROUNDS} rounds on the machine that ran it, {MACHINE}, both
interpreters of 64 bits; a ratio between two implementations, not a promise. What is *chosen* is
machine code on MicroPython and Python on CPython; boards of 32 bits are not among them."""


if __name__ == "__main__":
    sys.exit(main())
