"""A sedan whose maker directs bundles: what tests of whole bundles begin with. Not a test file."""

from collections.abc import Callable
from pathlib import Path

from garage import APPLICATIONS, Garage

from muptane.bench.can.frames import Frame
from muptane.bench.world import S
from muptane.oem.pack import pack_application
from uptane import ids
from uptane.errors import Refusal
from uptane.uds.codes import DID_BOOT

SECONDARIES = ("brake", "door")
ALL = ("gateway", *SECONDARIES)
FOREVER_S = 1e6
CRASHING = """\
def start(cabin):
    raise ValueError

def step(now_ms):
    return now_ms + 100
"""


class Bundled(Garage):
    """`offer` directs a bundle; the rest looks at what came of it."""

    def offer(
        self,
        names: tuple[str, ...] = ALL,
        kind: int = ids.BUNDLE_TOGETHER,
        trials: int = 1,
        release: int = 2,
        bad: tuple[str, ...] = (),
    ) -> int:
        """Release the next images of these ECUs and want them as one bundle; those of `bad` crash
        when they are started. Returns the bundle's number."""
        images = {}
        for name in names:
            ecu = self.vehicle_ecu(name)
            content = self.crashing() if name in bad else self.healthy(ecu.application)
            content += bytes(release - 2)
            number = ecu.number * 100 + release
            self.office.release_image(number, content, [ecu.hardware], release)
            images[ecu.number] = number
        return self.office.assign_bundle(self.plan.vin, images, kind, trials)

    def healthy(self, application: str) -> bytes:
        return pack_application(APPLICATIONS / f"{application}_2")

    def crashing(self) -> bytes:
        folder = Path(self.vehicle.folder) / "crashing"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(CRASHING)
        return pack_application(folder)

    def cycle_anyhow(self) -> None:
        """A cycle of the Primary, however it ends."""
        try:
            self.cycle()
        except Refusal:
            pass

    def releases(self) -> list[int]:
        """What gateway, brake and door run."""
        return [self.release(name) for name in ALL]

    def boots(self) -> list[int]:
        """BOOT_... of gateway, brake and door."""
        return [self.vehicle.station(name).read(DID_BOOT)[0] for name in ALL]

    def results(self) -> dict[str, str]:
        """What the office knows of its newest bundle."""
        names = {ecu.number: ecu.name for ecu in self.plan.ecu}
        found = self.office.bundle_results(self.plan.vin)
        return {names[one.ecu]: one.state for one in found}

    def promised(self) -> bool:
        """Has the Primary a bundle to finish or to undo?"""
        return self.vehicle.records("gateway").read(ids.RECORD_BUNDLE) is not None


class Cut:
    """Takes the power of an ECU for `off_s` when the first frame that `seen` finds is on the bus.
    `done` once it happened."""

    def __init__(
        self, sedan: Bundled, name: str, seen: Callable[[str, Frame], bool], off_s: float = 0.5
    ) -> None:
        self.done = False
        self._sedan = sedan
        self._node = sedan.vehicle.ecus[name].node
        self._seen = seen
        self._off_s = off_s
        sedan.vehicle.bus.listeners.append(self._hear)

    def _hear(self, now_ns: int, sender: str, frame: Frame) -> None:
        if self.done or not self._seen(sender, frame):
            return
        self.done = True
        world = self._sedan.world
        world.at(world.now_ns, self._node.power_off)
        if self._off_s < FOREVER_S:
            world.at(world.now_ns + int(self._off_s * S), self._node.power_on)


def routine(sedan: Bundled, name: str, number: int) -> Callable[[str, Frame], bool]:
    """Finds the gateway's request to start a routine of a Secondary."""
    request = sedan.vehicle_ecu(name).request
    start = bytes((0x31, 1, number >> 8, number & 0xFF))

    def seen(sender: str, frame: Frame) -> bool:
        return frame.id == request and start in frame.data

    return seen


def answer(sedan: Bundled, name: str, number: int) -> Callable[[str, Frame], bool]:
    """Finds the positive response to it."""
    response = sedan.vehicle_ecu(name).response
    start = bytes((0x71, 1, number >> 8, number & 0xFF))
    return lambda sender, frame: frame.id == response and start in frame.data
