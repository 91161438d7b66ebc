"""One case: a fault at one moment of a flow, in one way; what is done after it, and its verdict.

`Case.aftermath` runs in the process in which the fault has struck. The flow has ended, or was cut;
the vehicle comes back, is judged, takes the next honest update - some cases take up the one
that was interrupted, where there is one, or first let the image come back that was overwritten -
and is judged again. A part that ails may refuse that update, if it says so: then the ECU is
provisioned anew, with a part that is well, and has to take it.
Rules: E-79.
"""

from __future__ import annotations

from dataclasses import dataclass

from muptane.bench.faults.fault import FAULTS
from muptane.bench.faults.flow import Flow
from muptane.bench.faults.judge import (
    BRICKED,
    RECOVERED,
    REFUSED,
    Bad,
    Judge,
    Verdict,
)
from muptane.bench.faults.site import SESSION_S, Site
from muptane.bench.interpreters import NodeDied
from muptane.bench.world import Stuck
from uptane import ids
from uptane.uds.codes import DID_REFUSALS

OFF_S = 1.0
RESUME_EVERY = 4  # cases: as an image may be large, and another one need not be
COUNTER_STEP = 1000  # what a workshop leaves between the last report seen and the first new one


@dataclass(frozen=True, order=True)
class Case:
    """The fault of that name, before stroke or after frame `at` (from 0), in that way."""

    fault: str
    at: int
    way: int

    def seed(self) -> int:
        """Of the bits of a tear."""
        return self.at * 8 + self.way

    def aftermath(self, site: Site, flow: Flow, judge: Judge, name: str) -> Verdict:
        """The verdict on a fault that struck the ECU of that name."""
        try:
            return self._aftermath(site, flow, judge, name)
        except Bad as bad:
            return Verdict(bad.verdict, str(bad))
        except (NodeDied, Stuck) as died:
            return Verdict(BRICKED, str(died))

    def _aftermath(self, site: Site, flow: Flow, judge: Judge, name: str) -> Verdict:
        self._come_back(site, judge)
        judge.agree()
        judge.look()
        if judge.waits and self._resumes() and site.maker.crashing:
            site.cycle()
            judge.look()
        ails = bool(judge.notes)
        if self._updated(site, name):
            judge.look()
            if judge.waits:
                raise Bad(BRICKED, f"{judge.waits} have no image that runs")
            return Verdict(REFUSED if ails else RECOVERED, "; ".join(judge.notes))
        ecu = site.vehicle.ecus[name].plan
        noted = list(site.vehicle.station(name).read(DID_REFUSALS))
        if not noted and not ails:
            raise Bad(
                BRICKED, f"the next update does not install ({site.ended}); {name} is silent"
            )
        why = f"{name} notes {noted}; {'; '.join(judge.notes)}"
        counter = judge.floors[name].versions[ids.RECORD_COUNTER][0]
        site.replace(ecu, counter + COUNTER_STEP)
        if not site.update():
            raise Bad(BRICKED, f"provisioned anew it takes no update ({site.ended}); {why}")
        judge.look()
        return Verdict(REFUSED, why)

    def _come_back(self, site: Site, judge: Judge) -> None:
        """Power for all, and time to settle."""
        if not site.cut():
            judge.remember()  # the flow went on
        site.cut = lambda: False
        if FAULTS[self.fault].cuts == "ecu":
            for ecu in site.plan.ecu:
                site.vehicle.station(ecu.name).drop()
            site.wait(SESSION_S)
            judge.rest()
            return
        site.off()
        site.wait(OFF_S)
        site.vehicle.power_on()
        site.wait(SESSION_S / 2)

    def _updated(self, site: Site, name: str) -> bool:
        """Does the next honest update install: for the ECU of that name, and for those whose last
        one was interrupted?"""
        installed = site.installed()
        waiting = [ecu.name for ecu in site.plan.ecu if installed[ecu.name] != site.number(ecu)]
        resumes = self._resumes() and not site.maker.crashing
        if not resumes or not waiting:
            site.offer([*waiting, name])
        return site.update()

    def _resumes(self) -> bool:
        """Is what was interrupted taken up before there is something new?"""
        return (self.at + self.way) % RESUME_EVERY == 0
