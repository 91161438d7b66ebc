"""Flows in which an image with a spare slot comes as a delta, of the one that runs.

Rules: E-79, S-26, S-28, V-13.
"""

from __future__ import annotations

from muptane.bench.faults.flow import flow
from muptane.bench.faults.site import Site


@flow(has=("deltas",))
def delta(site: Site) -> None:
    """An ECU makes a large image in its spare slot of the one that it runs and a delta, tries and
    confirms it."""
    site.offer([site.stake.name], large=True)
    site.cycle()
    site.cycle()


@flow(has=("deltas", "decrypts"))
def encrypted_delta(site: Site) -> None:
    """The same, and the delta is encrypted."""
    site.offer([site.stake.name], large=True)
    site.cycle()
    site.cycle()
