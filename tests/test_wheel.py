"""A wheel, installed outside of the checkout, runs every command."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from kit import GIT

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def broadcast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command. The dependencies are those of this environment, without the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    scripts = folder / "venv" / "bin"
    target = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--prefix",
        str(folder / "venv"),
    ]
    subprocess.run([*pip, "--ignore-installed", str(wheel)], check=True, capture_output=True)
    assert (target / "broadcast" / "__init__.py").is_file()
    return scripts / "broadcast"


COMMANDS = (
    ["init"],
    ["check"],
    ["new", "release", "Version 2", "--version", "2.0", "-m", "New *things*."],
    ["preview"],
    ["preview", "--markdown"],
    ["preview", "--html", "preview.html"],
    ["plan"],
    ["publish", "--yes"],
    ["status"],
    ["channels"],
    ["rehearse"],
    ["site"],
    ["ledger", "show"],
)
# One process for all of them, but it ends as the console script does. A folder on PYTHONPATH comes before an
# environment's own; the wheel must be what is tested.
PROGRAM = f"""
import site, sys
sys.path.insert(0, site.getsitepackages()[0])
from broadcast.cli.app import run
for arguments in {COMMANDS!r}:
    if code := run(arguments):
        sys.exit(f"{{arguments}}: {{code}}")
from broadcast.__main__ import main
sys.argv[1:] = ["--version"]
main()
"""


def test_every_command_runs_from_an_installed_wheel(broadcast: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, env={**os.environ, **GIT})
    environ = {**os.environ, **GIT, "PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [str(broadcast.parent / "python"), "-c", PROGRAM],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "from broadcast.__main__ import main" in broadcast.read_text(encoding="utf-8")
    where = subprocess.run(
        [str(broadcast.parent / "python"), "-c", "import broadcast; print(broadcast.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(ROOT) not in where.stdout
    assert (tmp_path / "public" / "index.html").is_file()
    assert (tmp_path / ".broadcast" / "rehearsal" / "timeline.html").is_file()
