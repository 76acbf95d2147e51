"""The ledger's format: nothing is lost on the way there and back, and nothing unknown is let in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast.errors import LedgerError
from broadcast.ledger.codec import Entry, decode, decode_lines, encode, entry
from broadcast.model import Card, Event, Facet, Intent, Media, Place, Post, Receipt, Ref, Verdict

UPDATE = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
AT = datetime(2026, 11, 22, 14, 6, 1, 250, tzinfo=UTC)
KEY = "0123456789abcdef"

INTENT = Intent(
    announcement="api-errors",
    update=UPDATE,
    channel="bluesky",
    part=1,
    parts=2,
    at=AT,
    run="run-1",
    status="investigating",
    post=Post(
        "Störung: https://a.example",
        26,
        (Facet("link", "https://a.example", 10, 27),),
        (Media("incidents/errors.png", "Errors", Place("incidents/api-errors.md", 9, 3)), Media("b.png", "")),
    ),
    language="de",
    source="5f0c",
    payload={"rkey": "3kabc", "nested": {"list": [1, 2.5, None, True]}},
    ref=Ref("at://did/3kabc", None, {"cid": "bafy"}),
    parent=Ref("at://did/3kabb", "https://bsky.example/3kabb"),
)
RECEIPT = Receipt("api-errors", UPDATE, "x", 2, AT, "run-1", Ref("17", "https://x.example/17", {"root": "16"}))
VERDICT = Verdict("api-errors", UPDATE, "x", 0, AT, "run-1", "posted", "baseline")

# What versions of broadcast that are out there have written. Never change these lines: read them forever.
GOLDEN = {
    '{"v":1,"key":"0123456789abcdef","event":"intent","announcement":"api-errors","update":"2026-11-22T14:05:00Z",'
    '"channel":"bluesky","part":1,"at":"2026-11-22T14:06:01.000250Z","run":"run-1","parts":2,'
    '"status":"investigating","language":"de","source":"5f0c","post":{"text":"Störung: https://a.example","length":26,'
    '"facets":[{"kind":"link","value":"https://a.example","start":10,"end":27}],"media":[{"path":"incidents/errors.png",'
    '"alt":"Errors","place":{"path":"incidents/api-errors.md","line":9,"column":3}},{"path":"b.png","alt":""}]},'
    '"payload":{"rkey":"3kabc","nested":{"list":[1,2.5,null,true]}},"ref":{"id":"at://did/3kabc","data":{"cid":"bafy"}},'
    '"parent":{"id":"at://did/3kabb","url":"https://bsky.example/3kabb"}}\n': INTENT,
    '{"v":1,"key":"0123456789abcdef","event":"receipt","announcement":"api-errors","update":"2026-11-22T14:05:00Z",'
    '"channel":"x","part":2,"at":"2026-11-22T14:06:01.000250Z","run":"run-1","ref":{"id":"17",'
    '"url":"https://x.example/17","data":{"root":"16"}}}\n': RECEIPT,
    '{"v":1,"key":"0123456789abcdef","event":"verdict","announcement":"api-errors","update":"2026-11-22T14:05:00Z",'
    '"channel":"x","part":0,"at":"2026-11-22T14:06:01.000250Z","run":"run-1","verdict":"posted",'
    '"by":"baseline"}\n': VERDICT,
}


@pytest.mark.parametrize(("line", "event"), GOLDEN.items(), ids=["intent", "receipt", "verdict"])
def test_the_format_does_not_change(line: str, event: Event) -> None:
    assert encode(Entry(KEY, event)).decode() == line
    assert decode(line.encode(), "here") == Entry(KEY, event)


texts = st.text(max_size=12)
times = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
counts = st.integers(0, 2**40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=3)
refs = st.builds(Ref, texts, st.none() | texts, objects)
posts = st.builds(
    Post,
    texts,
    counts,
    st.lists(st.builds(Facet, st.sampled_from(["link", "tag", "mention"]), texts, counts, counts), max_size=3).map(
        tuple
    ),
    st.lists(st.builds(Media, texts, texts, st.none() | st.builds(Place, texts, counts, counts)), max_size=3).map(
        tuple
    ),
)


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    part = draw(st.integers(1, 30))
    return Intent(
        announcement=draw(texts),
        update=draw(times),
        channel=draw(texts),
        part=part,
        parts=part + draw(st.integers(0, 30)),
        at=draw(times),
        run=draw(texts),
        status=draw(texts),
        post=draw(posts),
        language=draw(texts),
        source=draw(texts),
        payload=draw(objects),
        ref=draw(st.none() | refs),
        parent=draw(st.none() | refs),
    )


receipts = st.builds(Receipt, texts, times, texts, st.integers(1, 30), times, texts, refs)
verdicts = st.builds(
    Verdict,
    texts,
    times,
    texts,
    st.integers(0, 30),
    times,
    texts,
    st.sampled_from(["absent", "posted", "retracted"]),
    texts,
)


@given(st.lists(intents() | receipts | verdicts, max_size=4))
def test_every_event_comes_back_as_it_was(events: list[Event]) -> None:
    entries = [entry(event) for event in events]
    data = b"".join(map(encode, entries))
    assert data.count(b"\n") == len(events)
    assert decode_lines(data, "here") == entries
    assert len({item.key for item in entries}) == len(entries)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | values.map(lambda v: json.dumps(v).encode()))
def test_no_bytes_make_a_traceback(data: bytes) -> None:
    with pytest.raises(LedgerError, match=r"^here: "):
        decode(data, "here")


def test_times_are_written_in_utc_whatever_their_zone() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    event = Verdict("a", local, "x", 0, local, "r", "absent", "settle")
    assert b'"at":"2026-11-22T14:06:01.000250Z"' in encode(entry(event))
    with pytest.raises(ValueError, match="without a zone"):
        encode(entry(Verdict("a", AT.replace(tzinfo=None), "x", 0, AT, "r", "absent", "settle")))


def test_what_utf_8_cannot_hold_comes_back() -> None:
    item = entry(Verdict("a", AT, "x\udcff\ud800 \u2028\x00", 0, AT, "r", "absent", "settle"))
    assert decode_lines(encode(item) * 2, "here") == [item, item]


def changed(event: Event, /, **changes: Any) -> bytes:
    record = json.loads(encode(Entry(KEY, event)))
    for path, value in changes.items():
        inner = record
        *folders, name = path.split("__")
        for folder in folders:
            inner = inner[folder]
        if value is ...:
            del inner[name]
        else:
            inner[name] = value
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (changed(INTENT, v=2), "version 2 of the ledger's format is not known"),
        (changed(INTENT, v=True), "'v' in the line is not a whole number"),
        (changed(INTENT, v=...), "the line has no 'v'"),
        (changed(INTENT, event="party"), "'event' in the line is 'party'; known are: intent, receipt, verdict"),
        (changed(INTENT, key="xyz"), "'key' is not 16 hexadecimal digits"),
        (changed(INTENT, color="red"), "the line has an unknown field 'color'"),
        (changed(INTENT, post__color="red"), "'post' has an unknown field 'color'"),
        (changed(INTENT, run=...), "the line has no 'run'"),
        (changed(INTENT, part=0), "'part' in the line is less than 1"),
        (changed(INTENT, part=3), "'parts' in the line is less than 3"),
        (changed(INTENT, at="2026-11-22 14:05:00Z"), "'at' in the line is not a time like 2026-11-22T14:05:00Z"),
        (changed(INTENT, at="2026-11-22T14:05:00+00:00"), "'at' in the line is not a time like"),
        (changed(INTENT, at="2026-11-22T14:05:00"), "'at' in the line is not a time like"),
        (changed(INTENT, update="2026-13-22T14:05:00Z"), "'update' in the line is not a time like"),
        (changed(INTENT, post=[]), "'post' in the line is not an object"),
        (changed(INTENT, post__facets=[7]), r"facets\[0\] is not an object"),
        (changed(INTENT, payload=None), "'payload' in the line is not an object"),
        (changed(RECEIPT, ref__id=17), "'id' in 'ref' is not a text"),
        (changed(RECEIPT, part=0), "'part' in the line is less than 1"),
        (changed(VERDICT, verdict="maybe"), "'verdict' in the line is 'maybe'; known are: absent, posted, retracted"),
        (b"[1]", "the line is not an object"),
        (b"", "not JSON: Expecting value at character 1"),
        (b'{"v":1', "not JSON: "),
        (b'{"v":NaN}', "NaN is not JSON"),
        (b'{"v":"\xff"}', "not UTF-8 at byte 7"),
        (b'{"v":' * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(line: bytes, message: str) -> None:
    with pytest.raises(LedgerError, match=f"^ledger, file, line 2: .*{message}"):
        decode_lines(encode(entry(VERDICT)) + line + b"\n" + encode(entry(VERDICT)), "ledger, file")


def test_an_empty_file_has_no_lines_and_an_empty_line_is_wrong() -> None:
    assert decode_lines(b"", "here") == []
    with pytest.raises(LedgerError, match="here, line 1: not JSON"):
        decode_lines(b"\n", "here")


def test_the_card_of_a_post_comes_back() -> None:
    card = Card("https://a.example", "Störung", "Wir sehen nach.")
    item = Entry(KEY, replace(INTENT, post=replace(INTENT.post, card=card)))
    assert decode(encode(item), "here") == item
    assert b'"card":{"url":"https://a.example","title":' in encode(item)
