"""Whatever a client sends, a stand-in answers: a bug in a client must not look like a broken connection."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client as Signer  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import bluesky, mastodon, x
from broadcast.rehearsal.base import Request, World

NAMES = [
    *("text", "reply", "in_reply_to_tweet_id", "media", "media_ids", "media_category", "total_bytes", "id", "metadata"),
    *("repo", "writes", "$type", "collection", "rkey", "value", "record", "identifier", "password", "swapCommit"),
    *("status", "in_reply_to_id", "visibility", "language", "description", "embed", "images", "image", "ref", "$link"),
    *(
        "facets",
        "index",
        "features",
        "langs",
        "createdAt",
        "root",
        "parent",
        "uri",
        "cid",
        "size",
        "mimeType",
        "$bytes",
    ),
]
WORDS = [
    *("", "hello", "5", "-1", "tweet_image", "app.bsky.feed.post", "3lxq2k3caak2z", "at://did:plc:a/b.c.d/e", "blob"),
    *("com.atproto.repo.applyWrites#create", "com.atproto.repo.applyWrites#delete", "app.bsky.embed.images", "\0"),
    *(
        "bafkreicjo6iji7kgmz3azy4phqaoquwhd7nwnsxijg5or2pn4njhdhqvqe",
        "2026-11-22T14:05:00Z",
        bluesky.HANDLE,
        "👩‍👩‍👧‍👦",
    ),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            *(
                "limit",
                "max_id",
                "cursor",
                "repo",
                "collection",
                "max_results",
                "start_time",
                "post.fields",
                "since_id",
            ),
            *("pagination_token", "handle", "did", "media_id", "rkey", "reverse", "exclude"),
        ]
    ),
    st.sampled_from(
        [
            "0",
            "5",
            "²",
            "x",
            "",
            "-1",
            "9" * 30,
            "9" * 5000,
            bluesky.HANDLE,
            "2026-11-22T14:05:00Z",
            "2026-99-99T99:99:99Z",
        ]
    ),
)


LINK = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com"}
PARENT = {"uri": "at://did:plc:abc/app.bsky.feed.post/3lxq2k3caak2z", "cid": WORDS[-4]}
RECORD = {
    "$type": "app.bsky.feed.post",
    "text": "hello",
    "createdAt": "2026-11-22T14:05:00Z",
    "langs": ["en"],
    "facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": [LINK]}],
    "reply": {"root": PARENT, "parent": PARENT},
    "embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://a.b", "title": "", "description": ""}},
}
STEP = {"$type": "com.atproto.repo.applyWrites#create", "collection": "app.bsky.feed.post", "value": RECORD}
SEEDS: dict[str, dict[str, Any]] = {
    "/2/tweets": {"text": "hello", "reply": {"in_reply_to_tweet_id": "5"}, "media": {"media_ids": ["5"]}},
    "/2/media/upload": {"media": "R0lGODlh", "media_category": "tweet_gif"},
    "/2/media/upload/initialize": {"media_category": "tweet_gif", "media_type": "image/gif", "total_bytes": 6},
    "/2/media/metadata": {"id": "5", "metadata": {"alt_text": {"text": "a"}}},
    "/xrpc/com.atproto.repo.applyWrites": {"repo": bluesky.HANDLE, "writes": [STEP]},
    "/xrpc/com.atproto.repo.createRecord": {"repo": bluesky.HANDLE, "collection": RECORD["$type"], "record": RECORD},
    "/api/v1/statuses": {"status": "hello https://a.com #b", "language": "en", "media_ids": [], "visibility": "public"},
}


@st.composite
def nearly(draw: st.DrawFn, value: Any) -> Any:
    """A good body with a few pieces of it replaced or left out."""
    if draw(st.integers(0, 14)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        return {name: draw(nearly(one)) for name, one in value.items() if draw(st.integers(0, 19))}
    return [draw(nearly(one)) for one in value] if isinstance(value, list) else value


def bodies(route: str) -> st.SearchStrategy[Any]:
    seed = SEEDS.get(route.partition(" ")[2])
    return BODIES if seed is None else BODIES | nearly(seed) | nearly(seed)


def routes(world: Any) -> list[str]:
    """Every route of a world, with an id in its path."""
    patterns = [(method, pattern.pattern) for method, pattern, _ in world._routes._table]
    return [f"{method} {pattern.replace('([^/]+)', '5').replace(chr(92), '')}" for method, pattern in patterns]


def authorize(world: World, request: Request) -> dict[str, str]:
    """The headers that let the request in."""
    if isinstance(world, x.XWorld):
        keys = world.credentials
        signer = Signer(keys.key, keys.secret, keys.token, keys.token_secret)
        _, headers, _ = signer.sign(request.url, http_method=request.method)
        return {name.lower(): value for name, value in headers.items()}
    if isinstance(world, bluesky.BlueskyWorld):
        return {"authorization": f"Bearer {world._sessions._tokens.pair()['accessJwt']}"}
    return {"authorization": f"Bearer {world.secrets()['ACCESS_TOKEN']}"}


@pytest.mark.parametrize("module", [x, bluesky, mastodon], ids=["x", "bluesky", "mastodon"])
def test_every_request_has_an_answer(module: Any) -> None:
    world = module.create()
    if isinstance(world, bluesky.BlueskyWorld):
        WORDS.append(world.did)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def send(data: st.DataObject) -> None:
        route = data.draw(st.sampled_from(routes(world)))
        body, query = data.draw(bodies(route)), data.draw(QUERIES)
        method, path = route.split(" ")
        whole = json.dumps(body).encode()
        bare = Request(method, path, f"http://127.0.0.1{path}", {name: (value,) for name, value in query.items()})
        headers = {"content-type": "application/json", **authorize(world, bare)}
        response = world.handle(Request(method, path, bare.url, bare.query, headers, whole))
        assert 200 <= response.status < 500 or b"InternalServerError" in response.body
        assert response.body == b"" or response.headers["Content-Type"]
        world.timeline()

    send()
