"""Projects in real git repositories, stand-in servers on loopback, and the command line, for every test."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import pds_server
import postgres
from broadcast.rehearsal.base import load
from broadcast.rehearsal.server import Server
from kit import GIT, Desk, git, table

# What is started in the background of a shell ignores SIGINT, and so would all that the tests start to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pds_server.Pds]:
    """A real PDS. Each process of a parallel run has its own: it starts in three seconds."""
    if why := pds_server.missing():
        pytest.fail(why) if pds_server.required() else pytest.skip(why)
    with pds_server.running(tmp_path_factory.mktemp("pds")) as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL for all tests of a worker."""
    with postgres.running() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty git repository with nobody's settings in it."""
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "120")
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    return Desk(root, capsys)


@pytest.fixture
def live(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A project whose four channels lead to stand-ins on loopback, with credentials in the environment."""
    with ExitStack() as stack:
        tables = ['url = "https://status.example.com"\n', '[channels.site]\nplatform = "site"\n']
        for name in ("x", "bluesky", "mastodon"):
            world = load(name).create()
            server = stack.enter_context(Server(world))
            desk.worlds[name], desk.servers[name] = world, server
            tables.append(table(name, world.options(server.url)))
            for key, value in world.secrets().items():
                monkeypatch.setenv(f"BROADCAST_{name.upper()}_{key}", value)
        desk.write("broadcast.toml", "\n".join(tables))
        yield desk
