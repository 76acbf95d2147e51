"""Commands that are imported when they are called: `--version` and `--help` need none, every other just its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from broadcast import interrupt


class Late(TyperCommand):
    """A command as it is listed. `where` is a function of a module of `broadcast.cli`, such as `review.check`, which
    has the command's parameters; `says` is its help. Without a `name` it is called as the function is."""

    def __init__(self, where: str, says: str, name: str | None = None) -> None:
        self._module, _, self._function = where.partition(".")
        super().__init__(name or self._function, help=says)

    def load(self) -> TyperCommand:
        """The command itself, with its parameters."""
        alone = typer.Typer(add_completion=False)
        alone.command(self.name, help=self.help)(
            getattr(import_module(f"broadcast.cli.{self._module}"), self._function)
        )
        return cast("TyperCommand", typer.main.get_command(alone))

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself, so that it is what runs."""
        command = self.load()
        interrupt.after_cleaning_up()
        return command.make_context(info_name, args, parent, **extra)


def group(name: str, says: str, *commands: Late) -> TyperGroup:
    """Commands under one name."""
    return TyperGroup(name=name, help=says, commands=commands, no_args_is_help=True)


def command_line(options: typer.Typer, commands: tuple[Late | TyperGroup, ...]) -> TyperGroup:
    """The whole command line: `options` has what stands before a command."""
    top = cast("TyperGroup", typer.main.get_command(options))
    for command in commands:
        top.add_command(command)
    return top
