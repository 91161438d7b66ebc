"""However an image travels, the one in the slot is the one that was signed, come what may."""

from boards.unix.nor import PowerCut
from claims import raises, run
from intakes import NEW, NUMBER, OLD, PATCH, Taker, delta_said, said, ways, wrap_of
from memory import digest
from patches import number
from uptane.errors import (
    BadDelta,
    BadWrap,
    EncryptionDiffers,
    NotARecipient,
    Refusal,
    TooLarge,
    UnsupportedDelta,
    Unwanted,
    WrongBase,
    WrongHash,
)
from uptane.ids import (
    CUSTOM_DELTA,
    CUSTOM_ENCRYPTED,
    DELTA_IN_PLACE,
    DELTA_LAYOUT,
    DIRECTOR,
    IMAGE,
    KIND_DELTA,
    KIND_IMAGE,
    RECORD_CHECKPOINT,
)
from uptane.image.patching import SAVE_BYTES
from vectors.deltas import noise
from wrapping import ECU, ciphertext_of, entry_with


def test_every_way_leads_to_the_same_image() -> None:
    """S-26, S-29, S-30, V-13, V-65: whole or delta, plain or encrypted, in pieces of any size."""
    forms = {"whole": 0, "delta": 0x10, "encrypted": 1, "encrypted delta": 0x11}
    for name, entry, raw in ways():
        for piece_bytes in (64, 1024):
            taker = Taker()
            want = taker.begin(entry)
            assert want.form == forms[name] and want.number == NUMBER and want.offset == 0
            assert want.detail == digest(raw) and want.cap == len(raw)
            assert want.kind == (KIND_DELTA if "delta" in name else KIND_IMAGE)
            assert want.repository == (IMAGE if name == "whole" else DIRECTOR), "S-28"
            taker.bring(want, raw, -1, piece_bytes)
            taker.finish()
            assert taker.made() == NEW, (name, piece_bytes)
            assert taker.records.read(RECORD_CHECKPOINT) is None


def test_a_broken_transfer_leaves_nothing_behind() -> None:
    """E-81, E-76: what it takes to patch is held by the cycle, which is dropped when a delta is
    refused; a small heap has no room for it beside the next cycle's signatures."""
    for _, entry, raw in ways():
        taker = Taker()
        before = dict(taker.intake.__dict__)
        want = taker.begin(entry)
        taker.bring(want, raw, 1, 64)
        assert taker.intake.__dict__ == before


def test_what_is_staged_is_not_brought_again() -> None:
    """E-78: the next cycle hashes what lies there, and wants nothing."""
    for _, entry, raw in ways():
        taker = Taker()
        taker.takes(entry, raw)
        taker.start()
        want = taker.begin(entry)
        assert want.offset == want.cap
        taker.finish()
        assert taker.made() == NEW


def test_a_transfer_goes_on_after_a_reset() -> None:
    """E-79, S-29: after many a piece; behind the checkpoint it does not begin anew."""
    for name, entry, raw in ways():
        resumed = 0
        for pieces in (0, 1, 20, len(raw) // 500 - 2, len(raw) // 500):
            taker = Taker()
            taker.bring(taker.begin(entry), raw, pieces)
            taker.start()
            at = taker.takes(entry, raw)
            assert at <= pieces * 500 and taker.made() == NEW, (name, pieces)
            resumed += at > 0
        assert resumed, name


def test_a_transfer_goes_on_after_a_cut() -> None:
    """E-79: at many, torn in eight ways by turns; the old image stays, and the new one is made."""
    for name, entry, raw in (ways()[1], ways()[3]):
        taker = Taker()
        taker.nor.strokes = 0
        taker.takes(entry, raw)
        for stroke in range(0, taker.nor.strokes, 17):
            taker = Taker()
            taker.nor.cut_after(stroke, stroke % 8, stroke)
            try:
                taker.takes(entry, raw)
                raise AssertionError("the cut did not come")
            except PowerCut:
                pass
            taker.start()
            assert taker.slots.running() == 0 and taker.slots.areas[0].read(0, len(OLD)) == OLD
            taker.takes(entry, raw)
            assert taker.made() == NEW, (name, stroke)


def test_what_is_refused_without_a_byte_costs_no_stroke() -> None:
    """E-80, E-81, V-13: another base, an algorithm or a wrap that this ECU has no use for."""
    base = noise(3, 500)
    layout = delta_said(algorithm=DELTA_IN_PLACE)
    layout[DELTA_LAYOUT] = [4096, 1024, 1024]
    sealed = said(NEW, KIND_IMAGE)
    swapped = [1, digest(b"another ciphertext"), sealed[2]]
    other_kind = [1, sealed[1], {ECU: wrap_of(NEW, KIND_DELTA)}]
    plain_patch = [1, digest(PATCH), sealed[2]]
    large = delta_said()
    for refusal, custom, has in (
        (WrongBase, {CUSTOM_DELTA: delta_said(base=base)}, {}),
        (UnsupportedDelta, {CUSTOM_DELTA: layout}, {}),
        (UnsupportedDelta, {CUSTOM_DELTA: delta_said()}, {"deltas": False}),
        (NotARecipient, {CUSTOM_ENCRYPTED: sealed}, {"secrecy": None}),
        (NotARecipient, {CUSTOM_ENCRYPTED: sealed[:2] + [{ECU + 1: b"x"}]}, {}),
        (BadWrap, {CUSTOM_ENCRYPTED: swapped}, {}),
        (BadWrap, {CUSTOM_ENCRYPTED: other_kind}, {}),
        (BadWrap, {CUSTOM_ENCRYPTED: sealed, CUSTOM_DELTA: delta_said()}, {}),
        (EncryptionDiffers, {CUSTOM_ENCRYPTED: plain_patch, CUSTOM_DELTA: large}, {}),
    ):
        taker = Taker(**has)
        strokes = taker.nor.strokes
        raises(refusal, taker.begin, entry_with(custom, NEW))
        assert taker.nor.strokes == strokes, refusal
    taker = Taker()
    strokes = taker.nor.strokes
    raises(TooLarge, taker.begin, entry_with({CUSTOM_DELTA: delta_said()}, bytes(22 * 1024)))
    assert taker.nor.strokes == strokes


def test_a_spoilt_delta_takes_its_checkpoint_with_it() -> None:
    """E-81: bytes that are no good may have been applied before one shows it, so nothing of them
    is gone on with; the old image is as it was, and the honest delta then begins anew."""
    for name, entry, raw in (ways()[1], ways()[3]):
        for place in (10, len(raw) // 2, len(raw) - 300):
            taker = Taker()
            spoilt = bytearray(raw)
            for at in range(place, place + 6):
                spoilt[at] ^= 0x5A
            want = taker.begin(entry)
            try:
                taker.bring(want, bytes(spoilt))
                taker.finish()
                raise AssertionError("a spoilt delta was taken")
            except Refusal as refusal:
                assert refusal.number in (WrongHash.number, BadDelta.number, 2, 6), refusal
            assert taker.slots.staged() is None
            taker.start()
            assert taker.records.read(RECORD_CHECKPOINT) is None, (name, place)
            assert taker.takes(entry, raw) == 0 and taker.made() == NEW


def test_a_checkpoint_that_rotted_is_no_reason_to_give_up() -> None:
    """E-79, E-87: it can be made again, so it lies there once; then the delta begins anew."""
    _, entry, raw = ways()[1]
    taker = Taker()
    want = taker.begin(entry)
    while taker.records.read(RECORD_CHECKPOINT) is None:
        taker.bring(want, raw, 1)
    saved = taker.records.read(RECORD_CHECKPOINT)
    area = bytearray(8 * 1024)
    taker.nor.peek(0, area)
    at = bytes(area).find(saved)
    taker.nor.poke(at + 40, bytes((saved[40] ^ 4,)))
    taker.start()
    assert taker.takes(entry, raw) == 0
    assert taker.made() == NEW


def test_a_checkpoint_is_of_one_filling_of_the_slot() -> None:
    """E-79, E-81: another image came between, so what it stands for is gone; a delta of which
    nothing was made yet does not go on from it either."""
    whole, delta = ways()[0], ways()[1]
    taker = Taker()
    want = taker.begin(delta[1])
    while taker.records.read(RECORD_CHECKPOINT) is None:
        taker.bring(want, delta[2], 1)
    taker.start()
    other = entry_with(None, noise(5, 3000))
    taker.bring(taker.begin(other), noise(5, 3000), 2)
    assert taker.records.read(RECORD_CHECKPOINT) is None
    taker.start()
    taker.bring(taker.begin(delta[1]), delta[2], 1)
    taker.start()
    assert taker.takes(delta[1], delta[2]) == 0 and taker.made() == NEW
    assert len(whole[2]) > SAVE_BYTES


def test_bytes_out_of_turn_are_refused() -> None:
    """E-77: of a delta, and of a ciphertext."""
    for _, entry, raw in ways():
        taker = Taker()
        want = taker.begin(entry)
        taker.bring(want, raw, 1)
        for at in (0, 499, 501):
            work_refused(want, at, raw)
        taker.bring(want, raw)
        taker.finish()
        assert taker.made() == NEW


def work_refused(want, at, raw):
    def write():
        work = want.sink.write(at, memoryview(bytearray(raw[at : at + 10])))
        if work is not None:
            run(work)

    raises(Unwanted, write)


def test_the_ciphertext_of_another_image_makes_no_image() -> None:
    """E-80: whoever swaps it, key and all; the hash of what lies there decides."""
    _, entry, _ = ways()[2]
    other = noise(4, len(NEW))
    taker = Taker()
    raises(WrongHash, taker.takes, entry, ciphertext_of(other))
    assert taker.slots.staged() is None
    assert len(number(5)) == 1
