"""A folder that is replaced as a whole: a crash leaves the old site or the new one, never half of one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from broadcast.errors import ConfigError

MARKER = ".broadcast-site"
"""A file that says: everything in this folder was made by broadcast and may be replaced."""
ATTEMPTS = 5


def check(output: Path) -> None:
    """Raises `ConfigError` where `output` holds something that is not ours to replace."""
    if ".git" in output.parts:
        raise ConfigError(f"{output} lies inside .git", "choose another `output`, `public` for one")
    if output.is_file():
        raise ConfigError(f"{output} is a file, so the site cannot be built there", "choose another `output`")
    # Another run may be swapping its site in at this moment; somebody else's files stay where they are.
    if not any(_ours(output) for _ in range(ATTEMPTS)):
        raise ConfigError(
            f"{output} holds files that broadcast did not make, and building the site would replace them",
            f"choose another `output`, or move the files away (a folder of ours holds a file `{MARKER}`)",
        )


def _ours(output: Path) -> bool:
    try:
        names = {path.name for path in output.iterdir()}
    except FileNotFoundError:
        return True
    return not names or MARKER in names


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """A new folder beside `output` that takes its place when the block ends well, and vanishes when it does not."""
    check(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    tag = secrets.token_hex(4)
    new, old = (output.with_name(f".{output.name}.{name}-{tag}") for name in ("new", "old"))
    # Not `tempfile`: its folders are closed to a web server that runs as another user.
    new.mkdir()
    try:
        (new / MARKER).write_text("Made by broadcast; the next build replaces this folder.\n", encoding="utf-8")
        yield new
        _swap(new, output, old)
    finally:
        if old.exists() and not output.exists():
            old.rename(output)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _swap(new: Path, output: Path, old: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        with suppress(FileNotFoundError):
            output.rename(old)
        try:
            new.rename(output)
        except OSError:
            # Another run put its site there in between; ours is as new, and takes its turn.
            if attempt == ATTEMPTS:
                raise
            if output.exists():
                shutil.rmtree(old, ignore_errors=True)
        else:
            return
