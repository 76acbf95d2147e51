from __future__ import annotations

from collections.abc import Iterator

import pytest

from bluesky_account import Account, AnyWorld, Open, Serve
from broadcast.rehearsal import bluesky
from pds_server import Pds


@pytest.fixture
def open_account(serve: Serve) -> Iterator[Open]:
    accounts: list[Account] = []

    def start(world: AnyWorld) -> Account:
        accounts.append(Account(serve, world))
        return accounts[-1]

    yield start
    for account in accounts:
        account.client.request.close()


@pytest.fixture(params=["stand-in", "pds"])
def world(request: pytest.FixtureRequest) -> AnyWorld:
    if request.param == "stand-in":
        return bluesky.create()
    server: Pds = request.getfixturevalue("pds")
    return server.world()


@pytest.fixture
def account(open_account: Open, world: AnyWorld) -> Account:
    return open_account(world)
