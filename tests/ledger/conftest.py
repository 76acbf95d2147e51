"""Every kind of ledger, and every kind of repository, for every test of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledgers import KINDS, Machine, machines
from repositories import Clone, commit, git, repository


@pytest.fixture(params=KINDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return machines(request.param, tmp_path / "ledger", request)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any configuration of git, and so without an identity."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in [*(name for name in os.environ if name.startswith("GIT_") and name != "GIT_CONFIG_NOSYSTEM"), "EMAIL"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


@pytest.fixture
def alone(tmp_path: Path, home: Path) -> Path:
    """A repository with a commit and no remote."""
    folder = repository(tmp_path / "alone")
    commit(folder)
    return folder


@pytest.fixture
def origin(alone: Path, tmp_path: Path) -> Path:
    """A bare repository with a commit, to clone."""
    git(tmp_path, "clone", "--quiet", "--bare", str(alone), "origin.git")
    return tmp_path / "origin.git"


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Clone:
    def make(name: str, *options: str) -> Path:
        # A path would make --depth ignored.
        git(tmp_path, "clone", "--quiet", *options, f"file://{origin}", name)
        return tmp_path / name

    return make
