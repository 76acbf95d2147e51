from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from broadcast.errors import RefusedError
from broadcast.model import Media
from broadcast.platforms import mastodon
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

IMAGE = Media("errors.jpg", "Error rate since 14:00")


def statuses(bench: Bench) -> list[Any]:
    world: Any = bench.server.world
    return list(world.statuses.values())


def test_a_content_warning_is_on_every_post_and_stays_after_an_edit(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.options["spoiler_text"] = "Outage"
    connection = bench.connect()
    refs = bench.publish(connection, [bench.post("one"), bench.post("two")])
    assert [status.spoiler for status in statuses(bench)] == ["Outage", "Outage"]
    connection.edit(refs[0], bench.intents(connection, [bench.post("changed")])[0])
    assert [(status.text, status.spoiler) for status in statuses(bench)] == [("changed", "Outage"), ("two", "Outage")]


def test_a_content_warning_counts(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.options["spoiler_text"] = "Outage"
    assert bench.channel.limits.length == 500 - len("Outage")
    bench.publish(bench.connect(), [bench.post("a" * bench.channel.limits.length)])
    with pytest.raises(ValueError, match="at most 80"):
        mastodon.Options(api_base_url="https://m.example", spoiler_text="a" * 81)


def test_a_server_with_shorter_descriptions(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.options["description_limit"] = 1600
    with pytest.raises(RefusedError, match=r"set description_limit = 1500 under \[channels.news-room\]"):
        bench.connect()
    bench.options["description_limit"] = 1500
    assert bench.channel.limits.alt == 1500
    bench.connect()


def test_an_edit_brings_the_image_whose_bytes_have_changed(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    intent = bench.intents(connection, [bench.post("one", IMAGE)])[0]
    standing = sent(connection, [intent])
    before = bench.standing()[0].media
    connection.edit(standing[1], replace(intent, post=bench.post("two", IMAGE)))
    assert bench.standing()[0].media == before
    Image.new("RGB", (8, 8)).save(bench.root / "errors.jpg")
    connection.edit(standing[1], replace(intent, post=bench.post("three", IMAGE)))
    (seen,) = bench.standing()
    assert (seen.text, [item.alt for item in seen.media]) == ("three", [IMAGE.alt])
    assert seen.media != before
