"""A folder that is replaced as a whole: a crash leaves the old site or the new one, never half of one."""

from __future__ import annotations

import errno
import random
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from broadcast.errors import ConfigError

MARKER = ".broadcast-site"
"""A file that says: everything in this folder was made by broadcast and may be replaced."""
ATTEMPTS = 20


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
    new = output.with_name(f".{output.name}.new-{tag}")
    asides = [output.with_name(f".{output.name}.old-{tag}-{attempt}") for attempt in range(ATTEMPTS)]
    # Not `tempfile`: its folders are closed to a web server that runs as another user.
    new.mkdir()
    try:
        (new / MARKER).write_text("Made by broadcast; the next build replaces this folder.\n", encoding="utf-8")
        yield new
        _swap(new, output, asides)
    finally:
        left = [aside for aside in asides if aside.exists()]
        if left and not output.exists():
            with suppress(OSError):  # another run has put its site there meanwhile
                left[-1].rename(output)
        for folder in (new, *left):
            shutil.rmtree(folder, ignore_errors=True)


def _swap(new: Path, output: Path, asides: Sequence[Path]) -> None:
    """Put `new` in the place of `output`, which is moved aside: under another name each time that another run puts its
    site there in between. Ours is as new, and takes its turn."""
    for aside in asides:
        with suppress(FileNotFoundError):
            output.rename(aside)
        try:
            new.rename(output)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or aside is asides[-1]:
                raise
            time.sleep(random.uniform(0, 0.02))
        else:
            return
