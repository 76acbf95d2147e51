"""Ids, keys and addresses have the forms that their platform gives them, or are not believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broadcast.model import Channel, FitOptions, Receipt, Ref
from broadcast.platforms import base, forms

HOSTS = {"x": {}, "bluesky": {"handle": "status.example.com"}, "mastodon": {"api_base_url": "https://social.example"}}
URL = "https://status.example.com"
DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
CID = "bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgt7mqpltgnvpqeuoa"
GOOD = {
    "x": ["1", "1989898989898989898"],
    "mastodon": [
        "113",
        "01JE8W5H9Z3M6K2Q4T7V8X0Y1B",
        "AbCdEfGhIjKlMnOpQr",
        "0193c6a8-7f1e-7c3d-9a55-3c2f6c1d9e10",
        "a.b_c~d-e",
    ],
    "bluesky": [f"at://{DID}/app.bsky.feed.post/3kabcdefghi2c"],
    "site": ["2026-11-22-slow#u-20261122T140500Z"],
}
PATHS = [
    "",
    ".",
    "..",
    "5/../../../v1/profile/header?x=",
    "5/6",
    "5?x",
    "5#x",
    "5%2f6",
    "5\n",
    "5 6",
    "5\x1b[2J",
    "5\u202e",
    "９",
    "5" * 600,
]


def channel(platform: str) -> Channel:
    module = base.load(platform)
    options = module.OPTIONS.model_validate(HOSTS.get(platform, {}))
    return Channel(platform, platform, FitOptions(), module.limits(options), options=options)


def read(platform: str, ref: Ref) -> Ref:
    """What comes out of a ledger with a receipt of this reference."""
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    event = forms.reader({platform: channel(platform)}, URL)(Receipt("slow", at, platform, 1, at, "run", ref))
    assert isinstance(event, Receipt)
    return event.ref


@pytest.mark.parametrize("platform", ["x", "mastodon", "bluesky"])
@pytest.mark.parametrize("name", PATHS)
def test_an_id_that_no_server_of_the_platform_gives_is_refused(platform: str, name: str) -> None:
    with pytest.raises(ValueError, match="no post here can have the id"):
        read(platform, Ref(name))


@pytest.mark.parametrize(
    "name",
    [f"at://{DID}/app.bsky.actor.profile/self", f"at://{DID}/app.bsky.feed.post/../x", "at://x/y/z", "https://a/b"],
)
def test_what_is_no_post_of_bluesky_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no post here can have the id"):
        read("bluesky", Ref(name))


@pytest.mark.parametrize(
    ("platform", "name"), [(platform, name) for platform in ("x", "mastodon", "bluesky") for name in GOOD[platform]]
)
def test_ids_as_servers_give_them_are_taken(platform: str, name: str) -> None:
    assert read(platform, Ref(name)).id == name


@pytest.mark.parametrize("cid", ["../x", "bafy\n", 5, ["bafy"]])
def test_what_a_reply_is_made_of_has_its_form_too(cid: object) -> None:
    with pytest.raises(ValueError, match="'cid' has another form"):
        read("bluesky", Ref(GOOD["bluesky"][0], data={"cid": cid}))
    assert read("bluesky", Ref(GOOD["bluesky"][0], data={"cid": CID})).data == {"cid": CID}


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        ("x", "https://x.com/i/status/1"),
        ("x", "https://twitter.com/i/status/1"),
        ("mastodon", "https://social.example/@a/1"),
        ("mastodon", "https://www.social.example:8443/@a/1"),
        ("bluesky", "https://bsky.app/profile/status.example.com/post/3kabcdefghi2c"),
    ],
)
def test_addresses_of_the_channels_own_host_are_kept(platform: str, url: str) -> None:
    assert read(platform, Ref(GOOD[platform][0], url)).url == url


@pytest.mark.parametrize("platform", ["x", "mastodon", "bluesky"])
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://evil.example/1",
        "https://x.com.evil.example/1",
        "https://x.com@evil.example/",
        "https://evil.example\\@x.com/",
        "https://x.com/\x1b[2J",
        "https://x.com/a b",
        "https://x.com:99999999/",
        "//x.com/1",
        "x.com/1",
        "https://[::1/",
        "",
    ],
)
def test_other_addresses_are_dropped_and_the_id_stays(platform: str, url: str) -> None:
    assert read(platform, Ref(GOOD[platform][0], url)).url is None


def test_a_server_on_this_machine_may_call_itself_by_another_of_its_names() -> None:
    module = base.load("mastodon")
    for base_url, url in (
        ("http://127.0.0.1:8080", "http://localhost:8080/@a/1"),
        ("http://localhost", "http://[::1]/1"),
    ):
        assert module.forms(module.OPTIONS(api_base_url=base_url), URL).leads_here(url)  # type: ignore[attr-defined]
