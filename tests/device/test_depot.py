"""A Primary's depot: it holds what was hashed where it lies; failures leave it usable (V-48)."""

from cells import BLOCK_BYTES, CELL_BLOCKS, Store, content_of
from claims import count_slices, raises, run
from memory import SUITE, digest
from uptane.errors import NoSpace, TooMuch, WrongFile, WrongHash
from uptane.image.parcel import Parcel
from wrapping import entry_with


def test_an_image_of_any_length_is_found_as_it_came():
    for length in (1, 7, 8, 9, 256, 1000, BLOCK_BYTES, BLOCK_BYTES + 1, CELL_BLOCKS * BLOCK_BYTES):
        for piece_bytes in (1, 5, 8, 300, 4096):
            if piece_bytes > 1 or length < 100:
                store = Store()
                content = content_of(length, length)
                store.fill(5, content, piece_bytes)
                assert store.read(5) == content
                assert store.depot.holds(digest(content))


def test_an_image_is_found_from_an_offset_on():
    store = Store()
    content = content_of(1, 1500)
    store.fill(5, content)
    for offset in (0, 1, 700, 1499):
        assert store.read(5, offset) == content[offset:]
    for offset in (1500, 9999):
        assert store.depot.find(digest(content), offset) is None
    assert store.depot.find(digest(b"another"), 0) is None


def test_two_images_lie_side_by_side_and_a_third_has_no_room():
    store = Store()
    first, second = content_of(1, 2000), content_of(2, 1000)
    store.fill(1, first)
    store.fill(2, second)
    raises(NoSpace, store.fill, 3, content_of(3, 10))
    assert store.read(1) == first and store.read(2) == second
    store.depot.keep([], [])
    assert store.read(1) is None and not store.depot.holds(digest(second))
    store.fill(3, content_of(3, 10))
    assert store.read(3) == content_of(3, 10)


def test_an_image_larger_than_a_cell_has_no_room():
    store = Store()
    raises(NoSpace, store.begin, 1, bytes(CELL_BLOCKS * BLOCK_BYTES + 1))
    store.fill(1, content_of(1, CELL_BLOCKS * BLOCK_BYTES))


def test_what_is_not_verified_is_not_found():
    """V-33."""
    store = Store()
    content = content_of(1, 1000)
    store.begin(1, content)
    assert store.read(1) is None
    store.depot.write(0, content)
    assert store.read(1) is None and not store.depot.holds(digest(content))
    run(store.depot.finish(SUITE))
    assert store.read(1) == content


def test_another_content_is_refused_and_its_cell_is_free_again():
    """E-30."""
    store = Store()
    good = content_of(1, 1000)
    for _ in range(5):
        store.begin(1, good)
        store.depot.write(0, content_of(2, 1000))
        raises(WrongHash, run, store.depot.finish(SUITE))
        assert store.read(1) is None
    store.fill(1, good)
    assert store.read(1) == good


def test_an_image_that_is_too_short_is_refused():
    store = Store()
    content = content_of(1, 1000)
    store.begin(1, content)
    store.depot.write(0, content[:900])
    raises(WrongHash, run, store.depot.finish(SUITE))
    store.fill(1, content)


def test_the_hash_is_of_what_lies_in_flash():
    """E-78: what flew by may not be what was written."""
    store = Store()
    content = content_of(1, 1000)
    store.begin(1, content)
    store.depot.write(0, content)
    store.nor.poke(500, bytes([content[500] ^ 4]))
    raises(WrongHash, run, store.depot.finish(SUITE))


def test_an_image_that_never_came_whole_gives_its_cell_back():
    """V-35: cycles that end in the middle do not fill the depot."""
    store = Store()
    for number in range(1, 6):
        store.begin(number, content_of(number, 1000))
        store.depot.write(0, content_of(number, 500))
    store.fill(8, content_of(8, 2000))
    store.fill(9, content_of(9, 2000))
    assert store.read(8) == content_of(8, 2000) and store.read(9) == content_of(9, 2000)


def test_bytes_out_of_order_or_beyond_the_end_are_refused():
    """V-64, E-20."""
    store = Store()
    raises(WrongFile, store.depot.write, 0, b"nobody asked")
    raises(WrongFile, run, store.depot.finish(SUITE))
    content = content_of(1, 1000)
    store.begin(1, content)
    store.depot.write(0, content[:300])
    for offset in (0, 299, 301):
        raises(WrongFile, store.depot.write, offset, content[:10])
    raises(TooMuch, store.depot.write, 300, content_of(1, 701))
    store.depot.write(300, content[300:])
    raises(TooMuch, store.depot.write, 1000, b"x")
    run(store.depot.finish(SUITE))
    assert store.read(1) == content
    raises(WrongFile, store.depot.write, 1000, b"x")


def test_a_cell_is_erased_block_by_block_and_only_where_it_has_to_be():
    store = Store()
    content = content_of(1, 2000)
    parcel = Parcel(entry_with(None, content), 1)
    assert count_slices(store.depot.begin(parcel))[1] == CELL_BLOCKS
    assert sum(store.nor.erased[: 2 * CELL_BLOCKS]) == 0
    store.depot.write(0, content)
    run(store.depot.finish(SUITE))
    store.depot.keep([], [])
    store.fill(2, content_of(2, 100))
    assert store.nor.erased[: 2 * CELL_BLOCKS] == [1, 0, 0, 0]


def test_an_image_taken_up_after_a_break_is_whole():
    """A feeder that was cut off goes on with the next byte."""
    store = Store()
    content = content_of(1, 1000)
    store.begin(1, content)
    store.depot.write(0, content[:301])
    raises(WrongFile, store.depot.write, 0, content[:301])
    store.depot.write(301, content[301:])
    run(store.depot.finish(SUITE))
    assert store.read(1) == content


def test_what_was_verified_is_there_after_a_reset_and_what_was_not_is_not():
    """V-90, V-58: an image is kept until it is wanted no more."""
    store = Store()
    first, second = content_of(1, 1500), content_of(2, 900)
    store.fill(1, first)
    store.begin(2, second)
    store.depot.write(0, second)
    store.depot = store.powered_on()
    assert store.read(1) == first and store.read(2) is None
    store.fill(2, second)
    store.depot.keep([digest(second)], [])
    store.depot = store.powered_on()
    assert store.read(1) is None and store.read(2) == second


def test_after_a_reset_the_hash_is_of_what_lies_in_flash():
    """E-78: a cell that was written to while the power was off holds nothing."""
    store = Store()
    content = content_of(1, 1000)
    store.fill(1, content)
    store.nor.poke(500, bytes([content[500] ^ 4]))
    store.depot = store.powered_on()
    assert store.read(1) is None
    store.fill(2, content)
    assert store.read(2) == content


def test_a_cell_that_is_written_anew_is_not_said_to_hold_what_it_held():
    """V-35: the record forgets an image before the first block of its cell is erased."""
    store = Store()
    for number in (1, 2):
        store.fill(number, content_of(number, 1000))
    store.depot.keep([digest(content_of(2, 1000))], [])
    store.begin(3, content_of(3, 1000))
    store.depot = store.powered_on()
    assert store.read(1) is None and store.read(2) == content_of(2, 1000)


def test_a_record_that_rotted_costs_no_more_than_the_images():
    """E-79: they can be fetched again."""
    store = Store()
    store.fill(1, content_of(1, 1000))
    at = 2 * CELL_BLOCKS * BLOCK_BYTES
    for offset in range(at, at + 4 * BLOCK_BYTES):
        cell = bytearray(1)
        store.nor.peek(offset, cell)
        if cell[0] != 0xFF:
            store.nor.poke(offset, bytes([cell[0] ^ 8]))
    store.depot = store.powered_on()
    assert store.read(1) is None
