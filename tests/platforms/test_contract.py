"""What every platform promises, through its real SDK over real HTTP to a stand-in."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Media, Ref
from broadcast.platforms import bluesky_api
from broadcast.rehearsal.base import Request, Response
from broadcast.rehearsal.server import HALF, HUNG, LOST, REFUSED, Fault
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench

THREAD = (
    "Elevated API errors in the EU 👩‍👩‍👧 🏳️‍🌈 & <b>more</b> #outage https://status.example.com/outage?a=1&b=2",
    "Les requêtes échouent : 5 % d'erreurs – déjà vu? 東京リージョン",
    'Third, with one@example.com and file.py and "quotes" and it\'s\n\nA second paragraph.',
    "Fourth: https://example.com/ and https://example.com",
    "Fifth ✅ #done",
)
IMAGE = Media("errors.jpg", "Error rate since 14:00 – a steep line")


def test_thread_of_five_stands_as_it_was_planned(bench: Bench) -> None:
    connection = bench.connect()
    posts = [bench.post(THREAD[0], IMAGE), *(bench.post(text) for text in THREAD[1:])]

    refs = bench.publish(connection, posts, language="fr")

    seen = bench.standing()
    assert [one.text for one in seen] == list(THREAD)
    assert [one.id for one in seen] == [ref.id for ref in refs]
    assert [one.reply_to for one in seen] == [None, *(ref.id for ref in refs[:-1])]
    assert [item.alt for item in seen[0].media] == [IMAGE.alt]
    assert seen[0].media[0].mime == "image/jpeg"
    assert b"SecretCamera" not in seen[0].media[0].data
    assert "https://status.example.com/outage?a=1&b=2" in {link.url for link in seen[0].links}
    if bench.name != "x":  # which makes its own guess
        assert {one.language for one in seen} == {"fr"}
    assert all(ref.url and ref.url.startswith("https://") for ref in refs)


def test_update_answers_the_last_post_of_the_one_before(bench: Bench) -> None:
    connection = bench.connect()
    first = bench.publish(connection, [bench.post("one"), bench.post("two")])
    second = bench.publish(bench.connect(), [bench.post("three"), bench.post("four")], first[-1])

    assert bench.standing()[2].reply_to == first[-1].id
    assert bench.standing()[3].reply_to == second[0].id


def test_account_is_named(bench: Bench) -> None:
    account = bench.connect().verify()
    assert account.name.startswith("@")
    assert account.url is not None
    assert account.notes == ()


@pytest.mark.parametrize("fault", [LOST, HALF, Fault(answer="none", delay=0.2)], ids=["lost", "half", "slow and lost"])
def test_post_whose_answer_was_lost_is_found(bench: Bench, fault: Fault) -> None:
    connection = bench.connect()
    posts = [bench.post(text) for text in THREAD]
    intents = bench.intents(connection, posts)
    sent = list[int]()
    bench.fail(fault)

    with pytest.raises(LostAnswerError):
        sent.extend(part for standing in connection.send(intents, None) for part in standing)

    assert not sent
    found = bench.connect().find(intents, None)
    whole = bench.name == "bluesky"
    assert list(found) == ([1, 2, 3, 4, 5] if whole else [1])
    assert [ref.id for ref in found.values()] == [seen.id for seen in bench.standing()]
    assert all(ref.url for ref in found.values())


@pytest.mark.parametrize("bench", ["mastodon", "x"], indirect=True)  # on Bluesky, a thread is one request
def test_later_part_whose_answer_was_lost_is_found_below_its_parent(bench: Bench) -> None:
    connection = bench.connect()
    posts = [bench.post(THREAD[0], IMAGE), *(bench.post(text) for text in THREAD[1:])]
    intents = bench.intents(connection, posts)
    bench.fail(LOST, skip=2)
    sending = connection.send(intents, None)
    before: dict[int, Ref] = {}
    while len(before) < 2:
        before |= next(sending)
    with pytest.raises(LostAnswerError):
        next(sending)

    assert list(before) == [1, 2]
    found = connection.find(intents[2:], before[2])
    assert list(found) == [3]
    assert connection.find(intents, None) == {**before, **found}
    list(connection.send(intents[3:], found[3]))
    assert [seen.text for seen in bench.standing()] == list(THREAD)


def test_what_is_found_is_what_was_sent(bench: Bench) -> None:
    connection = bench.connect()
    root = bench.publish(connection, [bench.post("the first")])[0]
    intents = bench.intents(connection, [bench.post(text) for text in THREAD], root)
    there = sent(connection, intents, root)
    assert connection.find(intents, root) == there


@pytest.mark.parametrize("fault", [REFUSED, HUNG], ids=["broken", "hung"])
def test_post_that_never_arrived_is_proved_absent_and_sent_once(
    bench: Bench, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadcast.platforms.http.READ_TIMEOUT", 0.5)
    monkeypatch.setattr(bluesky_api, "TIMEOUT", 0.5)
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post(text) for text in THREAD])
    bench.fail(fault)

    with pytest.raises(LostAnswerError):
        list(connection.send(intents, None))

    assert connection.find(intents, None) == {}
    list(connection.send(intents, None))
    assert [seen.text for seen in bench.standing()] == list(THREAD)


def test_same_text_of_another_thread_is_not_taken_for_ours(bench: Bench) -> None:
    connection = bench.connect()
    first = bench.publish(connection, [bench.post("Still looking into it.")])
    intents = bench.intents(connection, [bench.post("Still looking into it.")], first[0])
    assert connection.find(intents, first[0]) == {}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_leaves_it_open(bench: Bench, status: int) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bench.fail(bench.answer(status))
    with pytest.raises(LostAnswerError, match=str(status)):
        list(connection.send(intents, None))


@pytest.mark.parametrize("status", [400, 403, 404, 422, 429])
def test_refusal_did_nothing(bench: Bench, status: int) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bench.fail(bench.answer(status, {"error": "no such luck", "message": "\x1b[31mred"}))
    with pytest.raises(RefusedError, match=rf"{status}.*no such luck") as caught:
        list(connection.send(intents, None))
    assert "\x1b" not in str(caught.value)


def test_unreadable_answer_leaves_it_open(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bodies: list[object] = [{}, [], "x", {"data": 1, "results": 1}, {"data": {}, "results": [{"cid": "another"}]}]
    for body in bodies:
        bench.fail(bench.answer(200, body))
        with pytest.raises(LostAnswerError):
            list(connection.send(intents, None))
    bench.fail(Fault(effect=False, answer=Response(200, b"<html>")))
    with pytest.raises(LostAnswerError):
        list(connection.send(intents, None))


def test_limit_says_when_to_come_back(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    reset = datetime.now(UTC) + timedelta(seconds=100)
    epoch = str(int(reset.timestamp()))
    header = {
        "x": {"x-rate-limit-reset": epoch},
        "bluesky": {"ratelimit-reset": epoch},
        "mastodon": {"X-RateLimit-Reset": reset.isoformat().replace("+00:00", "Z")},
    }[bench.name]
    for headers, least, most in (({"Retry-After": "42"}, 42, 42), (header, 95, 101)):
        bench.fail(bench.answer(429, None, headers))
        with pytest.raises(RefusedError) as caught:
            list(connection.send(intents, None))
        assert caught.value.retry_after is not None
        assert least <= caught.value.retry_after <= most
    assert not bench.standing()


def test_longest_post_is_taken_and_one_more_is_refused(bench: Bench) -> None:
    limit = bench.channel.limits.length
    connection = bench.connect()
    exact, over = bench.post("é" * limit), bench.post("ü" * (limit + 1))
    assert exact.length == limit
    bench.publish(connection, [exact])
    with pytest.raises(RefusedError):
        bench.publish(connection, [over])
    assert [seen.text for seen in bench.standing()] == [exact.text]


def test_delete_newest_first_and_again(bench: Bench) -> None:
    connection = bench.connect()
    refs = bench.publish(connection, [bench.post(text) for text in THREAD])
    kept = bench.publish(connection, [bench.post("stays")])
    for some in (refs[:2:-1], refs[::-1], refs[::-1]):
        assert [ref for gone in connection.delete(some) for ref in gone] == some
    assert [seen.id for seen in bench.standing()] == [ref.id for ref in kept]


def test_edit_changes_the_text_and_keeps_the_images(bench: Bench) -> None:
    connection = bench.connect()
    ref = bench.publish(connection, [bench.post("befor", IMAGE)])[0]
    intent = bench.intents(connection, [bench.post("before", IMAGE)])[0]
    if not bench.platform.EDITS:
        with pytest.raises(RefusedError):
            connection.edit(ref, intent)
        return
    old = bench.standing()[0]
    assert connection.edit(ref, intent) == ref
    (new,) = bench.standing()
    assert (new.text, new.media, new.id) == ("before", old.media, old.id)


def test_wrong_credentials(bench: Bench) -> None:
    for field in bench.platform.SECRETS:
        with pytest.raises(CredentialsError):
            bench.connect(**{field: "wr0ng-secret"})


def test_missing_credentials_are_named(bench: Bench) -> None:
    for field in bench.platform.SECRETS:
        with pytest.raises(CredentialsError, match=f"BROADCAST_NEWS_ROOM_{field}"):
            bench.connect(**{field: ""})


def test_credentials_that_are_withdrawn_while_sending(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bench.fail(bench.answer(401, {"error": "revoked"}))
    with pytest.raises(CredentialsError):
        list(connection.send(intents, None))


def test_nobody_listens(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bench.server.__exit__(None, None, None)
    with pytest.raises(RefusedError, match="cannot be reached"):
        list(connection.send(intents, None))
    with pytest.raises(UnprovableError):
        connection.find(intents, None)
    with pytest.raises(RefusedError, match="cannot be reached"):
        bench.connect()


def test_login_that_hangs_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcast.platforms.http.READ_TIMEOUT", 0.3)
    monkeypatch.setattr(bluesky_api, "TIMEOUT", 0.3)
    bench.server.faults = lambda request, number: HUNG
    with pytest.raises(RefusedError, match="in time"):
        bench.connect()


def test_posts_that_cannot_be_read_prove_nothing(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    for status in (401, 403, 404, 429, 500):
        fault = bench.answer(status)
        bench.server.faults = partial(_always, fault)
        with pytest.raises(UnprovableError):
            connection.find(intents, None)


def _always(fault: Fault, request: Request, number: int) -> Fault:
    return fault


def test_redirect_is_not_followed(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    for status in (301, 302, 307, 308):
        bench.fail(bench.answer(status, None, {"Location": "http://elsewhere.example/"}))
        with pytest.raises(RefusedError, match="sends requests on"):
            list(connection.send(intents, None))
    assert not bench.standing()


def test_login_that_is_sent_elsewhere_is_not_followed(bench: Bench) -> None:
    bench.server.faults = partial(_always, bench.answer(302, None, {"Location": "http://localhost:1/elsewhere"}))
    with pytest.raises(RefusedError, match="sends requests on"):
        bench.connect()


def _lost(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one", IMAGE)])
    bench.fail(LOST)
    list(connection.send(intents, None))


def _echoed(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    known = " ".join(bench.secrets.values())
    bench.fail(bench.answer(403, {"error": known, "message": known, "detail": known}))
    list(connection.send(intents, None))


def _echoed_at_login(bench: Bench) -> None:
    known = " ".join(bench.secrets.values())
    bench.server.faults = lambda request, number: bench.answer(401, {"error": known, "message": known})
    bench.connect()


def _gone(bench: Bench) -> None:
    bench.server.faults = lambda request, number: REFUSED
    bench.connect()


@pytest.mark.parametrize("wrong", [_lost, _echoed, _echoed_at_login, _gone])
def test_no_secret_in_message_traceback_or_log(
    bench: Bench, wrong: Callable[[Bench], None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), pytest.raises(SendError) as caught:
        wrong(bench)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    for secret in bench.secrets.values():
        assert secret not in told


def test_image_must_be_one_and_stand_in_the_project(bench: Bench) -> None:
    (bench.root / "text.png").write_text("not an image")
    connection = bench.connect()
    for path in ("text.png", "missing.png", "../errors.jpg", "/etc/hostname"):
        with pytest.raises(RefusedError, match=path):
            bench.publish(connection, [bench.post("one", Media(path, "alt"))])
    assert not bench.standing()


def test_base_url_is_safe_to_send_a_credential_to(bench: Bench) -> None:
    (name,) = {"api_url", "service", "api_base_url"} & set(bench.server.options())
    good = bench.server.options()
    for url in ("http://example.com", "ftp://example.com", "https://u:p@example.com", "example.com", "https://a/?b=c"):
        with pytest.raises(ValueError, match=r"https://|must not"):
            bench.platform.OPTIONS(**{**good, name: url})
    for url in ("https://example.com/", "http://localhost:1/", "http://[::1]:1//", "https://example.com/base/"):
        assert getattr(bench.platform.OPTIONS(**{**good, name: url}), name) == url.rstrip("/")
    with pytest.raises(ValueError, match="Extra inputs"):
        bench.platform.OPTIONS(**good, other=1)


def test_planning_loads_no_sdk() -> None:
    code = (
        "import sys\n"
        "from broadcast.platforms import bluesky, mastodon, x\n"
        "x.limits(x.Options()).measure('a'); x.cost\n"
        "names = {'tweepy', 'atproto', 'atproto_client', 'mastodon', 'requests', 'httpx', 'PIL', 'libipld'}\n"
        "print(sorted(names & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
