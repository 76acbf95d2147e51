from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broadcast.errors import RefusedError
from broadcast.model import Media
from broadcast.platforms import bluesky, mastodon, x, x_api

if TYPE_CHECKING:
    from platforms.conftest import Bench

VIDEO = Media("outage.mp4", "The dashboard, from green to red")
CONTENT = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 200


@pytest.mark.parametrize("bench", ["mastodon", "x"], indirect=True)
def test_a_video_stands_with_its_alternative_text(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_api, "CHUNK", 30_000)
    monkeypatch.setattr(x_api, "LONGEST_POLL", 0.01)
    (bench.root / VIDEO.path).write_bytes(CONTENT)
    bench.publish(bench.connect(), [bench.post("one", VIDEO), bench.post("two")])
    first, second = bench.standing()
    assert [(item.mime, item.alt, item.data) for item in first.media] == [("video/mp4", VIDEO.alt, CONTENT)]
    assert second.media == ()


@pytest.mark.parametrize("bench", ["mastodon", "x"], indirect=True)
def test_a_video_that_is_none_or_too_large_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.root / VIDEO.path).write_bytes(b"not a video")
    connection = bench.connect()
    with pytest.raises(RefusedError, match=r"outage.mp4: is not an MP4"):
        bench.publish(connection, [bench.post("one", VIDEO)])
    (bench.root / VIDEO.path).write_bytes(CONTENT)
    monkeypatch.setattr(x, "MAX_VIDEO", 1000)
    monkeypatch.setattr(connection, "_max_video", 1000, raising=False)
    with pytest.raises(RefusedError, match="of at most 1,000"):
        bench.publish(connection, [bench.post("one", VIDEO)])
    assert not bench.standing()


def test_what_takes_a_video() -> None:
    assert x.limits(x.Options()).videos == "alone"
    assert mastodon.limits(mastodon.Options(api_base_url="https://m.example")).videos == "alone"
    alone = bluesky.limits(bluesky.Options(handle="status.example.com"))
    assert (alone.videos, alone.video_alt) == ("alone", 1000)
    lone = bluesky.Options(handle="status.example.com", service="https://pds.example.com")
    assert bluesky.limits(lone).videos == "none"  # its link card is shown in place of it
