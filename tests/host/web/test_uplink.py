"""An uplink is an office: the same bytes, over cables that break and from servers that lie."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Authority
from oem_vehicle import Vehicle, stored
from served import IMAGE, Shop, running
from wires import Cable, Liar

from muptane.bench.courier import Bounds, Courier
from muptane.bench.uplink import Uplink
from muptane.oem.errors import (
    BadSeal,
    Exposed,
    ForeignVehicle,
    Malformed,
    OemRefusal,
    Replayed,
    TooLarge,
    Unreachable,
)
from muptane.oem.inventory import ManifestReceived
from muptane.oem.web.server import tls
from uptane import ids

HURRIED = Bounds(step_s=0.5, file_s=5.0, tries=3, wait_s=1.0)
PATH = f"/v1/2/{bytes(32).hex()}.7"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def port(shop: Shop) -> Iterator[int]:
    with running(shop.folder) as server:
        yield server.port


def uplink(shop: Shop, port: int, vehicle: Vehicle | None = None) -> Uplink:
    shown = shop.token[vehicle.vin] if vehicle else ""
    return Uplink(Courier(f"http://127.0.0.1:{port}", shown))


def test_an_uplink_answers_as_the_office_does(shop: Shop, port: int) -> None:
    """R-01, R-05, R-08, R-33, S-37: every kind of file that a Primary wants, and each that is not
    there."""
    first, second = shop.vehicles
    digest = bytes.fromhex(shop.digest)
    for vehicle in (first, second):
        far = uplink(shop, port, vehicle)
        for wanted in (
            *((ids.DIRECTOR, ids.KIND_METADATA, role, 0) for role in (1, 2, 3)),
            *((ids.DIRECTOR, ids.KIND_METADATA, role, 1) for role in (0, 2, 3)),
            *((ids.IMAGE, ids.KIND_METADATA, role, 1) for role in (0, 2, 3)),
            (ids.IMAGE, ids.KIND_METADATA, ids.TIMESTAMP, 0),
            (ids.IMAGE, ids.KIND_IMAGE, 7, digest),
            (ids.DIRECTOR, ids.KIND_IMAGE, 7, digest),
            (ids.DIRECTOR, ids.KIND_TIME, 0, [b"12345678"]),
        ):
            there = shop.office.answer(vehicle.vin, *wanted)
            assert there is not None
            assert far.answer(vehicle.vin, *wanted) == there, wanted
        for wanted in (
            (ids.DIRECTOR, ids.KIND_METADATA, ids.ROOT, 2),
            (ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS, 99),
            (ids.DIRECTOR, ids.KIND_METADATA, 77, 1),
            (ids.DIRECTOR, ids.KIND_DELTA, 7, digest),
            (ids.IMAGE, ids.KIND_IMAGE, 7, bytes(32)),
            (ids.IMAGE, ids.KIND_IMAGE, 7, b"short"),
            (ids.IMAGE, ids.KIND_MAP, 1, bytes(32)),
            (9, ids.KIND_METADATA, ids.ROOT, 1),
        ):
            assert far.answer(vehicle.vin, *wanted) is None, wanted


def test_an_uplink_refuses_as_the_office_does(shop: Shop, port: int) -> None:
    """R-13, E-73, E-74: with the same class and the same words."""
    first, second = shop.vehicles
    far, other = uplink(shop, port, first), uplink(shop, port, second)
    raw = shop.signed(first)
    far.accept_manifest(first.vin, raw)
    with pytest.raises(Replayed, match=r"^manifest 1 of VIN1 came after 1$"):
        far.accept_manifest(first.vin, raw)
    with pytest.raises(ForeignVehicle):
        far.accept_manifest(first.vin, shop.signed(second))
    with pytest.raises(BadSeal):
        far.accept_manifest(first.vin, shop.signed(first)[:-1] + b"\xff")
    with pytest.raises(Malformed):
        far.answer(first.vin, ids.DIRECTOR, ids.KIND_TIME, 0, [b"1"])
    with pytest.raises(Unreachable, match="says 403: this is another vehicle's part"):
        other.accept_manifest(first.vin, raw)
    with pytest.raises(Unreachable, match="says 401: show a token"):
        uplink(shop, port).answer(first.vin, ids.DIRECTOR, ids.KIND_METADATA, 3, 0)


def test_a_download_goes_on_where_the_cable_broke(shop: Shop, port: int) -> None:
    """R-07, S-38: four cuts, and hardly a byte comes twice."""
    cuts = {1: 30_000, 2: 20_000, 3: 500, 4: 40_000}
    with Cable(port, cuts.get) as cable:
        far = Uplink(Courier(f"http://127.0.0.1:{cable.port}"))
        raw = far.answer("VIN1", ids.IMAGE, ids.KIND_IMAGE, 7, bytes.fromhex(shop.digest))
        far.close()
    assert raw == IMAGE
    assert cable.calls == 5
    assert cable.passed < len(IMAGE) + 5 * 700, "heads of answers, and the image once"


def test_it_goes_on_over_tls_too(shop: Shop, tmp_path: Path) -> None:
    """R-05, R-33: and shows the vehicle's certificate each time."""
    authority = Authority(tmp_path)
    context = tls(*authority.vouch("server", ["server"], "127.0.0.1"), authority.file)
    shown = authority.trusting(authority.vouch("vehicle", ["VIN1"]))
    with running(shop.folder, context=context) as server:
        with Cable(server.port, {1: 30_000, 2: 30_000}.get) as cable:
            far = Uplink(Courier(f"https://127.0.0.1:{cable.port}", context=shown))
            digest = bytes.fromhex(shop.digest)
            assert far.answer("VIN1", ids.DIRECTOR, ids.KIND_IMAGE, 7, digest) == IMAGE
            assert cable.calls == 3
            far.close()
            stranger = Uplink(Courier(f"https://127.0.0.1:{server.port}", bounds=HURRIED))
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                stranger.answer("VIN1", ids.IMAGE, ids.KIND_IMAGE, 7, digest)


def test_an_image_that_is_wanted_again_is_not_fetched_again(shop: Shop, port: int) -> None:
    """V-52: a want may begin in the middle, time and again; metadata is asked for each time."""
    with Cable(port, lambda call: None) as cable:
        far = Uplink(Courier(f"http://127.0.0.1:{cable.port}"))
        for _ in range(3):
            far.answer("VIN1", ids.IMAGE, ids.KIND_IMAGE, 7, bytes.fromhex(shop.digest))
            far.answer("VIN1", ids.IMAGE, ids.KIND_METADATA, ids.TIMESTAMP, 0)
        far.close()
    assert len(IMAGE) < cable.passed < len(IMAGE) + 4 * 700


def test_a_manifest_whose_answer_was_lost_arrived(shop: Shop, port: int) -> None:
    """E-73, S-38: it is sent again, refused as a replay, and that is the answer."""
    _, vehicle = shop.vehicles
    before = len(stored(shop.office, ManifestReceived))
    with Cable(port, {1: 10}.get) as cable:
        far = uplink(shop, cable.port, vehicle)
        far.accept_manifest(vehicle.vin, shop.signed(vehicle))
        far.close()
        assert cable.calls == 2
    assert len(stored(shop.office, ManifestReceived)) == before + 1


# --- servers that lie ---------------------------------------------------------------------------


def said(status: str, body: bytes = b"", **fields: str) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refused(status: int, refusal: str, media: str = "application/problem+json") -> bytes:
    body = {"title": "No", "status": status, "detail": "so it is", "refusal": refusal}
    return said(f"{status} No", json.dumps(body).encode(), Content_Type=media)


HALF = said("200 OK", b"0123456789", ETag='"a"')[:-5]
REST = said("206 Partial Content", b"56789", ETag='"a"', Content_Range="bytes 5-9/10")


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        ([said("200 OK", b"0123456789")], [""]),
        ([HALF, REST], ["", "bytes=5-"]),
        ([HALF, HALF, REST], ["", "bytes=5-", "bytes=5-"]),
        ([b"", HALF, REST], ["", "", "bytes=5-"]),
        ([HALF, said("200 OK", b"0123456789", ETag='"b"')], ["", "bytes=5-"]),
        ([HALF.replace(b'"a"', b'W/"a"'), said("200 OK", b"0123456789")], ["", ""]),
        ([HALF.replace(b"ETag", b"X"), said("200 OK", b"0123456789")], ["", ""]),
        ([HALF, REST.replace(b"5-9", b"4-8"), said("200 OK", b"0123456789")], None),
        ([REST, said("200 OK", b"0123456789")], ["", ""]),
        ([said("503 Busy", Retry_After="0"), said("200 OK", b"0123456789")], ["", ""]),
        ([said("429 Slowly", Retry_After="0"), said("200 OK", b"0123456789")], ["", ""]),
    ],
)
def test_a_file_is_whole_or_begun_anew(answers: list[bytes], ranges: list[str] | None) -> None:
    """R-07, E-24: parts of two files are never joined."""
    with Liar(answers) as liar:
        got = Courier(liar.url, bounds=HURRIED).get(PATH, 100, private=False)
    assert got == b"0123456789"
    asked = [
        next((line[7:] for line in head.decode().split("\r\n") if line.startswith("Range: ")), "")
        for head in liar.heard
    ]
    assert ranges in (None, asked)


@pytest.mark.parametrize(
    ("answer", "refusal", "words"),
    [
        (said("200 OK", bytes(101)), TooLarge, "more than 100 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"40\r\n%064d\r\n" % 0 * 99,
            TooLarge,
            "more than 100 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(500), TooLarge, "more than 100 bytes"),
        (HALF.replace(b'"a"', b"W/"), Unreachable, "5 bytes are missing"),
        (REST, Unreachable, "not asked for"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unreachable, "SSH-2.0"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", Unreachable, "more than 65536"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", Unreachable, "100 headers"),
        (b"", Unreachable, "timed out"),
        (said("302 Found", Location="http://127.0.0.1:1/"), Unreachable, "says 302: Found"),
        (said("204 No Content"), Unreachable, "says 204"),
        (said("503 Busy", Retry_After="3600"), Unreachable, "says 503: Busy"),
        (said("503 Busy", Retry_After="soon"), Unreachable, "says 503: Busy"),
        (said("500 Oh", bytes(9999)), Unreachable, "says 500: Oh"),
        (refused(422, "BadSeal"), BadSeal, "so it is"),
        (refused(422, "BadSeal", "application/json"), Unreachable, "says 422: No"),
        (refused(422, "__name__"), OemRefusal, "so it is"),
        (refused(422, "NoSuchThing"), OemRefusal, "so it is"),
        (said("422 No", b"{]", Content_Type="application/problem+json"), Unreachable, "422: No"),
    ],
)
def test_a_lying_server_is_refused_and_said_how(
    answer: bytes, refusal: type[OemRefusal], words: str
) -> None:
    """E-19, E-20: within bounds of bytes and of time."""
    with Liar([answer]) as liar:
        courier = Courier(liar.url, "a-token", bounds=HURRIED)
        with pytest.raises(refusal) as caught:
            courier.get(PATH, 100, private=True)
        courier.close()
    assert type(caught.value) is refusal
    assert words in str(caught.value)
    assert liar.calls <= HURRIED.tries


def test_the_token_is_shown_to_the_private_part_alone() -> None:
    """R-33, R-05: what is public is asked for as anybody would, so that caches may answer."""
    with Liar([said("404 Not Found")]) as liar:
        courier = Courier(liar.url, "a-token", bounds=HURRIED)
        for private in (False, True):
            assert courier.get(PATH, 100, private) is None
            courier.close()
    assert [b"a-token" in head for head in liar.heard] == [False, True]


def test_a_replay_at_the_first_time_is_none_of_ours() -> None:
    """E-73."""
    with Liar([refused(409, "Replayed")]) as liar:
        with pytest.raises(Replayed):
            Uplink(Courier(liar.url, bounds=HURRIED)).accept_manifest("VIN1", b"x")


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8443", "ftp://127.0.0.1", "https://", "http://[x", "http://a:b"]
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(Unreachable, match="say https://HOST:PORT"):
        Courier(url)


def test_a_token_does_not_travel_in_the_clear() -> None:
    """R-33: but within one computer."""
    with pytest.raises(Exposed):
        Courier("http://192.0.2.1", "a-token")
    Courier("http://192.0.2.1")
    Courier("http://127.0.0.1", "a-token")


def test_where_nobody_listens_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        Courier(f"http://127.0.0.1:{port}", bounds=HURRIED).get(PATH, 100, private=False)
