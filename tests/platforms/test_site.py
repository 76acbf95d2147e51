from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broadcast.errors import RefusedError
from broadcast.model import Announcement, Channel, FitOptions, Intent, Place, Post, Ref, Update
from broadcast.platforms import base, site

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
FIRST = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
SECOND = datetime(2026, 11, 22, 15, 40, tzinfo=UTC)

Connect = Callable[..., base.Connection]


def outage(*times: datetime, language: str = "en", path: str = "incidents/api.md") -> Announcement:
    chain = tuple(
        Update("update" if index else "investigating", time, "x", Place(path)) for index, time in enumerate(times)
    )
    return Announcement("api", path, "API errors", "incident", language, chain, translation=path != "incidents/api.md")


def intent(update: datetime, announcement: str = "api", language: str = "en") -> Intent:
    return Intent(announcement, update, "site", 1, 1, NOW, "run", "update", Post("x", 1), language, "digest")


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    def make(*announcements: Announcement, output: str = "public", **more: Any) -> base.Connection:
        options = site.Options(output=output)
        channel = Channel("site", "site", FitOptions(), site.limits(options), options=options)
        space: dict[str, Any] = {
            "root": tmp_path,
            "now": NOW,
            "url": "https://status.example.com",
            "announcements": announcements,
        }
        return site.connect(channel, {}, base.Workspace(**(space | more)))

    return make


def test_it_is_a_platform() -> None:
    loaded = base.load("site")
    assert loaded.limits(loaded.OPTIONS()).length == 1_000_000
    assert loaded.cost(Post("x", 1)) is None
    assert loaded.SECRETS == ()
    assert loaded.EDITS


@pytest.mark.parametrize("output", ["", ".", "..", "../x", "a/../../x", "/var/www", ".git", "a/.git/x", "./"])
def test_the_output_stays_in_the_project(output: str) -> None:
    with pytest.raises(ValidationError, match="inside the project"):
        site.Options(output=output)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        site.Options.model_validate({"ouput": "public"})


def test_what_is_sent_stands_and_is_found(connect: Connect, tmp_path: Path) -> None:
    connection = connect(outage(FIRST, SECOND))
    assert connection.find([intent(FIRST)], None) == {}
    assert connection.prepare([Post("x", 1)], "en", None) == [base.Prepared()]
    (sent,) = connection.send([intent(FIRST)], None)
    assert sent == {1: Ref("api#u-20261122T140500Z", "https://status.example.com/api.html#u-20261122T140500Z")}
    assert (tmp_path / "public/api.html").is_file()
    assert connect().find([intent(FIRST)], None) == sent
    assert connect().find([intent(NOW)], None) == {}
    connection.close()


def test_the_site_is_built_once_for_all_that_is_sent(connect: Connect, tmp_path: Path) -> None:
    connection = connect(outage(FIRST, SECOND))
    list(connection.send([intent(FIRST)], None))
    built = (tmp_path / "public").stat().st_ino
    list(connection.send([intent(SECOND)], None))
    assert (tmp_path / "public").stat().st_ino == built


def test_an_update_that_no_file_holds_is_refused(connect: Connect) -> None:
    with pytest.raises(RefusedError, match="no update of 2026-11-22 15:40 UTC"):
        list(connect(outage(FIRST)).send([intent(SECOND)], None))


def test_a_translation_stands_on_its_own_page(connect: Connect) -> None:
    connection = connect(outage(FIRST), outage(FIRST, language="fr", path="incidents/api.fr.md"))
    ((ref,),) = (standing.values() for standing in connection.send([intent(FIRST, language="fr")], None))
    assert ref.url == "https://status.example.com/api.fr.html#u-20261122T140500Z"
    assert connection.find([intent(FIRST, language="fr")], None) == {1: ref}


def test_without_a_url_a_post_is_a_file(connect: Connect, tmp_path: Path) -> None:
    ((ref,),) = (standing.values() for standing in connect(outage(FIRST), url=None).send([intent(FIRST)], None))
    assert ref.url == (tmp_path / "public/api.html").as_uri() + "#u-20261122T140500Z"


def test_editing_builds_again(connect: Connect, tmp_path: Path) -> None:
    ((ref,),) = (standing.values() for standing in connect(outage(FIRST)).send([intent(FIRST)], None))
    assert connect(outage(FIRST, SECOND)).edit(ref, intent(FIRST)) == ref
    assert "u-20261122T154000Z" in (tmp_path / "public/api.html").read_text()


def test_what_is_deleted_is_gone_and_the_rest_stays(connect: Connect) -> None:
    connection = connect(outage(FIRST, SECOND))
    refs = [ref for standing in connection.send([intent(FIRST), intent(SECOND)], None) for ref in standing.values()]
    list(connection.delete([refs[1]]))
    assert connection.find([intent(SECOND)], None) == {}
    assert connection.find([intent(FIRST)], None) == {1: refs[0]}
    list(connection.delete(refs))
    assert connection.find([intent(FIRST)], None) == {}


def test_a_folder_of_somebody_else_is_refused(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public/api.html").write_text('id="u-20261122T140500Z"')
    connection = connect(outage(FIRST))
    assert connection.find([intent(FIRST)], None) == {}
    with pytest.raises(RefusedError, match="did not make"):
        connection.verify()
    with pytest.raises(RefusedError, match="did not make"):
        list(connection.send([intent(FIRST)], None))
    assert (tmp_path / "public/api.html").read_text() == 'id="u-20261122T140500Z"'


def test_a_link_out_of_the_project_is_refused(connect: Connect, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project/public").symlink_to(outside)
    with pytest.raises(RefusedError, match="out of the project"):
        connect(outage(FIRST), root=tmp_path / "project")


def test_verifying_changes_nothing(connect: Connect, tmp_path: Path) -> None:
    assert connect(outage(FIRST)).verify() == base.Account("public", "https://status.example.com")
    assert list(tmp_path.iterdir()) == []


def test_importing_it_pulls_no_feed_library() -> None:
    code = "import sys, broadcast.platforms.site; print([name for name in ('feedgen', 'lxml') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
