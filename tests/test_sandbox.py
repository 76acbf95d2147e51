"""Templates that want to hang `check`, eat its memory, or do what no template may."""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcast import config
from broadcast.errors import ConfigError
from broadcast.model import Announcement, Place, Update
from broadcast.render import TemplateFailedError, environment, render
from broadcast.sandbox import FILTERS, Sandbox
from broadcast.site.build import build

SECONDS = 2.0
KILOBYTES = 100_000
TOO_MUCH = "it does more, or makes more"
NO_FILTER = "No filter named"
NO_CALL = "is nothing that a template may call"
DEEP = "nested too deeply"
BODY = "Search is **slow**."


def _doubling(value: str, step: str) -> str:
    return f"{{% set n = namespace(x={value}) %}}{{% for i in range(99) %}}{{% set n.x = {step} %}}{{% endfor %}}"


def _namespaces(count: int) -> str:
    made = "".join(f"{{% set n{i} = namespace() %}}" for i in range(count))
    filled = "".join(f"{{% set n{i}.a = n{i - 1} %}}{{% set n{i}.b = n{i - 1} %}}" for i in range(1, count))
    return made + filled + f"{{{{ n{count - 1} }}}}"


def _each(statement: str, turns: int = 99_999) -> str:
    return f"{{% for i in range({turns}) %}}{statement}{{% endfor %}}"


HOSTILE: dict[str, tuple[str, str]] = {
    # Loops and recursion
    "loops": (_each(_each("")), TOO_MUCH),
    "short loops": (_each(_each("", 9_999), 9_999), TOO_MUCH),
    "loops with a condition": (_each("{% for b in range(9999) if false %}{% endfor %}", 9_999), TOO_MUCH),
    "a recursive loop": (
        "{% for a in range(9) recursive %}{% if loop.depth < 40 %}{{ loop(range(9)) }}{% endif %}{% endfor %}",
        TOO_MUCH,
    ),
    "macros": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
        TOO_MUCH,
    ),
    "macros without end": ("{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}", "more than 50 deep"),
    "blocks": ("{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}", "more than 50 deep"),
    "including": ('{% include "incident/default.md.j2" %}', TOO_MUCH),
    "importing": ('{% import "incident/default.md.j2" as a %}', "include each other without end"),
    "extending": ('{% extends "incident/default.md.j2" %}', TOO_MUCH),
    "including what is not there": (_each('{% include ["x"] * 999 ignore missing %}'), TOO_MUCH),
    "including often": (_each('{% include "words.md.j2" %}'), TOO_MUCH),
    "lookups": (_each("{{ update.time.year }}"), TOO_MUCH),
    "a namespace in itself": (
        "{% set n = namespace() %}{% set n.a = n %}"
        + _each('{{ [n] | map(attribute="a' + ".a" * 3000 + '") | list | length }}', 3000),
        TOO_MUCH,
    ),
    "cycler": ("{% set c = cycler(1, 2) %}" + _each("{{ c.next() }}"), TOO_MUCH),
    # Much out of little
    "printf": ('{{ "%1000000000d" % 1 }}', TOO_MUCH),
    "printf with a star": ('{{ "%*d" % (1000000000, 1) }}', TOO_MUCH),
    "printf of a float": ('{{ "%.1000000000f" % 1 }}', TOO_MUCH),
    "printf with a key": ('{{ "%(a(b))1000000000d" % {"a(b)": 1} }}', TOO_MUCH),
    "str.format": ('{{ "{:1000000000}".format(1) }}', NO_CALL),
    "str.format with a width": ('{{ "{:{w}}".format(1, w=1000000000) }}', NO_CALL),
    "str.format_map": ('{{ "{a:1000000000}".format_map({"a": 1}) }}', NO_CALL),
    "the filter format": ('{{ "%1000000000d" | format(1) }}', TOO_MUCH),
    "the filter format with a star": ('{{ "%*d" | format(1000000000, 1) }}', TOO_MUCH),
    "the filter center": ('{{ "a" | center(1000000000) }}', NO_FILTER),
    "the filter wordwrap": ('{{ "a" | wordwrap(1) }}', NO_FILTER),
    "the filter batch": ("{{ [1] | batch(1000000000, 1) | list }}", NO_FILTER),
    "the filter slice": ("{{ [1] | slice(1000000000) | list }}", NO_FILTER),
    "the filter round": ("{{ 5 | round(-1000000000) }}", TOO_MUCH),
    "rounding to nothing": ('{{ 5 | round("nan" | float) }}' + _each(_each("")), "cannot convert float NaN"),
    "rounding up": ('{{ 5 | round(1000000000, "ceil") }}', TOO_MUCH),
    "the filter tojson": ("{{ [1] | tojson(indent=1000000000) }}", NO_FILTER),
    "lipsum": ("{{ lipsum(n=1000000000) }}", "'lipsum' is undefined"),
    "center": ('{{ "a".center(1000000000) }}', NO_CALL),
    "ljust": ('{{ "a".ljust(1000000000) }}', NO_CALL),
    "rjust": ('{{ "a".rjust(1000000000) }}', NO_CALL),
    "zfill": ('{{ "a".zfill(1000000000) }}', NO_CALL),
    "expandtabs": ('{{ "\\t".expandtabs(1000000000) }}', NO_CALL),
    "to_bytes": ('{{ (1).to_bytes(1000000000, "big") }}', NO_CALL),
    "replace": ('{% set x = "a" * 90000 %}{{ x.replace("a", x) }}', TOO_MUCH),
    "replacing nothing": ('{% set x = "a" * 90000 %}{{ x.replace("", x) }}', TOO_MUCH),
    "the filter replace": ('{% set x = "a" * 90000 %}{{ x | replace("a", x) }}', TOO_MUCH),
    "the filter indent": ('{{ ("a\\n" * 9000) | indent(1000000000) }}', TOO_MUCH),
    "indenting by a text": ('{% set x = "a\\n" * 9000 %}{{ x | indent(x) }}', TOO_MUCH),
    "join": ('{% set x = "a" * 1000000 %}{{ x.join(["a"] * 9999) }}', TOO_MUCH),
    "the filter join": ('{% set x = "a" * 1000000 %}{{ range(9999) | join(x) }}', TOO_MUCH),
    "joining what is made": ('{% set x = "a" * 99999 %}{{ range(9999) | map("string") | join(x) }}', TOO_MUCH),
    "repeating": ('{{ "a" * 1000000000 }}', TOO_MUCH),
    "repeating a list": ("{{ [[1] * 9999] * 9999 }}", TOO_MUCH),
    "a power": ("{{ 2 ** 1000000000 }}", "`**` would make too large a value"),
    "squares": (_doubling("2", "n.x * n.x"), "a number beyond"),
    "a long number": ("{{ " + "9" * 40_000 + " }}", "a number in it is too large"),
    "a long hexadecimal number": ("{{ 0x" + "f" * 40_000 + " // 3 }}", "a number in it is too large"),
    "a number from a text": ('{{ ("f" * 400000) | int(base=16) }}', "a number beyond"),
    # Doubling
    "~": (_doubling("'a'", "n.x ~ n.x"), TOO_MUCH),
    "+": (_doubling("'a'", "n.x + n.x"), TOO_MUCH),
    "a list and itself": (_doubling("[1]", "n.x + n.x"), TOO_MUCH),
    "lists in lists": (_doubling("[1]", "[n.x, n.x]") + "{{ n.x }}", TOO_MUCH),
    "tuples as keys": (_doubling("(1,)", "(n.x, n.x)") + "{{ {n.x: 1} }}", TOO_MUCH),
    "dictionaries in dictionaries": (_doubling("1", '{"a": n.x, "b": n.x}') + "{{ n.x }}", TOO_MUCH),
    "arguments in arguments": (
        "{% set n = namespace(x=1) %}{% macro m(n) %}{% set n.x = varargs %}{% endmacro %}"
        + _each("{{ m(n, n.x, n.x) }}", 99),
        TOO_MUCH,
    ),
    "lists of lists": ("{% set n = namespace(x=[]) %}" + _each("{% set n.x = n.x + range(9999) | list %}"), TOO_MUCH),
    "a long block": ("{% set x %}" + _each("a" * 40_000, 30_000) + "{% endset %}", TOO_MUCH),
    "a long filtered block": ("{% filter upper %}" + _each("a" * 9_999, 9_999) + "{% endfilter %}", TOO_MUCH),
    "much put out": ('{% set x = "a" * 999999 %}{% set y %}' + "{{ x }}" * 2_500 + "{% endset %}", TOO_MUCH),
    "much joined": ('{% set x = "a" * 999999 %}{{ x' + " ~ x" * 5_000 + " }}", TOO_MUCH),
    "an imported template": ('{% import "words.md.j2" as w %}{{ ([w] * 1000) | join }}', "is no value"),
    "a long draft": ('{{ "<" * 200000 }}', "more than 150,000 characters"),
    # Slow for what they make
    "looking for a text": (
        '{% set a = "a" * 7000 ~ "b" %}{% set b = "a" * 29000 %}' + _each("{% if a in b %}{% endif %}"),
        TOO_MUCH,
    ),
    "finding a text": ('{% set b = "a" * 29000 %}' + _each('{{ b.find("a" * 7000 ~ "b") }}'), TOO_MUCH),
    "stripping": (
        '{% set a = "b" * 20000 ~ "a" %}{% set b = "a" * 29000 %}' + _each("{% if b.strip(a) %}{% endif %}"),
        TOO_MUCH,
    ),
    "comparing": (
        '{% set a = "a" * 20000 ~ "a" %}{% set b = "a" * 20000 ~ "a" %}' + _each("{% if a == b %}{% endif %}"),
        TOO_MUCH,
    ),
    "comparing lists of lists": (
        "{% set n = namespace(a=[1], b=[1]) %}"
        + _each("{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% if n.a == n.b %}{% endif %}", 60),
        TOO_MUCH,
    ),
    "slicing": ('{% set a = "a" * 200000 %}' + _each("{% if a[1:] %}{% endif %}"), TOO_MUCH),
    "looking through a range": (_each('{% if "x" in range(9999) %}{% endif %}'), TOO_MUCH),
    "colliding keys": (
        "{% set x = {" + ",".join(f"{hex((2**61 - 1) * i)}:0" for i in range(1400)) + "} %}",
        "a number in it is too large",
    ),
    "colliding items": ("{{ [(1, 2)] | unique | list }}", "`unique` takes texts or numbers"),
    "the filter striptags": ('{{ ("<!--" * 100000) | striptags }}', NO_FILTER),
    "the filter urlize": ('{{ ("www." * 100000) | urlize }}', NO_FILTER),
    "the filter title": ('{% set a = "a " * 20000 %}' + _each("{% if a | title %}{% endif %}"), TOO_MUCH),
    "sorting": ("{% set a = range(9999) | list %}" + _each("{% if a | sort %}{% endif %}"), TOO_MUCH),
    "times": (_each('{% set x = update.time.strftime("%A" * 1000) %}'), TOO_MUCH),
    # Sources
    "a long source": ("a" * 100_001, "larger than 100,000 bytes"),
    "parentheses": ("{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}", DEEP),
    "brackets": ("{{ " + "[" * 10_000 + "]" * 10_000 + " }}", DEEP),
    "nested loops": ("{% for a in [1] %}" * 500 + "{% endfor %}" * 500, DEEP),
    "a long sum": ("{{ 1" + " + 1" * 10_000 + " }}", DEEP),
    "many filters": ("{{ 1" + " | abs" * 6_000 + " }}", DEEP),
    "many attributes": ("{{ channel" + ".a" * 5_000 + " }}", DEEP),
    "nested conditions": ("{% if 1 %}" * 1_500 + "{% endif %}" * 1_500, DEEP),
    "many outputs": ("{{a}}" * 19_900, "more than 6,000 parts"),
    "many texts": ("{{ a" + "~a" * 49_000 + " }}", "more than 6,000 parts"),
    "as many texts as there may be": ("{{ a" + "~a" * 5_900 + " }}", "'a' is undefined"),
    # What no template may
    "a method of a library": ('{{ channel.options.parse_raw("x") }}', "has no attribute 'options'"),
    "a function": ("{{ words.word.arguments.clear() }}", "'words' is undefined"),
    "an inner attribute": ('{{ "".__class__ }}', "unsafe"),
    "an inner attribute, mapped": ("{{ [''] | map(attribute='__class__') | join }}", "unsafe"),
    "an inner attribute, filtered": ("{{ '' | attr('__class__') }}", NO_FILTER),
    "a whole announcement": ("{{ announcement }}", "`announcement` is no text: name one of its fields"),
    "a whole update": ("{{ update }}", "`update` is no text"),
    "a whole channel": ("{{ channel }}", "`channel` is no text"),
}


def made(folder: Path, source: str, *, times: int = 1, env: Sandbox | None = None, body: str = BODY) -> list[str]:
    """The texts of the parts that a template makes of an update."""
    path = folder / "incident" / "default.md.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    (folder / "broadcast.toml").write_text('[channels.x]\nplatform = "x"\n', encoding="utf-8")
    found, problems = config.load(folder)
    assert found, problems
    update = Update("investigating", datetime(2026, 11, 22, 14, 5, tzinfo=UTC), body, Place("a.md"))
    one = Announcement("a", "incidents/a.md", "Search", "incident", "en", (update,), tags=("search", "api"))
    env = env or environment(folder)
    for _ in range(times):
        draft = render(env, one, update, found.channels["x"], link=None, cadence=timedelta(hours=1))
    return ["".join(span.text for block in part.blocks for span in block.spans) for part in draft.parts]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_fails_soon_and_small_and_says_where(tmp_path: Path, name: str) -> None:
    source, says = HOSTILE[name]
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(TemplateFailedError) as caught:
        made(tmp_path, source)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < SECONDS
    assert after.ru_maxrss - before.ru_maxrss < KILOBYTES
    assert says in caught.value.message
    assert caught.value.name in ("incident/default.md.j2", "words.md.j2")
    assert caught.value.line or "characters" in says


def test_a_template_that_takes_all_it_may_is_not_run_for_ever(tmp_path: Path) -> None:
    """For however many updates, on however many channels."""
    env = environment(tmp_path)
    almost = "{% for a in range(17000) %}{{ '' }}{% endfor %}x"
    assert made(tmp_path, almost, env=env) == ["x"]
    with pytest.raises(TemplateFailedError):
        made(tmp_path, almost, times=50, env=env)
    assert made(tmp_path, "{% extends 'default.md.j2' %}", times=300, env=env)


def test_a_template_costs_the_same_wherever_it_is_run(tmp_path: Path) -> None:
    spent = set()
    for _ in range(3):
        env = environment(tmp_path)
        with env.meter.allowance(10**6):
            env.get_template("incident/default.md.j2").render(
                announcement={"title": "a", "components": ["b"], "tags": []},
                update={"status": "resolved", "body": "c", "first": True, "next": None},
                language="en",
                link="",
            )
            spent.add(env.meter.left)
    assert len(spent) == 1
    assert 900_000 < spent.pop() < 990_000


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% for tag in announcement.tags %}{{ loop.index }}/{{ loop.length }} {{ tag | upper }} {% endfor %}", None),
        ("{{ announcement.tags | sort | join(', ') }}", "api, search"),
        ("{{ announcement.tags | map('capitalize') | join(' ') }}", "Search Api"),
        ("{{ announcement.tags | select('ne', 'api') | first }}", "search"),
        ("{{ announcement.title.lower().replace('s', 'S').split('e')[0] }}", "S"),
        ("{{ announcement.title[:3] ~ '!' }}", "Sea!"),
        ("{{ update.time.strftime('%d %B') }}", "22 November"),
        ("{{ update.time.date().isoformat() }}", "2026-11-22"),
        ("{{ '%s: %02d' % (announcement.title, 7) }}", "Search: 07"),
        ("{{ '2026 in %s' % 'Rome' }}", "2026 in Rome"),
        ("{% set n = namespace(k=0) %}{% for i in range(5) %}{% set n.k = n.k + i %}{% endfor %}{{ n.k }}", "10"),
        ("{{ 1 < 2 <= 2 and 'a' in 'ab' and 'c' not in ['b'] and 3 == 3.0 and 1 != 2 }}", "True"),
        ("{% if 1 > 2 %}a{% elif announcement.severity is none %}b{% endif %}", "b"),
        ("{% for a, b in {'x': 1, 'y': 2}.items() %}{{ a }}{{ b }}{% endfor %}", "x1y2"),
        ("{% for a in [1, [2, [3]]] recursive %}{{ loop(a) if a is iterable else a }}{% endfor %}", "123"),
        ("{% for a in range(4) if a is odd %}{{ a }}{% if not loop.last %}, {% endif %}{% endfor %}", "1, 3"),
        ("{% macro m(a, b=2) %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call m(1) %}3{% endcall %}", "123"),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}", "aba"),
        ("{% set j = joiner('; ') %}{% for a in [1, 2] %}{{ j() }}{{ a }}{% endfor %}", "1;2"),
        ("{% for a in announcement.tags %}{{ loop.cycle('-', '+') }}{% endfor %}", "-+"),
        ("{{ missing | default('none') }} {{ (1, 2) | length }} {{ -3 | abs }} {{ 7 // 2 }}", "none 2 3 3"),
        ("{{ '%s: %.1f%%' | format(announcement.title, 99.95) }}", "Search: 100.0%"),
        ("{{ 99.953 | round(2) }} {{ 99.953 | round(1, 'floor') }}", "99.95 99.9"),
        ("{{ ['API', 'Web', 'api', 1] | unique | join(', ') }}", "API, Web, 1"),
        ("{{ 'a\nb' | indent(2) | replace('a', 'c') | trim | wordcount }}", "2"),
    ],
)
def test_what_templates_are_for_works(tmp_path: Path, source: str, says: str | None) -> None:
    assert "".join(made(tmp_path, source)) == (says if says is not None else "1/2 SEARCH 2/2 API")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ announcement.starts | clock }}", "`clock` takes times; this one is none: write `{% if … %}` around it"),
        ("{{ announcement.starts | window(announcement.ends) }}", "`window` takes times; this one is none"),
        ("{{ '14:05' | clock }}", "`clock` takes times"),
        ("{{ update.time | clock('14:05') }}", "`clock` takes times"),
    ],
)
def test_what_is_no_time_is_told(tmp_path: Path, source: str, says: str) -> None:
    with pytest.raises(TemplateFailedError) as caught:
        made(tmp_path, source)
    assert says in caught.value.message
    assert caught.value.line == 1


def test_every_filter_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "templates.md").read_text(encoding="utf-8")
    assert [name for name in FILTERS if f"`{name}`" not in page] == []


def test_a_long_update_may_cost_more(tmp_path: Path) -> None:
    body = "All is well again. " * 7_000
    source = "{% extends 'default.md.j2' %}{% block body %}{{ super() | replace('well', 'fine') }}{% endblock %}"
    assert "All is fine again." in made(tmp_path, source, body=body)[1]


def test_the_template_that_is_wrong_is_named_and_not_the_one_that_used_it(tmp_path: Path) -> None:
    (tmp_path / "own.md.j2").write_text("{% macro m() %}\n\n{{ nope.x }}{% endmacro %}", encoding="utf-8")
    with pytest.raises(TemplateFailedError) as caught:
        made(tmp_path, '{% import "own.md.j2" as own %}\n{{ own.m() }}')
    assert (caught.value.name, caught.value.line) == ("own.md.j2", 3)
    with pytest.raises(TemplateFailedError) as caught:
        made(tmp_path, '\n{% include "gone.md.j2" %}')
    assert (caught.value.name, caught.value.line) == ("incident/default.md.j2", 2)
    assert caught.value.message == "there is no template gone.md.j2"


def test_files_that_are_no_templates_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("hunter2", encoding="utf-8")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "link.md.j2").symlink_to(outside)
    (folder / "latin.md.j2").write_bytes(b"caf\xe9")
    told = {
        "link": "leads out of the folder",
        "latin": "not UTF-8",
        "../secret": "no template",
        "a" * 300: "there is no template",
    }
    for name, says in told.items():
        with pytest.raises(TemplateFailedError) as caught:
            made(folder, f'{{% include "{name}.md.j2" %}}' if "/" not in name else f'{{% include "{name}" %}}')
        assert says in caught.value.message
        assert "hunter2" not in caught.value.message


def test_the_sites_templates_are_in_the_same_sandbox(tmp_path: Path) -> None:
    (tmp_path / "templates" / "site").mkdir(parents=True)
    (tmp_path / "templates" / "site" / "index.html.j2").write_text('{{ "a".center(10000000000) }}', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        build([], tmp_path / "public", url=None, root=tmp_path, templates=tmp_path / "templates", now=datetime.now(UTC))
    assert NO_CALL in caught.value.message
