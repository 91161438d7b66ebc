"""Flows of an ECU without a spare slot: a large image overwrites a large one, and comes back.

Rules: E-79, V-58, V-62, V-67, S-29, T-32.
"""

from __future__ import annotations

from muptane.bench.faults.flow import flow
from muptane.bench.faults.site import SETTLE_S, Site


@flow(has=("in_place",))
def in_place_install(site: Site) -> None:
    """An ECU without a spare slot overwrites the image that it runs with another one, in pieces,
    tries and confirms it."""
    site.offer([site.stake.name], large=True)
    site.cycle()
    site.cycle()


@flow(has=("in_place", "deltas"))
def in_place_delta(site: Site) -> None:
    """The same, where the other one is made of the old one and a delta."""
    site.offer([site.stake.name], large=True)
    site.cycle()
    site.cycle()


@flow(has=("in_place", "deltas"))
def in_place_way_back(site: Site) -> None:
    """The same, but the new image crashes: the old one comes back from the Primary."""
    site.offer([site.stake.name], large=True, crashing=True)
    site.cycle()
    site.wait(SETTLE_S)
    site.cycle()
