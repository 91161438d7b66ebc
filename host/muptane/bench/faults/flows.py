"""Flows of records, and of whole images with a spare slot. See `flow` for what one is.

A new one is a function here, or in a file beside this one that `campaign.MODULES` names: what it
plays goes through the `Site`, so that a fault can end it anywhere.
Rules: E-79.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from muptane.bench.faults.flow import flow
from muptane.bench.faults.site import CYCLE_S, SESSION_S, Site
from muptane.bench.feeder import feed
from uptane import ids
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.uds.feeding import Feeding

TRIED_S = 0.3  # less than a trial takes to be confirmed


def full_records(site: Site) -> None:
    """The next commit of every ECU moves its records to the next bank."""
    site.off()
    site.fill()
    site.vehicle.power_on()
    site.wait(1.0)


@flow(prepare=full_records)
def record_write(site: Site) -> None:
    """Every ECU stores its report counter, and its records move house for it."""

    def begin(name: str) -> Generator[Any, Any, None]:
        feeding = Feeding(site.vehicle.station(name).client, site.source(), bytearray(64))
        yield from feeding.begin()
        yield from feeding.end()

    for ecu in site.plan.secondaries():
        site.run(begin(ecu.name), 60, ecu.name)
        site.wait(0.5)


@flow(prepare=full_records)
def metadata_commit(site: Site) -> None:
    """Every ECU takes new metadata of both repositories, and its records move house for it."""
    site.maker.office.director.welcome(site.plan.vin, site.maker.office.now())
    site.maker.office.refresh()
    site.cycle()


@flow()
def root_rotation(site: Site) -> None:
    """New Roots of both repositories: one has a new Root key, one a new Timestamp key."""
    site.maker.office.rotate(ids.DIRECTOR, ids.ROOT)
    site.maker.office.rotate(ids.IMAGE, ids.TIMESTAMP)
    site.cycle()


@flow()
def time_update(site: Site) -> None:
    """Half a day later, the time is attested to every ECU."""
    site.later(0.5)
    site.cycle()


@flow()
def ab_install(site: Site) -> None:
    """Every ECU takes an image into its spare slot, tries and confirms it; one image is large."""
    site.offer(large=True)
    site.cycle()
    site.cycle()


@flow()
def revert(site: Site) -> None:
    """The same, but the large image crashes: its trial ends by itself."""
    site.offer(large=True, crashing=True)
    site.cycle()


@flow()
def revert_unconfirmed(site: Site) -> None:
    """A large image is sound, but its ECU loses its supply before it can confirm, again and again
    until its trial is over."""
    node = site.vehicle.ecus[site.stake.name].node
    resets = node.resets
    station = site.vehicle.station(site.plan.primary().name)
    site.offer([site.stake.name], large=True)
    ended: list[Any] = []  # without a trial: a part that ails may refuse the image
    station.start(feed(station, site.source()), ended.append)
    site.until(lambda: bool(ended) or node.resets > resets, CYCLE_S)
    station.drop()
    for _ in range(TRIAL_BOOTS_MAX + 1):
        site.wait(TRIED_S)
        node.power_off()
        node.power_on()
    site.wait(SESSION_S)
