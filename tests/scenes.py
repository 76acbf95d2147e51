"""One announcement, one channel on a stand-in, and a ledger on a bare remote: what the tests of faults and races do
again and again, with other things going wrong."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from broadcast import secrets
from broadcast.cli.app import run
from broadcast.ledger.base import Log
from broadcast.ledger.open import open_ledger
from broadcast.ledger.seal import Key
from broadcast.rehearsal import bluesky, mastodon, x
from broadcast.rehearsal.base import Request, Response, Seen, World
from broadcast.rehearsal.faults import Chosen, at, noting, write
from broadcast.rehearsal.server import Fault, Server
from kit import Outcome, git, incident, table
from zygote import Process, Zygote

PICTURE = "![Searches in a minute, falling](searches.png)"
LONG = "Searches are slow for some of you, and we do not know why yet. " * 9
SLUG = "slow"
IMPATIENT: dict[str, object] = {
    "broadcast.platforms.http.READ_TIMEOUT": 1.0,
    "broadcast.platforms.bluesky_api.TIMEOUT": 1.0,
    "broadcast.platforms.x.LAG": (0.01,),
    "broadcast.platforms.mastodon.LAG": (0.01,),
    "broadcast.platforms.retry.PAUSE": 0.01,
}
"""For stand-ins, which answer at once or never, and list a post as soon as it stands."""
REAL: dict[str, object] = {"broadcast.platforms.bluesky_api.TIMEOUT": 6.0}
"""A real server takes its time where the machine is busy."""
CODES = {0, 3, 4}
"""How a run may end when something went wrong with a channel: done, run again, somebody must look."""


STANDINS: dict[str, Callable[[], World]] = {
    "x": x.create,
    "x that repeats": lambda: x.create(x.Options(refuses_duplicates=False)),
    "bluesky": bluesky.create,
    "mastodon": mastodon.create,
    "mastodon that repeats": lambda: mastodon.create(mastodon.Options(idempotency="none")),
    "mastodon that fails": lambda: mastodon.create(mastodon.Options(idempotency="error")),
}
"""Some servers help: X refuses to say the same twice, Mastodon knows an idempotency key again. Others do not: there,
all depends on looking before sending. And some answer a key that they know with an error."""
PDS = "bluesky on a real PDS"
WORLDS = [*STANDINS, PDS]


CHOICE = os.environ.get("BROADCAST_FAULTS", "1")
"""`all`, or a number that chooses some of the cases."""
EVERY = CHOICE == "all"
HARSH = WORLDS if EVERY else ["x that repeats", "bluesky", "mastodon that repeats", PDS]
"""For what is tried on every server by `make faults`, and on those that help least by `make test`."""


def platform_of(world: str) -> str:
    return world.partition(" ")[0]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def template(folder: Path) -> Path:
    """A bare remote with the announcement in it: a thread with a picture, and an update that answers it."""
    work = folder / "work"
    (work / "incidents").mkdir(parents=True)
    updates = (("Investigating", 30.0, f"{LONG}\n\n{PICTURE}"), ("Resolved", 5.0, "Fixed."))
    (work / "incidents" / f"{SLUG}.md").write_text(incident(*updates), encoding="utf-8")
    Image.linear_gradient("L").convert("RGB").save(work / "incidents" / "searches.png")
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "add", "-A")
    git(work, "commit", "--quiet", "-m", "An outage")
    git(folder, "clone", "--quiet", "--bare", str(work), "remote.git")
    return folder / "remote.git"


@dataclass(slots=True)
class Watched:
    """A world that counts the requests that it has handled."""

    world: World
    handled: int = 0

    def handle(self, request: Request) -> Response:
        response = self.world.handle(request)
        self.handled += 1
        return response

    def options(self, url: str) -> dict[str, str]:
        return self.world.options(url)

    def secrets(self) -> dict[str, str]:
        return self.world.secrets()

    def timeline(self) -> tuple[Seen, ...]:
        return self.world.timeline()


@dataclass(slots=True)
class Scene:
    """The clone that works is `root`; `fresh` makes another one, with nothing of the first, and with another `ledger`
    where that was set to one."""

    folder: Path
    platform: str
    world: Watched
    server: Server
    capsys: pytest.CaptureFixture[str]
    root: Path
    ledger: str = "git:broadcast/ledger"
    settings: Mapping[str, object] = field(default_factory=lambda: IMPATIENT)
    clones: int = 0

    def fresh(self) -> Path:
        """Go on in a new clone, which has nothing of what the one before kept to itself."""
        self.clones += 1
        self.root = self.folder / f"clone-{self.clones}"
        git(self.folder, "clone", "--quiet", f"file://{self.folder}/remote.git", self.root.name)
        toml = f'url = "https://status.example.com"\nledger = "{self.ledger}"\n\n'
        toml += table(self.platform, self.world.options(self.server.url))
        (self.root / "broadcast.toml").write_text(toml, encoding="utf-8")
        return self.root

    def run(self, *arguments: str) -> Outcome:
        """A command in this process, in the clone."""
        self.capsys.readouterr()
        code = run(["-C", str(self.root), *arguments])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        return Outcome(code, printed.out, printed.err)

    def start(self, processes: Zygote, clone: Path | None = None, *, patient: bool = False) -> Process:
        """Publish in a process of its own, in the clone."""
        settings = {} if patient else self.settings
        return processes.start("-C", str(clone or self.root), "publish", "--yes", settings=settings)

    def strike(self, fault: Fault, nth: int, processes: Zygote, chosen: Chosen = write) -> None:
        """Publish in a process that is killed while the nth of the chosen requests from here on hangs in this fault."""
        struck = threading.Event()
        before: list[int] = []

        def note(request: Request, fault: Fault) -> None:
            before.append(self.world.handled)
            struck.set()

        self.server.faults = noting(at(nth, fault, chosen), note)
        process = self.start(processes)
        wait_for(lambda: struck.is_set() and self.world.handled == before[0] + fault.effect)
        process.kill()
        assert "Traceback" not in process.said()
        self.server.faults = None

    def log(self) -> Log:
        """What the ledger says, with this environment's key."""
        key = secrets.ledger_key(os.environ)
        return open_ledger(self.ledger, self.root, key=Key(key) if key is not None else None).read()

    def publish(self) -> Outcome:
        done = self.run("publish", "--yes")
        assert done.code in CODES, done.err
        return done

    def publish_refused(self) -> str:
        """Publish where the ledger cannot be used: nothing is sent. Gives what was said."""
        before = len(self.server.log)
        done = self.run("publish", "--yes")
        assert done.code == 6, done.err
        assert "nothing was sent" in done.err
        assert len(self.server.log) == before
        return done.err

    def asked(self) -> list[str]:
        """Every request so far."""
        return [f"{entry.method} {entry.path}" for entry in self.server.log]

    def stands(self) -> list[Seen]:
        return [seen for seen in self.world.timeline() if seen.deleted is None]

    def converge(self, most: int = 4) -> int:
        """Run again until it is done, as a person would. Gives how many runs it took."""
        for number in range(1, most + 1):
            done = self.publish()
            if done.code == 0:
                return number
        raise AssertionError(f"not done after {most} runs: {done.code} {done.err}")

    def assert_once(self) -> None:
        """Every planned post stands exactly once, in one chain, with its picture, and the ledger knows each."""
        planned = json.loads(self.run("plan", "--json").out)["actions"]
        assert len(planned) >= 3
        stands = self.stands()
        assert [seen.text for seen in stands] == [row["text"] for row in planned]
        assert [seen.reply_to for seen in stands] == [None, *[seen.id for seen in stands[:-1]]]
        assert [len(seen.media) for seen in stands] == [len(row["media"]) for row in planned]
        assert sum(len(seen.media) for seen in stands) == 1
        assert {row["state"] for row in planned} == {"done"}
        before = self.world.timeline()
        again = self.run("publish", "--yes", "--json")
        assert again.code == 0, again.err
        assert [row["id"] for row in again.json()["results"]] == [seen.id for seen in stands]
        assert self.world.timeline() == before


@contextmanager
def scene(
    remote: Path,
    folder: Path,
    platform: str,
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """A scene with its server running, in a first clone."""
    shutil.copytree(remote, folder / "remote.git")
    for key, value in world.secrets().items():
        monkeypatch.setenv(f"BROADCAST_{platform.upper()}_{key}", value)
    watched = Watched(world)
    with Server(watched) as server:
        made = Scene(folder, platform, watched, server, capsys, folder)
        made.fresh()
        yield made


Open = Callable[..., Scene]
"""From the name of one of `WORLDS`, or a platform's name and a world for it, to a scene."""
