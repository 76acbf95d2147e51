from __future__ import annotations

import pytest

from scenes import IMPATIENT


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: stand-ins list a post as soon as it stands. (An answer is still waited for as long as ever.)"""
    for name, setting in IMPATIENT.items():
        if not name.endswith("TIMEOUT"):
            monkeypatch.setattr(name, setting)
