"""What an account may not do, as far as its platform tells: before anything is sent."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from broadcast.errors import CredentialsError, RefusedError
from broadcast.platforms import bluesky
from broadcast.platforms.base import Account, Connection, Workspace
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.server import Fault

if TYPE_CHECKING:
    from pds_server import Pds
    from platforms.conftest import Bench, Open


def asked(bench: Bench) -> Account:
    """What `channels --verify` is told."""
    workspace = Workspace(bench.root, datetime.now(UTC), inquire=True)
    connection: Connection = bench.platform.connect(bench.channel, bench.secrets, workspace)
    bench.stack.callback(connection.close)
    return connection.verify()


def altered(bench: Bench, path: str, **changes: Any) -> None:
    """Let an answer say something else."""
    world = bench.server.world

    def decide(request: Any, number: int) -> Fault | None:
        if not request.path.endswith(path):
            return None
        answer = world.handle(request)
        return Fault(effect=False, answer=replace(answer, body=json.dumps(json.loads(answer.body) | changes).encode()))

    bench.server.faults = decide


# --- Mastodon --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (["read", "write"], []),
        (["read:accounts", "read:statuses", "write:statuses", "write:media"], []),
        (["read", "write:statuses"], ["write:media"]),
        (["read:accounts", "profile"], ["write:statuses", "write:media", "read:statuses"]),
        (None, []),
        ([], []),
        ("read write", []),
        ([1, "\x1b[31m"], []),
    ],
)
def test_mastodon_scopes_that_the_application_lacks(open_bench: Open, scopes: Any, missing: list[str]) -> None:
    bench = open_bench("mastodon")
    altered(bench, "/apps/verify_credentials", scopes=scopes)
    notes = asked(bench).notes
    assert [re.findall(r"lacks the scope (\S+): ", note) for note in notes] == [[name] for name in missing]


def test_mastodon_is_asked_for_scopes_only_to_show_them(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.connect().verify()
    assert not any(entry.path.endswith("/apps/verify_credentials") for entry in bench.server.log)
    asked(bench)
    assert any(entry.path.endswith("/apps/verify_credentials") for entry in bench.server.log)


@pytest.mark.parametrize("answer", [Response(404), Response(500), Response(200, b"[]"), Response(200, b"<html>")])
def test_mastodon_that_does_not_tell_scopes_is_no_failure(open_bench: Open, answer: Response) -> None:
    bench = open_bench("mastodon")
    fault = Fault(effect=False, answer=answer)
    bench.server.faults = lambda request, number: fault if "/apps/" in request.path else None
    assert asked(bench).notes == ()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("suspended", True, "suspended"), ("limited", True, "only its followers"), ("moved", {"id": "1"}, "moved")],
)
def test_mastodon_account_that_is_held_back(open_bench: Open, field: str, value: object, said: str) -> None:
    bench = open_bench("mastodon")
    altered(bench, "/accounts/verify_credentials", **{field: value})
    (note,) = bench.connect().verify().notes
    assert said in note


# --- Bluesky ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["deactivated", "suspended", "takendown"])
def test_bluesky_account_that_takes_no_posts_is_told_before_anything_is_sent(open_bench: Open, status: str) -> None:
    with pytest.raises(CredentialsError, match="Bluesky takes no posts"):
        open_bench("bluesky", status=status).connect().verify()


def test_bluesky_account_that_was_deactivated_on_a_real_pds(open_bench: Open, pds: Pds) -> None:
    bench = open_bench("bluesky-pds", rate_limited=True)
    account = cast(Any, bench.server.world).account
    token = pds.signed({"scope": "com.atproto.access", "sub": account.did, "iat": 0, "exp": 2**32})
    answer = pds.http.post(
        "/xrpc/com.atproto.server.deactivateAccount", json={}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.is_success
    with pytest.raises(CredentialsError, match="the account is deactivated"):
        bench.connect().verify()


@pytest.mark.parametrize("status", [None, 7, ["deactivated"], "\x1b[31m", "throttled"])
def test_bluesky_state_that_nobody_knows_stops_nothing(open_bench: Open, status: object) -> None:
    bench = open_bench("bluesky")
    connection = cast(bluesky.Connection, bench.connect())
    connection._client.login_answer = {"active": False, "status": status}
    assert connection.verify().notes == ()


def test_bluesky_own_password_is_told_on(open_bench: Open) -> None:
    """The accounts that the tests make on a real PDS log in with their own password."""
    bench = open_bench("bluesky-pds", rate_limited=True)
    own, unconfirmed = bench.connect().verify().notes
    assert "make an app password" in own
    assert "not confirmed" in unconfirmed


@pytest.mark.parametrize(
    ("scope", "notes"),
    [("com.atproto.appPass", 0), ("com.atproto.appPassPrivileged", 1), ("com.atproto.access", 1), (["x"], 0)],
)
def test_bluesky_scope_is_read_from_the_token(open_bench: Open, scope: object, notes: int) -> None:
    connection = cast(bluesky.Connection, open_bench("bluesky").connect())
    claims = base64.urlsafe_b64encode(json.dumps({"scope": scope}).encode()).decode().rstrip("=")
    connection._client._session.access_jwt = f"x.{claims}.x"
    assert len(connection.verify().notes) == notes


@pytest.mark.parametrize("token", ["", "x", "x.y.z", "x..z", "x.bnVsbA.z", "x." + "W" * 9 + ".z", "é.é.é"])
def test_bluesky_token_that_tells_nothing_is_no_failure(open_bench: Open, token: str) -> None:
    connection = cast(bluesky.Connection, open_bench("bluesky").connect())
    connection._client._session.access_jwt = token
    assert connection.verify().notes == ()


@pytest.mark.parametrize(("video", "said"), [("works", []), ("limited", ["daily limit"]), ("unconfirmed", ["email"])])
def test_bluesky_says_when_the_video_service_would_refuse(open_bench: Open, video: str, said: list[str]) -> None:
    bench = open_bench("bluesky", video=video)
    notes = asked(bench).notes
    assert len(notes) == len(said)
    assert all(words in note for words, note in zip(said, notes, strict=True))
    assert bench.connect().verify().notes == ()


def test_bluesky_without_a_video_service_asks_none(open_bench: Open) -> None:
    bench = open_bench("bluesky", email_confirmed=False, video="limited")
    assert "not confirmed" in bench.connect().verify().notes[0]
    bench.options["video_service"] = ""
    assert asked(bench).notes == ()
    assert [entry.path for entry in bench.server.log if "video" in entry.path] == []


def test_x_that_is_not_there_is_no_account_to_show(open_bench: Open) -> None:
    """`publish` goes on where X does not say who this is; to verify an address that is wrong would be no help."""
    bench = open_bench("x")
    fault = Fault(effect=False, answer=Response(404))
    bench.server.faults = lambda request, number: fault
    assert "does not say who" in bench.connect().verify().notes[0]
    with pytest.raises(RefusedError, match="404"):
        asked(bench)
