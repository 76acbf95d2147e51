"""The command `broadcast`: its commands, its options, and how errors become exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcast import __version__, streams
from broadcast.cli.late import Group, Late, command_line, group
from broadcast.defects import told
from broadcast.errors import BroadcastError, ChannelFailedError, ProblemsFoundError, SendError
from broadcast.visible import visible

COMMANDS = (
    Late("setup.init", "Write a broadcast.toml, an example announcement and a CI workflow; never overwrites a file."),
    Late("write.new", "Write a new announcement with its first update."),
    Late("write.update", "Append an update to an announcement; the rest of the file stays as it is, byte for byte."),
    Late("write.resolve", "Append the update that ends an announcement: `resolved`, or `completed` for a maintenance."),
    Late(
        "review.check", "Find every problem of the files at once: what is written, and whether it fits every channel."
    ),
    Late("review.preview", "Show the posts as followers will see them, whether published or not."),
    Late("review.plan", "Show what `publish` would do now, against the ledger."),
    Late("send.publish", "Send what is due to every channel, once. Safe to run again, to race, and to kill."),
    Late(
        "retract.command",
        "Delete what was posted of an announcement, newest first. It is never posted again. Safe to run again.",
        name="retract",
    ),
    Late("review.status", "Show what is open, how old its last update is, what is overdue, and where its posts are."),
    Late("setup.channels", "Show the channels, what fits in a post, and (with --verify) whether the credentials work."),
    Late("review.measure", "Count a text as each platform counts it. Needs no project."),
    Late(
        "rehearse.rehearse",
        "Publish to stand-in servers on this machine, through the real SDKs, and show what followers would have seen."
        "\n\nNeeds no credentials and no network, takes updates of any age, and never touches the real ledger.",
    ),
    Late("setup.site", "Build the status page and its feeds from the files. Sends nothing."),
    group(
        "ledger",
        "The shared record of what was sent.",
        Late("ledger.show", "Tell what the ledger says of each announcement, event by event."),
        Late("ledger.settle", "Decide, after looking at the channel, whether an uncertain post stands."),
        Late(
            "ledger.baseline",
            "Mark updates that nobody published as published: for files that were here before broadcast was.",
        ),
        Late("ledger.copy", "Carry all events from one ledger to another; what is there already is not carried again."),
        Late("ledger.move", "Tell the ledger that an announcement's file, or a channel, was renamed after publishing."),
        Late(
            "ledger.verify",
            "Hold the ledger against the files and, with --remote, against what stands on the platforms.",
        ),
    ),
    group(
        "import",
        "Turn what another tool keeps into announcements, without overwriting.",
        Late(
            "write.import_cstate",
            "Turn the issues of a cState site into announcements; says for each file what could not be kept.",
            name="cstate",
        ),
    ),
)
"""Every command: where it stands, and what `--help` says of it."""

app = typer.Typer(
    name="broadcast",
    cls=Group,
    help="Status updates as code: one Markdown file becomes the right posts on every channel, exactly once.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"broadcast {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-C", metavar="DIR", help="Work as if started in this folder.", file_okay=False),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    context.obj = directory


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; gives the exit code. No traceback leaves for anything a user can cause, and nothing is
    shown but through `streams.Shown`."""
    with streams.shown():
        return _run(arguments)


def _run(arguments: list[str] | None) -> int:
    try:
        command_line(app, COMMANDS).main(args=arguments, prog_name="broadcast")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BroadcastError as error:
        _fail(error.message, error.hint)
        return error.exit_code
    except SendError as error:
        _fail(str(error))
        return ChannelFailedError.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort
        _fail(told(error))
        return ProblemsFoundError.exit_code
    return 0


def _fail(message: str, hint: str = "") -> None:
    sys.stderr.write(f"broadcast: {visible(message)}\n" + (f"  {visible(hint)}\n" if hint else ""))
