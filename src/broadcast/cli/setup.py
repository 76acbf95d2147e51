"""Commands that set up and look around: `init`, `channels`, `site`."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from broadcast import pipeline, secrets
from broadcast.cli.desk import NOTHING, Json, connect, desk, read_log, require_clean
from broadcast.errors import ChannelFailedError, ConfigError, CredentialsError, SendError, UsageError
from broadcast.paths import real
from broadcast.platforms import base as platforms
from broadcast.platforms import site as site_platform
from broadcast.site.build import build
from broadcast.source.files import create
from broadcast.views import data, terminal
from broadcast.views.groups import count

STARTERS = {
    "broadcast.toml": "broadcast.toml",
    "example.md": "incidents/2026-01-15-example-slow-search.md",
    "workflow.yml": ".github/workflows/broadcast.yml",
}
"""What `init` writes: packaged file -> path in the project."""


def init(context: typer.Context) -> None:
    here = desk(context)
    values = {"@URL@": _pages_url(here.start), "@BRANCH@": _branch(here.start)}
    for name, target in STARTERS.items():
        text = (files("broadcast.cli") / "starters" / name).read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        if os.path.lexists(here.start / target):
            here.tell(f"kept  {target}")
            continue
        create(here.start, target, text)
        here.tell(f"wrote {target}")
    here.say("next: `broadcast check`, then `broadcast rehearse` to see everything without an account")


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
