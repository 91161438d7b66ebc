"""Where the two interpreters differ, each side pinned: what device code may not lean on.

Every test says what the rule is that follows. When one fails after an update of MicroPython, the
rule may go.
"""
# A linter would write most of these the one way that both interpreters share:
# ruff: noqa: B011

import hashlib
import sys

from claims import raises

MICROPYTHON = sys.implementation.name == "micropython"


def only_cpython(error, callable, *args):
    """Claim that a call works on CPython and raises `error` on MicroPython."""
    if MICROPYTHON:
        raises(error, callable, *args)
    else:
        callable(*args)


def importable(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def test_a_bool_is_an_int_on_cpython_only():
    """Ask `value is True` before isinstance(value, int), or `type(value) is int`."""
    assert isinstance(True, int) is not MICROPYTHON
    assert type(1 < 2) is bool and type(1) is int


def test_true_is_one_as_a_key_on_both():
    """A decoded map may not have bool keys."""
    pairs = {1: "number"}
    pairs[True] = "bool"
    assert len(pairs) == 1


def test_bytes_and_text_are_never_equal():
    assert b"a" != "a" and len({b"a": 0, "a": 1}) == 2


def test_pow_knows_no_inverse_and_does_not_say_so():
    """An inverse is a power by Fermat."""
    assert pow(3, -1, 7) == (0 if MICROPYTHON else 5)
    assert pow(3, 5, 7) == 5


def test_int_has_no_bit_length():
    assert hasattr(int, "bit_length") is not MICROPYTHON


def test_from_bytes_knows_no_sign():
    """to_bytes takes signed=True by that name on both, and the way back is missing."""

    def read():
        return int.from_bytes(b"\xfb", "little", signed=True)

    only_cpython(TypeError, read)
    assert (-5).to_bytes(2, "little", signed=True) == b"\xfb\xff"


def test_to_bytes_that_does_not_fit_is_an_overflow_on_both():
    raises(OverflowError, (256).to_bytes, 1, "big")
    raises(OverflowError, (1 << 256).to_bytes, 32, "little")


def test_to_bytes_of_a_negative_number_is_an_overflow_on_both():
    raises(OverflowError, (-5).to_bytes, 8, "little")
    raises(OverflowError, (-(1 << 200)).to_bytes, 64, "little")


def test_big_integers_round_down_and_wrap_alike():
    """ed25519 folds negative products with & and >>."""
    number = -(1 << 300) - 12345
    assert (number >> 255) * (1 << 255) + (number & ((1 << 255) - 1)) == number
    assert number >> 255 < 0 <= number & ((1 << 255) - 1)
    assert -7 // 2 == -4 and -7 % 5 == 3 and number % 7 == 7 - (-number) % 7


def test_slices_have_no_step():
    only_cpython(NotImplementedError, lambda: b"abcd"[::2])
    only_cpython(NotImplementedError, lambda: bytearray(b"abcd")[::-1])


def test_a_view_can_not_be_cast_and_is_not_ordered():
    assert hasattr(memoryview, "cast") is not MICROPYTHON
    assert memoryview(b"abc")[1:] == b"bc"
    if not MICROPYTHON:
        raises(TypeError, lambda: memoryview(b"a") < b"b")


def test_text_has_few_methods():
    """Neither ljust nor removeprefix."""
    assert hasattr("", "ljust") is not MICROPYTHON
    assert hasattr("", "removeprefix") is not MICROPYTHON
    assert "abc".startswith("ab")


def test_bytes_have_hex_on_both():
    assert b"\x01\xff".hex() == "01ff" and bytes.fromhex("01ff") == b"\x01\xff"


def test_literals_do_not_unpack():
    for source in ("[*(1, 2)]", "{**{}}"):
        only_cpython(SyntaxError, eval, source)


def test_neither_match_nor_positional_only_parameters_compile():
    for source in ("match 1:\n case 1: pass", "def f(a, /): pass"):
        only_cpython(SyntaxError, exec, source, {})


def test_annotations_are_evaluated_on_cpython_only():
    """A name that does not exist on the device stands in quotes."""
    source = "def f(a: Missing): pass"
    if MICROPYTHON:
        exec(source, {})
    else:
        raises(NameError, exec, source, {})
    exec("def f(a: 'Missing') -> 'Missing': pass", {})


def test_a_false_block_is_never_run():
    """Imports for the type checker stand under `if False:`."""
    if False:
        import missing  # never run, so its absence is never met

        missing.run()


def test_a_dict_keeps_its_order_on_cpython_only():
    """Whoever needs an order sorts."""
    keys = [3, 100, 7, 1, 50, 12]
    pairs = {}
    for key in keys:
        pairs[key] = 0
    assert sorted(pairs) == sorted(keys)
    if not MICROPYTHON:
        assert list(pairs) == keys
    else:
        assert list(pairs) != keys


def test_slots_are_not_needed():
    """On MicroPython __slots__ is an attribute like any other: it forbids nothing."""

    class Slotted:
        __slots__ = ("a",)

    def add():
        Slotted().b = 1

    if MICROPYTHON:
        add()
    else:
        raises(AttributeError, add)


def test_a_spent_hash_object_is_not_updated():
    """digest() once, at the end."""
    digest = hashlib.sha256(b"a")
    digest.digest()
    only_cpython(ValueError, digest.update, b"b")


def test_hash_objects_do_not_copy_and_sha512_is_missing():
    assert hasattr(hashlib.sha256(), "copy") is not MICROPYTHON
    assert hasattr(hashlib, "sha512") is not MICROPYTHON


def test_a_generator_returns_through_yield_from_on_both():
    def inner():
        yield
        return 5

    def outer():
        return (yield from inner()) + 1

    generator = outer()
    next(generator)
    try:
        next(generator)
    except StopIteration as end:
        assert end.value == 6
    else:
        raise AssertionError


def test_text_is_checked_when_it_is_decoded():
    raises(UnicodeError if MICROPYTHON else UnicodeDecodeError, str, b"\xff", "utf-8")


def test_an_encoding_is_a_word_without_meaning():
    """MicroPython decodes as UTF-8 whatever it is told: bounds of text are checked by hand."""
    if MICROPYTHON:
        assert str(b"\xc3\xbc", "ascii") == "\u00fc"
    else:
        raises(UnicodeDecodeError, str, b"\xc3\xbc", "ascii")


def test_the_library_of_the_device_is_small():
    """Nothing but MicroPython's own modules on the device."""
    names = ("typing", "__future__", "enum", "dataclasses", "abc", "functools", "contextlib")
    for name in names + ("logging", "hmac", "unittest"):
        assert importable(name) is not MICROPYTHON, name
    for name in ("hashlib", "struct", "binascii", "collections", "gc", "sys"):
        assert importable(name), name


def test_there_is_viper_on_micropython_only():
    assert importable("micropython") is MICROPYTHON


def test_viper_has_64_bits_here_and_wraps_a_store():
    """On a microcontroller it has 32: sha512_viper masks what leaves an expression."""
    if not MICROPYTHON:
        return
    space = {}
    exec(
        "import micropython\n"
        "@micropython.viper\n"
        "def plus(w: ptr32) -> int:\n"
        "    return int(uint(w[0]) + uint(w[1]))\n"
        "@micropython.viper\n"
        "def store(w: ptr32):\n"
        "    w[2] = uint(w[0]) + uint(w[1])\n",
        space,
    )
    words = bytearray(b"\xff\xff\xff\xff\x01\0\0\0\x55\x55\x55\x55\x66\0\0\0")
    assert space["plus"](words) == 1 << 32
    space["store"](words)
    assert words[8:] == b"\0\0\0\0\x66\0\0\0"


def test_asserts_are_here():
    """Compiled with -O they are gone, so no device code guards input with one."""
    try:
        assert False
    except AssertionError:
        return
    raise RuntimeError("compiled without asserts")
