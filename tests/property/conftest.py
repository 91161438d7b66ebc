"""How long Hypothesis plays, and with which seed.

`quick` is what `make test` runs: always the same. `MUPTANE_PROPERTIES=long` (`make properties`)
plays more, from the seed that --hypothesis-seed gives. A test that fails prints its replay.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("MUPTANE_PROPERTIES", "quick") == "long"


def pytest_configure() -> None:
    shared = settings(
        deadline=None,
        database=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.register_profile(
        "properties_quick", shared, derandomize=True, max_examples=12, stateful_step_count=25
    )
    settings.register_profile(
        "properties_long", shared, derandomize=False, max_examples=1000, stateful_step_count=40
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        command = f".venv/bin/python -m pytest -n 0 '{item.nodeid}'"
        if LONG:
            chosen = item.config.getoption("--hypothesis-seed") or 0
            command = f"MUPTANE_PROPERTIES=long {command} --hypothesis-seed={chosen}"
        report.sections.append(("the command that plays it again", command))
