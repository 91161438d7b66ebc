"""Version reports and the vehicle version manifest: what they say, how they are signed, what they
remember. Their grammar is checked against docs/pouf.cddl in tests/e2e."""

from claims import raises, run
from memory import SUITE, digest, public_key
from reporting import BLOCK_BYTES, DIRECTOR, IMAGE, NONCE, SEED, Ecu
from uptane import cbor, cose
from uptane.errors import BadShape, FlashFault, Refusal, Rotten
from uptane.ids import (
    ALG_SHA256,
    BOOT_REVERTED,
    BOOT_TRIAL,
    REPORT_ATTACKS,
    REPORT_BUNDLE,
    REPORT_COUNTER,
    TYPE_REPORT,
    TYPE_VEHICLE,
)
from uptane.limits import ATTACKS_MAX, REPORT_BYTES_MAX
from uptane.report import content_of, installed_of, nonce_of
from uptane.store.boot import Installed


def opened(raw, kind):
    """Check the seal of a report; return its content."""
    content, seal = cbor.loads_first(memoryview(raw)[1:])
    payload, kid, signature = cose.read_sign1(bytes(seal), True)
    assert payload == digest(content)
    public = public_key(SEED)
    assert kid == cose.key_id(SUITE, public)
    parts = cose.sign1_parts(payload, cose.context(kind, DIRECTOR, kind), True)
    assert run(SUITE.verify(public, parts, signature))
    return cbor.loads(content)


# --- what it says -----------------------------------------------------------------------------


def test_a_report_says_what_runs_and_is_sealed():
    """V-44, V-43, T-05: the numbers here are those of docs/pouf.cddl, written out."""
    ecu = Ecu()
    raw = ecu.report(BOOT_TRIAL)
    assert len(raw) <= REPORT_BYTES_MAX
    assert opened(raw, TYPE_REPORT) == {
        1: 1,
        2: 5,
        3: 2,
        4: [201, 5000, {-16: b"\x1a" * 32}, 3],
        5: [],
        6: 1_700_000_000,
        7: 1,
        8: NONCE,
        9: 1,
    }


def test_a_vehicle_version_manifest_holds_reports_as_they_were_signed():
    ecu = Ecu()
    reports = [ecu.report(), b"another report"]
    content = opened(run(ecu.reports.vehicle_manifest(reports)), TYPE_VEHICLE)
    assert content == {1: 1, 2: 6, 3: "VIN-1", 4: 2, 5: reports, 6: 1}


def test_the_counter_grows_by_one_also_over_a_reset():
    """V-45, E-73: no two reports are alike."""
    ecu = Ecu()
    counters = []
    for i in range(6):
        counters.append(opened(ecu.report(), TYPE_REPORT)[REPORT_COUNTER])
        if i % 2:
            ecu.reset()
    assert counters == [1, 2, 3, 4, 5, 6] and ecu.reports.counter() == 6


def test_a_counter_is_used_up_before_it_is_signed():
    """A power cut while signing costs a number, and never gives one twice."""
    ecu = Ecu()
    work = ecu.reports.make(IMAGE, BOOT_REVERTED, 0, NONCE)
    next(work)
    work.close()
    ecu.reset()
    assert opened(ecu.report(), TYPE_REPORT)[REPORT_COUNTER] == 2


def test_the_largest_report_fits_its_bound():
    ecu = Ecu()
    for number in range(100, 100 + ATTACKS_MAX):
        ecu.reports.note(number)
    ecu.reports.make(IMAGE, BOOT_TRIAL, 0, NONCE)
    image = Installed(0xFFFFFFFF, 0xFFFFFFFF, b"\xff" * 32, 0xFFFFFFFF)
    tried = [0xFFFFFFFF, 0xFFFFFFFF, 0xFF]
    raw = run(ecu.reports.make(image, BOOT_TRIAL, (1 << 64) - 1, NONCE, {REPORT_BUNDLE: tried}))
    assert len(raw) <= REPORT_BYTES_MAX


def test_a_report_says_what_was_tried_of_a_bundle():
    """S-43, S-44: and nothing, where there was none."""
    ecu = Ecu()
    for tried, said in (([7, 11, 2], [7, 11, 2]), ([], None)):
        content = opened(
            run(ecu.reports.make(IMAGE, BOOT_TRIAL, 0, NONCE, {REPORT_BUNDLE: tried})), TYPE_REPORT
        )
        assert content.get(REPORT_BUNDLE) == said


# --- what it remembers ------------------------------------------------------------------------


def attacks(ecu):
    return opened(ecu.report(), TYPE_REPORT)[REPORT_ATTACKS]


def test_attacks_are_reported_until_they_are_acknowledged_also_over_a_reset():
    """T-50, E-76."""
    ecu = Ecu()
    for number in (32, 56, 32):
        ecu.reports.note(number)
    assert attacks(ecu) == [32, 56]
    ecu.reset()
    assert attacks(ecu) == [32, 56]
    ecu.reports.acknowledge(ecu.reports.counter())
    assert attacks(ecu) == []
    ecu.reset()
    assert attacks(ecu) == []


def test_an_acknowledgement_of_an_older_report_clears_nothing():
    ecu = Ecu()
    ecu.report()
    ecu.report()
    ecu.reports.note(32)
    for counter in (0, 1, 2):
        ecu.reports.acknowledge(counter)
    assert attacks(ecu) == [32]
    ecu.reports.acknowledge(2)
    assert attacks(ecu) == [32]
    ecu.reset()
    ecu.reports.acknowledge(2)
    assert attacks(ecu) == [32]
    ecu.reports.acknowledge(3)
    assert attacks(ecu) == []


def test_an_attack_after_the_report_survives_its_acknowledgement():
    """Another one, or the same again: the report did not know of it."""
    for second in (56, 32):
        ecu = Ecu()
        ecu.reports.note(32)
        ecu.report()
        ecu.reports.note(second)
        ecu.reports.acknowledge(1)
        assert second in attacks(ecu)
        ecu.reset()
        ecu.reports.acknowledge(1)
        assert second in attacks(ecu)
        ecu.reports.acknowledge(ecu.reports.counter())
        assert attacks(ecu) == []


def test_noting_the_same_again_wears_no_flash():
    ecu = Ecu()
    ecu.reports.note(32)
    strokes = ecu.nor.strokes
    for _ in range(10):
        ecu.reports.note(32)
    assert ecu.nor.strokes == strokes


def test_the_newest_attacks_are_kept_when_there_are_too_many():
    ecu = Ecu()
    for number in range(1, ATTACKS_MAX + 4):
        ecu.reports.note(number)
    assert attacks(ecu) == list(range(4, ATTACKS_MAX + 4))


def test_an_attack_is_reported_although_the_flash_does_not_take_it():
    ecu = Ecu()
    ecu.nor.worn = True
    ecu.reports.note(FlashFault.number)
    ecu.nor.worn = False
    assert attacks(ecu) == [FlashFault.number]


# --- what a Primary reads of other people's reports -------------------------------------------


def test_a_primary_reads_nonce_and_image_of_a_report():
    raw = Ecu().report()
    assert nonce_of(raw) == NONCE
    installed = installed_of(raw)
    assert (installed.image, installed.digest, installed.release) == (201, b"\x1a" * 32, 3)


def wrapped(content):
    """A report with that content and no seal worth the name."""
    return (
        b"\x82"
        + cbor.dumps(content if isinstance(content, bytes) else cbor.dumps(content))
        + b"\x00"
    )


def test_a_report_that_makes_no_sense_is_refused():
    good = content_of(Ecu().report())
    bad = [
        b"",
        b"\x82",
        b"\x82\x41",
        b"\xff" * 20,
        wrapped(b""),
        wrapped(b"\xff"),
        wrapped([1]),
        wrapped(7),
    ]
    for raw in bad:
        for reader in (nonce_of, installed_of):
            try:
                reader(raw)
            except Refusal as refusal:
                assert 1 <= refusal.number <= 9
            else:
                raise AssertionError(raw)
    for nonce in (None, b"", b"nonce-7", b"nonce---9", "nonce--8", 8):
        fields = dict(good)
        if nonce is None:
            fields.pop(8)
        else:
            fields[8] = nonce
        raises(BadShape, nonce_of, wrapped(fields))
    digests = {ALG_SHA256: bytes(32)}
    for image in (
        None, 5, [], [1, 2, digests], [1, 2, digests, 3, 4], [1, 2, [], 3], [1, 2, {}, 3],
        ["1", 2, digests, 3], [1, 2, {ALG_SHA256: 5}, 3], [1, 2, digests, b"3"],
        [True, 2, digests, 3], [1, 2, digests, True],  # 1 to CPython, not to MicroPython
    ):  # fmt: skip
        fields = dict(good)
        fields.pop(4)
        if image is not None:
            fields[4] = image
        raises(BadShape, installed_of, wrapped(fields))


def test_rotten_attacks_do_not_stop_the_boot_and_are_said():
    """V-35, E-76: what the record named is lost, that it is lost is not."""
    ecu = Ecu()
    ecu.report()
    ecu.reports.note(52)
    held = bytearray(2 * BLOCK_BYTES)
    ecu.nor.peek(0, held)
    raw = bytes(held)
    value = cbor.dumps([1, [52]])
    at = raw.find(value)
    while at >= 0:  # it lives twice
        ecu.nor.poke(at, b"\x00" * len(value))
        at = raw.find(value, at + 1)
    ecu.reset()
    assert ecu.reports.attacks == [Rotten.number]
    ecu.reports.note(33)
    ecu.reset()
    assert ecu.reports.attacks == [Rotten.number, 33]
