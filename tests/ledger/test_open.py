"""The `ledger` of `broadcast.toml`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from broadcast.errors import ConfigError, LedgerError
from broadcast.ledger.open import open_ledger


@pytest.mark.parametrize("url", ["git:broadcast/ledger", "git:ledger@origin", "git:a-b/c.d@team/up"])
def test_nothing_is_looked_at_before_it_is_used(url: str, tmp_path: Path) -> None:
    ledger = open_ledger(url, tmp_path / "nowhere")
    with pytest.raises(LedgerError, match="is not a folder"):
        ledger.read()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("broadcast/ledger", "which has no scheme"),
        ("", "which has no scheme"),
        ("mysql://admin:hunter2@host/db", "a ledger of the kind 'mysql' is not known"),
        ("sqlite+aiosqlite:///a.db", "a ledger of the kind 'sqlite\\+aiosqlite' is not known"),
        ("postgres://admin:hunter2@host/db", "a ledger of the kind 'postgres' is not known"),
        ("postgresql://admin:hunter2@host/db", "a ledger of the kind 'postgresql' is not known"),
        ("git:", "'' cannot be the name of a branch"),
        ("git:@origin", "'' cannot be the name of a branch"),
        ("git:--upload-pack=x", "cannot be the name of a branch"),
        ("git:a..b", "cannot be the name of a branch"),
        ("git:a b", "cannot be the name of a branch"),
        ("git:a.lock", "cannot be the name of a branch"),
        ("git:a/", "cannot be the name of a branch"),
        ("git:/a", "cannot be the name of a branch"),
        ("git:a/.b", "cannot be the name of a branch"),
        ("git:a\nb", "cannot be the name of a branch"),
        ("git:broadcast/ledger@", "no remote is named"),
    ],
)
def test_what_is_no_ledger_is_a_configuration_error(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        open_ledger(url, tmp_path)
    assert "git:broadcast/ledger" in caught.value.hint
    if not url.startswith("git:"):
        assert "postgresql+psycopg://USER@HOST/DATABASE" in caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "branch",
    [
        "a",
        "broadcast/ledger",
        "a.b",
        "ä/ö",
        "a-",
        "-a",
        "a/",
        "/a",
        "a//b",
        "a..b",
        ".a",
        "a.",
        "a/.b",
        "a.lock",
        "a.lock/b",
    ]
    + [f"a{character}b" for character in " ~^:?*[\\\x7f\t"],
)
def test_the_branches_that_are_taken_are_those_that_git_takes(branch: str, tmp_path: Path) -> None:
    taken = subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, check=False)
    if taken.returncode == 0:
        open_ledger(f"git:{branch}", tmp_path)
    else:
        with pytest.raises(ConfigError):
            open_ledger(f"git:{branch}", tmp_path)


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("sqlite:///a.db", "sqlalchemy", "sql"),
        ("postgresql+psycopg://me:hunter2@host/db", "sqlalchemy", "postgres"),
        ("postgresql+psycopg://me:hunter2@host/db", "psycopg", "postgres"),
    ],
)
def test_without_its_library_a_ledger_says_how_to_get_it(url: str, missing: str, extra: str, tmp_path: Path) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pathlib import Path\nfrom broadcast.errors import ConfigError\n"
        "from broadcast.ledger.open import open_ledger\n"
        "open_ledger('git:broadcast/ledger', Path())\n"
        f"try:\n    open_ledger({url!r}, Path())\nexcept ConfigError as error:\n    print(error.message, error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("this ledger needs what is not installed: ")
    assert missing in done.stdout
    assert f"pip install 'broadcast-cli[{extra}]'" in done.stdout
    assert "hunter2" not in done.stdout
