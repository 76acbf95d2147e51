from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from broadcast import __version__, errors
from broadcast.cli.app import app
from kit import Desk, incident

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SDKS = {
    "tweepy",
    "atproto",
    "mastodon",
    "requests",
    "httpx",
    "PIL",
    "feedgen",
    "lxml",
    "openapi_core",
    "sqlalchemy",
    "psycopg",
}
EXIT_CODES = {
    "ProblemsFoundError": 1,
    "UsageError": 2,
    "ChannelFailedError": 3,
    "UncertainError": 4,
    "ConfigError": 5,
    "LedgerError": 6,
    "InterruptedRunError": 130,
}


@pytest.mark.parametrize("arguments", [["--version"], ["check"], ["plan"], ["plan", "--json"], ["preview"], ["status"]])
def test_reading_and_planning_import_no_sdk(desk: Desk, arguments: list[str]) -> None:
    tables = {
        "x": "",
        "bluesky": 'handle = "a.example"\n',
        "mastodon": 'api_base_url = "https://m.example"\n',
        "site": "",
    }
    desk.write("broadcast.toml", "".join(f'[channels.{n}]\nplatform = "{n}"\n{keys}' for n, keys in tables.items()))
    desk.write("incidents/slow.md", incident(("Investigating", 30, "See https://a.example.")))
    script = (
        "import sys\nfrom broadcast.cli.app import run\n"
        f"code = run(['-C', {str(desk.root)!r}, *{arguments!r}])\n"
        f"print(code, sorted({SDKS!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "0 []", done.stderr


def commands() -> dict[str, list[str]]:
    """Every command's full name, and the long options that it takes."""
    found: dict[str, list[str]] = {}

    def walk(group: object, prefix: str) -> None:
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # Typer's own classes are private
            if hasattr(command, "commands"):
                walk(command, f"{prefix}{name} ")
            else:
                options = [one for parameter in command.params for one in parameter.opts if one.startswith("--")]
                found[f"{prefix}{name}"] = options

    walk(typer.main.get_command(app), "")
    return found


def test_every_command_is_in_the_readme() -> None:
    documented = set(re.findall(r"^\| `broadcast ((?:[a-z]+ ?)+?)(?: \[?[A-Z][^`]*)?`", README, re.MULTILINE))
    assert documented == set(commands())


def test_every_command_and_option_explains_itself() -> None:
    def walk(group: object) -> None:
        for command in group.commands.values():  # type: ignore[attr-defined]  # Typer's own classes are private
            if hasattr(command, "commands"):
                walk(command)
                continue
            assert command.help, command.name
            for parameter in command.params:
                if any(option.startswith("--") for option in parameter.opts):
                    assert parameter.help, (command.name, parameter.name)

    walk(typer.main.get_command(app))


def test_every_exit_code_has_one_class_and_is_in_the_readme() -> None:
    found = {
        name: value.exit_code
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, errors.BroadcastError) and value.__bases__ == (errors.BroadcastError,)
    }
    assert found == EXIT_CODES
    for code in {0, *EXIT_CODES.values()}:
        assert re.search(rf"^\| {code} \|", README, re.MULTILINE), code


def test_the_version_is_printed(desk: Desk) -> None:
    done = desk.run("--version")
    assert (done.code, done.out) == (0, f"broadcast {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["plan", "--nonsense"], ["new", "disaster", "T"], ["publish", "nope"]]
)
def test_wrong_usage_exits_with_2(desk: Desk, arguments: list[str]) -> None:
    desk.write("broadcast.toml", "")
    done = desk.run(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err


LAYERS = [
    {"cli"},
    {"rehearsal"},
    {"pipeline", "standing"},
    {"plan", "publish", "runs", "backlog"},
    {"config", "secrets", "render", "ledger", "platforms", "site", "source", "views"},
    {"templates", "images", "text"},
    {"model", "errors"},
]
"""Imports only go down this list; packages of one row may use each other."""
STANDALONE = {"__init__"}


def test_imports_only_go_down() -> None:
    height = {name: index for index, row in enumerate(LAYERS) for name in row}
    source = ROOT / "src" / "broadcast"
    for path in source.rglob("*.py"):
        here = path.relative_to(source).parts[0].removesuffix(".py")
        if here in STANDALONE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "broadcast":
                parts = node.module.split(".")
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            for name in names:
                if name in height:
                    assert height[here] <= height[name], f"{path.relative_to(ROOT)} imports {name}, which is above it"
