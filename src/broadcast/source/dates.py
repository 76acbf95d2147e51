"""Dates that can be read and cannot be meant: what lies ahead, slipped by a month or a year, or is over already."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from broadcast.model import Announcement, Problem, Update
from broadcast.source.problems import problem
from broadcast.source.statuses import FINAL
from broadcast.source.times import format_time

Told = Collection[tuple[str, datetime]]
"""The updates (slug, time) that are no news: followers have them."""

AHEAD = timedelta(hours=1)
"""Clocks differ, and people round: an update may lie so far ahead."""
NEAR = timedelta(hours=12)
"""A time that a changed month or year brings so near to another was probably meant to be there."""
HERE = timedelta(hours=2)
"""The same for what is over: it may well be a story of another month."""
APART = timedelta(days=14)
"""Updates follow each other within days: those of one incident that are further apart are looked at."""
FEW = 3
"""Old files are named one by one up to here: more are a history that was brought in."""
SOON = timedelta(hours=12)
"""A promise says the time of a day without its date, and means the next one within this."""

_PROMISE = re.compile(
    r"(?:next|another|further|n[äa]chste[srn]?|pr[óo]xima|prochaine?|prossim[oa]|volgende|n[äa]sta|neste|næste)\s+"
    r"(?:update|aktualisierung|actualizaci[óo]n|atualiza[çc][ãa]o|mise à jour|point|aggiornamento|uppdatering|"
    r"opp?datering)\b[^\n.;0-9]{0,40}?(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}[ T])?"
    r"(?P<hour>[01]?[0-9]|2[0-3])[:h](?P<minute>[0-5][0-9])\b(?P<after>[^\n.;,]{0,20})",
    re.IGNORECASE,
)
_OTHER_DAY = re.compile(r"tomorrow|morgen|mañana|demain|domani|amanhã|day|tag\b|[0-9]{1,2}[./][0-9]", re.IGNORECASE)
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)?\s*(?:$|[^\w\s]|#)", re.IGNORECASE)


def doubts(
    announcements: Sequence[Announcement],
    now: datetime,
    *,
    told: Told,
    posted: Collection[str],
    stale_after: timedelta,
) -> tuple[Problem, ...]:
    """What is doubtful about the dates of announcements (without their translations), held against `now`. `posted` are
    the slugs of those that go to a channel where age matters."""
    found: list[Problem] = []
    known = {slug for slug, _ in told}
    old: list[Announcement] = []
    for one in announcements:
        if one.translation or one.draft:
            continue
        slips = list(_slips(one, now, new=one.slug not in known))
        found += slips or _ahead(one, now)
        found += _promises(one, now, told, stale_after)
        if not slips and one.slug in posted and one.slug not in known and now - one.updates[0].time > stale_after:
            old.append(one)
    found += _never_told(old)
    return tuple(sorted(found, key=lambda each: (each.place, each.code)))


def _ahead(one: Announcement, now: datetime) -> Iterator[Problem]:
    """An incident is told as it happens; all else is announced before it is dated ahead."""
    updates = one.updates if one.kind == "incident" else one.updates[:1]
    for update in updates:
        if update.time > now + AHEAD and update.status != "scheduled":
            message = f"this is {_span(update.time - now)} ahead, and will not be published before"
            yield problem("time-ahead", update.place, f"{message}: is the date right?")
            return


def _slips(one: Announcement, now: datetime, *, new: bool) -> Iterator[Problem]:
    """Times that another month or year would bring to where they belong: to today, for an announcement that is `new`,
    or to the update that stands beside them."""
    first, *_ = written = sorted(one.updates, key=lambda update: update.place)
    scheduled = one.kind == "maintenance" and first.status == "scheduled"
    if new and abs(first.time.year - now.year) <= 1 and not (scheduled and first.time > now):
        over = one.kind == "release" or any(update.status in FINAL for update in one.updates)
        yield from _slip(first, now, HERE if over else NEAR, "today")
    if one.kind != "incident":
        return
    for before, update in pairwise(written):
        if update.status not in {"postmortem", "reopened"}:
            yield from _slip(update, before.time, NEAR, "with the update above")


def _slip(update: Update, near: datetime, within: timedelta, beside: str) -> Iterator[Problem]:
    if abs(update.time - near) <= APART:
        return
    for year, month in ((near.year, update.time.month), (update.time.year, near.month)):
        try:
            meant = update.time.replace(year=year, month=month)
        except ValueError:  # 31 November
            continue
        if meant != update.time and abs(meant - near) <= within:
            which = "month" if month != update.time.month else "year"
            message = f"the {which} is probably wrong: `{format_time(meant)}` would be {beside}"
            yield problem("time-slip", update.place, message)
            return


def _promises(one: Announcement, now: datetime, told: Told, stale_after: timedelta) -> Iterator[Problem]:
    """A time for the next update, typed by hand, that has gone by before anybody reads it."""
    update = one.updates[-1]
    if update.time > now or now - update.time > stale_after or (one.slug, update.time) in told:
        return
    for text in (update.body, *update.overrides.values()):
        found = _PROMISE.search(text)
        promised = _promised(found, update.time) if found else None
        if found and promised is not None and promised < now:
            words = " ".join(found[0].removesuffix(found["after"]).split())
            message = f"“{words}” is a promise for {format_time(promised)}, which is past: promise another time"
            yield problem("past-promise", update.place, message)
            return


def _promised(found: re.Match[str], said: datetime) -> datetime | None:
    """When it is due: on the date that stands there, else the first such time after the update was `said`; one that
    would be far off was meant before. None where it may be another day or zone."""
    if not _UTC.match(found["after"]):
        return None
    clock = f"{int(found['hour']):02}:{found['minute']}"
    if found["date"]:
        try:
            return datetime.fromisoformat(f"{found['date'].strip(' T')}T{clock}").replace(tzinfo=UTC)
        except ValueError:
            return None
    if _OTHER_DAY.search(found[0].partition(":")[0]):
        return None
    due = said.replace(hour=int(found["hour"]), minute=int(found["minute"]), second=0)
    if due <= said:
        due += timedelta(days=1)
    return due - timedelta(days=1) if due - said > SOON else due


def _never_told(old: Sequence[Announcement]) -> Iterator[Problem]:
    """New files that are old news: they are not sent, which their authors may not expect."""
    if len(old) > FEW:
        place, names = old[0].updates[0].place, f"{old[0].slug} and {len(old) - 1:,} more"
        message = f"{names} began longer ago than `stale_after` and were never published: they are taken for history"
        yield problem("old-news", place, f"{message}; `broadcast ledger baseline` says so once and for all")
        return
    for one in old:
        update = one.updates[0]
        message = f"{format_time(update.time)} is older than `stale_after`, so this update is not sent; if it is news"
        yield problem("old-news", update.place, f"{message}, mend the date or type `broadcast publish --backfill`")


def _span(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    for size, word in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size * 2 or size == 1:
            return f"{minutes // size:,} {word}s"
    return ""
