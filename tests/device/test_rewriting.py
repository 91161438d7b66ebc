"""An ECU without a spare slot: whatever happens, it ends with one of two images, or says that it
has none and takes the next."""

from claims import raises, run
from intakes import said
from lone_taker import (
    NEW,
    OLD,
    OLD_NUMBER,
    PATCH,
    PLACE_BYTES,
    LoneTaker,
    chained,
    confirmed,
    delta_said,
    in_pieces,
    recovery_of,
    refused,
    said_old,
    ways,
)
from memory import digest
from one_slot import BLOCK
from uptane.errors import (
    BadShape,
    NotARecipient,
    NotChained,
    Overwritten,
    RottenImage,
    TooLarge,
    UnsupportedDelta,
    Unwanted,
    WrongBase,
    WrongHash,
    WrongPiece,
)
from uptane.ids import (
    BOOT_CONFIRMED,
    BOOT_REVERTED,
    BOOT_REWRITING,
    CUSTOM_DELTA,
    CUSTOM_ENCRYPTED,
    DIRECTOR,
    IMAGE,
    KIND_DELTA,
    KIND_IMAGE,
    RECORD_CHECKPOINT,
    RECORD_RECOVERY,
)
from uptane.limits import CHECKPOINT_BYTES_MAX
from vectors.deltas import noise
from wrapping import ECU, ciphertext_of, entry_with


def test_every_way_leads_to_the_same_image() -> None:
    """V-58, V-62, S-26, S-29, S-30, V-13, V-65: in pieces of any size."""
    forms = {"whole": 0x20, "delta": 0x30, "encrypted": 0x21, "encrypted delta": 0x31}
    for name, entry, raw in ways():
        for piece_bytes in (64, 1024):
            taker = LoneTaker()
            want, rewrite = run(taker.rewriting.begin(entry))
            assert want.form == forms[name] and want.offset == 0 and want.repository == DIRECTOR
            assert want.detail == digest(raw) and want.cap == len(raw)
            assert want.kind == (KIND_DELTA if "delta" in name else KIND_IMAGE)
            taker.bring(want, raw, -1, piece_bytes)
            assert taker.slots.boot_state() == BOOT_REWRITING
            saved = taker.records.read(RECORD_CHECKPOINT)
            assert saved is None or len(saved) <= CHECKPOINT_BYTES_MAX
            run(taker.rewriting.finish(rewrite))
            assert taker.content(len(NEW)) == NEW, (name, piece_bytes)
            confirmed(taker)
            assert taker.runs(NEW) and taker.slots.boot_state() == BOOT_CONFIRMED
            assert taker.records.read(RECORD_CHECKPOINT) is None


def test_nothing_is_lost_before_the_first_piece_is_here() -> None:
    """V-58, T-32: who withholds the image, or its first piece, has not stopped the old one."""
    for name, entry, raw in ways():
        taker = LoneTaker()
        strokes = taker.nor.strokes
        want, rewrite = run(taker.rewriting.begin(entry))
        first = bytearray(raw[: min(1056, len(raw)) - 1])
        run(want.sink.write(0, memoryview(first)))
        assert taker.nor.strokes == strokes and taker.runs(OLD), name
        taker.start()
        assert taker.runs(OLD) and taker.slots.boot_state() == BOOT_CONFIRMED


def test_an_image_that_fails_its_trial_leaves_none_and_the_old_one_comes_back() -> None:
    """V-67, V-58: in the clear, or as the entry said that told of it."""
    sealed = recovery_of(custom={CUSTOM_ENCRYPTED: said_old()})
    for recovery, form, back in ((None, 0, OLD), (sealed, 1, ciphertext_of(OLD))):
        entry, raw = in_pieces({}, NEW, recovery)
        taker = LoneTaker()
        taker.takes(entry, raw)
        assert taker.records.read(RECORD_RECOVERY) == recovery
        taker.slots.start_trial()
        for _ in range(4):
            taker.start()
        assert taker.slots.boot_state() == BOOT_REWRITING and taker.slots.lost()
        want, rewrite = run(taker.rewriting.begin(taker.rewriting.way_back()))
        assert want.form == form and want.detail == digest(back) and want.number == OLD_NUMBER
        assert want.repository == (DIRECTOR if form else IMAGE)
        taker.bring(want, back)
        run(taker.rewriting.finish(rewrite))
        assert taker.runs(OLD) and taker.slots.boot_state() == BOOT_REVERTED
        assert taker.slots.staged() is None
        taker.takes(*ways()[0][1:])
        confirmed(taker)
        assert taker.runs(NEW)


def test_only_what_was_confirmed_comes_back() -> None:
    """E-20, V-58: another image, even one that the Director told of, does not."""
    entry, raw = in_pieces({}, NEW, recovery_of(noise(3, 900), 99))
    taker = LoneTaker()
    taker.takes(entry, raw)
    assert taker.records.read(RECORD_RECOVERY) is None
    taker.slots.start_trial()
    for _ in range(4):
        taker.start()
    raises(WrongHash, taker.goes_back, noise(4, len(OLD)))
    assert taker.slots.lost()
    taker.goes_back()
    assert taker.runs(OLD)


def test_what_is_not_in_pieces_overwrites_nothing_that_runs() -> None:
    """T-32, E-81: nor does what is in pieces for another ECU; a delta never does without."""
    taker = LoneTaker()
    strokes = taker.nor.strokes
    plain = entry_with({CUSTOM_ENCRYPTED: said(NEW, KIND_IMAGE)}, NEW)
    for entry in (
        entry_with(None, NEW),
        plain,
        entry_with({CUSTOM_DELTA: delta_said()}, NEW),
        in_pieces({}, NEW, ecus=(ECU + 1,))[0],
    ):
        assert refused(lambda entry=entry: run(taker.rewriting.begin(entry))) == NotChained.number
    assert taker.nor.strokes == strokes and taker.runs(OLD)
    taker.nor.poke(100, b"\x00\x00")
    taker.start()
    assert taker.slots.rotten == RottenImage.number and taker.slots.lost()
    raises(NotChained, run, taker.rewriting.begin(entry_with({CUSTOM_DELTA: delta_said()}, NEW)))
    taker.takes(plain, ciphertext_of(NEW))
    confirmed(taker)
    assert taker.runs(NEW)


def test_a_wrong_piece_costs_nothing_but_itself() -> None:
    """T-32, E-31: swapped on its way, in every way; the transfer goes on from before it."""
    for name, entry, raw in ways():
        taker = LoneTaker()
        bad = bytearray(raw)
        bad[-1] ^= 1
        want, rewrite = run(taker.rewriting.begin(entry))
        raises(WrongPiece, taker.bring, want, bytes(bad))
        taker.takes(entry, raw)
        confirmed(taker)
        assert taker.runs(NEW), name


def test_what_cannot_be_begun_is_refused_before_a_stroke() -> None:
    """E-81, E-80, V-64: too large, for another base, of another kind, not for its secret."""
    large = noise(8, PLACE_BYTES + 1)
    travels, head = chained(large)
    too_large = entry_with({3: [digest(travels), head, [ECU]]}, large)
    other = delta_said()
    other[4] = [len(OLD), {-16: bytes(32)}]
    delta, _ = in_pieces({CUSTOM_DELTA: delta_said()}, PATCH)
    sealed = ways()[2][1]
    for taker, entry, refusal in (
        (LoneTaker(), too_large, TooLarge),
        (LoneTaker(), in_pieces({CUSTOM_DELTA: other}, PATCH)[0], WrongBase),
        (LoneTaker(deltas=False), delta, UnsupportedDelta),
        (LoneTaker(secrecy=None), sealed, NotARecipient),
        (LoneTaker(), in_pieces({}, NEW, bytes(2049))[0], BadShape),
        (LoneTaker(), in_pieces({}, NEW, 7)[0], BadShape),
    ):
        strokes = taker.nor.strokes
        assert refused(lambda t=taker, e=entry: run(t.rewriting.begin(e))) == refusal.number
        assert taker.nor.strokes == strokes and taker.runs(OLD)


def test_a_trial_is_not_overwritten() -> None:
    """V-67: whatever is directed meanwhile."""
    taker = LoneTaker()
    _, entry, raw = ways()[0]
    taker.takes(entry, raw)
    taker.slots.start_trial()
    taker.start()
    raises(Unwanted, run, taker.rewriting.begin(ways()[2][1]))


def test_a_base_that_rotted_is_seen_before_it_is_overwritten() -> None:
    """E-81, E-79: after the boot that found it good."""
    taker = LoneTaker()
    strokes = taker.nor.strokes
    taker.nor.poke(BLOCK + 3, b"\x00")
    raises(WrongBase, run, taker.rewriting.begin(ways()[1][1]))
    assert taker.nor.strokes == strokes


def test_another_delta_cannot_go_on_and_a_whole_image_can_begin_anew() -> None:
    """E-81, V-58: with the old image gone, and the directions changed in the middle."""
    taker = LoneTaker()
    want, rewrite = run(taker.rewriting.begin(ways()[1][1]))
    taker.bring(want, ways()[1][2], 3)
    taker.start()
    assert taker.slots.rotten == Overwritten.number and not taker.slots.lost()
    other = delta_said()
    other[3] = {-16: bytes(32)}
    raises(WrongBase, run, taker.rewriting.begin(in_pieces({CUSTOM_DELTA: other}, PATCH)[0]))
    taker.takes(*ways()[0][1:])
    confirmed(taker)
    assert taker.runs(NEW)


def test_a_checkpoint_that_rotted_is_not_taken_for_a_whole_image() -> None:
    """E-79, E-81: of a delta in the middle there is nothing to go on with."""
    for name, entry, raw in ways()[:2]:
        taker = LoneTaker()
        want, rewrite = run(taker.rewriting.begin(ways()[1][1]))
        taker.bring(want, ways()[1][2], 3)
        saved = taker.records.read(RECORD_CHECKPOINT)
        flash = bytearray(3 * 4096)
        taker.nor.peek(PLACE_BYTES, flash)
        at = bytes(flash).rfind(saved[:20]) + PLACE_BYTES
        taker.nor.poke(at, bytes([saved[0] ^ 1]))
        taker.start()
        if name == "delta":
            raises(WrongBase, run, taker.rewriting.begin(entry))
        else:
            taker.takes(entry, raw)
            confirmed(taker)
            assert taker.runs(NEW)


def test_the_same_content_goes_on_out_of_another_ciphertext() -> None:
    """E-79, V-13: its pieces are others; what is written is not written again."""
    _, entry, raw = ways()[0]
    taker = LoneTaker()
    want, rewrite = run(taker.rewriting.begin(entry))
    taker.bring(want, raw, len(raw) // 500 - 1)
    taker.start()
    sealed = ways()[2]
    want, rewrite = run(taker.rewriting.begin(sealed[1]))
    assert want.offset == 0
    taker.bring(want, sealed[2])
    run(taker.rewriting.finish(rewrite))
    confirmed(taker)
    assert taker.runs(NEW)
