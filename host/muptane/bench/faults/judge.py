"""What became of a vehicle after a fault, judged by its flash as it lies and by what it does.

`Floor` is what an ECU had committed before the fault: versions of its metadata, release counter,
the release of the confirmed image, time, report counter. `Judge` looks at the vehicle when it has
come back, and again after the next honest update: every ECU answers UDS, runs the application that
its slot holds, byte for byte an image of the maker, the old one or the new; every metadata file is
one that the office signed; and nothing is below its floor. An ECU's own word counts only where it
is the evidence: does it answer, and does it say what it detected?

An ECU without a spare slot may have no image that runs for a while, if its boot record says that
what lies there was being overwritten, and the ECU says so: then honest cycles have to heal it.
Of a bundle that is confirmed together, all ECUs run the new image or none does, once they have had
the time to agree; where a part ails that is refused, if one of them says so.

It plays no fault. Rules: E-79, V-58, V-88, S-45, T-21, T-32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import cbor2

from muptane.bench.can.frames import Frame
from muptane.bench.faults.site import SESSION_S, Site
from muptane.bench.maker import image_number
from muptane.bench.plan import EcuPlan
from uptane import cose, ids
from uptane.errors import BundleBroken, Refusal, Rotten
from uptane.meta.files import Mark, record_of
from uptane.meta.roles import Head
from uptane.store.boot import ERASING, STAGED, WRITING, State, choose
from uptane.uds.codes import DID_BOOT, DID_REFUSALS

RECOVERED = "recovered"
REFUSED = "refused"
ROLLED_BACK = "rolled_back"
BRICKED = "bricked"
CORRUPT = "accepted_corruption"
VERDICTS = (RECOVERED, REFUSED, ROLLED_BACK, BRICKED, CORRUPT)

OVERWRITING = (ERASING, WRITING, STAGED)
ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
REPOSITORIES = (ids.DIRECTOR, ids.IMAGE)
REST_ROUNDS = 12
AGREED_ROUNDS = 110  # longer than somebody holds an image for the others
LISTEN_S = 1.3  # every application of ours speaks at least once a second


@dataclass
class Verdict:
    """One of VERDICTS, and why."""

    verdict: str
    why: str = ""


class Bad(Exception):
    """The vehicle is not as it should be: a verdict, and why."""

    def __init__(self, verdict: str, why: str) -> None:
        super().__init__(why)
        self.verdict = verdict


class Stored(Protocol):
    """Records, whoever reads them."""

    def read(self, number: int) -> bytes | None: ...


class Floor:
    """What an ECU has committed; a value that cannot be read any more is not there."""

    def __init__(self, records: Stored) -> None:
        self.rotten: list[int] = []
        self.versions: dict[int, tuple[int, ...]] = {}
        self.payloads: dict[tuple[int, int, int], bytes] = {}
        for repository in REPOSITORIES:
            root = self._version(records, repository, ids.ROOT)
            for role in ROLES:
                # A new Root may let the others begin anew (T-12).
                self.versions[record_of(repository, role)] = (
                    root,
                    self._version(records, repository, role),
                )
        mark = self._read(records, ids.RECORD_HIGH_WATER)
        directed = self.versions[record_of(ids.DIRECTOR, ids.TARGETS)]
        if mark is not None and Mark(mark).version > directed[1]:
            self.versions[record_of(ids.DIRECTOR, ids.TARGETS)] = (directed[0], Mark(mark).version)
        release = self._read(records, ids.RECORD_RELEASE)
        self.versions[ids.RECORD_RELEASE] = (int.from_bytes(release or b"", "little"),)
        boot = State(self._read(records, ids.RECORD_BOOT)).confirmed
        self.versions[ids.RECORD_BOOT] = (boot.release if boot else 0,)
        counter = self._read(records, ids.RECORD_COUNTER)
        self.versions[ids.RECORD_COUNTER] = (int.from_bytes(counter or b"", "big"),)
        time = self._read(records, ids.RECORD_TIME)
        self.versions[ids.RECORD_TIME] = (cbor2.loads(time)[0] if time else 0,)

    def _read(self, records: Stored, number: int) -> bytes | None:
        try:
            return records.read(number)
        except Rotten:
            self.rotten.append(number)
            return None

    def _version(self, records: Stored, repository: int, role: int) -> int:
        raw = self._read(records, record_of(repository, role))
        if raw is None:
            return 0
        payload = bytes(cose.read_sign(raw).payload)
        version = Head(payload, role).version
        self.payloads[repository, role, version] = payload
        return version

    def below(self, before: Floor) -> Iterator[str]:
        """What is lower than it was; what rotted is refused, not lower."""
        for number, value in self.versions.items():
            if number in self.rotten:
                self.versions[number] = before.versions[number]
            elif value < before.versions[number]:
                yield f"record {number:#06x} fell from {before.versions[number]} to {value}"


class Judge:
    """`floors` are those of the moment before the fault; `old` and `new` the releases that an
    ECU may run when it has come back."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.floors = {ecu.name: self.floor(ecu) for ecu in site.plan.ecu}
        self.notes: list[str] = []  # signs that something was detected
        self.waits: list[str] = []  # who had no image that runs when it was looked at last

    def floor(self, ecu: EcuPlan) -> Floor:
        """What that ECU has committed: as it knows itself while it lives, for a commit that is
        under way counts for nothing; else as it lies in flash."""
        vehicle = self.site.vehicle
        return Floor(vehicle.minds.get(ecu.name) or vehicle.records(ecu.name))

    def remember(self) -> None:
        """What was committed until now may not be lost any more. Bad if something was already."""
        for ecu in self.site.plan.ecu:
            self.floors[ecu.name] = self._held(ecu, self.floor(ecu))

    def rest(self) -> None:
        """Wait until every ECU's application runs, or it has none that could, as long as a Primary
        waits for its last one."""
        for _ in range(REST_ROUNDS):
            spoke = self._listen()
            if all(one.name in spoke or self._is_rewriting(one) for one in self.site.plan.ecu):
                return
            self.site.wait(SESSION_S)

    def agree(self) -> None:
        """Give those whose images are confirmed together the time to know how it ends."""
        for _ in range(AGREED_ROUNDS):
            boots = [self._boot(ecu) for ecu in self.site.together]
            if ids.BOOT_TRIAL not in boots and ids.BOOT_HELD not in boots:
                return
            self.site.wait(SESSION_S)

    def look(self) -> None:
        """Has everything come back, old or new? Bad if not. What was detected goes to `notes`."""
        spoke = self._listen()
        self.waits = []
        self._look_at_bundle()
        for ecu in self.site.plan.ecu:
            floor = self._trusted(ecu)
            self._runs(ecu, spoke.get(ecu.name, 0))
            self.floors[ecu.name] = floor

    def _listen(self) -> dict[str, int]:
        """Frames of each ECU's application in a while."""
        counts: dict[str, int] = {}
        diagnostic = {i for ecu in self.site.plan.ecu for i in (ecu.request, ecu.response)}

        def hear(now_ns: int, sender: str, frame: Frame) -> None:
            if frame.id not in diagnostic:
                counts[sender] = counts.get(sender, 0) + 1

        bus = self.site.vehicle.bus
        bus.listeners.append(hear)
        self.site.wait(LISTEN_S)
        bus.listeners.remove(hear)
        return counts

    def _trusted(self, ecu: EcuPlan) -> Floor:
        """Its records, as they lie: nothing fell, and nothing that the office did not sign."""
        floor = self._held(ecu, Floor(self.site.vehicle.records(ecu.name)))
        office, vin = self.site.maker.office, self.site.plan.vin
        for (repository, role, version), payload in floor.payloads.items():
            signed = office.answer(vin, repository, ids.KIND_METADATA, role, version)
            if signed is not None and bytes(cose.read_sign(signed).payload) != payload:
                raise Bad(CORRUPT, f"{ecu.name}: role {role} of {repository} was never signed")
        self.notes += [f"{ecu.name}: record {number:#06x} rotted" for number in floor.rotten]
        return floor

    def _held(self, ecu: EcuPlan, floor: Floor) -> Floor:
        fell = list(floor.below(self.floors[ecu.name]))
        if fell:
            raise Bad(ROLLED_BACK, f"{ecu.name}: {'; '.join(fell)}")
        return floor

    def _runs(self, ecu: EcuPlan, frames: int) -> None:
        """It answers, and what runs is an image of the maker, byte for byte."""
        said = self.site.says(ecu)
        if said < 0:
            words = self.site.vehicle.last_words(ecu.name)[-400:]
            raise Bad(BRICKED, f"{ecu.name} does not answer; {words}")
        state = State(self.site.vehicle.records(ecu.name).read(ids.RECORD_BOOT))
        slot = choose(state)
        image = state.confirmed if slot == state.slot else state.other
        if slot is None or image is None:
            raise Bad(BRICKED, f"{ecu.name} has no image")
        release = image.number - image_number(ecu, 0)
        if release not in (self.site.old[ecu.name], self.site.new[ecu.name]):
            raise Bad(ROLLED_BACK, f"{ecu.name} boots release {release}")
        made = self.site.maker.image(ecu, release)
        whole = said == image.number and sha256(made.content).digest() == image.digest
        if ecu.regions:
            held = self.site.vehicle.holds(ecu.name)
            whole = whole and held == self.site.maker.holds(ecu, release)
        else:
            content = self.site.vehicle.slot(ecu.name, slot).read(0, image.length)
            whole = whole and content == made.content
        if whole and frames:
            return
        refused = self._refused(ecu)
        if frames and not whole:
            raise Bad(CORRUPT, f"{ecu.name} runs image {image.number}, which is not the maker's")
        if not refused and not self._is_rewriting(ecu):
            raise Bad(BRICKED, f"{ecu.name} is silent about an application that does not run")
        if self._is_rewriting(ecu) and state.phase in OVERWRITING:
            self.waits.append(ecu.name)
            return
        self.notes.append(f"{ecu.name} does not start its image and notes {refused}")

    def _look_at_bundle(self) -> None:
        """All of the new images run, or none."""
        site = self.site
        runs = {ecu.name: site.says(ecu) == site.number(ecu) for ecu in site.together}
        if len(set(runs.values())) < 2:
            return
        mixed = f"the vehicle is mixed: {runs}"
        asked = {ecu.name: ecu for ecu in (site.plan.primary(), *site.together)}
        if not any(BundleBroken.number in self._refused(ecu) for ecu in asked.values()):
            raise Bad(BRICKED, f"{mixed}, and nobody says so")
        self.notes.append(mixed)

    def _is_rewriting(self, ecu: EcuPlan) -> bool:
        """Does it say that its only place holds no image that runs?"""
        return ecu.in_place and self._boot(ecu) == ids.BOOT_REWRITING

    def _boot(self, ecu: EcuPlan) -> int:
        """BOOT_... as it says it; -1 if it does not answer."""
        try:
            return self.site.vehicle.station(ecu.name).read(DID_BOOT)[0]
        except Refusal:
            return -1

    def _refused(self, ecu: EcuPlan) -> list[int]:
        """The refusals that it will name in its next report."""
        try:
            return list(self.site.vehicle.station(ecu.name).read(DID_REFUSALS))
        except Refusal:
            return []
