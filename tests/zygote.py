"""Many real processes of the command line, quickly: one process imports what takes long, and forks for each command.

Only the program that starts differs from the console script. Each command has its own process id, memory, files,
signals and death, which is what these tests are about.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PROGRAM = """
import importlib, json, os, select, sys
import atproto, mastodon, tweepy, PIL.Image
import broadcast.cli.app

out, waiting = sys.stdout, {}


def say(*words):
    out.write(json.dumps(words) + "\\n")
    out.flush()


def child(task):
    file = os.open(task["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, target in enumerate((null, file, file)):
        os.dup2(target, number)
    os.environ.clear()
    os.environ.update(task["environ"])
    code = 1
    try:
        for name, value in task["settings"].items():
            module, _, attribute = name.rpartition(".")
            setattr(importlib.import_module(module), attribute, value)
        code = broadcast.cli.app.run(task["arguments"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


say("ready")
buffer = b""
while True:
    # Children are waited for all the time: one that is dead but not buried would look alive to the next run.
    if select.select([0], [], [], 0.005)[0]:
        data = os.read(0, 1 << 16)
        if not data:
            break
        buffer += data
        while b"\\n" in buffer:
            line, buffer = buffer.split(b"\\n", 1)
            task = json.loads(line)
            process = os.fork()
            if not process:
                child(task)
            waiting[process] = task["number"]
            say("started", task["number"], process)
    while waiting:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            break
        say("ended", waiting.pop(process), os.waitstatus_to_exitcode(status))
"""


@dataclass(slots=True)
class Process:
    """A command that runs, or has ended."""

    output: Path
    pid: int = 0
    code: int | None = None
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float = 120) -> int:
        """The exit code; negative for a signal."""
        assert self.ended.wait(seconds), f"still running: {self.said()}"
        assert self.code is not None
        return self.code

    def kill(self) -> None:
        """Kill it at once, and wait until it is buried."""
        assert self.started.wait(60)
        if not self.ended.is_set():
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def said(self) -> str:
        """What it printed, on stdout and stderr."""
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""


class Zygote:
    """Starts commands."""

    def __init__(self, program: subprocess.Popen[bytes], stdin: IO[bytes], stdout: IO[bytes], folder: Path) -> None:
        self._stdin, self._stdout, self._folder = stdin, stdout, folder
        self._program = program
        self._processes: dict[int, Process] = {}
        self._ready: queue.Queue[None] = queue.Queue()
        self.listener = threading.Thread(target=self._listen, name="zygote")

    def start(self, *arguments: str, settings: Mapping[str, object] | None = None) -> Process:
        """Start a command in this process's environment. `settings` are module constants, by dotted name."""
        number = len(self._processes)
        process = self._processes[number] = Process(self._folder / f"{os.getpid()}-{number}.txt")
        task = {
            "number": number,
            "arguments": arguments,
            "environ": dict(os.environ),
            "settings": dict(settings or {}),
            "output": str(process.output),
        }
        self._stdin.write(json.dumps(task).encode() + b"\n")
        self._stdin.flush()
        return process

    def wait_until_ready(self) -> None:
        self._ready.get(timeout=60)

    def _listen(self) -> None:
        for line in self._stdout:
            match json.loads(line):
                case ["ready"]:
                    self._ready.put(None)
                case ["started", number, pid]:
                    self._processes[number].pid = pid
                    self._processes[number].started.set()
                case ["ended", number, code]:
                    self._processes[number].code = code
                    self._processes[number].ended.set()


@contextmanager
def zygote(folder: Path) -> Iterator[Zygote]:
    """For as long as the `with` block lasts. What the commands print is kept in `folder`."""
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        found = Zygote(program, program.stdin, program.stdout, folder)
        found.listener.start()
        try:
            found.wait_until_ready()
            yield found
        finally:
            program.stdin.close()
            program.wait(60)
            found.listener.join(60)
