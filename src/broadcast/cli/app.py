"""The command `broadcast`: its options, and how errors become exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcast import __version__
from broadcast.cli import ledger, retract, review, send, setup, write
from broadcast.cli.desk import make
from broadcast.errors import BroadcastError, SendError

app = typer.Typer(
    name="broadcast",
    help="Status updates as code: one Markdown file becomes the right posts on every channel, exactly once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (setup.app, write.app, review.app, send.app, retract.app):
    app.add_typer(commands)
app.add_typer(ledger.app, name="ledger")


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"broadcast {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    directory: Annotated[
        Path | None, typer.Option("--directory", "-C", help="Work as if started in this folder.", file_okay=False)
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    context.obj = make(directory)


def main() -> None:
    """Run the command line and exit with the code that its outcome has."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; gives the exit code. No traceback leaves for anything a user can cause."""
    try:
        app(args=arguments, prog_name="broadcast")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BroadcastError as error:
        sys.stderr.write(f"broadcast: {error.message}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return error.exit_code
    except SendError as error:
        sys.stderr.write(f"broadcast: {error}\n")
        return 3
    return 0
