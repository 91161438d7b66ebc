"""What somebody on the bus without any key may not reach: secrets, trials, the other ECUs.

Each was found by attacking a running vehicle. Real ECUs, real bytes; the attacker is a tester on
an ECU's diagnostic identifiers, or answers in a Secondary's place.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import APPLICATIONS, Garage, Lying
from impostor import Impostor, polite

from muptane.bench.can.frames import Frame
from muptane.bench.factory import seed_of
from muptane.bench.world import MS
from muptane.oem.pack import pack_application
from uptane import cbor, errors, ids, shelf
from uptane.errors import Negative, PeerRefused, Refusal
from uptane.limits import CYCLE_MS, CYCLES_MAX, LIFE_MS_MIN, REPOSITORIES_MAX
from uptane.uds.codes import DID_BOOT, NRC_CONDITIONS_NOT_CORRECT
from uptane.uds.feeding import Feeding, of_a_primary

CRASHES_LATE = """
_since = None


def start(cabin):
    pass


def step(now_ms):
    global _since
    _since = now_ms if _since is None else _since
    if now_ms - _since > 300:
        raise ValueError
    return now_ms + 20
"""


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def crashing(folder: Path) -> bytes:
    folder.mkdir()
    (folder / "app.py").write_text(CRASHES_LATE)
    return pack_application(folder)


def test_no_file_number_reaches_a_secret(garage: Garage) -> None:
    """S-39, V-24: a Secondary may want any file number; what is not a role, a time or an image
    that was gathered for it is absent."""
    seed = seed_of(garage.plan, garage.vehicle_ecu("gateway"))
    heard = bytearray()
    wants = iter(
        cbor.dumps([bytes((repository, kind)) + number.to_bytes(4, "big"), detail, 0, 4096])
        for repository in (0, 1, 2, 3, 255)
        for kind in (0, 1, 4, 5, 255)
        for number in (0, 1, 2, 5, 0xFF, 0x100, 0x101, 0xFFFFFF01, 0xFFFFFFFF)
        for detail in (0, bytes(32))
    )

    def reply(request: bytes) -> bytes:
        heard.extend(request)
        if request == b"\x31\x01\x02\x01":
            want = next(wants, None)
            return polite(request) + (b"\x00" if want is None else b"\x01" + want)
        if request[0] == 0x34:
            return b"\x74\x20\x04\x02"
        return polite(request)[:2] if request[0] == 0x36 else polite(request)

    liar = Impostor(garage, "door", reply)
    primary = garage.vehicle.station("gateway")
    feeding = Feeding(primary.client, garage.source(), bytearray(4095), of_a_primary())
    for _ in range(9):  # one want of a Secondary before its report, and then it is left out
        primary.run(feeding.begin())
        for _ in range(40):
            try:
                primary.run(feeding.once(primary.clock))
            except Refusal:
                break
    liar.off = True
    assert seed not in heard
    assert garage.vehicle.ecus["gateway"].node.resets == 0
    roles_only_are_relayed()


def roles_only_are_relayed() -> None:
    """The one place that turns numbers of the wire into numbers of records."""
    asked: list[int] = []

    class Asked:
        def read(self, number: int) -> None:
            asked.append(number)

    for repository in range(-1, 256):
        for role in (-0x200, -0xFF, -1, 0, 1, 3, 0xFF, 0x100, 0x1FF, 0xFFFFFF01, 0xFFFFFFFF):
            shelf.stored(Asked(), repository, role)  # type: ignore[arg-type]
    assert asked and min(asked) >= ids.RECORD_METADATA
    assert max(asked) < ids.RECORD_METADATA + 0x100 * REPOSITORIES_MAX


def test_a_trial_is_not_confirmed_while_its_application_is_stopped(
    garage: Garage, tmp_path: Path
) -> None:
    """V-67: a tester holds the ECU in the programming session over the confirm window."""
    garage.publish("brake", 2, crashing(tmp_path / "late"))
    tester = garage.vehicle.station("brake")
    held: list[int] = []

    def hold(now_ns: int, sender: str, frame: Frame) -> None:
        if sender == "brake" and frame.id == 0x7E9 and frame.data[:5] == b"\x04\x71\x01\x02\x03":
            held.append(now_ns)

    garage.vehicle.bus.listeners.append(hold)
    garage.cycle()
    assert len(held) == 1
    for _ in range(30):
        try:
            tester.request(b"\x10\x02")
        except Refusal:
            pass  # it is booting
        garage.vehicle.run(0.1)
    garage.vehicle.run(10.0)
    assert garage.release("brake") == 1
    assert tester.read(DID_BOOT) == bytes((ids.BOOT_REVERTED,))


def test_a_reset_may_not_use_up_the_boots_of_a_trial(garage: Garage) -> None:
    """S-39: no service rolls back."""
    garage.publish("door", 2)
    door = garage.vehicle.station("door")
    codes: list[int] = []

    def reset_it() -> None:
        def ask() -> object:
            try:
                return (yield from door.client.request(b"\x11\x01"))
            except Negative as negative:
                codes.append(negative.args[0])
                return None

        door.start(ask(), lambda value: None)  # type: ignore[arg-type]

    def listener(now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == 0x7EA and frame.data[:5] == b"\x04\x71\x01\x02\x03":
            for after_ms in (120, 220, 320, 420):
                garage.world.at(now_ns + after_ms * MS, reset_it)

    garage.vehicle.bus.listeners.append(listener)
    garage.cycle()
    assert NRC_CONDITIONS_NOT_CORRECT in codes
    assert garage.release("door") == 2
    assert door.read(DID_BOOT) == bytes((ids.BOOT_CONFIRMED,))


def test_resets_cannot_be_put_off(garage: Garage) -> None:
    """The first request decides when."""
    door = garage.vehicle.station("door")
    garage.vehicle.run(LIFE_MS_MIN / 1000)
    for _ in range(20):
        try:
            door.request(b"\x11\x81"[:1] + b"\x01")
        except Refusal:
            break
        garage.vehicle.run(0.005)
    garage.vehicle.run(0.5)
    assert garage.vehicle.ecus["door"].node.resets >= 1


def test_a_feeder_that_went_away_leaves_room_for_the_next(garage: Garage) -> None:
    """V-35, V-90: the depot held images of a cycle that nobody finished."""
    for name in ("brake", "door"):
        garage.publish(name, 2)
    station = garage.vehicle.station("gateway")
    feeding = Feeding(station.client, garage.source(), bytearray(4095), of_a_primary())
    station.run(feeding.begin())
    gathered = 0
    while gathered < 2:
        station.run(feeding.once(station.clock))
        gathered = sum(len(cell.digest) > 0 for cell in depot_of(garage))
    garage.vehicle.run(8.0)  # S3
    for name in ("brake", "door"):
        garage.publish(name, 3, pack_application(APPLICATIONS / f"{name}_2") + b"\0\0")
    garage.cycle()
    assert [garage.release(name) for name in ("brake", "door")] == [3, 3]


def depot_of(garage: Garage) -> list[Any]:
    """The cells of the gateway's depot, which runs in this process."""
    import gc  # finds the one object of that kind; nothing else leads to it

    from uptane.image.depot import Cell  # beside it

    return [one for one in gc.get_objects() if isinstance(one, Cell)]


def test_a_broken_bundle_is_not_installed_in_part_later(garage: Garage) -> None:
    """T-35: neither after the refusal nor in a new session."""
    for name in garage.vehicle.ecus:
        garage.publish(name, 2)
    with pytest.raises(PeerRefused):
        garage.cycle(Lying(garage, (ids.IMAGE, ids.KIND_IMAGE, 202), lambda raw: None))
    tester = garage.vehicle.station("gateway")
    for session in (1, 2):
        tester.request(bytes((0x10, session)))
    with pytest.raises(Negative):
        tester.request(b"\x31\x01\x02\x03")
    garage.vehicle.run(2.0)
    assert [garage.release(name) for name in garage.vehicle.ecus] == [1, 1, 1]


def test_cycles_that_are_begun_in_a_row_do_not_wear_out_the_flash(garage: Garage) -> None:
    """E-89: after a few the ECU wants to be left alone for a while, and says so once; a reset does
    not help, and the next honest update is taken."""
    door = garage.vehicle.station("door")
    begun = 0
    door.request(b"\x10\x02")
    for _ in range(30):
        try:
            door.request(b"\x31\x01\x02\x00")
            begun += 1
        except Negative:
            pass
    assert 0 < begun <= CYCLES_MAX + 1
    with pytest.raises(Negative):
        garage.vehicle.station("brake").request(b"\x11\x01")
    assert errors.TooOften.number in garage.refusals("door")
    garage.vehicle.run(2 * CYCLE_MS / 1000)
    garage.publish("door", 2)
    garage.cycle()
    assert garage.release("door") == 2
