"""The settings of `conftest`, for tests to take."""

import os

from hypothesis import Phase, settings

HUNTS = 40


def chosen() -> settings:
    return settings.get_profile(f"properties_{os.environ.get('MUPTANE_PROPERTIES', 'quick')}")


def hunting() -> settings:
    """For a fault that is known to be there: the first finding is enough, however long it is.

    Hypothesis draws on constants that it finds in our sources, so when a fault is found changes
    with every module that does; and who has not found it soon will not for long. So a hunt is
    short, and begun anew with another seed; HUNTS is far above what any fault has needed."""
    quick = settings.get_profile("properties_quick")
    return settings(quick, phases=[Phase.generate], max_examples=60, report_multiple_bugs=False)


def single(test):
    """For a property of one event."""
    examples = 300 if os.environ.get("MUPTANE_PROPERTIES") == "long" else 20
    return settings(chosen(), max_examples=examples)(test)
