"""A shop behind a server, for the tests of the API."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served import GENEROUS, Shop, running


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    """It shows the token of VIN1."""
    with running(shop.folder, terms=GENEROUS) as server:
        with httpx.Client(base_url=server.url, headers=shop.authority()) as made:
            yield made


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, httpx.Client]]:
    """The same, for tests that change nothing."""
    shop = Shop(tmp_path_factory.mktemp("stand"))
    with running(shop.folder, terms=GENEROUS) as server:
        with httpx.Client(base_url=server.url, headers=shop.authority()) as client:
            yield shop, client
    shop.close()
