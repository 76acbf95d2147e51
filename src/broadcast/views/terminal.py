"""Plans, results and problems on a terminal; plain lines, whole and without boxes, where nobody watches (CI, a pipe).

User text never acts on the terminal and is never read as rich's markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from broadcast.model import Action, Plan, Problem, Result, Standing, State
from broadcast.source.times import format_time
from broadcast.views.groups import by_update, count, dollars, label, part_of, size
from broadcast.views.pieces import links, named_links, pieces
from broadcast.visible import line, visible

STYLES: Mapping[str, str] = {
    "todo": "bold cyan",
    "scheduled": "blue",
    "done": "green",
    "posted": "bold green",
    "changed": "yellow",
    "uncertain": "bold red",
    "failed": "bold red",
    "skipped": "dim",
    "error": "bold red",
    "warning": "yellow",
}
SUMS: Mapping[State, str] = {
    "todo": "to do",
    "uncertain": "uncertain",
    "changed": "changed",
    "scheduled": "scheduled",
    "skipped": "skipped",
    "done": "done already",
}
PANEL_WIDTH = 76


def preview(console: Console, plan: Plan) -> None:
    """The posts as followers will see them: by announcement, update and channel."""
    for slug, updates in by_update(plan.actions).items():
        for time, channels in updates.items():
            status = next(iter(channels.values()))[0].status
            _say(console, _heading(slug, status, time))
            for actions in channels.values():
                for action in actions:
                    _post(console, action)
            _say(console, Text())
    problems(console, plan.problems)


def plan(console: Console, plan: Plan) -> None:
    """What `publish` would do now: every post that does not stand yet, a line of sums, what it costs, problems."""
    width = max((len(_where(action)) for action in plan.actions), default=0)
    for slug, updates in by_update(plan.actions).items():
        for time, channels in updates.items():
            rows = [action for actions in channels.values() for action in actions if action.state != "done"]
            if not rows:
                continue
            _say(console, _heading(slug, rows[0].status, time))
            for action in rows:
                _say(console, _row(action, width))
            _say(console, Text())
    _say(console, _sums(plan))
    if any(plan.cost.values()):
        costs = ", ".join(f"{line(name)} {dollars(usd)}" for name, usd in plan.cost.items() if usd)
        _say(console, Text(f"Cost: {costs}"))
    problems(console, plan.problems)


def results(console: Console, results: Sequence[Result]) -> None:
    """What became of every post of a run, channel by channel."""
    channels: dict[str, list[Result]] = {}
    for result in results:
        channels.setdefault(result.channel, []).append(result)
    for name, found in channels.items():
        _say(console, Text(line(name), "bold"))
        threads = {(result.announcement, result.update) for result in found if result.part > 1}
        for result in found:
            _say(console, Text.assemble("  ", _outcome(result, (result.announcement, result.update) in threads)))
    counts = Counter(result.state for result in results)
    total = ", ".join(f"{number} {state}" for state, number in counts.items())
    _say(console, Text(total or "Nothing to do."))


def progress(console: Console, result: Result) -> None:
    """One line, as soon as something became of a post."""
    _say(console, Text.assemble(f"{line(result.channel)}: ", _outcome(result, numbered=result.part > 1)))


def problems(console: Console, problems: Iterable[Problem]) -> None:
    """One line each: `path:line:column: severity[code] message`."""
    for problem in problems:
        place = problem.place
        _say(
            console,
            Text.assemble(
                (f"{line(place.path)}:{place.line}:{place.column}:", "bold"),
                " ",
                (f"{problem.severity}[{line(problem.code)}]", STYLES[problem.severity]),
                f" {line(problem.message)}",
            ),
        )


def status(console: Console, standings: Sequence[Standing], *, now: datetime) -> None:
    """Announcements and where they stand: how old the last update is, when the next is due, where the posts are."""
    for index, standing in enumerate(standings):
        if index:
            _say(console, Text())
        said = Text.assemble((line(standing.title), "bold"), f" · {line(standing.announcement)}")
        _say(console, said)
        last = f"{ago(now, standing.updated)} ({format_time(standing.updated)})"
        facts = Text(f"  {line(standing.status)}, updated {last}")
        if standing.overdue and standing.next_update_due is not None:
            facts.append(", ")
            facts.append(f"next update overdue since {format_time(standing.next_update_due)}", STYLES["error"])
        elif standing.next_update_due is not None:
            facts.append(f", next update due {format_time(standing.next_update_due)}")
        _say(console, facts)
        for name, channel in standing.channels.items():
            urls = "".join(f"  {line(url)}" for url in channel.urls)
            _say(console, Text.assemble(f"  {line(name)}: ", (channel.state, STYLES[channel.state]), urls))
    if not standings:
        _say(console, Text("No announcement is open."))


def channels(console: Console, rows: Iterable[Mapping[str, Any]]) -> None:
    """The channels as `data.channels` has them: limits and options, the variables of their secrets, who they are."""
    for row in rows:
        facts = [str(row["platform"]), f"{row['limit']} {row['unit']}", f"fit {row['fit']}, {row['max_posts']} posts"]
        facts += [str(row["language"]), *(["dry"] if row["dry"] else [])]
        _say(console, Text.assemble((line(row["channel"]), "bold"), f": {line(' · '.join(facts))}"))
        if row["secrets"]:
            _say(console, Text(f"  needs {', '.join(row['secrets'])}"))
        if row.get("error"):
            _say(console, Text.assemble("  ", ("failed", STYLES["failed"]), f" {line(row['error'])}"))
        elif row.get("verified"):
            who = f" as {line(row['account'])}" if row["account"] else ""
            _say(console, Text.assemble("  ", ("verified", STYLES["done"]), who))
        for told in row.get("rate_limits", ()):
            most = "" if told["limit"] is None else f" of {told['limit']}"
            until = "" if told["reset"] is None else f" until {told['reset']}"
            _say(console, Text(f"  {told['remaining']}{most} requests left{until}: {line(told['requests'])}"))
        for note in row.get("notes", ()):
            _say(console, Text(f"  {line(note)}"))


def measures(console: Console, rows: Iterable[Mapping[str, Any]]) -> None:
    """What each platform counts of a text, and whether it fits in a post."""
    for row in rows:
        said = f"{row['length']}/{row['limit']} {row['unit']}"
        if row["max_bytes"] is not None:
            said += f", {row['bytes']}/{row['max_bytes']} bytes"
        verdict = ("fits", STYLES["done"]) if row["fits"] else ("does not fit", STYLES["error"])
        _say(console, Text.assemble((f"{line(row['platform'])}: ", "bold"), f"{line(said)} ", verdict))


def ago(now: datetime, then: datetime) -> str:
    """`3 h 5 min ago`; a time to come is `in 5 min`."""
    minutes = int(abs((now - then).total_seconds()) // 60)
    days, hours = divmod(minutes // 60, 24)
    units = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes % 60, "min")) if number]
    span = " ".join(units[:2]) or "less than a minute"
    return f"in {span}" if then > now else f"{span} ago"


def _say(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True, highlight=False)


def _outcome(result: Result, numbered: bool) -> Text:
    where = f"{line(result.announcement)} {format_time(result.update)}" + (f" #{result.part}" if numbered else "")
    said = Text.assemble((f"{result.state:<9}", STYLES[result.state]), " ", where)
    for more in (result.url, result.error):
        if more:
            said.append(f"  {line(more)}")
    return said


def _heading(slug: str, status: str, time: datetime) -> Text:
    return Text.assemble((line(slug), "bold"), f" · {label(line(status))} · {format_time(time)}")


def _post(console: Console, action: Action) -> None:
    head = _where(action)
    length = size(action.post.length, action.limit)
    text = Text()
    for words, url in pieces(action.post.text, links(action.post)):
        text.append(visible(words), "underline" if url else "")
    extra = [Text(f"Link: {line(words)} → {line(url)}", "dim") for words, url in named_links(action.post)]
    extra += [Text(f"{_medium(item.path)}: {line(item.path)} — {line(item.alt)}", "dim") for item in action.post.media]
    if action.note:
        extra.append(Text(line(action.note), "dim"))
    if console.is_terminal:
        width = min(console.width, PANEL_WIDTH)
        console.print(
            Panel(
                Group(text, *extra),
                box=box.ROUNDED,
                title=Text(f"{head} · {action.state}"),
                title_align="left",
                subtitle=Text(length),
                subtitle_align="right",
                border_style=STYLES[action.state],
                width=width,
            )
        )
        return
    _say(console, Text(f"  {head} · {action.state} · {length}"))
    for part in (*text.split("\n"), *extra):
        _say(console, Text.assemble("    ", part))


def _medium(path: str) -> str:
    return "Video" if path.lower().endswith((".mp4", ".webm", ".mov")) else "Image"


def _where(action: Action) -> str:
    return " ".join(filter(None, (line(action.channel), part_of(action.part, action.parts))))


def _row(action: Action, width: int) -> Text:
    """An action on one line; `width` is that of the widest channel."""
    length = size(action.post.length, action.limit)
    said = Text.assemble(
        "  ", (f"{action.state:<9}", STYLES[action.state]), f"  {_where(action):<{width}}  {length:>9}"
    )
    reply = action.reply_to
    if reply is not None:
        told = f"part {reply.part}" if reply.update == action.update else f"{format_time(reply.update)} #{reply.part}"
        said.append(f"  replies to {told}", "dim")
    if action.note:
        said.append(f"  {line(action.note)}")
    return said


def _sums(plan: Plan) -> Text:
    if not plan.actions:
        return Text("No posts.")
    counts = Counter(action.state for action in plan.actions)
    parts = [f"{counts[state]} {name}" for state, name in SUMS.items() if counts[state]]
    return Text(f"{count(len(plan.actions), 'post')}: {', '.join(parts)}.")
