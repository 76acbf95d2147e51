from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from x_account import Account, Serve


@pytest.fixture
def open_account(serve: Serve) -> Iterator[Callable[..., Account]]:
    accounts: list[Account] = []

    def start(*args: Any, **kwargs: Any) -> Account:
        accounts.append(Account(serve, *args, **kwargs))
        return accounts[-1]

    yield start
    for account in accounts:
        account.client.session.close()


@pytest.fixture
def account(open_account: Callable[..., Account]) -> Account:
    return open_account()
