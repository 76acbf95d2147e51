from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperCommand

from broadcast import __version__, errors
from broadcast.cli.app import COMMANDS
from broadcast.cli.late import Late
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


# (markdown-it comes with Typer's help.)
HEAVY = SDKS | {"pydantic", "jinja2", "yaml", "regex", "twitter_text", "broadcast.config", "broadcast.pipeline"}


@pytest.mark.parametrize("arguments", ["--version", "--help", "--nonsense"])
def test_what_needs_no_command_imports_none(arguments: str) -> None:
    assert imported(arguments.split()) & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "others"),
    [
        (
            "check",
            {"broadcast.rehearsal.stage", "broadcast.cli.send", "broadcast.cli.write", "twitter_text.regexp.emoji"},
        ),
        ("ledger show", {"broadcast.rehearsal.stage", "broadcast.cli.review", "broadcast.cli.write", "twitter_text"}),
        ("import cstate .", {"broadcast.rehearsal.stage", "broadcast.cli.review", "broadcast.cli.ledger"}),
    ],
)
def test_a_command_imports_what_it_uses(desk: Desk, arguments: str, others: set[str]) -> None:
    desk.write("broadcast.toml", '[channels.x]\nplatform = "x"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "See https://a.example.")))
    modules = imported(["-C", str(desk.root), *arguments.split()])
    assert "broadcast.config" in modules
    assert modules & others == set()


def imported(arguments: list[str]) -> set[str]:
    """The modules that a process has imported when a command is over."""
    script = f"import sys\nfrom broadcast.cli.app import run\nrun({arguments!r})\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def commands() -> dict[str, TyperCommand]:
    """Every command by its full name."""
    found: dict[str, TyperCommand] = {}
    for command in COMMANDS:
        if isinstance(command, Late):
            found[f"{command.name}"] = command.load()
            continue
        for below in command.commands.values():
            assert isinstance(below, Late)
            found[f"{command.name} {below.name}"] = below.load()
    return found


def test_every_command_is_in_the_readme() -> None:
    documented = set(re.findall(r"^\| `broadcast ((?:[a-z]+ ?)+?)(?: \[?[A-Z][^`]*)?`", README, re.MULTILINE))
    assert documented == set(commands())


def test_every_command_and_option_explains_itself() -> None:
    for name, command in commands().items():
        assert command.help, name
        for parameter in command.params:
            if any(option.startswith("--") for option in parameter.opts):
                assert parameter.help, (name, parameter.name)  # type: ignore[attr-defined]  # options have one


def test_help_writes_arguments_as_the_readme_does(desk: Desk) -> None:
    usage = {
        "new": "[OPTIONS] KIND TITLE",
        "publish": "[OPTIONS] [SLUG]...",
        "ledger settle": "[OPTIONS] SLUG",
        "ledger copy": "[OPTIONS] FROM TO",
        "import cstate": "[OPTIONS] DIR",
    }
    for name in commands():
        shown = desk.run(*name.split(), "--help").out
        assert f"Usage: broadcast {name} {usage.get(name, '[OPTIONS]')}" in shown
        assert re.search("[{}]|<bool>", shown) is None, shown
    assert "<bool>" not in desk.run("--help").out + desk.run("ledger", "--help").out


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
    {"threads"},
    {"plan", "publish", "runs", "backlog", "known"},
    {"config", "explain", "secrets", "render", "ledger", "platforms", "site", "source", "views"},
    {"templates", "sandbox", "metering", "images", "text"},
    {"model", "errors", "defects", "interrupt", "paths", "streams", "conflicts"},
]
"""Imports only go down this list; packages of one row may use each other."""
STANDALONE = {"__init__", "__main__"}


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
