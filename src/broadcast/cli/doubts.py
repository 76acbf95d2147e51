"""What is doubtful about dates, by the clock and by what is known to have been told."""

from __future__ import annotations

from datetime import datetime

from broadcast import pipeline
from broadcast.cli.commit import committed
from broadcast.cli.desk import NOTHING, Desk, key_of
from broadcast.errors import BroadcastError
from broadcast.ledger.base import Log, UnverifiedError
from broadcast.model import Problem
from broadcast.source import dates


def of_files(here: Desk, project: pipeline.Project) -> tuple[Problem, ...]:
    """For `check`, which asks no server: by this clone's copy of the ledger and, where it has none, by git, for what is
    committed was there before."""
    log = _recalled(here, project)
    told = dates_told(log)
    if not told:
        config = project.config
        there = committed(config.root, config.file.incidents)
        told = {(one.slug, update.time) for one in project.announcements if one.path in there for update in one.updates}
    return _doubts(project, told, here.now())


def of_run(project: pipeline.Project, log: Log, now: datetime) -> tuple[Problem, ...]:
    """For `publish`, before it asks: by the ledger."""
    return _doubts(project, dates_told(log), now)


def dates_told(log: Log) -> set[tuple[str, datetime]]:
    return {(slug, event.update) for slug, events in log.events.items() for event in events}


def _doubts(project: pipeline.Project, told: dates.Told, now: datetime) -> tuple[Problem, ...]:
    config = project.config
    posted = {
        one.slug
        for one in project.announcements
        for channel in config.channels_for(one)
        if channel.platform != pipeline.SITE and not channel.dry
    }
    return dates.doubts(project.announcements, now, told=told, posted=posted, stale_after=config.file.stale_after)


def _recalled(here: Desk, project: pipeline.Project) -> Log:
    try:
        return pipeline.ledger(project, key_of(here)).recall()
    except UnverifiedError as error:
        return error.log
    except BroadcastError:
        return NOTHING
