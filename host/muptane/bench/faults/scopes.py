"""Flows of an ECU with a calibration beside its application: both are replaced, or the data alone.

Rules: E-79, V-67, S-25.
"""

from __future__ import annotations

from muptane.bench.faults.flow import flow
from muptane.bench.faults.site import Site


@flow(has=("regions",))
def region_update(site: Site) -> None:
    """An ECU takes a large application and the calibration that goes with it as one image, tries
    and confirms both."""
    site.offer([site.stake.name], large=True)
    site.cycle()
    site.cycle()


@flow(has=("regions",))
def data_update(site: Site) -> None:
    """An ECU takes a large calibration alone; its application stays where it lies."""
    site.offer_data()
    site.cycle()
    site.cycle()
