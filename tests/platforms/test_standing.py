from __future__ import annotations

import pytest

from broadcast.platforms.standing import canonical, plain

WRITTEN = (
    "Hi @ops@example.social, see https://status.example.com/a?b=1&c=2 #Outage\nnew line\n\nnew <b>paragraph</b> :ok:"
)


MASTODON = (
    '<p>Hi <span class="h-card" translate="no"><a href="https://example.social/@ops" class="u-url mention">'
    '@<span>ops</span></a></span>, see <a href="https://status.example.com/a?b=1&amp;c=2" target="_blank" '
    'rel="nofollow noopener"><span class="invisible">https://</span><span class="ellipsis">status.example.com/a'
    '</span><span class="invisible">?b=1&amp;c=2</span></a> <a href="https://m.example/tags/outage" '
    'class="mention hashtag" rel="tag">#<span>Outage</span></a><br />new line</p><p>new &lt;b&gt;paragraph'
    "&lt;/b&gt; :ok:</p>"
)
PLEROMA = (
    'Hi <span class="h-card"><a class="u-url mention" href="https://example.social/users/ops">@<span>ops</span>'
    '</a></span>, see <a href="https://status.example.com/a?b=1&amp;c=2">status.example.com/a?b=…</a> '
    '<a class="hashtag" data-tag="outage" href="https://p.example/tag/outage" rel="tag ugc">#Outage</a><br>'
    'new line<br><br>new &lt;b&gt;paragraph&lt;/b&gt; <img alt=":ok:" src="ok.png">'
)
BARE = (
    "Hi @ops@example.social, see https://status.example.com/a?b=1&amp;c=2 #Outage<br>new line<br><br>"
    "new &lt;b&gt;paragraph&lt;/b&gt; :ok:"
)


@pytest.mark.parametrize("html", [MASTODON, PLEROMA, BARE])
def test_html_says_what_was_written(html: str) -> None:
    assert canonical(plain(html)) == canonical(WRITTEN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("see https://example.com/", "see HTTP://example.com"),
        ("e\u0301", "é"),
        ("a  b\n\nc ", "a b c"),
    ],
)
def test_what_platforms_change_makes_no_difference(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 errors", "50 errors"),
        ("https://example.com/a", "https://example.com/b"),
        ("@ops", "@dev"),
        ("a/b", "ab"),
        ("one@example.com", "one"),
    ],
)
def test_what_was_said_makes_one(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
