"""Images of several parts: how they are made, and what the office refuses of them (S-25)."""

import hashlib

import cbor2
import pytest
from grammar import NotConforming, conforms
from pydantic import ValidationError

from muptane.oem.check import Report
from muptane.oem.encoding import encode
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import Malformed
from muptane.oem.targets import Entry, entry_of
from muptane.regions import Joined, joined, named
from uptane import ids, limits

CODE, DATA = b"code " * 100, b"data " * 9
BOTH = {ids.REGION_CALIBRATION: DATA, ids.REGION_APPLICATION: CODE}


def test_parts_lie_one_behind_the_other_each_where_a_program_unit_begins() -> None:
    made = joined(BOTH)
    assert made.regions == ((ids.REGION_APPLICATION, 512), (ids.REGION_CALIBRATION, len(DATA)))
    assert made.content == CODE + b"\xff" * 12 + DATA
    assert made.regions[0][1] % limits.REGION_ALIGN == 0
    whole = joined({ids.REGION_CALIBRATION: DATA})
    assert whole == Joined(DATA, ((ids.REGION_CALIBRATION, len(DATA)),))


def test_the_application_alone_goes_without_saying() -> None:
    assert joined({ids.REGION_APPLICATION: CODE}) == Joined(CODE) == Joined.of(CODE)
    said = cbor2.loads(encode(entry_of(CODE, [9], 1).as_map()))
    assert ids.MATCH_REGIONS not in said[ids.ENTRY_MATCH]


@pytest.mark.parametrize(
    "parts", [{}, {3: b""}, {3: CODE, 4: b""}, dict.fromkeys(range(1, 10), b"x")]
)
def test_no_image_has_no_part_or_an_empty_one(parts: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="1 to 8 parts, none of them empty"):
        joined(parts)


def test_an_entry_says_its_regions_in_the_grammar_of_the_wire() -> None:
    """S-25, V-12: and reads them back."""
    entry = entry_of(joined(BOTH), [9], 1)
    conforms("entry", encode(entry.as_map()))
    assert Entry.from_map(cbor2.loads(encode(entry.as_map()))) == entry
    said = entry.as_map()
    said[ids.ENTRY_MATCH] = {1: [9], 2: 1, 4: []}
    with pytest.raises(NotConforming):
        conforms("entry", encode(said))


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        (((4, 256), (3, 301)), "regions ascend, each once"),
        (((3, 256), (3, 301)), "regions ascend, each once"),
        (((3, 256), (4, 300)), "regions of 556 bytes, an image of 557"),
        (((3, 257), (4, 300)), "a region begins at a multiple of 256 bytes"),
        (((3, 557),), "the application alone goes without saying"),
        (((0, 557),), "greater than or equal to 1"),
        (((3, 0), (4, 557)), "greater than or equal to 1"),
    ],
)
def test_an_entry_of_other_regions_is_not_made(
    regions: tuple[tuple[int, int], ...], why: str
) -> None:
    hashes = {ids.ALG_SHA256: hashlib.sha256(b"").digest()}
    with pytest.raises(ValidationError, match=why):
        Entry(length=557, hashes=hashes, hardware=(9,), release=1, regions=regions)


@pytest.mark.parametrize("regions", [((4, 99),), ((4, 99), (3, 99)), ((3, 9), (3, 9))])
def test_an_ecu_without_an_application_is_not_registered(
    regions: tuple[tuple[int, int], ...],
) -> None:
    new = NewEcu(ecu=1, public=bytes(32), hardware=9, verification=ids.FULL, regions=regions)
    with pytest.raises(Malformed, match="they ascend, and the application is among them"):
        new.row("V")


def test_a_report_names_each_region_once() -> None:
    """S-25, V-44."""
    said = {
        "ecu": 1, "image": 2, "length": 3, "hashes": {ids.ALG_SHA256: bytes(32)}, "release": 1,
        "attacks": (), "time": 1, "counter": 1, "nonce": bytes(8), "boot": 0,
    }  # fmt: skip
    conforms("report-content", Report(**said, regions=((3, 2), (4, 1))).content())
    with pytest.raises(ValidationError, match="regions ascend, each once"):
        Report(**said, regions=((4, 2), (3, 1)))


def test_regions_are_named_for_people() -> None:
    assert [named(4), named(77)] == ["4 (calibration)", "77"]
