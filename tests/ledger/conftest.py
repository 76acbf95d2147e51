"""Every kind of ledger, for every test of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import postgres
from ledgers import KINDS, Machine, machines


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL for all tests of a worker."""
    with postgres.running() as found:
        yield found


@pytest.fixture(params=KINDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return machines(request.param, tmp_path / "ledger", request)
