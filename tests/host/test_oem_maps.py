"""Maps of repositories at the office: what a map may say, who lists it, and what devices read."""

import pytest
from cbor2 import loads
from grammar import NotConforming, conforms
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from oem_vehicle import NOW, Vehicle, dumps

from muptane.oem.alliance import Alliance
from muptane.oem.check import verify_map
from muptane.oem.errors import (
    ImageNumberUsed,
    Malformed,
    NotAgreed,
    OemRefusal,
    WrongPurpose,
    WrongVersion,
)
from muptane.oem.maps import Listing, Map, Rule, read_map
from muptane.oem.office import Office
from muptane.oem.targets import Targets
from uptane import errors, ids
from uptane.meta.mapping import Map as DeviceMap

IDENTITIES = {number: bytes([number]) * 32 for number in range(1, 7)}
TRIO = (ids.DIRECTOR, ids.IMAGE, 3)
NUMBERS = st.sampled_from([0, 1, 23, 24, 200, 299, 300, 2**32 - 1])


def device(raw: bytes) -> DeviceMap:
    return DeviceMap(IDENTITIES[1], IDENTITIES[2], raw)


def targets(**more: object) -> Targets:
    return Targets(version=1, expires=NOW, images={}, **more)  # type: ignore[arg-type]


# --- what a map says ---------------------------------------------------------------------------


def test_a_map_is_read_back_and_is_what_the_grammar_says() -> None:
    """V-20, T-45"""
    made = Map.of_all(7, {number: IDENTITIES[number] for number in TRIO})
    conforms("map-file", made.content())
    assert read_map(made.content()) == made
    assert made.agreeing(0) == made.agreeing(2**32 - 1) == TRIO
    listing = targets(maps={7: Listing.of(made.content())})
    conforms("role-payload", listing.payload())
    assert Targets.from_payload(listing.payload()) == listing


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (1, 2),
        (2, 3),
        (3, 0),
        (4, {1: bytes(32), 3: bytes(32)}),
        (4, {1: bytes(32), 2: bytes(32), 7: bytes(32)}),
        (4, {1: bytes(32), 2: bytes(31)}),
        (5, []),
        (5, [[[[0, 9]], [1, 3]]]),
        (5, [[[[0, 9]], [1]]]),
        (5, [[[[0, 9]], [2, 1]]]),
        (5, [[[[0, 9]], [1, 2, 5]]]),
        (5, [[[[9, 0]], [1, 2]]]),
        (5, [[[[0, 9], [9, 10]], [1, 2]]]),
        (5, [[[], [1, 2]]]),
        (9, 1),
    ],
)
def test_another_map_is_read_by_nobody(key: int, value: object) -> None:
    """V-07, E-60: neither by the office nor by a device."""
    raw = Map.of_all(7, {number: IDENTITIES[number] for number in TRIO}).content()
    lie = dumps(loads(raw) | {key: value})
    with pytest.raises((Malformed, WrongPurpose)):
        read_map(lie)
    with pytest.raises(errors.Refusal):
        device(lie)


def test_the_grammar_refuses_what_it_can_see() -> None:
    raw = Map.of_all(7, {number: IDENTITIES[number] for number in TRIO}).content()
    for key, value in ((1, 2), (2, 3), (3, 0), (5, []), (9, 1)):
        with pytest.raises(NotConforming):
            conforms("map-file", dumps(loads(raw) | {key: value}))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    ends = sorted(draw(st.sets(NUMBERS, min_size=2, max_size=6)))
    pairs = [(ends[at], ends[at + 1]) for at in range(0, len(ends) - 1, 2)]
    directors = draw(st.sets(st.sampled_from([1, 3, 5]), min_size=1))
    images = draw(st.sets(st.sampled_from([2, 4, 6]), min_size=1))
    return Rule(ranges=tuple(pairs), agreeing=tuple(sorted(directors | images)))


@seed(1)
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(rules(), min_size=1, max_size=5), NUMBERS)
def test_the_office_and_a_device_find_the_same_repositories(made: list[Rule], image: int) -> None:
    """V-20, T-46: two readers that share no line."""
    raw = Map(number=7, repositories=IDENTITIES, mappings=tuple(made)).content()
    conforms("map-file", raw)
    expected = read_map(raw).agreeing(image)
    if not expected:
        with pytest.raises(errors.NotOnImageRepository):
            device(raw).agreeing(image, 0)
    else:
        found = device(raw).agreeing(image, ids.DIRECTOR) + device(raw).agreeing(image, 0)
        assert tuple(sorted(found)) == expected


def test_what_lists_maps_is_checked() -> None:
    """T-45: a Director lists one, for its vehicle; a delegated role none."""
    one = Listing(length=9, hashes={ids.ALG_SHA256: bytes(32)})
    assert targets(maps={1: one, 2: one}).maps
    with pytest.raises(ValueError, match="one map"):
        targets(maps={1: one, 2: one}, vehicle="VIN1")
    with pytest.raises(ValueError, match="none"):
        targets(maps={1: one}, number=16)


def test_the_next_map_needs_every_repository_of_the_current_one() -> None:
    """T-45, E-84"""
    current = Map.of_all(7, {number: IDENTITIES[number] for number in TRIO})
    raw = Map.of_all(8, {number: IDENTITIES[number] for number in (1, 2)}).content()
    listing = targets(maps={8: Listing.of(raw)})
    said = dict.fromkeys(TRIO, listing)
    assert verify_map(raw, current, said) == read_map(raw)
    for missing in TRIO:
        with pytest.raises(NotAgreed):
            verify_map(raw, current, said | {missing: targets()})
    with pytest.raises(NotAgreed):
        verify_map(raw, current, {1: listing, 2: listing})
    with pytest.raises(WrongVersion):
        verify_map(raw, current.model_copy(update={"number": 8}), said)
    other = Map.of_all(8, {1: IDENTITIES[4], 2: IDENTITIES[2]}).content()
    with pytest.raises(NotAgreed):
        verify_map(other, current, dict.fromkeys(TRIO, targets(maps={8: Listing.of(other)})))


# --- an office and its partners ------------------------------------------------------------------


@pytest.fixture
def alliance(office: Office, vehicle: Vehicle) -> Alliance:
    made = Alliance(office, b"partners")
    made.add_director(3).register_vehicle("VIN1", [ecu.new() for ecu in vehicle.ecus])
    made.add_image_repository(4)
    return made


def test_a_map_is_listed_and_served(alliance: Alliance, vehicle: Vehicle) -> None:
    """T-45, V-21: by Image repositories at once, by Directors after the next manifest."""
    raw = alliance.charter(1, (1, 2, 3))
    alliance.list_map(raw, "VIN1", (1, 2))
    assert alliance.answer("VIN1", ids.IMAGE, ids.KIND_MAP, 1, bytes(32)) == raw
    assert alliance.answer("VIN1", ids.IMAGE, ids.KIND_MAP, 2, bytes(32)) is None
    alliance.accept_manifest("VIN1", vehicle.manifest(alliance.office.director.identity))
    for repository, authority in (
        (1, alliance.office.director.authority),
        (2, alliance.office.images.authority),
    ):
        file = alliance.answer("VIN1", repository, ids.KIND_METADATA, ids.TARGETS, 0)
        assert file is not None
        listed = authority.verify(file, ids.TARGETS)
        assert isinstance(listed, Targets)
        assert listed.maps == {1: Listing.of(raw)}


def test_a_number_of_a_map_is_used_once(alliance: Alliance) -> None:
    """T-45, T-53"""
    alliance.list_map(alliance.charter(5, (1, 2, 3)), "VIN1", (1, 2))
    with pytest.raises(ImageNumberUsed):
        alliance.list_map(alliance.charter(5, (1, 2)), "VIN1", (2,))
    for number in (5, 4):
        with pytest.raises(WrongVersion):
            alliance.list_map(alliance.charter(number, (1, 2)), "VIN1", (1,))


def test_partners_have_keys_and_numbers_of_their_own(alliance: Alliance) -> None:
    """V-78, R-37"""
    identities = [alliance.identity(number) for number in (1, 2, 3, 4)]
    assert len(set(identities)) == 4
    for number in (1, 3, 4):
        with pytest.raises(Malformed):
            alliance.add_director(number)
    for number in (0, 2, 3, 4):
        with pytest.raises(Malformed):
            alliance.add_image_repository(number)
    for number in (3, 4):
        root = alliance.answer("VIN1", number, ids.KIND_METADATA, ids.ROOT, 1)
        assert root is not None
        conforms("role-file", root)
    assert alliance.answer("VIN1", 5, ids.KIND_METADATA, ids.ROOT, 1) is None


def test_every_director_hears_every_manifest(alliance: Alliance, vehicle: Vehicle) -> None:
    """S-47, R-12: each decides by its own inventory, and each refuses for itself."""
    identity = alliance.office.director.identity
    manifest = vehicle.manifest(identity)
    alliance.accept_manifest("VIN1", manifest)
    before = alliance.answer("VIN1", 3, ids.KIND_METADATA, ids.TARGETS, 0)
    with pytest.raises(OemRefusal):
        alliance.accept_manifest("VIN1", manifest)
    assert len(alliance.directors[3].director.oddities()) == 1
    assert len(alliance.office.director.oddities()) == 1
    assert alliance.answer("VIN1", 3, ids.KIND_METADATA, ids.TARGETS, 0) == before
