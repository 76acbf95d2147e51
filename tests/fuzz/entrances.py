"""Every place where something comes in that others have written, and where its cases begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fuzz import answers, documents, pictures, records, seeds
from fuzz.holds import no_defects


@dataclass(frozen=True, slots=True)
class Entrance:
    """`take` lets nothing out but what it should, and asserts what must hold. `share` of the time that there is;
    `slice` cases are tried with every test run."""

    take: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    share: int = 1
    slice: int = 20

    def __call__(self, data: bytes) -> None:
        with no_defects():
            self.take(data)


ENTRANCES: Mapping[str, Entrance] = {
    "announcement": Entrance(documents.announcement, seeds.announcements, 4, 60),
    "posts": Entrance(documents.posts, seeds.posts, 4, 40),
    "line": Entrance(documents.line, seeds.projects, 6, 10),
    "config": Entrance(documents.config, seeds.configs, 1, 40),
    "heading": Entrance(documents.heading, seeds.headings, 1, 200),
    "template": Entrance(documents.template, seeds.templates, 2, 10),
    "imported": Entrance(documents.imported, seeds.issues, 3, 20),
    "appended": Entrance(documents.appended, seeds.updates, 2, 20),
    "ledger": Entrance(records.ledger, seeds.ledgers, 3, 10),
    "journal": Entrance(records.journal, seeds.ledgers, 1, 10),
    "database": Entrance(records.database, seeds.databases, 1, 5),
    "event": Entrance(records.event, seeds.events, 1, 60),
    "x": Entrance(answers.x, partial(seeds.conversations, "x"), 4, 10),
    "bluesky": Entrance(answers.bluesky, partial(seeds.conversations, "bluesky"), 5, 10),
    "mastodon": Entrance(answers.mastodon, partial(seeds.conversations, "mastodon"), 5, 10),
    "image": Entrance(pictures.image, seeds.images, 2, 40),
    "video": Entrance(pictures.video, seeds.videos, 1, 100),
}
