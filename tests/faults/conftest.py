from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from broadcast.rehearsal.base import World
from broadcast.secrets import LEDGER_KEY
from kit import GIT
from pds_server import Pds
from scenes import IMPATIENT, PDS, REAL, STANDINS, Open, Scene, platform_of, scene, template
from zygote import Zygote, zygote

OF_KEYS = ("test_forged", "test_signed")
"""What is about having a key, or none."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, setting in IMPATIENT.items():
        monkeypatch.setattr(name, setting)
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(autouse=True)
def _every_other_signs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """About every other test has a key to its ledger, always the same ones; all have one where it was set outside."""
    if request.path.stem not in OF_KEYS and zlib.crc32(request.node.name.encode()) % 2:
        monkeypatch.setenv(LEDGER_KEY, "what the tests of faults sign with")


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bare remote that every scene begins with a copy of."""
    return template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with zygote(tmp_path_factory.mktemp("processes")) as found:
        yield found


@pytest.fixture
def open_scene(
    remote: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """Opens the scene of one of the worlds, or of a platform with a world of the test's own."""

    def world_of(name: str) -> World:
        if name != PDS:
            return STANDINS[name]()
        server: Pds = request.getfixturevalue("pds")
        return server.world()

    with ExitStack() as stack:

        def open_(name: str, world: World | None = None) -> Scene:
            found = world or world_of(name)
            made = stack.enter_context(scene(remote, tmp_path, platform_of(name), found, capsys, monkeypatch))
            if name == PDS:
                made.settings = IMPATIENT | REAL
                for constant, setting in REAL.items():
                    monkeypatch.setattr(constant, setting)
            return made

        yield open_
