"""What a file, a server or a pusher tries, and what it must not get: secrets, other files, other announcements, or
minutes of time."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from broadcast.rehearsal.base import Request, Response
from broadcast.rehearsal.server import Fault, Faults
from kit import Desk, git, incident

ROOT = Path(__file__).parents[2]
PICTURES: dict[str, Callable[[Path], None]] = {
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a link out": lambda path: path.symlink_to("/etc/hostname"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "a folder": Path.mkdir,
}


def _forms(secret: str) -> list[str]:
    """A secret as a server, a proxy or a library may repeat it."""
    data = secret.encode()
    return [
        secret,
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
    ]


def _repeating(status: int, forms: list[str]) -> Faults:
    """A server that answers whatever is sent with all that it knows: each request with a part, for words are cut."""

    def faults(request: Request, number: int) -> Fault | None:
        told = f"Bearer {forms[number % len(forms)]}, {forms[(number + 1) % len(forms)]}"
        body = {"error": told, "message": told, "detail": told, "errors": [{"message": told}], "id": told, "uri": told}
        answer = Response(
            status, json.dumps(body | {"url": f"https://x/{told}"}).encode(), {"Content-Type": "application/json"}
        )
        return Fault(effect=False, answer=answer) if request.method != "GET" else None

    return faults


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422, 429, 500])
def test_a_secret_that_a_server_repeats_is_shown_and_recorded_nowhere(live: Desk, status: int) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Short.")))
    forms: set[str] = set()
    for name, world in live.worlds.items():
        mine = sorted({form for secret in world.secrets().values() for form in _forms(secret)})
        forms |= {*mine}
        live.servers[name].faults = _repeating(status, mine)
    shown = ""
    for command in (
        *(("publish", "--yes", "--deadline", "5"), ("publish", "--yes", "--json", "--deadline", "5")),
        *(("status",), ("ledger", "show"), ("ledger", "show", "--json"), ("plan",), ("channels", "--verify")),
    ):
        done = live.run(*command)
        shown += done.out + done.err
    recorded = b"".join(path.read_bytes() for path in live.root.rglob("*") if path.is_file())
    ledger = git(live.root, "log", "-p", "--all")
    for form in forms:
        assert form not in shown
        assert form not in ledger
        assert form.encode() not in recorded


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_is_none_is_read_by_no_command(live: Desk, kind: str) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Short.\n\n![Errors](errors.png)")))
    PICTURES[kind](live.root / "incidents" / "errors.png")
    for command in (("preview",), ("plan",), ("site",), ("preview", "--html", "p.html"), ("rehearse",)):
        assert "Traceback" not in live.run(*command).err
    done = live.run("check")
    assert done.code == 1
    assert "errors.png" in done.out
    assert live.run("publish", "--yes").code != 0
    assert not any(live.stands(channel) for channel in live.worlds)


@pytest.mark.parametrize("path", ["/etc/hostname", "../../outside.png", "..%2f..%2foutside.png"])
def test_a_picture_elsewhere_is_no_picture(live: Desk, path: str) -> None:
    (live.root.parent / "outside.png").write_bytes(b"\x89PNG secret")
    live.write("incidents/slow.md", incident(("Investigating", 30, f"Short.\n\n![Errors]({path})")))
    assert live.run("check").code == 1
    assert live.run("publish", "--yes").code != 0
    live.run("site")
    assert not any(live.stands(channel) for channel in live.worlds)
    assert not [one for one in live.root.rglob("*") if one.is_file() and b"PNG secret" in one.read_bytes()]


@pytest.mark.parametrize(
    "name",
    [
        "incidents/big.md",
        "broadcast.toml",
        "templates/default.txt.j2",
        "templates/site/index.html.j2",
        "incidents/e.png",
    ],
)
def test_fifty_megabytes_are_refused_at_once(desk: Desk, name: str) -> None:
    desk.write("broadcast.toml", '[channels.site]\nplatform = "site"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "Short.\n\n![Errors](e.png)")))
    path = desk.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a " * 25_000_000)
    for command in (("check",), ("plan",), ("site",)):
        start = time.process_time()
        done = desk.run(*command)
        assert time.process_time() - start < 2
        assert "Traceback" not in done.err
    assert desk.run("check").code in (1, 5)


@pytest.mark.parametrize(
    "template",
    [
        "{% include '/etc/hostname' %}",
        "{% include '../../../../../../etc/hostname' %}",
        "{% include 'site/../../secret.env' %}",
        "{% extends '/etc/hostname' %}",
        "{% import '../secret.env' as secret %}{{ secret }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{{ url_for.__globals__ }}{{ config }}{{ environ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
    ],
)
@pytest.mark.parametrize("name", ["site/index.html.j2", "default.txt.j2"])
def test_a_template_reaches_no_other_file_and_no_environment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, template: str
) -> None:
    monkeypatch.setenv("BROADCAST_X_API_KEY", "hunter2-hunter2")
    desk.write("broadcast.toml", 'url = "https://s.example"\n\n[channels.site]\nplatform = "site"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "Short.")))
    desk.write("secret.env", "hunter2-hunter2")
    desk.write(f"templates/{name}", template)
    shown = ""
    for command in (("check",), ("preview",), ("site",), ("publish", "--yes")):
        done = desk.run(*command)
        shown += done.out + done.err
        assert "Traceback" not in done.err
    made = b"".join(path.read_bytes() for path in (desk.root / "public").rglob("*") if path.is_file())
    for secret in ("hunter2", Path("/etc/hostname").read_text().strip(), "<class '"):
        assert secret not in shown
        assert secret.encode() not in made


def test_a_line_of_the_ledger_speaks_for_its_own_announcement(live: Desk) -> None:
    """A receipt in the file of one announcement that names another."""
    for name in ("slow", "late"):
        live.write(f"incidents/{name}.md", incident(("Investigating", 30, f"About {name}."), title=name.title()))
    assert live.run("publish", "--yes", "slow").code == 0
    branch = "broadcast/ledger"
    files = git(live.root, "ls-tree", "-r", "--name-only", branch).split()
    (file,) = (one for one in files if "slow" in one)
    text = git(live.root, "show", f"{branch}:{file}")
    assert '"announcement":"slow"' in text
    git(live.root, "worktree", "add", "--quiet", "--detach", "../forger", branch)
    forger = live.root.parent / "forger"
    (forger / file).write_text(text.replace('"announcement":"slow"', '"announcement":"late"') + "\n", encoding="utf-8")
    git(forger, "commit", "--quiet", "--all", "--message=forged")
    forged = git(forger, "rev-parse", "HEAD")
    git(live.root, "worktree", "remove", "--force", "../forger")
    git(live.root, "update-ref", f"refs/heads/{branch}", forged)
    before = {channel: live.stands(channel) for channel in live.worlds}
    done = live.run("publish", "--yes")
    assert done.code == 6, done
    assert "another announcement" in done.err or "late" in done.err
    assert live.run("retract", "late", "--yes").code == 6
    assert {channel: live.stands(channel) for channel in live.worlds} == before


def test_what_is_distributed_holds_the_program_and_nothing_of_the_folder_around_it(tmp_path: Path) -> None:
    """From a checkout with secrets, logs and the leavings of other tools in it."""
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout)], check=True)
    planted = [".env", "secret.pem", ".broadcast/journal.jsonl", "public/index.html", "node_modules/x.js", "notes.txt"]
    planted += ["src/broadcast/__pycache__/x.pyc", "tests/pds/node_modules/y.js", ".fuzz/a", ".venv/pyvenv.cfg"]
    for name in planted:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hunter2", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--sdist",
        "--wheel",
        "--outdir",
        str(tmp_path / "dist"),
    ]
    subprocess.run([*command, str(checkout)], check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as inside:
        names = inside.namelist()
        assert all(name.startswith("broadcast/") or ".dist-info/" in name for name in names), names
    with tarfile.open(sdist) as packed:
        files = [member.name.partition("/")[2] for member in packed.getmembers()]
        assert all(member.isfile() or member.isdir() for member in packed.getmembers())
    assert not [
        name for name in [*names, *files] if Path(name).name in {Path(one).name for one in planted} - {"index.html"}
    ]
    assert {name.partition("/")[0] for name in files} <= {
        *("src", "templates", "incidents", "tests", "docs", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
        *("README.md", "SECURITY.md", "pyproject.toml", "PKG-INFO", ".gitignore"),
    }
