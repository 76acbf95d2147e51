"""What the stand-in for X answers fits X's own OpenAPI description, where that is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_schema_validator import OAS30Validator
from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x

SHARED = Path(os.environ.get("BROADCAST_SHARED") or Path(__file__).parents[3] / "shared")
DESCRIPTION = SHARED / "data" / "x-openapi.json"
pytestmark = pytest.mark.skipif(not DESCRIPTION.is_file(), reason="X's OpenAPI description is not at hand")


@pytest.fixture(scope="module")
def check() -> Callable[[str, Any], None]:
    """Compares a value with one of the description's schemas."""
    components = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]

    def check(schema: str, value: Any) -> None:
        whole = {"allOf": [{"$ref": f"#/components/schemas/{schema}"}], "components": components}
        errors = [f"{error.json_path}: {error.message}" for error in OAS30Validator(whole).iter_errors(value)]
        assert errors == []

    return check


def test_answers(serve: Callable[..., Any], check: Callable[[str, Any], None], png: bytes) -> None:
    world = x.create()
    server = serve(world)
    secrets = world.secrets()
    auth = OAuth1(*(secrets[name] for name in ("API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")))

    def call(method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        answer = requests.request(method, f"{server.url}{path}", auth=auth, timeout=5, **kwargs)
        assert answer.status_code == status, answer.text
        return answer.json()

    check("GetUsersMeResponse", call("GET", "/2/users/me"))
    form = {"media_category": "tweet_image"}
    uploaded = call("POST", "/2/media/upload", data=form, files={"media": png})
    check("MediaUploadResponse", uploaded)
    media_id = uploaded["data"]["id"]
    described = call("POST", "/2/media/metadata", json={"id": media_id, "metadata": {"alt_text": {"text": "a"}}})
    check("CreateMediaMetadataResponse", described)
    video = b"\0\0\0\x18ftypmp42"
    body = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": len(video)}
    begun = call("POST", "/2/media/upload/initialize", json=body)
    check("InitializeMediaUploadRequest", body)
    check("InitializeMediaUploadResponse", begun)
    path = f"/2/media/upload/{begun['data']['id']}"
    appended = call("POST", f"{path}/append", data={"segment_index": "0"}, files={"media": video})
    check("AppendMediaUploadResponse", appended)
    check("FinalizeMediaUploadResponse", call("POST", f"{path}/finalize"))
    check("GetMediaUploadStatusResponse", call("GET", f"/2/media/upload?media_id={begun['data']['id']}"))
    new = {"text": "see https://example.com & #x", "media": {"media_ids": [media_id]}}
    check("CreatePostsRequest", new)
    created = call("POST", "/2/tweets", 201, json=new)
    check("CreatePostsResponse", created)
    post_id = created["data"]["id"]
    fields = (
        "post.fields=attachments,conversation_id,created_at,entities,lang&expansions=attachments.media_keys,author_id"
    )
    check("GetPostsByIdResponse", call("GET", f"/2/tweets/{post_id}?{fields}"))
    check("GetUsersPostsResponse", call("GET", f"/2/users/{x.USER_ID}/tweets?{fields}"))
    check("GetPostsByIdResponse", call("GET", "/2/tweets/5"))
    check("DeletePostsResponse", call("DELETE", f"/2/tweets/{post_id}"))
    check("Problem", call("DELETE", f"/2/tweets/{post_id}", 404))
    check("Problem", call("POST", "/2/tweets", 400, json={"text": "a" * 281}))
