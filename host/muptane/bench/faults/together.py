"""Flows of images that belong together.

Rules: E-79, S-45, E-06.
"""

from __future__ import annotations

from muptane.bench.faults.flow import flow
from muptane.bench.faults.site import Site


@flow()
def bundle(site: Site) -> None:
    """Two Secondaries try their images, one of which is large, and hold them until both are
    confirmed: together or not at all."""
    site.offer_bundle(site.plan.secondaries()[:2])
    site.cycle()
    site.cycle()
