"""What the directions mean for one ECU: which image, if any, and whether it may go there.

Takes verified Targets and what the caller says is installed; compares the two repositories entry
by entry (V-75.10) and an entry with the ECU (hardware, release counter, an image number used
again). It does NOT verify signatures, fetch, or install; the image itself is checked by whoever
receives it.
Rules: V-59, V-60, V-63, V-74.8, V-75.10, V-80, V-86, T-04, T-18, T-20, T-21, T-34, T-36, T-53.
"""

from uptane.errors import (
    ImageReused,
    ImagesDiffer,
    NoFreshTime,
    NoImage,
    NotOnImageRepository,
    ReleaseRollback,
    ReleaseTooFar,
    UnknownEcu,
    UnknownHash,
    WrongHardware,
    WrongVehicle,
)
from uptane.ids import ALG_SHA256
from uptane.limits import RELEASE_STEP_MAX
from uptane.meta.policy import ATTESTED_NOW, EVERY_TARGETS, Policy
from uptane.meta.targets import Entry, Targets


class Installed:
    """What runs on an ECU: image number, SHA-256 of the image, confirmed release counter."""

    def __init__(self, image: int, digest: bytes, release: int) -> None:
        self.image = image
        self.digest = digest
        self.release = release

    def is_entry(self, entry: Entry) -> bool:
        """Is this the image that the entry asks for?"""
        return self.image == entry.number and self.digest == entry.hashes.get(ALG_SHA256)


class Ecu:
    """Who decides: ECU id, hardware id, vehicle id, its Installed or None before the first image.

    registered  Primary only: {ecu id: Installed, or None where no report says}, itself included;
                the ECUs of the vehicle, whether or not they answer now (T-36)
    """

    def __init__(
        self,
        number: int,
        hardware: int,
        vehicle: str,
        installed: "Installed | None",
        registered: dict[int, Installed | None] | None = None,
    ) -> None:
        self.number = number
        self.hardware = hardware
        self.vehicle = vehicle
        self.installed = installed
        self.registered = registered


class Decision:
    """The outcome of a cycle whose metadata was good.

    entries       {ecu id: Entry}; a Secondary's own, or the Primary's for every ECU listed
    new           [ecu id, ...] ascending: whose Entry is not what is installed. If there is one,
                  full verification has held all `entries` against the Image repository
    acknowledged  this ECU's report counter up to which the Director has seen its refusals, or None
    bundle        the bundle that this ECU's image is of, or None
    led, bundled  the bundle that is directed, whoever's, or None; its ECU ids
    refusal       None, or NoImage: nothing was wrong, but there is nothing to install (V-60)
    expires       seconds since 1970 from which on nothing may be installed by it (T-42)
    """

    def __init__(self, ecu: Ecu, targets: Targets) -> None:
        self.new: list[int] = []
        self.acknowledged = targets.acknowledged.get(ecu.number)
        self.expires = targets.expires
        self.led = targets.bundle
        self.bundled = targets.bundled
        self.bundle = targets.bundle if ecu.number in targets.bundled else None
        self.refusal: type[NoImage] | None = None
        self.entries: dict[int, Entry] = {}
        numbers = sorted(targets.ecus)
        if ecu.registered is None:
            numbers = [ecu.number] if ecu.number in targets.ecus else []
            self.refusal = None if numbers else NoImage
        else:
            for number in targets.bundled:
                if number not in ecu.registered:
                    raise UnknownEcu
        for number in numbers:
            self.add(ecu, number, targets.entry(targets.ecus[number]))

    def entry(self, number: int) -> "Entry | None":
        """Return what the ECU of this id has to install, or None."""
        return self.entries[number] if number in self.new else None

    def add(self, ecu: Ecu, number: int, entry: "Entry | None") -> None:
        """Add what a Director says of the ECU with that number. Refusal: UnknownEcu (V-74.8)."""
        installed = ecu.installed
        if ecu.registered is not None:
            if number not in ecu.registered:
                raise UnknownEcu
            installed = ecu.registered[number]
        if entry is None:
            return  # not so: a Targets names ECUs for images that it lists
        self.entries[number] = entry
        if installed is None or not installed.is_entry(entry):
            self.new.append(number)


def check_vehicle(policy: Policy, targets: Targets, vehicle: str) -> None:
    """Refuse directions for another vehicle: WrongVehicle (V-80, E-51, E-52)."""
    named = targets.vehicle
    if named is None and not targets.is_empty() and policy.t18_vehicle != EVERY_TARGETS:
        return
    if named != vehicle:
        raise WrongVehicle


def check_time(policy: Policy, fresh: bool) -> None:
    """Refuse to begin a new install on an old time: NoFreshTime (T-28, E-05)."""
    if policy.t28_time_for_install == ATTESTED_NOW and not fresh:
        raise NoFreshTime


def match_entry(entry: Entry, other: "Entry | None") -> None:
    """Hold a Director's entry against what the Image repository says (V-75.10.1, .2a, .2b).

    Refusals: NotOnImageRepository, ImagesDiffer.
    """
    if other is None:
        raise NotOnImageRepository
    if not entry.says_the_same(other):
        raise ImagesDiffer


def check_entry(policy: Policy, entry: Entry, installed: "Installed | None") -> None:
    """Hold an entry against what is installed (V-63.5, V-75.10.2c).

    Refusals: UnknownHash (T-34), ReleaseRollback, ReleaseTooFar, ImageReused (T-53).
    """
    for algorithm in entry.hashes:
        if algorithm not in policy.t34_hashes:
            raise UnknownHash
    if installed is None:
        return
    if entry.release < installed.release:
        raise ReleaseRollback
    if entry.release - installed.release > RELEASE_STEP_MAX:
        raise ReleaseTooFar
    if entry.number == installed.image and not installed.is_entry(entry):
        raise ImageReused


def check_hardware(entry: Entry, hardware: int) -> None:
    """Refuse an image for other hardware: WrongHardware (V-63.3, V-86)."""
    if hardware not in entry.hardware:
        raise WrongHardware
