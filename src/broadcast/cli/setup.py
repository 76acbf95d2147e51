"""Commands that set up and look around: `init`, `channels`, `site`."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from broadcast import pipeline, secrets
from broadcast.cli.desk import NOTHING, Desk, Json, connect, desk, read_log, require_clean, require_files
from broadcast.errors import ChannelFailedError, ConfigError, CredentialsError, SendError, UsageError
from broadcast.known import missing
from broadcast.paths import real
from broadcast.platforms import base as platforms
from broadcast.platforms import site as site_platform
from broadcast.site.build import build
from broadcast.source.files import create, load, save
from broadcast.views import data, terminal
from broadcast.views.groups import count

STARTERS = {
    "broadcast.toml": "broadcast.toml",
    "example.md": "incidents/2026-01-15-example-slow-search.md",
}
"""What `init` writes: packaged file -> path in the project."""
WORKFLOW = ".github/workflows/broadcast.yml"
"""Where GitHub looks for a workflow: at the top of the repository, wherever the project is in it."""
LINES = {
    ".gitignore": ("/public/", "/.broadcast/"),
    # Two people who append to one announcement conflict by nature: git puts one update after the other.
    "incidents/.gitattributes": ("*.md merge=union",),
}
"""Lines that files of git must have, by path in the project."""


def init(context: typer.Context) -> None:
    here = desk(context)
    top = _git(here.start, "rev-parse", "--show-toplevel")
    root = real(Path(top)) if top else here.start
    prefix = "" if root == here.start else f"{here.start.relative_to(root).as_posix()}/"
    folder = f"defaults:\n  run:\n    working-directory: {json.dumps(prefix[:-1])}\n\n" if prefix else ""
    values = {"@URL@": _pages_url(here.start), "@BRANCH@": _branch(here.start), "@PREFIX@": prefix, "@FOLDER@": folder}
    for name, target in STARTERS.items():
        _start(here, here.start, target, _starter(name, values))
    _start(here, root, _workflow(root, prefix), _starter("workflow.yml", values))
    for target, lines in LINES.items():
        _add(here, target, lines)
    if prefix:
        here.say(
            f"note: the repository begins at {root}: GitHub runs workflows from there only, so that is where it went"
        )
    here.say("next: `broadcast check`, then `broadcast rehearse` to see everything without an account")


def _starter(name: str, values: Mapping[str, str]) -> str:
    text = (files("broadcast.cli") / "starters" / name).read_text(encoding="utf-8")
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _workflow(root: Path, prefix: str) -> str:
    """The workflow's path in the repository; one of the project's own where another project has the usual one."""
    if not prefix or not os.path.lexists(root / WORKFLOW):
        return WORKFLOW
    if prefix[:-1] in load(root, WORKFLOW):
        return WORKFLOW
    return WORKFLOW.replace(".yml", f"-{re.sub(r'[^A-Za-z0-9]+', '-', prefix[:-1])}.yml")


def _start(here: Desk, root: Path, target: str, text: str) -> None:
    shown = here.shown(root / target) if root == here.start else os.path.relpath(root / target, here.start)
    if os.path.lexists(root / target):
        here.tell(f"kept  {shown}")
        return
    create(root, target, text)
    here.tell(f"wrote {shown}")


def _add(here: Desk, target: str, lines: Sequence[str]) -> None:
    """Make sure that a file has these lines."""
    if not os.path.lexists(here.start / target):
        create(here.start, target, "".join(f"{line}\n" for line in lines))
        here.tell(f"wrote {target}")
        return
    text = load(here.start, target)
    there = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in lines if line.strip("/") not in there]
    if missing:
        gap = "" if not text or text.endswith("\n") else "\n"
        save(here.start, target, text + gap + "".join(f"{line}\n" for line in missing))
    here.tell(f"added to {target}: {', '.join(missing)}" if missing else f"kept  {target}")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _pages_url(folder: Path) -> str:
    """The address of the repository's GitHub Pages, where its remote tells it."""
    found = re.search(r"github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$", _git(folder, "remote", "get-url", "origin"))
    if not found:
        return "https://status.example.com"
    owner, name = found[1].lower(), found[2]
    return f"https://{owner}.github.io" + ("" if name.lower() == f"{owner}.github.io" else f"/{name}")


def _branch(folder: Path) -> str:
    head = _git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    return head or _git(folder, "symbolic-ref", "--short", "HEAD") or "main"


def channels(
    context: typer.Context,
    verify: Annotated[bool, typer.Option("--verify", help="Log in to each and show the account.")] = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    rows: list[dict[str, Any]] = []
    failures: list[SendError] = []
    for channel in project.config.channels.values():
        fields = platforms.load(channel.platform).SECRETS
        row: dict[str, Any] = {
            "channel": channel.name,
            "platform": channel.platform,
            "limit": channel.limits.length,
            "unit": channel.limits.unit,
            "fit": channel.fit.fit,
            "max_posts": channel.fit.max_posts,
            "language": channel.language or project.config.file.language,
            "dry": channel.dry,
            "secrets": [secrets.variable(channel.name, field) for field in fields],
        }
        if verify:
            row |= {"verified": False, "account": None, "notes": [], "rate_limits": [], "error": None}
            try:
                connection = connect(here, project, channel.name, here.now(), inquire=True)
                try:
                    account = connection.verify()
                finally:
                    connection.close()
                row |= {"verified": True, "account": account.name, "notes": list(account.notes)}
                row["rate_limits"] = [
                    asdict(one) | {"reset": data.utc(one.reset) if one.reset else None} for one in account.rate_limits
                ]
            except SendError as error:
                failures.append(error)
                row["error"] = str(error)
        rows.append(row)
    if as_json:
        here.emit(data.channels(rows))
    else:
        terminal.channels(here.out, rows)
    if any(isinstance(failure, CredentialsError) for failure in failures):
        raise ConfigError("some credentials are missing or refused", "set them and type `broadcast channels --verify`")
    if failures:
        raise ChannelFailedError("some channel cannot be reached", "type `broadcast channels --verify` again")


def site(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where to build; else as configured.")
    ] = None,
) -> None:
    here = desk(context)
    project = here.project()
    require_clean(project.problems, here)
    config = project.config
    sites = [one for one in config.channels.values() if one.platform == "site"]
    log, unread = read_log(here, project) if sites else (NOTHING, ())
    terminal.problems(here.err, unread)
    require_files(missing(log, project.announcements))
    targets = [(one.name, config.root / one.options.output, one.options.title) for one in sites]
    if output is not None:
        name, _, title = targets[0] if targets else ("", None, None)
        targets = [(name, here.start / output, title)]
    own = output is None
    for name, folder, title in targets or [("", config.root / site_platform.Options().output, None)]:
        if real(folder) in (real(config.root), *real(config.root).parents):
            raise UsageError(f"{folder} holds the project itself", "name a folder of its own")
        if own and not real(folder).is_relative_to(real(config.root)):
            raise ConfigError(
                f"{here.shown(folder)} is a link that leads out of the project; nothing was built",
                "remove the link, or name a folder with --output",
            )
        pages = build(
            pipeline.standing(project, log, name),
            folder,
            url=config.file.url,
            root=config.root,
            templates=config.root / config.file.templates,
            now=here.now(),
            title=title,
        )
        where = folder.relative_to(config.root) if folder.is_relative_to(config.root) else folder
        here.tell(f"{count(len(pages), 'file')} in {where}")
