"""One image for several ECUs that are alike: how long the bus is at it, and what each made of it.

The vehicle is `vehicles/doors.toml` with so many of its doors. Counted from the request that opens
the image's transfer, or lets the first door listen, to the last that its bytes are waited for: the
response to RequestTransferExit, or the end of the pause after the last block.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from muptane.bench import firmware, plan
from muptane.bench.factory import FirstImage
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.goodput import Message, Trace
from muptane.bench.maker import image_number
from muptane.bench.plan import VehiclePlan
from muptane.bench.provisioning import OfficeSupply, register
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import S, World
from muptane.oem.office import Office
from muptane.oem.pack import pack_application
from uptane import ids
from uptane.link.broadcast import ANNOUNCEMENT
from uptane.uds.codes import (
    DID_IMAGE,
    POSITIVE,
    REQUEST_DOWNLOAD,
    REQUEST_TRANSFER_EXIT,
    RID_LISTEN,
    ROUTINE_CONTROL,
    START_ROUTINE,
)

IMAGE = 5002
LIMIT_S = 3600.0
EXITED = bytes((REQUEST_TRANSFER_EXIT + POSITIVE,))
LISTENING = bytes((ROUTINE_CONTROL, START_ROUTINE)) + RID_LISTEN.to_bytes(2, "big")


def doors(count: int) -> VehiclePlan:
    """The gateway and so many door modules that are alike."""
    found = plan.load(firmware.ROOT / "vehicles" / "doors.toml")
    return found.model_copy(update={"ecu": found.ecu[: 1 + count]})


def image_seconds(planned: VehiclePlan, images: tuple[bytes, bytes]) -> float:
    """How long the second image was on its way to all Secondaries. LookupError if one of them
    does not run it afterwards."""
    world = World(seed=planned.seed)
    trace = Trace(planned.bus)
    with TemporaryDirectory(prefix="muptane-") as folder:
        vehicle = Vehicle(planned, world, Path(folder), "cpython")
        office = _founded(world, vehicle, images)
        with vehicle:
            vehicle.run(0.3)
            vehicle.bus.listeners.append(trace)
            source = OfficeSource(office, planned.vin, lambda carried: None)
            station = vehicle.station(planned.primary().name)
            station.run(feed(station, source), LIMIT_S)
            for ecu in planned.secondaries():
                if int.from_bytes(vehicle.station(ecu.name).read(DID_IMAGE)[:4], "big") != IMAGE:
                    raise LookupError(f"{ecu.name} did not take the image")
    return _took_ns(planned, trace) / S


def _founded(world: World, vehicle: Vehicle, images: tuple[bytes, bytes]) -> Office:
    planned = vehicle.plan
    office = Office.create(world.seconds, seed=b"doors")
    register(office, planned)
    first = {}
    for ecu in planned.ecu:
        content = images[0]
        if ecu.role == "primary":
            content = pack_application(firmware.ROOT / f"firmware/apps/{ecu.application}_1")
        number = image_number(ecu, 1)
        office.release_image(number, content, [ecu.hardware], 1)
        office.assign(planned.vin, ecu.number, number)
        first[ecu.name] = FirstImage(number, 1, content)
    vehicle.provision(OfficeSupply(office), first)
    office.release_image(IMAGE, images[1], [planned.secondaries()[0].hardware], 2)
    for ecu in planned.secondaries():
        office.assign(planned.vin, ecu.number, IMAGE)
    return office


def _took_ns(planned: VehiclePlan, trace: Trace) -> int:
    """Of the last file that was spread or, if none was, of the image that was downloaded."""
    requests: list[Message] = []
    ends_ns: list[int] = []
    for ecu in planned.secondaries():
        requests += trace.sent(ecu.request, ecu.response)
        ends_ns += [one.end_ns for one in trace.sent(ecu.response) if one.head[:1] == EXITED]
    spread = [
        (now_ns, frame) for now_ns, frame, _ in trace.frames if frame.id == planned.bus.broadcast
    ]
    if not spread:
        began_ns = min(one.began_ns for one in requests if _opens_image(one.head))
        return max(ends_ns) - began_ns
    tags = [frame.data[1] for _, frame in spread if frame.data[0] == ANNOUNCEMENT]
    listening = LISTENING + bytes(tags[-1:])
    began_ns = min(one.began_ns for one in requests if one.head[: len(listening)] == listening)
    return min(one.began_ns for one in requests if one.began_ns > spread[-1][0]) - began_ns


def _opens_image(head: bytes) -> bool:
    return head[:1] == bytes((REQUEST_DOWNLOAD,)) and head[4] == ids.KIND_IMAGE
