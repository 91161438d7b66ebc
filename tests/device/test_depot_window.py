"""A depot that has no room for all: what gets no cell flows through the one that stays free."""

from cells import BLOCK_BYTES, CELL_BLOCKS, Store, content_of
from claims import raises
from memory import SUITE, digest
from uptane.errors import NoSpace, WrongHash
from uptane.image.depot import Passing
from uptane.image.parcel import Parcel
from wrapping import entry_with


def streamed(store, parcel, content, offset):
    """A part of what passed, brought as it is wanted; the piece, or None."""
    task = store.depot.stream(parcel, offset)
    answer = None
    while True:
        try:
            want = task.send(answer)
        except StopIteration as end:
            return end.value
        answer = None
        if want is not None:
            while want.offset < want.until:
                part = content[want.offset : min(want.offset + 300, want.until)]
                want.sink.write(want.offset, part)
                want.offset += len(part)
            answer = True


def test_what_has_no_cell_flows_through_the_one_that_stays_free():
    """V-48: hashed on a first pass, then in parts, of which each begins where it is wanted."""
    store = Store()
    small, large = content_of(1, 1000), content_of(2, 5000)
    parcels = [Parcel(entry_with(None, one), 1) for one in (small, large)]
    store.depot.allot(parcels)
    assert [store.depot.has_room(one) for one in parcels] == [True, False]
    store.fill(1, small)
    passing = Passing(SUITE)
    passing.write(0, large)
    passing.finish(parcels[1])
    got, offset = b"", 0
    while offset < len(large):
        piece = streamed(store, parcels[1], large, offset)
        part = bytearray(piece.length)
        piece.read_into(memoryview(part), 0)
        got += bytes(part)
        offset += piece.length
        assert piece.length <= CELL_BLOCKS * BLOCK_BYTES
    assert got == large and store.read(1) == small


def test_what_was_passed_is_the_signed_one():
    """V-48, E-30."""
    content = content_of(1, 5000)
    passing = Passing(SUITE)
    passing.write(0, content[:-1] + b"?")
    raises(WrongHash, passing.finish, Parcel(entry_with(None, content), 1))


def test_where_all_cells_are_taken_one_is_given_up() -> None:
    """V-48: or an ECU that is silent for ever would keep all others from theirs."""
    store = Store()
    for number in (1, 2):
        store.fill(number, content_of(number, 1000))
    third = content_of(3, 1000)
    parcels = [Parcel(entry_with(None, content_of(number, 1000)), 1) for number in (1, 2, 3)]
    store.depot.allot(parcels)
    assert [store.depot.holds(one.digest) for one in parcels] == [True, False, False]
    assert not store.depot.has_room(parcels[1])
    piece = streamed(store, parcels[2], third, 0)
    part = bytearray(piece.length)
    piece.read_into(memoryview(part), 0)
    assert bytes(part) == third and store.read(1) == content_of(1, 1000)
    store.depot = store.powered_on()
    assert store.read(1) == content_of(1, 1000) and store.read(2) is None


def test_an_image_to_go_back_to_gives_way_to_one_that_is_directed() -> None:
    """V-48, V-58, V-90, E-79: or an ECU that was overwritten would keep all others from theirs."""
    store = Store()
    new, before, other = content_of(1, 2000), content_of(2, 1000), content_of(3, 1500)
    store.fill(1, new)
    store.fill(2, before)
    store.depot.keep([digest(new)], [digest(before)])
    directed = [Parcel(entry_with(None, one), 1) for one in (new, other)]
    store.depot.allot(directed[:1])
    assert store.read(2) == before
    store.depot.allot(directed)
    store.fill(3, other)
    assert store.read(1) == new and store.read(2) is None and store.read(3) == other
    raises(NoSpace, store.fill, 2, before)
    assert store.read(1) == new and store.read(3) == other
