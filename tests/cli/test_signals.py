"""Signals and readers that go away, at any moment of a command: a word, a code, never a traceback."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from broadcast import interrupt
from broadcast.cli import desk as cli
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import Fault
from kit import Desk, incident

# Everything that a process does (imports, files, programs) is an event for its audit hooks. A signal comes at one.
PROGRAM = """
import os, signal, sys
from broadcast.__main__ import main

moment, number, count = int(sys.argv.pop(1)), int(sys.argv.pop(1)), 0


def hook(event, arguments):
    global count
    count += 1
    if count == moment:
        os.kill(os.getpid(), number)


sys.addaudithook(hook)
try:
    main()
finally:
    if moment == 0:
        os.write(2, f"{count}\\n".encode())
"""
COMMANDS = {"check": 3, "plan": 6, "publish --dry-run": 3}
"""How many moments are tried of each."""


def at(desk: Desk, command: str, moment: int, number: int = signal.SIGINT) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", PROGRAM, str(moment), str(int(number)), "-C", str(desk.root), *command.split()]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", '[channels.x]\nplatform = "x"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "See https://a.example.")))
    return desk


@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_at_any_moment_is_one_line_and_130(project: Desk, command: str) -> None:
    whole = at(project, command, 0)
    assert whole.returncode == 0, whole.stderr
    events = int(whole.stderr.splitlines()[-1])
    assert events > 500
    tries = COMMANDS[command]
    for step in range(tries):
        moment = 1 + int(events * 0.98) * step // (tries - 1)  # how many there are differs a little
        done = at(project, command, moment, interrupt.SIGNALS[step % 2])
        assert done.returncode == 130, (moment, done.stderr)
        assert done.stderr.splitlines()[-1] == interrupt.LINE, (moment, done.stderr)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_signal_that_the_starter_ignores_stays_ignored(project: Desk) -> None:
    program = [sys.executable, "-c", PROGRAM, "300", str(int(signal.SIGINT)), "-C", str(project.root), "check"]
    done = subprocess.run(["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_second_signal_does_not_wait_for_the_request_in_flight(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Short.")))
    program = [sys.executable, "-m", "broadcast", "-C", str(live.root), "publish", "--yes", "--channel", "x"]

    def decide(request: Request, number: int) -> Fault | None:
        if request.method != "POST":
            return None
        process.send_signal(signal.SIGINT)
        return Fault(effect=False, delay=600, answer="none")

    live.servers["x"].faults = decide
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("stopping"):
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert rest.splitlines() == [interrupt.LINE]


def test_the_end_of_the_input_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli.Desk(Path(), Console(), Console(stderr=True), {}).confirm("Send 3 posts now?") is False


@pytest.mark.parametrize("arguments", ["plan", "plan --json", "preview --markdown", "--help"])
def test_a_reader_that_leaves_is_no_failure(project: Desk, arguments: str) -> None:
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "broadcast", "-C", str(project.root), *arguments.split()]
    done = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["1", "2", "1 2"])
def test_closed_streams_are_no_failure(project: Desk, closed: str) -> None:
    ends = " ".join(f"{number}>&-" for number in closed.split())
    command = f'exec {ends}; exec "$@"'
    program = [sys.executable, "-m", "broadcast", "-C", str(project.root), "plan"]
    done = subprocess.run(["sh", "-c", command, "sh", *program], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("command", "code"), [("plan", 0), ("measure", 0), ("new incident T -m -", 2)])
def test_a_closed_input_is_an_empty_one(project: Desk, command: str, code: int) -> None:
    program = [sys.executable, "-m", "broadcast", "-C", str(project.root), *command.split()]
    closed = ["sh", "-c", 'exec 0<&-; exec "$@"', "sh", *program]
    done = subprocess.run(closed, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_locale_that_lacks_characters_is_no_failure(project: Desk, encoding: str) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "“Größer” 👩‍👩‍👧")))
    environ = {**os.environ, "PYTHONIOENCODING": encoding}

    def printed(*command: str) -> str:
        program = [sys.executable, "-m", "broadcast", "-C", str(project.root), *command]
        done = subprocess.run(program, capture_output=True, env=environ, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(encoding)

    assert "Investigating" in printed("preview")
    assert "“Größer” 👩‍👩‍👧" in json.loads(printed("preview", "--json"))["actions"][0]["text"]
    assert json.loads(printed("measure", "--json", "--platform", "x", "\udcff"))["measures"][0]["length"] == 2


def test_a_full_disk_is_told(project: Desk) -> None:
    program = [sys.executable, "-m", "broadcast", "-C", str(project.root), "plan", "--json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "broadcast: the output cannot be written: No space left on device\n"


def test_a_run_that_nobody_watches_sends_everything(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Short.")))
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "broadcast", "-C", str(live.root), "publish", "--yes"]
    done = subprocess.run(program, stdout=write, stderr=write, check=False, timeout=60)
    os.close(write)
    assert done.returncode == 0
    assert [len(live.stands(name)) for name in ("x", "bluesky", "mastodon")] == [1, 1, 1]
