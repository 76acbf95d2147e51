from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.errors import UsageError
from broadcast.model import Announcement
from broadcast.source.check import check
from broadcast.source.cstate import convert, import_folder
from broadcast.source.parse import parse
from broadcast.source.read import read

SHARED = Path(os.environ.get("BROADCAST_SHARED", Path(__file__).parents[2].parent / "shared"))
JENKINS = SHARED / "data" / "jenkins-status"
HEAD = """---
title: {title}
date: 2021-06-08 10:00:00
resolved: {resolved}
resolvedWhen: 2021-06-08 14:00:00
severity: {severity}
affected:
  - API
section: issue
---
"""


def page(body: str, title: str = "API outage", resolved: str = "true", severity: str = "down") -> str:
    return HEAD.format(title=title, resolved=resolved, severity=severity) + body


def announced(text: str, name: str = "2021-06-08-x.md") -> tuple[Announcement, tuple[str, ...]]:
    conversion = convert(text, name)
    assert conversion.text is not None, conversion.notes
    announcement, problems = parse(conversion.text, f"incidents/{conversion.filename}")
    assert announcement is not None
    problems += check([announcement], root=Path(), channels=None, platforms=())
    assert [each for each in problems if each.severity == "error"] == []
    return announcement, conversion.notes


def told(text: str) -> list[tuple[str, str, str]]:
    return [(each.status, f"{each.time:%d %H:%M}", each.body) for each in announced(text)[0].updates]


def test_marks_as_cstate_documents_them() -> None:
    body = """
*Post-mortem* - A cable was cut. {{< track "2021-06-09 09:00:00" >}}

*Resolved* - It works. {{< track "2021-06-08 13:30:00" >}}

***

**Monitoring** - We replaced the cable.

It is green. {{< track "2021-06-08 12:15:00" >}}

*Investigating* - We are looking. {{< track "2021-06-08 10:05:00" >}}
"""
    assert told(page(body)) == [
        ("investigating", "08 10:05", "We are looking."),
        ("monitoring", "08 12:15", "We replaced the cable.\n\nIt is green."),
        ("resolved", "08 13:30", "It works."),
        ("postmortem", "09 09:00", "A cable was cut."),
    ]


@pytest.mark.parametrize(
    ("first", "middle", "last"),
    [
        ("[Initial message]", "[Update]", "[Final Message]"),
        ("[INITIAL]", "[edit]", "[CLOSING]"),
        ("[open issue]", "[Update 2]", "[End of outage message]"),
        ("[Initial message] -->", "[Updated]", "[Final Message] -->"),
        ("Initial message:", "Update: ", "Final message:"),
        ("**Initial message**", "**Update:**", "**Closing incident**"),
    ],
)
def test_marks_that_people_invent(first: str, middle: str, last: str) -> None:
    body = f"\n{last}\nDone.\n\n{middle}\nBusy.\n\n{first}\nBroken.\n"
    oldest_first = f"\n{first}\nBroken.\n\n{middle}\nBusy.\n\n{last}\nDone.\n"
    story = [
        ("investigating", "08 10:00", "Broken."),
        ("update", "08 12:00", "Busy."),
        ("resolved", "08 14:00", "Done."),
    ]
    assert told(page(body)) == story
    assert told(page(oldest_first)) == story
    assert any("08 12:00 UTC was taken" in note for note in announced(page(body))[1])


@pytest.mark.parametrize(
    "mark",
    [
        "[Update - 2021-06-08 11h20 UTC]",
        "[Update on 2021-06-08 11:20]",
        "[Update 8th of June 2021 - 11:20 UTC]",
        "**Update at 2021-06-08 11:20 UTC**",
        "**Update 2021-06-08 11:20 UTC",
        "**2021-06-08T13:20:00+02:00**",
        "__Edit: 2021-06-08 11:20__",
    ],
)
def test_times_that_people_write(mark: str) -> None:
    body = f"\n[Final]\nDone.\n\n{mark}\n\nBusy.\n\n[Initial]\nBroken.\n"
    assert told(page(body))[1] == ("update", "08 11:20", "Busy.")


def test_a_time_that_does_not_fit_is_not_believed() -> None:
    body = "\n[Update - 2020-01-01 11:20 UTC]\nBusy.\n\n[Initial]\nBroken.\n"
    announcement, notes = announced(page(body))
    assert [f"{each.time:%H:%M}" for each in announcement.updates] == ["10:00", "12:00", "14:00"]
    assert any("does not fit the order" in note for note in notes)


def test_what_was_said_after_the_end_stays_after_it() -> None:
    body = "\n**2021-06-08 16:00**\n\nAlso this.\n\n**2021-06-08 14:00**\n\nFixed.\n\n**2021-06-08 10:00**\n\nBroken.\n"
    assert [each[:2] for each in told(page(body))] == [
        ("investigating", "08 10:00"),
        ("resolved", "08 14:00"),
        ("update", "08 16:00"),
    ]


def test_a_text_without_marks_gets_an_end_in_our_words() -> None:
    assert told(page("\nBroken.\n\nVery.\n")) == [
        ("investigating", "08 10:00", "Broken.\n\nVery."),
        ("resolved", "08 14:00", "This incident has been resolved."),
    ]
    assert [each[0] for each in told(page("\nBroken.\n", resolved="false"))] == ["investigating"]
    assert told(page(""))[0][2] == "API outage."


def test_an_older_text_below_an_update_in_one_line() -> None:
    text = page("\n[Update] Done in five minutes.\n\nThere will be a maintenance.\n\nReally.\n", title="Maintenance")
    assert [each[2] for each in told(text)][:2] == ["There will be a maintenance.\n\nReally.", "Done in five minutes."]


@pytest.mark.parametrize(
    ("title", "severity", "body", "kind"),
    [
        ("Maintenance on ci.example.org", "down", "Soon.", "maintenance"),
        ("Database upgrade", "disrupted", "Soon.", "maintenance"),
        ("Jira outage", "down", "It will be down for an hour.", "maintenance"),
        ("Jira outage", "down", "It is down. We'll keep you posted.", "incident"),
        ("Outage during maintenance", "down", "It is down.", "incident"),
        ("issues.example.org is slow", "notice", "It is slow.", "incident"),
        ("New signing keys", "notice", "There are new keys.", "maintenance"),
        ("Something odd", "disrupted", "It is odd.", "incident"),
    ],
)
def test_kinds(title: str, severity: str, body: str, kind: str) -> None:
    announcement, _ = announced(page(body, title=title, severity=severity))
    assert announcement.kind == kind
    assert (announcement.starts is not None) == (kind == "maintenance")


def test_severities_and_components() -> None:
    for theirs, ours in (("down", "critical"), ("disrupted", "major"), ("notice", "minor")):
        assert announced(page("x", severity=theirs))[0].severity == ours
    announcement, notes = announced(page("x", title="Maintenance"))
    assert (announcement.severity, announcement.components) == (None, ("API",))
    assert "not kept: the severity `down`, which only incidents have" in notes


def test_a_maintenance_that_was_called_off() -> None:
    text = page("\n[Final]\nAborted: too few of us.\n\n[Initial]\nWe'll upgrade it.\n", title="Upgrade")
    assert [each[0] for each in told(text)] == ["scheduled", "cancelled"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("resolvedWhen: 2021-06-08 14:00:00", "resolvedWhen: 2021-06-07 14:00:00"), "is before `date`"),
        (("resolvedWhen: 2021-06-08 14:00:00", "resolvedWhen: 2021-06-08 10:00:00"), "is the same as `date`"),
        (("resolvedWhen: 2021-06-08 14:00:00\n", ""), "is missing"),
        (("resolvedWhen: 2021-06-08 14:00:00", "resolvedWhen: soon"), "`soon` is not a time"),
    ],
)
def test_an_end_that_cannot_be(change: tuple[str, str], words: str) -> None:
    announcement, notes = announced(page("Broken.").replace(*change))
    assert [f"{each.time:%H:%M}" for each in announcement.updates] == ["10:00", "10:01"]
    assert words in "\n".join(notes)


def test_dates() -> None:
    text = page("x").replace("date: 2021-06-08 10:00:00", "date: 2021-06-08T8:30:00-01:30")
    assert f"{announced(text)[0].updates[0].time:%H:%M}" == "10:00"
    text = page("x").replace("date: 2021-06-08 10:00:00", "date: 2021-13-08")
    assert f"{announced(text, '2021-06-07-x.md')[0].updates[0].time:%d %H:%M}" == "07 00:00"
    assert convert(text, "x.md").text is None
    for bad in ("9999-12-31 23:59:59", "0001-01-01", "2021-06-08T10:00:00+99:00"):
        assert convert(page("x").replace("2021-06-08 10:00:00", bad), "x.md").text is None


def test_toml_and_json() -> None:
    toml = (
        "+++\ntitle = 'API outage'\ndate = 2021-06-08T10:00:00Z\nresolved = true\nresolvedWhen = 2021-06-08 14:00:00\n"
    )
    toml += "severity = 'down'\naffected = ['API']\npin = true\n[extra]\na = 1\n+++\nBroken.\n"
    announcement, notes = announced(toml)
    assert (announcement.title, announcement.severity, announcement.components) == ("API outage", "critical", ("API",))
    assert len(announcement.updates) == 2
    assert "not kept: `pin`, `extra`" in notes
    json = '{"title": "API outage", "date": "2021-06-08T10:00:00Z", "resolved": false, "affected": []}\n\nBroken.\n'
    assert announced(json)[0].updates[0].body == "Broken."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Hello", "no front matter"),
        ("---\ntitle: x\n", "no front matter"),
        ("---\ntitle: a: b\n---\n", "not YAML"),
        ("+++\ntitle = \n+++\n", "not TOML"),
        ("{'a': 1}", "not JSON"),
        ("{" + '"a":[' * 50_000, "not JSON"),
        ("+++\na = " + "[" * 50_000 + "\n+++\n", "not TOML"),
        ("---\ntitle: x\n---\n", "no date"),
        ("---\ntitle: x\ndate: 2021-06-08\ndraft: true\n---\n", "draft"),
        (page("<pre>\nnever closed"), "never closed"),
    ],
)
def test_what_is_not_imported_says_why(text: str, reason: str) -> None:
    conversion = convert(text, "x.md")
    assert conversion.text is None
    assert reason in "\n".join(conversion.notes)


def test_what_a_post_cannot_hold() -> None:
    body = """
## Resolved - 2021-06-08 11:00 UTC

## Timeline

![graph](https://example.com/a.png) and ![](/img/b.png) and [page](/issues/1/) {{< figure src="x" >}}

```post x
{{< kept >}} ![in code](/x.png)
```

<!-- [Final message] hidden -->
"""
    announcement, notes = announced(page(body))
    assert [each.status for each in announcement.updates] == ["investigating", "resolved"]
    text = announcement.updates[0].body
    for kept in ("Resolved: 2021-06-08 11:00 UTC", "## Timeline", "[graph](https://example.com/a.png)", "<!--"):
        assert kept in text
    for kept in ("image (/img/b.png)", "page (/issues/1/)", "{{< kept >}} ![in code](/x.png)"):
        assert kept in text
    assert "figure" not in text
    assert announcement.updates[0].overrides == {}
    said = "\n".join(notes)
    for words in ("became text", "became a link", "/img/b.png", "figure"):
        assert words in said


@pytest.mark.parametrize("opened", ["```\ncode", "~~~~\ncode", "<!-- a\n\nb"])
def test_a_block_that_is_never_closed_is_closed(opened: str) -> None:
    body = f"\n[Final]\nDone.\n\n[Initial]\nBroken.\n\n{opened}"
    assert [each[0] for each in told(page(body))] == ["investigating", "resolved"]


def test_a_folder_is_imported_without_overwriting(tmp_path: Path) -> None:
    site, target = tmp_path / "site", tmp_path / "incidents"
    issues = site / "content" / "issues"
    (issues / "bundle").mkdir(parents=True)
    (issues / "a b.md").write_text(page("Broken."))
    (issues / "good.md").write_text(page("Broken."))
    (issues / "draft.md").write_text("---\ntitle: x\ndate: 2021-06-08\ndraft: true\n---\n")
    (issues / "latin.md").write_bytes(b"caf\xe9")
    (issues / "big.md").write_text("x" * 300_000)
    (issues / "bundle" / "index.md").write_text(page("Broken."))
    (issues / "_index.md").write_text("---\n---\n")
    target.mkdir()
    (target / "good.md").write_text("mine")
    done = {each.filename: each for each in import_folder(site, tmp_path, "incidents")}
    assert {name for name, each in done.items() if each.text is not None} == {"a-b.md", "bundle.md"}
    assert {path.name for path in target.iterdir()} == {"a-b.md", "bundle.md", "good.md"}
    assert (target / "good.md").read_text() == "mine"
    assert "exists already" in done["good.md"].notes[0]
    assert "became `a-b.md`" in done["a-b.md"].notes[0]
    assert {each.filename for each in import_folder(issues, tmp_path, "again")} == set(done)
    with pytest.raises(UsageError, match="no issues"):
        import_folder(tmp_path / "nowhere", tmp_path, "incidents")


marks = st.sampled_from(
    [
        "[Final]",
        "[Initial message]",
        "[Update]",
        "**2021-06-08 11:00**",
        '{{< track "2021-06-08 12:00" >}}',
        "```",
        "<!--",
        "-->",
        "## Resolved - 2021-06-08 11:00 UTC",
        "---",
        "***",
        "*Resolved* - ",
        "text",
        "![",
        "](/x)",
        "[Update 9999-99-99]",
    ]
)


@settings(deadline=None)
@given(st.lists(marks | st.text(max_size=4), max_size=25).map("\n".join), st.sampled_from(["true", "false"]))
def test_any_body_becomes_an_announcement_or_says_why(body: str, resolved: str) -> None:
    conversion = convert(page(body, resolved=resolved), "x.md")
    if conversion.text is None:
        assert conversion.notes
    else:
        announcement, problems = parse(conversion.text, "x.md")
        assert announcement is not None
        assert [each for each in problems if each.severity == "error"] == []


@pytest.mark.parametrize(
    "unit", ["[Update]\nx\n\n", 'x {{< track "2021-06-08 12:00" >}}\n', "[", "![a](", "**a", "## Update\n"]
)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = page(unit * (length // len(unit)))
        before = time.process_time()
        convert(text, "x.md")
        return time.process_time() - before

    small = min(seconds(4_000) for _ in range(3))
    assert seconds(32_000) < max(small * 24, 1)


@pytest.mark.skipif(not JENKINS.is_dir(), reason="the issues of a real site are not here (set BROADCAST_SHARED)")
def test_a_real_site(tmp_path: Path) -> None:
    done = import_folder(JENKINS, tmp_path, "incidents")
    assert len(done) == len(list(JENKINS.glob("*.md"))) == 297
    assert [each.filename for each in done if each.text is None] == []
    announcements, problems = read(tmp_path, "incidents", "en")
    problems += check(announcements, root=tmp_path, channels={"x"}, platforms={"x"})
    assert len(announcements) == 297
    assert [each for each in problems if each.severity == "error"] == []
    assert len(problems) <= 29  # one for ten files, at most
    kinds = Counter(each.kind for each in announcements)
    assert (kinds["incident"], kinds["maintenance"]) == (91, 206)
    by_slug = {each.slug: each for each in announcements}
    for conversion in done:
        before = (JENKINS / conversion.filename).read_text().split("\n---\n", 1)[1]
        after = Counter(
            word for update in by_slug[conversion.filename.removesuffix(".md")].updates for word in update.body.split()
        )
        # Whole lines that are only a mark or a rule, and what stands in front of a mark's text, are not text.
        before = re.sub(
            r"(?m)^\[[A-Za-z][^\[\]]*\](?!\()(?: -->)?|^\*\*.*\d\d.*$|^(?:Update|\w+ message):|^[-=]{3,}$", "", before
        )
        before = before.replace("![", "[").replace("[](", "[image](")
        lost = Counter(before.split()) - after
        assert not lost, (conversion.filename, lost)


@pytest.mark.parametrize("target", ["t://[", "http://[::1", "//a]b", "mailto://[", "https://a]/b"])
def test_an_address_that_cannot_be_read_keeps_its_words(target: str) -> None:
    announcement, notes = announced(page(f"It is [described here]({target}) in full."))
    assert "described here" in announcement.updates[0].body
    assert f"`{target}` leads nowhere from a post: its words are kept" in notes
