"""The settings of `conftest`, for tests to take."""

import os

from hypothesis import settings


def chosen() -> settings:
    return settings.get_profile(f"properties_{os.environ.get('MUPTANE_PROPERTIES', 'quick')}")
