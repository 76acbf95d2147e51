"""The sandbox in which templates run: Jinja2's, with nothing to call but what is known to be harmless, and a meter.

A template in a pull request is hostile, and `check` runs it. Objects of our own and of the libraries below have methods
that read files or run code (pydantic's models do), so what may be called is a list of what may, not of what may not.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.filters import FILTERS as ALL_FILTERS
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace, pass_context
from markupsafe import escape

from broadcast.metering import LOAD, LOOKUP, MAX_NODES, STEP, Meter, Metered, formatted, repeated, replaced


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTERS = _names(
    "abs capitalize count d default dictsort e escape first float format groupby indent int items join last length "
    "list lower map max min reject rejectattr replace reverse round safe select selectattr sort string title trim "
    "truncate unique upper urlencode wordcount"
)
"""Those of Jinja2's filters that there are."""
METHODS: Mapping[type, frozenset[str]] = {
    str: _names(
        "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric "
        "isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition "
        "rsplit rstrip split splitlines startswith strip swapcase title upper"
    ),
    dict: _names("get items keys values"),
    list: _names("count index"),
    tuple: _names("count index"),
    datetime: _names("astimezone date isoformat isoweekday replace strftime time weekday"),
    date: _names("isoformat isoweekday replace strftime weekday"),
    timedelta: _names("total_seconds"),
    LoopContext: _names("changed cycle"),
    Cycler: _names("next reset"),
}
"""The methods that may be called, by the type of their object."""
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda a, b: a in b,
    "notin": lambda a, b: a not in b,
}
COMPILING = 20_000_000
"""Units for compiling one template."""


_Before = Callable[..., tuple[Any, ...]]
"""Pays for what a filter will make of its arguments, and gives them back in order."""


def _join(meter: Meter, value: Any, d: Any = "", attribute: Any = None) -> tuple[Any, ...]:
    items = list(value)
    meter.spend(len(items) * len(str(d)))
    return items, d, attribute


def _replace(meter: Meter, s: Any, old: Any, new: Any, count: int | None = None) -> tuple[Any, ...]:
    meter.spend(replaced(str(s), str(old), str(new)))
    return s, old, new, count


def _indent(meter: Meter, s: Any, width: Any = 4, first: bool = False, blank: bool = False) -> tuple[Any, ...]:
    meter.spend(repeated(str(s).splitlines(), width))
    return s, width, first, blank


def _format(meter: Meter, value: Any, *arguments: Any) -> tuple[Any, ...]:
    meter.spend(formatted(str(value), arguments))
    return value, *arguments


def _round(meter: Meter, value: Any, precision: int = 0, method: str = "common") -> tuple[Any, ...]:
    meter.spend(int(precision) ** 2)  # a power of ten with so many digits is multiplied
    return value, precision, method


def _unique(meter: Meter, value: Any, case_sensitive: bool = False) -> tuple[Any, ...]:
    items = list(value)
    # Of tuples one can make many with the same hash.
    if not all(isinstance(item, str | int | float | None) for item in items):
        raise SecurityError("`unique` takes texts or numbers")
    return items, case_sensitive


_BEFORE: Mapping[str, _Before] = {
    "join": _join,
    "replace": _replace,
    "indent": _indent,
    "format": _format,
    "round": _round,
    "unique": _unique,
}


class _Namespace(Namespace):
    """Jinja2's `namespace`, shown without what is in it, which may be itself."""

    def __repr__(self) -> str:
        return "<namespace>"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with a `meter` and without whatever a status update does not need.

    `filters` come besides Jinja2's own. `finalize` makes the text of what a template puts out; `prepare` may rewrite a
    template's syntax tree before it is compiled. `names` are those of the templates that were compiled, by file.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(
        self,
        *,
        filters: Mapping[str, Callable[..., Any]],
        finalize: Callable[[Any], Any] | None = None,
        prepare: Callable[[nodes.Template], nodes.Template] | None = None,
        **options: Any,
    ) -> None:
        self.meter = Meter()
        self.names: dict[str, str] = {}
        self._prepare = prepare

        # Asking for the context keeps Jinja2 from running filters when it compiles, where they would be paid for once.
        @pass_context
        def final(context: object, value: Any) -> Any:
            said = self.said(value)
            return self.weighed(finalize(said)) if finalize else said

        super().__init__(finalize=final, optimized=False, **options)
        known: dict[str, Any] = {name: ALL_FILTERS[name] for name in FILTERS}
        tests: dict[str, Any] = TESTS
        self.filters = {name: self._paying(one, _BEFORE.get(name)) for name, one in {**known, **filters}.items()}
        self.tests = {name: self._paying(one) for name, one in tests.items()}
        self.globals = {"range": safe_range, "namespace": _Namespace, "cycler": Cycler, "joiner": Joiner}

    # --- What the syntax tree is made to call -----------------------------------------------------------------------

    def paid(self, units: int) -> None:
        self.meter.spend(units)

    def counted(self, values: Any) -> Iterator[Any]:
        """The values one by one, each of them paid for."""
        for value in values:
            self.meter.spend(STEP)
            yield value

    def weighed(self, value: Any) -> Any:
        self.meter.weigh(value)
        return value

    def said(self, value: Any) -> Any:
        """A value as it is put out or joined to others: paid for as a text."""
        if value is not None and not isinstance(value, str | Undefined):
            self.meter.weigh(value)
            value = escape(value) if hasattr(value, "__html__") else str(value)
        return self.weighed(value)

    def compared(self, first: Any, *rest: Any) -> Any:
        """`first < second <= third`, as operators and operands in turns."""
        self.meter.weigh(first, *rest)
        result: Any = True
        for name, second in zip(rest[::2], rest[1::2], strict=True):
            self.meter.pair(first, second)
            result = _COMPARE[name](first, second)
            if not result:
                return result
            first = second
        return result

    # --- What Jinja2 calls ------------------------------------------------------------------------------------------

    def compile(self, source: Any, name: Any = None, filename: Any = None, *args: Any, **options: Any) -> Any:
        self.names[filename] = name
        try:
            with self.meter.allowance(COMPILING):
                tree = self.parse(source, name, filename)
                self._limit(tree, name, filename)
                tree = Metered().visit(self._prepare(tree) if self._prepare else tree)
                return super().compile(tree, name, filename, *args, **options)
        except (RecursionError, MemoryError, SyntaxError):
            message = "it is nested too deeply"
        except (ValueError, OverflowError):
            message = "a number in it is too large"
        raise TemplateSyntaxError(message, 1, name, filename)

    def _limit(self, tree: nodes.Template, name: Any, filename: Any) -> None:
        for number, node in enumerate(tree.find_all(nodes.Node)):
            if number >= MAX_NODES:
                raise TemplateSyntaxError(f"it has more than {MAX_NODES:,} parts", node.lineno, name, filename)

    def get_template(self, *args: Any, **options: Any) -> Any:
        self.meter.spend(LOAD)
        return super().get_template(*args, **options)

    def select_template(self, names: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(names, Undefined):
            names = list(names)
            self.meter.spend(LOAD * len(names))
        return super().select_template(names, *args, **options)

    def getattr(self, obj: Any, attribute: str) -> Any:
        self.meter.spend(LOOKUP)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        self.meter.spend(LOOKUP)
        return super().getitem(obj, argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        self.meter.spend(STEP)
        self.meter.weigh(left, right)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**":
            raise SecurityError("`**` would make too large a value")
        if operator == "*" and not numbers:
            self.meter.spend(repeated(left, right))
        if operator == "%" and isinstance(left, str):
            self.meter.spend(formatted(left, right))
        return self.weighed(super().call_binop(context, operator, left, right))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja2 names them
        owner = getattr(__obj, "__self__", None)
        if owner is __self:
            return __obj(*args)
        __self.meter.spend(STEP)
        if isinstance(__obj, Undefined):
            return super().call(__context, __obj, *args, **kwargs)
        __self._refuse(__obj, owner)
        __self.meter.weigh(*args, *kwargs.values())
        if isinstance(owner, str):
            args = __self._pay_method(owner, __obj.__name__, args)
        elif isinstance(__obj, LoopContext):
            args = (__self.counted(args[0]), *args[1:]) if args else args
        with __self.meter.deeper():
            return __self._made(super().call(__context, __obj, *args, **kwargs))

    def _refuse(self, function: Any, owner: Any) -> None:
        """Raise `SecurityError` unless the function is one of those that may be called."""
        if isinstance(function, Macro | BlockReference | LoopContext | Joiner):
            return
        if any(function is known for known in (safe_range, _Namespace, Cycler, Joiner)):
            return
        name = str(getattr(function, "__name__", type(function).__name__))[:60]
        if not any(isinstance(owner, kind) and name in names for kind, names in METHODS.items()):
            raise SecurityError(f"`{name}` is nothing that a template may call")

    def _pay_method(self, text: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.meter.weigh(text)
        self.meter.pair(text, *args)
        if name == "replace" and len(args) > 1:
            self.meter.spend(replaced(text, args[0], args[1]))
        if name == "join" and args:
            items = list(args[0])
            self.meter.spend(len(items) * len(text))
            return (items, *args[1:])
        return args

    def _paying(self, function: Callable[..., Any], before: _Before | None = None) -> Callable[..., Any]:
        """A filter or test that pays for what it takes and makes."""
        first = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def paying(*args: Any, **kwargs: Any) -> Any:
            self.meter.spend(STEP)
            head, values = args[:first], args[first:]
            self.meter.weigh(*values, *kwargs.values())
            self.meter.pair(*values, *kwargs.values())
            if before is not None:
                values, kwargs = before(self.meter, *values, **kwargs), {}
            return self._made(function(*head, *values, **kwargs))

        return paying

    def _made(self, value: Any) -> Any:
        if isinstance(value, Iterator):
            return value if isinstance(value, LoopContext) else self.counted(value)
        return self.weighed(value)
