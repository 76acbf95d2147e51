"""Tweepy's client on the stand-in for X, and signed requests where it has no method."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import requests
import tweepy  # type: ignore[import-untyped]  # ships no types
from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x
from broadcast.rehearsal.server import Server

Serve = Callable[..., Server]


class _Session(requests.Session):
    """tweepy has its host hard-coded."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        target = str(url).replace("https://api.twitter.com", self.url)
        return super().request(method, target, *args, **{**kwargs, "timeout": 5})


class Account:
    """A client and the world that it talks to."""

    def __init__(
        self, serve: Serve, options: x.Options = x.DEFAULT, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.world = x.create(options, clock) if clock else x.create(options)
        self.server = serve(self.world)
        secrets = self.world.secrets()
        keys = [secrets[name] for name in ("API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")]
        self.client = tweepy.Client(None, *keys)
        self.client.session = _Session(self.server.url)
        self.auth = OAuth1(*keys)

    def post(self, text: str | None = None, **kwargs: Any) -> str:
        return str(self.client.create_tweet(text=text, **kwargs).data["id"])

    def send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return requests.request(method, self.server.url + path, auth=self.auth, timeout=5, **kwargs)

    def upload(self, data: bytes, alt: str | None = None) -> str:
        answer = self.send("POST", "/2/media/upload", data={"media_category": "tweet_image"}, files={"media": data})
        assert answer.status_code == 200, answer.text
        media_id = str(answer.json()["data"]["id"])
        if alt is not None:
            body = {"id": media_id, "metadata": {"alt_text": {"text": alt}}}
            assert self.send("POST", "/2/media/metadata", json=body).status_code == 200
        return media_id

    def own_posts(self, **kwargs: Any) -> Any:
        return self.client.get_users_tweets(x.USER_ID, user_auth=True, **kwargs)
