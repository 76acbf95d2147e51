"""Pictures on the stand-in for X."""

from __future__ import annotations

import base64

import pytest
import tweepy  # type: ignore[import-untyped]  # ships no types

from x_account import Account


def test_a_picture_with_a_description(account: Account, png: bytes) -> None:
    media = [account.upload(png, "Error rate since 14:00"), account.upload(png)]
    post_id = account.post("See", media_ids=media)
    seen = account.world.timeline()[0]
    assert seen.text == "See"
    assert [(item.data, item.mime, item.alt) for item in seen.media] == [
        (png, "image/png", "Error rate since 14:00"),
        (png, "image/png", ""),
    ]
    read = account.client.get_tweet(
        post_id, tweet_fields=["entities", "attachments"], expansions=["attachments.media_keys"],
        media_fields=["alt_text"], user_auth=True,
    )  # fmt: skip
    assert read.data.text == f"See {read.data.entities['urls'][0]['url']}"
    assert len(read.data.entities["urls"]) == 2
    assert [item.media_key for item in read.includes["media"]] == read.data.attachments["media_keys"]
    only_picture = account.post(media_ids=[media[1]])
    assert account.client.get_tweet(only_picture, user_auth=True).data.text.startswith("https://t.co/")


def test_an_upload_as_json(account: Account, png: bytes) -> None:
    body = {"media": base64.b64encode(png).decode(), "media_category": "tweet_image"}
    answer = account.send("POST", "/2/media/upload", json=body)
    account.post("x", media_ids=[answer.json()["data"]["id"]])
    assert account.world.timeline()[0].media[0].data == png


@pytest.mark.parametrize("as_json", [False, True])
def test_an_upload_in_segments(account: Account, as_json: bool) -> None:
    video = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    body = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": len(video)}
    media_id = account.send("POST", "/2/media/upload/initialize", json=body).json()["data"]["id"]
    for index, part in ((1, video[5000:]), (0, video[:5000])):
        path = f"/2/media/upload/{media_id}/append"
        if as_json:
            sent = account.send("POST", path, json={"segment_index": index, "media": base64.b64encode(part).decode()})
        else:
            sent = account.send("POST", path, data={"segment_index": index}, files={"media": part})
        assert sent.status_code == 200, sent.text
    done = account.send("POST", f"/2/media/upload/{media_id}/finalize").json()["data"]
    assert done["processing_info"]["state"] == "in_progress"
    with pytest.raises(tweepy.BadRequest):
        account.post("too early", media_ids=[media_id])
    status = account.send("GET", f"/2/media/upload?command=STATUS&media_id={media_id}").json()["data"]
    assert status["processing_info"]["state"] == "succeeded"
    account.post("now", media_ids=[media_id])
    assert account.world.timeline()[0].media[0].data == video


def test_uploads_that_are_refused(account: Account, png: bytes) -> None:
    def upload(data: bytes, category: str = "tweet_image", **more: str) -> int:
        form = {"media_category": category} | more
        return account.send("POST", "/2/media/upload", data=form, files={"media": data}).status_code

    assert upload(b"no picture") == 400
    assert upload(png, "tweet_gif") == 400
    assert upload(png, "banner") == 400
    assert upload(png, media_type="image/png") == 400
    assert upload(png + bytes(5 * 1024**2)) == 400
    assert account.send("POST", "/2/media/upload", json={"media_category": "tweet_image"}).status_code == 400
    begin = "/2/media/upload/initialize"
    assert account.send("POST", begin, json={"media_category": "tweet_image"}).status_code == 400
    assert account.send("POST", begin, json={"total_bytes": 6 * 1024**2}).status_code == 400
    media_id = account.send("POST", begin, json={"total_bytes": 10}).json()["data"]["id"]
    account.send("POST", f"/2/media/upload/{media_id}/append", data={"segment_index": 0}, files={"media": png})
    assert account.send("POST", f"/2/media/upload/{media_id}/finalize").status_code == 400
    assert account.send("POST", "/2/media/upload/5/append", data={"segment_index": 0}, files={"media": png}).ok is False
    assert account.send("GET", "/2/media/upload?media_id=5").status_code == 404


def test_descriptions_have_a_limit(account: Account, png: bytes) -> None:
    media_id = account.upload(png, "a" * 1000)
    for body in (
        {"id": media_id, "metadata": {"alt_text": {"text": "a" * 1001}}},
        {"id": media_id, "metadata": {}},
        {"id": "5", "metadata": {"alt_text": {"text": "a"}}},
    ):
        assert account.send("POST", "/2/media/metadata", json=body).status_code == 400
