"""Many processes at one ledger: nothing is lost, nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcast.ledger.base import NO_LEDGER
from broadcast.ledger.git import GitLedger
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)

WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from broadcast.errors import LedgerMovedError
from broadcast.ledger.git import GitLedger
from broadcast.model import Receipt, Ref

what, root, name = sys.argv[1:4]
ledger = GitLedger(Path(root))
at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number, slug="shared"):
    return Receipt(slug, at, "x", 1, at, name, Ref(f"{name}.{number}"))


def say(*words):
    # One write, so that a kill leaves a whole line or none.
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()


if what == "append":
    for number in range(3):
        ledger.append([event(number)], None)
elif what == "journal":
    for number in range(5):
        ledger.journal(event(number))
        if number % 2:
            ledger.append([], None)
elif what == "swap":
    sys.stdin.readline()
    try:
        ledger.append([event(0)], sys.argv[4])
        say("won")
    except LedgerMovedError:
        say("lost")
elif what == "claim":
    for number in range(3):
        while True:
            log = ledger.read()
            taken = {e.ref.id for e in log.events.get("shared", ())}
            if str(number) in taken:
                break
            try:
                ledger.append([Receipt("shared", at, "x", 1, at, name, Ref(str(number)))], log.version)
                break
            except LedgerMovedError:
                pass
"""


COMMAND = [sys.executable, "-c", WORKER]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(workers: list[subprocess.Popen[str]]) -> list[str]:
    said = [worker.communicate("go\n", timeout=300)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers)
    return said


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ids(ledger: GitLedger) -> list[str]:
    events = [event for story in ledger.read().events.values() for event in story]
    return [event.ref.id for event in events if isinstance(event, Receipt)]


@pytest.fixture(params=["remote", "local"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Where four workers work: in two clones of one remote, or all in one repository."""
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    if request.param == "local":
        return [tmp_path / "origin.git"] * 4
    for name in ("one", "two"):
        git(tmp_path, "clone", "--quiet", f"file://{tmp_path}/origin.git", name)
    return [tmp_path / name for name in ("one", "two", "one", "two")]


@pytest.mark.parametrize(("what", "count"), [("append", 3), ("journal", 5)])
def test_all_that_is_appended_is_there_once(places: list[Path], what: str, count: int) -> None:
    finish([start(what, place, f"w{number}") for number, place in enumerate(places)])
    for place in set(places):
        GitLedger(place).append([], None)
    found = ids(GitLedger(places[0]))
    assert sorted(found) == sorted(f"w{worker}.{number}" for worker in range(4) for number in range(count))
    for worker in range(4):
        assert [name for name in found if name.startswith(f"w{worker}.")] == [f"w{worker}.{n}" for n in range(count)]


@pytest.mark.parametrize("first", [True, False], ids=["first-run", "later-run"])
def test_of_those_that_saw_the_same_state_one_wins(places: list[Path], first: bool) -> None:
    ledger = GitLedger(places[0])
    version = NO_LEDGER if first else ledger.append([Receipt("other", AT, "x", 1, AT, "r", Ref("0"))], None)
    workers = [start("swap", place, f"w{number}", version) for number, place in enumerate(places)]
    assert sorted(finish(workers)) == ["lost\n"] * 3 + ["won\n"]
    assert len(ids(ledger)) == (1 if first else 2)


def test_each_claim_is_made_once(places: list[Path]) -> None:
    finish([start("claim", place, f"w{number}") for number, place in enumerate(places)])
    assert sorted(ids(GitLedger(places[0]))) == ["0", "1", "2"]
