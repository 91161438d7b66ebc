"""What the Director refuses of a manifest, each lie told by a vehicle of another make."""

import pytest
from grammar import conforms
from oem_vehicle import BRAKE, DOOR, GATEWAY, Vehicle, dumps, newest, refuses, seal

from muptane.oem.check import MANIFEST_BYTES_MAX, read_manifest
from muptane.oem.errors import (
    BadSeal,
    EcuTwice,
    ForeignVehicle,
    Malformed,
    NotDeterministic,
    NotThePrimary,
    OemRefusal,
    Replayed,
    ReportMissing,
    TooLarge,
    UnknownEcu,
    UnknownVehicle,
    WrongPurpose,
)
from uptane import ids


def test_the_vehicle_of_the_tests_speaks_the_grammar(office, vehicle):
    raw = vehicle.manifest(office.director.identity)
    conforms("vehicle-file", raw)
    manifest, _ = read_manifest(raw)
    assert [len(manifest.reports), manifest.vehicle, manifest.primary] == [3, "VIN1", GATEWAY]


def test_a_manifest_replayed_is_refused(office, vehicle):
    """R-13, E-73."""
    raw = vehicle.manifest(office.director.identity)
    office.accept_manifest("VIN1", raw)
    refuses(office, vehicle, Replayed, raw)


def test_an_old_report_in_a_new_manifest_is_refused(office, vehicle):
    """R-13, T-37: also one that was held back and never seen."""
    identity = office.director.identity
    held_back = vehicle.ecus[2].report(identity)
    office.accept_manifest("VIN1", vehicle.manifest(identity))
    reports = vehicle.reports(identity)
    refuses(office, vehicle, Replayed, vehicle.manifest(identity, [*reports[:2], held_back]))


def test_a_manifest_of_another_vehicle_is_refused(office, vehicle):
    """E-74: foreign VIN, whoever signs."""
    other = Vehicle("VIN2", first=11)
    office.register_vehicle("VIN2", other.new())
    identity = office.director.identity
    refuses(office, vehicle, ForeignVehicle, other.manifest(identity))
    refuses(office, vehicle, ForeignVehicle, vehicle.manifest(identity, lies={3: "VIN2"}))
    refuses(office, vehicle, BadSeal, other.manifest(identity, lies={3: "VIN1", 4: GATEWAY}))
    with pytest.raises(UnknownVehicle):
        office.accept_manifest("VIN9", vehicle.manifest(identity))


def test_a_manifest_not_by_the_primary_is_refused(office, vehicle):
    """R-12."""
    identity = office.director.identity
    refuses(office, vehicle, NotThePrimary, vehicle.manifest(identity, lies={4: BRAKE}))
    content = read_manifest(vehicle.manifest(identity))[1].content
    forged = seal(content, vehicle.ecus[1].key, ids.TYPE_VEHICLE, identity)
    refuses(office, vehicle, BadSeal, forged)


def test_every_inventoried_ecu_has_to_report_once(office, vehicle):
    """R-11, R-18, V-42, R-12, E-72, T-36."""
    identity = office.director.identity
    reports = vehicle.reports(identity)
    refuses(office, vehicle, ReportMissing, vehicle.manifest(identity, reports[:2]))
    reports = vehicle.reports(identity)
    refuses(office, vehicle, EcuTwice, vehicle.manifest(identity, [*reports, reports[0]]))


def test_a_report_by_a_stranger_is_refused(office, vehicle):
    """R-12, E-74: unknown ECU, wrong key, an id not the signer's, another vehicle's ECU."""
    identity = office.director.identity
    other = Vehicle("VIN2", first=11)
    office.register_vehicle("VIN2", other.new())
    for report, refusal in (
        (other.ecus[2].report(identity), UnknownEcu),
        (other.ecus[2].report(identity, lies={3: DOOR}), BadSeal),
        (vehicle.ecus[1].report(identity, lies={3: DOOR}), BadSeal),
        (vehicle.ecus[2].report(identity, lies={3: 99}), UnknownEcu),
        (vehicle.ecus[2].report(bytes(32)), BadSeal),  # sealed for another Director
    ):
        reports = [*vehicle.reports(identity)[:2], report]
        refuses(office, vehicle, refusal, vehicle.manifest(identity, reports))


def test_the_carried_digest_is_not_trusted(office, vehicle):
    """R-12, T-05: the content is changed, the seal is kept."""
    identity = office.director.identity
    raw = vehicle.manifest(identity)
    cut = raw.index(b"VIN1")
    refuses(office, vehicle, ForeignVehicle, raw[:cut] + b"VIN3" + raw[cut + 4 :])
    report = vehicle.ecus[2].report(identity)
    at = report.index(b"\x06\x1a")  # the time it verified
    changed = report[: at + 2] + b"\x00" + report[at + 3 :]
    reports = [*vehicle.reports(identity)[:2], changed]
    refuses(office, vehicle, BadSeal, vehicle.manifest(identity, reports))


def test_reports_and_manifests_do_not_stand_in_for_each_other(office, vehicle):
    """E-47."""
    identity = office.director.identity
    primary = vehicle.ecus[0]
    refuses(office, vehicle, WrongPurpose, primary.report(identity))
    content = read_manifest(vehicle.manifest(identity))[1].content
    refuses(office, vehicle, BadSeal, seal(content, primary.key, ids.TYPE_REPORT, identity))


@pytest.mark.parametrize(
    ("lies", "refusal"),
    [
        ({9: 6}, Malformed),
        ({8: b"short"}, Malformed),
        ({5: [-1]}, Malformed),
        ({7: -1}, Malformed),
        ({7: 2**32}, Malformed),
        ({4: [1, 2, {}, 3]}, Malformed),
        ({4: [1, 2]}, Malformed),
        ({10: 1}, Malformed),
        ({1: 2}, Malformed),
        ({6: 1.0}, Malformed),
        ({2: 6}, WrongPurpose),
        ({5: [0] * 600}, TooLarge),
    ],
    ids=str,
)
def test_a_sealed_report_of_another_shape_is_refused(office, vehicle, lies, refusal):
    identity = office.director.identity
    reports = [*vehicle.reports(identity)[:2], vehicle.ecus[2].report(identity, lies)]
    raw = vehicle.manifest(identity, reports)
    before = newest(office, "VIN1")
    with pytest.raises(refusal):
        office.accept_manifest("VIN1", raw)
    assert newest(office, "VIN1") == before


def test_broken_manifests_end_in_a_refusal(office, vehicle):
    """E-60."""
    raw = vehicle.manifest(office.director.identity)
    for length in range(0, len(raw), 7):
        with pytest.raises(OemRefusal):
            office.accept_manifest("VIN1", raw[:length])
    for index in range(0, len(raw), 3):
        bad = raw[:index] + bytes([raw[index] ^ 0x41]) + raw[index + 1 :]
        with pytest.raises(OemRefusal):
            office.accept_manifest("VIN1", bad)
    refuses(office, vehicle, NotDeterministic, raw + b"\x00")
    refuses(office, vehicle, TooLarge, bytes(MANIFEST_BYTES_MAX + 1))


def test_the_sealed_content_may_not_be_encoded_twice_over(office, vehicle):
    """A manifest whose report is not bytes but the report itself."""
    identity = office.director.identity
    refuses(office, vehicle, Malformed, vehicle.manifest(identity, lies={5: [[b"", 1]]}))
    refuses(office, vehicle, Malformed, dumps([b"", 1]))
