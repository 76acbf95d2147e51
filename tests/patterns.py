"""Every regular expression of the package, how it is used, and the texts on which it takes longest."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]  # Python's own parser, which has no types
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import broadcast

SOURCE = Path(broadcast.__file__).parent
MODULES = ("re", "regex")
SCANS = {"sub", "subn", "split", "findall", "finditer", "search"}
"""Methods that begin anew at every character."""
UNBOUNDED = 20
"""Repetitions of no more than this are no danger."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression. `how` is `match`, `fullmatch` or `search`."""

    where: str
    text: str
    flags: int
    how: str


def found() -> list[Pattern]:
    """Every pattern that a module holds, and every one that is written in a call."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}
    used = {path: list(_used(tree)) for path, tree in trees.items()}
    anywhere = [use for uses in used.values() for use in uses if not use[0].startswith("_")]
    patterns = [pattern for path, tree in trees.items() for pattern in _written(path, tree)]
    for info in pkgutil.walk_packages(broadcast.__path__, "broadcast."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        here = [*used[Path(str(module.__file__))], *anywhere]
        for name, value in vars(module).items():
            methods = {how for called, how in here if called == name}
            for one, bound in _compiled(value):
                hows = {bound} if bound else methods or {"match", "search"}
                patterns += [Pattern(f"{info.name}.{name}", one.pattern, one.flags, _like(how)) for how in hows]
    return list({(one.text, one.flags, one.how): one for one in patterns}.values())


def built() -> set[str]:
    """Where a function makes a pattern of what is known only when it runs: `file: what it is made of`."""
    return {
        f"{path.relative_to(SOURCE).as_posix()}: {ast.unparse(call.args[0])}"
        for path in SOURCE.rglob("*.py")
        for call in _calls(ast.parse(path.read_text(encoding="utf-8")), inside_functions=True)
        if not isinstance(call.args[0], ast.Constant)
    }


def _like(how: str) -> str:
    return "search" if how in SCANS else how


def _used(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What is called on names: (name, method)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and _like(node.attr) in _HOWS:
            yield node.value.id, node.attr


_HOWS = {"match", "fullmatch", "search"}


def _calls(tree: ast.AST, *, inside_functions: bool = False) -> Iterator[ast.Call]:
    """Calls of `re` and `regex` that take a pattern."""
    roots = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)] if inside_functions else [tree]
    for node in (node for root in roots for node in ast.walk(root)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            on = node.func.value
            if isinstance(on, ast.Name) and on.id in MODULES and node.func.attr in {"compile", *_HOWS, *SCANS}:
                yield node


def _written(path: Path, tree: ast.AST) -> Iterator[Pattern]:
    """The patterns that are literals in calls. (Those that a module holds are compiled, and are looked at there.)"""
    for call in _calls(tree):
        assert isinstance(call.func, ast.Attribute)
        if isinstance(call.args[0], ast.Constant) and call.func.attr != "compile":
            flags = 0
            for name in re.findall(r"re\.([A-Z]{5,})", ast.unparse(call)):
                flags |= getattr(re, name)
            where = f"{path.relative_to(SOURCE)}:{call.lineno}"
            yield Pattern(where, str(call.args[0].value), flags, _like(call.func.attr))


def _compiled(value: Any, depth: int = 0) -> Iterator[tuple[Any, str]]:
    """The compiled patterns in a value of a module, through tuples, lists and mappings, and methods bound to one."""
    owner = getattr(value, "__self__", None)
    if isinstance(getattr(value, "pattern", None), str) and hasattr(value, "finditer"):
        yield value, ""
    elif isinstance(owner, re.Pattern):
        yield owner, value.__name__
    elif isinstance(value, tuple | list | dict) and depth < 4:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _compiled(item, depth + 1)


def compiled(pattern: Pattern) -> re.Pattern[str]:
    """The pattern for Python's engine: of what only `regex` knows there are graphemes and marks."""
    return re.compile(_plain(pattern.text), pattern.flags & 0xFF)


def _plain(text: str) -> str:
    return text.replace(r"\X", ".").replace(r"\p{M}", r"[\u0300-\u036f]")


def attacks(pattern: Pattern) -> list[tuple[str, str, str]]:
    """What to repeat for each of its repetitions: what comes before, what is repeated, and an end that fails."""
    made: dict[tuple[str, str, str], None] = {}
    for before, repeated in _repeats(list(parser.parse(_plain(pattern.text), pattern.flags & 0xFF))):
        for pump in _pumps(repeated):
            for tail in ("", "\x00", "!\n"):
                made[before, pump, tail] = None
    return list(made)


def _repeats(items: list[Any], before: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every repetition without a narrow bound, with an example of what precedes it."""
    for op, value in items:
        if op in _REPEATS:
            if value[1] > UNBOUNDED:
                yield before, list(value[2])
            yield from _repeats(list(value[2]), before)
        for inner in _inner(op, value):
            yield from _repeats(list(inner), before)
        before += example([(op, value)])


_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)


def _inner(op: Any, value: Any) -> list[Any]:
    if op is code.SUBPATTERN:
        return [value[3]]
    if op is code.ATOMIC_GROUP:
        return [value]
    if op is code.BRANCH:
        return list(value[1])
    return [value[1]] if op in (code.ASSERT, code.ASSERT_NOT) else []


def _pumps(inner: list[Any]) -> list[str]:
    """Examples of what is repeated, each alone, and the first in pairs."""
    singles = list(dict.fromkeys(filter(None, (example(inner, choice) for choice in range(6)))))
    return singles + [first + second for first in singles[:3] for second in singles[:3] if first != second]


def example(items: Any, choice: int = 0) -> str:
    """A text that these parts match, nearly: `choice` picks among letters and branches."""
    return "".join(_part(op, value, choice) for op, value in items)


def _part(op: Any, value: Any, choice: int) -> str:
    if op is code.LITERAL:
        return chr(value)
    if op is code.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if op is code.ANY:
        return "a"
    if op is code.IN:
        return _letter(value, choice)
    if op in _REPEATS:
        return example(value[2], choice) * max(int(value[0]), 1 if choice % 2 == 0 and value[1] else 0)
    inner = [] if op in (code.ASSERT, code.ASSERT_NOT) else _inner(op, value)
    return example(inner[choice % len(inner)], choice) if inner else ""


_LETTERS = "a0 (.-/:@[<'\"!,\\\n\t*_#&;=?A一"
_CLASSES = {
    code.CATEGORY_DIGIT: "0",
    code.CATEGORY_SPACE: " \n\t",
    code.CATEGORY_WORD: "a0_",
    code.CATEGORY_NOT_DIGIT: "a ",
    code.CATEGORY_NOT_SPACE: "a0.",
    code.CATEGORY_NOT_WORD: " .-",
}


def _letter(items: Any, choice: int) -> str:
    """One letter of a set; of a range, an end."""
    if items[0][0] is code.NEGATE:
        rest = [letter for letter in _LETTERS if not any(_holds(op, value, letter) for op, value in items[1:])]
        return rest[choice % len(rest)] if rest else "\u0e01"
    letters = list(dict.fromkeys(letter for op, value in items for letter in _ends(op, value)))
    return letters[choice * max(len(letters) // 6, 1) % len(letters)]


def _ends(op: Any, value: Any) -> str:
    if op is code.LITERAL:
        return chr(value)
    return chr(value[0]) + chr(value[1]) if op is code.RANGE else _CLASSES.get(value, "a")


def _holds(op: Any, value: Any, letter: str) -> bool:
    return value[0] <= ord(letter) <= value[1] if op is code.RANGE else letter in _ends(op, value)
