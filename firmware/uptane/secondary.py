"""The Secondary's cycle: report, time, metadata, image, in the Standard's order (V-55).

Whoever serves its wants - normally the Primary - is not trusted: every file is verified here, by
full or by partial verification as provisioned. The cycle ends with an image verified in the
spare slot, or with nothing to do, or with a refusal; it never starts an image by itself.
Rules: V-30, V-31, V-34, V-55, V-56, V-57, V-60, V-63, V-64, V-66, V-68.
"""

from uptane.ids import REPORT_ECU
from uptane.steps import attested, fetch, offer

if False:  # for the type checker
    from errand import Cycle
    from uptane.main import Ecu


def cycle(ecu: "Ecu") -> "Cycle[None]":
    """One cycle of a Secondary; `ecu` is uptane.main.Ecu."""
    yield offer(REPORT_ECU, (yield from ecu.make_report()))  # not kept: the heap is small
    yield from attested(ecu, [ecu.trust.nonce()])
    decision = yield from ecu.trust.check()
    ecu.decided(decision)
    entry = ecu.trial.wanted(decision.entry(ecu.identity.ecu))
    if entry is not None:
        yield from fetch(ecu, entry)
