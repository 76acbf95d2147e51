"""A plan as a comment on a pull request.

What it quotes is hostile, so it stands in `<code>` with every sign that Markdown knows written as an entity: there it
cannot become HTML, ping people, link to issues, load images or end the quote. (GitHub looks for mentions, references,
emoji and URLs after it made the HTML, so entities alone would not stop them; it looks in no code.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from broadcast.model import Action, Plan, Problem
from broadcast.source.times import format_time
from broadcast.views.groups import by_update, count, dollars, label, part_of, size
from broadcast.views.pieces import named_links
from broadcast.visible import line, visible

LIMIT = 65_536
"""Characters that GitHub takes in a comment, counted here in UTF-16 units to be on the safe side."""
NOTE = 300
"""Characters kept free for the note on what is left out."""
PROBLEMS = 50
LONGEST = 3_000
"""Characters of one text that are shown: a page of the site is no post."""
ACTIVE = re.compile(r"[!-/:-@\[-`{-~]")


def preview(plan: Plan) -> str:
    """The comment, within the characters that GitHub takes; posts that found no room are counted."""
    out = [f"### {_summary(plan)}\n\n", *_problems(plan.problems)]
    left = LIMIT - NOTE - sum(map(_size, out))
    told = 0
    closing = "</details>\n\n"
    for slug, updates in by_update(plan.actions).items():
        actions = [action for channels in updates.values() for each in channels.values() for action in each]
        opening = f"<details><summary>{code(slug)} ({count(len(actions), 'post')})</summary>\n\n"
        room = left - _size(opening) - _size(closing)
        shown = list(_while_room((_post(action) for action in actions), room))
        if shown:
            out += [opening, *shown, closing]
            left = room - sum(map(_size, shown))
            told += len(shown)
        if len(shown) < len(actions):
            break
    rest = len(plan.actions) - told
    if rest:
        out.append(f"**{count(rest, 'post')} more**: no room in a comment. `broadcast preview` shows all of them.\n")
    return "".join(out)


def code(text: str) -> str:
    """Text that GitHub shows as it is, wherever it stands; line breaks become `<br>`."""
    cut = visible(text)
    if len(cut) > LONGEST:
        cut = f"{cut[:LONGEST]}… ({len(cut) - LONGEST:,} characters more)"
    lines = (ACTIVE.sub(lambda found: f"&#{ord(found[0])};", each) for each in cut.split("\n"))
    return "<br>".join(f"<code>{each}</code>" if each.strip() else "" for each in lines)


def _summary(plan: Plan) -> str:
    announcements = len({action.announcement for action in plan.actions})
    if not announcements:
        return "No posts"
    channels = len({action.channel for action in plan.actions})
    said = f"{count(len(plan.actions), 'post')} of {count(announcements, 'announcement')}"
    costs = ", ".join(f"{code(name)} {dollars(usd)}" for name, usd in plan.cost.items() if usd)
    return f"{said} on {count(channels, 'channel')}" + (f" ({costs})" if costs else "")


def _problems(problems: Iterable[Problem]) -> Iterator[str]:
    found = list(problems)
    for problem in found[:PROBLEMS]:
        place = f"{problem.place.path[:300]}:{problem.place.line}:{problem.place.column}"
        yield f"- **{problem.severity}** {code(place)} {code(line(problem.message)[:500])}\n"
    if len(found) > PROBLEMS:
        yield f"- {count(len(found) - PROBLEMS, 'problem')} more\n"
    if found:
        yield "\n"


def _post(action: Action) -> str:
    """The post as an HTML quote, in which GitHub reads no Markdown, and facts about it below."""
    head = ""
    if action.part == 1:
        head = f"**{code(action.channel)}** · {code(label(action.status))} · {format_time(action.update)}\n\n"
    quoted = [code(action.post.text)]
    quoted += [f"{code(line(words))} leads to {code(line(url))}" for words, url in named_links(action.post)]
    quoted += [f"Image: {code(line(item.alt)) or 'no description'}" for item in action.post.media]
    facts = [part_of(action.part, action.parts), size(action.post.length, action.limit), action.state]
    if action.reply_to is not None and action.part == 1:
        facts.append(f"replies to {format_time(action.reply_to.update)}")
    if action.note:
        facts.append(code(line(action.note)))
    return f"{head}<blockquote>{'<br>'.join(quoted)}</blockquote>\n\n<sub>{' · '.join(filter(None, facts))}</sub>\n\n"


def _while_room(pieces: Iterable[str], room: int) -> Iterator[str]:
    for piece in pieces:
        room -= _size(piece)
        if room < 0:
            return
        yield piece


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
