"""What a template may cost: every operation pays, in units, for what it takes and for what it makes, and pays before it
runs where it could make much out of little.

Units count what is done, not how long it takes: the same template costs the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.visitor import NodeTransformer

STEP = 50
"""Units of one turn of a loop, one call, one filter; a character is one unit."""
LOOKUP = 25
"""Units of taking an attribute or an item of a value."""
ITEM = 20
"""Units of one item of a list or of a dictionary, besides the item's own."""
LOAD = 5_000
"""Units of including, importing or extending a template."""
MAX_NUMBER = 2**53
"""The largest number: one that every JSON reader takes, and that is never slow to compute with."""
MAX_NODES = 6_000
"""Names, operators, texts, ... of one template, all together; of the packaged ones, none has 300."""
MAX_DEPTH = 50
"""How many macros and blocks may call each other."""
SAVINGS = 20_000_000
"""Units for all that templates do above `USUAL`: about five seconds, however many updates they are run for."""
USUAL = 200_000
"""Units that a template may always spend."""

_SMALL = (float, date, timedelta, Undefined)
"""What weighs nothing, and is told at once: most values of an update are one of these, or a text."""
_DIGITS = re.compile(r"[0-9]+")


class Meter:
    """What a template has left to spend. Raises `SecurityError` when that is nothing."""

    def __init__(self) -> None:
        self.left = float("inf")
        self._savings: float = SAVINGS
        self._depth = 0

    @contextmanager
    def allowance(self, units: float) -> Iterator[None]:
        """Inside, there is this much to spend, whatever there was before."""
        before, self.left = self.left, units
        try:
            yield
        finally:
            self.left = before

    @contextmanager
    def turn(self, units: int, more: int) -> Iterator[None]:
        """Inside, one template is run for one update. There is this much to spend, and `more` for the update's length;
        templates that keep spending much more than is usual get less in the end."""
        usual = USUAL + more
        allowed = min(units + more, self._savings + usual)
        with self.allowance(allowed):
            try:
                yield
            finally:
                spent = allowed - max(self.left, 0)
                self._savings = min(SAVINGS, self._savings + usual - spent)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """A macro or a block runs inside of another."""
        if self._depth >= MAX_DEPTH:
            raise SecurityError(f"macros and blocks call each other more than {MAX_DEPTH} deep")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def spend(self, units: float) -> None:
        self.left -= units
        if self.left < 0:
            raise SecurityError("it does more, or makes more, than the template of a status update may")

    def weigh(self, *values: Any) -> None:
        """Pay for values by their size, with all that is in them: as often as it would be written out."""
        pending, units = list(values), 0
        while pending and units <= self.left:
            value = pending.pop()
            if isinstance(value, str):
                units += len(value)
            elif value is None or isinstance(value, _SMALL):
                continue
            elif isinstance(value, int):
                if abs(value) > MAX_NUMBER:
                    raise SecurityError(f"a number beyond {MAX_NUMBER:,}")
            elif isinstance(value, TemplateModule):
                raise SecurityError("an imported template is no value: call one of its macros")
            elif isinstance(value, Mapping):
                units += ITEM * len(value)
                if not all(map(_is_key, value)):
                    raise SecurityError("the keys of a dictionary are texts or numbers")
                pending += [*value.keys(), *value.values()]
            elif isinstance(value, Collection):
                units += ITEM * len(value)
                pending += value
        self.spend(units)

    def pair(self, *values: Any) -> None:
        """Pay for looking for one text in another, which may take as long as the product of their lengths."""
        shortest, *rest = sorted(len(value) for value in values if isinstance(value, str)) or [0]
        self.spend(shortest * sum(rest) // 100)


def _is_key(key: object) -> bool:
    return isinstance(key, str) or key is None or isinstance(key, int | float)


def replaced(text: str, old: str, new: str) -> int:
    """At least the characters that replacing `old` by `new` adds."""
    return (text.count(old) if old else len(text) + 1) * len(new)


def formatted(text: str, arguments: Any) -> int:
    """At least the characters that `text % arguments` makes beyond those of both: no width is more than the sum of all
    numbers that could be one."""
    widths = sum(int(digits[:20]) for digits in _DIGITS.findall(text))
    if "*" in text:
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        widths += sum(abs(value) for value in given if isinstance(value, int))
    return widths


def repeated(left: Any, right: Any) -> int:
    """The items or characters of `left * right`, where one is a text or a list."""
    sizes = [max(value, 0) if isinstance(value, int) else len(value) for value in (left, right)]
    return sizes[0] * sizes[1]


class Metered(NodeTransformer):
    """Makes a template pay for what no method of the environment sees: loops, what is put out, comparisons, `~`,
    literals and slices. The names are those of the sandbox's methods. Raises `OverflowError` for a number that is too
    large."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        self.generic_visit(node, *args, **kwargs)
        match node:
            case nodes.Const(value=int(number)) if number > MAX_NUMBER:
                raise OverflowError
            case nodes.For():
                node.iter = _through("counted", node.iter)
            case nodes.Output():
                size = sum(len(child.data) for child in node.nodes if isinstance(child, nodes.TemplateData))
                return [nodes.ExprStmt(_through("paid", nodes.Const(size, lineno=node.lineno))), node]
            case nodes.Compare():
                operands = (part for operand in node.ops for part in (nodes.Const(operand.op), operand.expr))
                return _through("compared", node.expr, *operands)
            case nodes.Concat():
                node.nodes = [_through("said", child) for child in node.nodes]
            case nodes.Tuple(ctx="store"):
                pass
            case nodes.List() | nodes.Dict() | nodes.Tuple():
                return _through("weighed", node)
            case nodes.Getitem() if isinstance(node.arg, nodes.Slice):
                return _through("weighed", node)
        return node


def _through(name: str, *values: Any) -> nodes.Expr:
    line = values[0].lineno
    return nodes.Call(nodes.EnvironmentAttribute(name, lineno=line), list(values), [], None, None, lineno=line)
