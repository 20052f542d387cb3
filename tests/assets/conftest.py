"""The systems the tests of runs are about; see `office`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.zendesk.sandbox import standin as Zendesk
from omnihub.sandbox.kit import Running
from tests.assets.office import Gated, Office, opened


@pytest.fixture(scope="module")
def systems() -> Iterator[Running]:
    with Running([Gated(quotas=()), Zendesk(quotas=())]) as running:
        yield running


@pytest.fixture
def office(systems: Running, tmp_path: Path) -> Iterator[Office]:
    """As it is before the first run."""
    office = opened(systems, tmp_path)
    with office.instance:
        yield office
