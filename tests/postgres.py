"""A real PostgreSQL on loopback, of the tests' own: made in a temporary folder, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

PASSWORD = "p@ss/wörd%"
QUOTED = "p%40ss%2Fw%C3%B6rd%25"

_DEBIAN = Path("/usr/lib/postgresql")
_NAMES = count(1)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. `pid` is its first process."""

    port: int
    pid: int

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"ledger_{next(_NAMES)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, user: str = "admin", port: int | None = None) -> str:
        return f"postgresql+psycopg://{user}:{QUOTED}@127.0.0.1:{port or self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run SQL as the administrator."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", password=PASSWORD, dbname=database, autocommit=True
        )


def programs() -> Path:
    """The folder of `initdb` and `postgres`. Skips the test where they are not installed, but fails it in CI."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    message = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def running() -> Iterator[Cluster]:
    """A server for as long as the context lasts."""
    binaries = programs()
    # Not pytest's own folder, into which nobody but its user can look.
    folder = Path(tempfile.mkdtemp(prefix="broadcast-postgres-"))
    # The server refuses to be root.
    user = "nobody" if os.geteuid() == 0 else None
    try:
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, password = folder / "data", folder / "password"
        password.write_text(PASSWORD + "\n", encoding="utf-8")
        made = subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", data, "--username=admin", "--pwfile", password),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        with _server(binaries, data, user) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(binaries: Path, data: Path, user: str | None) -> Iterator[Cluster]:
    log = data.parent / "log"
    for _attempt in range(5):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, *options], user=user, cwd=data, stdout=out, stderr=out
            )
        try:
            if _is_up(process, port):
                yield Cluster(port, process.pid)
                return
        finally:
            # At once: nothing of it is kept.
            process.send_signal(signal.SIGQUIT)
            process.wait(30)
    pytest.fail(f"PostgreSQL does not start: {log.read_text(errors='replace')[-2000:]}")


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    give_up = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < give_up:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="admin", password=PASSWORD, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False
