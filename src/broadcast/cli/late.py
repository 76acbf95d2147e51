"""Commands that are imported when they are called: `--version` and `--help` need none, every other just its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from broadcast import interrupt


class Command(TyperCommand):
    """A command whose help is written as elsewhere: `SLUG` for what must be named, and no type behind a switch."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class Group(TyperGroup):
    """Commands under one name, with such a help."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


def _plain(parameters: list[Any]) -> list[Any]:
    for one in parameters:
        if isinstance(one, TyperOption) and one.is_flag:
            one.metavar = ""
    return parameters


class Late(TyperCommand):
    """A command as it is listed. `where` is a function of a module of `broadcast.cli`, such as `review.check`, which
    has the command's parameters; `says` is its help. Without a `name` it is called as the function is."""

    def __init__(self, where: str, says: str, name: str | None = None) -> None:
        self._module, _, self._function = where.partition(".")
        super().__init__(name or self._function, help=says)

    def load(self) -> TyperCommand:
        """The command itself, with its parameters."""
        alone = typer.Typer(add_completion=False)
        alone.command(self.name, help=self.help, cls=Command)(
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
    return Group(name=name, help=says, commands=commands, no_args_is_help=True)


def command_line(options: typer.Typer, commands: tuple[Late | TyperGroup, ...]) -> TyperGroup:
    """The whole command line: `options` has what stands before a command."""
    top = cast("TyperGroup", typer.main.get_command(options))
    for command in commands:
        top.add_command(command)
    return top
