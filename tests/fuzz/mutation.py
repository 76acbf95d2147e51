"""From a case to a nearby one: whole lines and words of our formats change, not only bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

WORDS = (
    *("---", "title: ", "kind: release", "kind: maintenance", "severity: major", "components: [API, "),
    *("language: fr", "starts: ", "ends: ", "date: ", "version: ", "tags: [", "channels: [x]"),
    *("link: https://", "update_every: 1h30m", "## ", "# ", "### ", "Investigating", "Identified"),
    *("Monitoring", "Resolved", "Update", "Postmortem", "Reopened", "Scheduled", "In progress", "Verifying"),
    *("Completed", "Cancelled", "Delayed", "Released", "Withdrawn", " - ", "@", "2026-11-22 14:05 UTC"),
    *("2026-11-22T15:40Z", "2026-03-29 02:30 Europe/Berlin", "2024-02-30 25:61 +15:00", "0000-00-00"),
    *("9999-12-31 23:59:59 -14:00", "00:00", "2026-11-22", "+01:00", "CET", "A/A", "../etc/passwd"),
    *("```post x\n", "```\n", "~~~", "<!--", "-->", "<script>", "</pre>", "<![CDATA[", "<details>", "<br>"),
    *("&amp;", "**", "_", "`", "~~", "[", "](", ")", "![", "](errors.png)", "[^1]", "[a]: b", "> ", "- "),
    *("1. ", "* ", "\\", "|", "|---|", "https://", "https://a.io/x_y(z)", "http://müller.de/?q=1&copy=2"),
    *("example.com", "@ada@example.social", "#outage", "<<<<<<< HEAD\n", "=======\n", ">>>>>>> main\n"),
    *("javascript:alert(1)", "mailto:a@b.c", "x" * 300, "()", "{", "}", "[[", "]]", "'", '"', "&a ", "*a"),
    *("!!python/object", "<<: ", "? ", ": ", "|\n", ">-\n", "%", "#", "[channels.x]\n", "platform = "),
    *('"bluesky"', "[[routes]]\n", "true", "1e400", "-0", "nan", "inf", "0x1F", "null", '"v":1'),
    *('"key":"0123456789abcdef"', '"event":"receipt"', '"part":0', '"update":"2026-11-22T14:05:00Z"'),
    *("1" * 5000, "{{ ", " }}", "{% block body %}", "{% endblock %}", "{% for a in range(9) %}"),
    *("{% endfor %}", "{% include ", "~", "Retry-After: ", "x-rate-limit-reset: ", "Date: ", "Location: "),
    *("Content-Encoding: gzip", "Link: <", "429", "503", "\u202e", "\u2066", "\u200d", "\ufe0f", "\u20e3"),
    *("👨\u200d👩\u200d👧", "🇩🇪", "🏴\U000e0067", "e\u0301", "각", "ﷺ", "ß", "\u0130", "\ufeff", "\u2028"),
    *("\x85", "\xa0", "\u3000", "\x00", "\x1b[31m", "\x7f", "\r\n", "\r", "\n", "\n\n", "\t", " ", "\v"),
    *("日本語。", "服务已恢复", "\ufffe", "\ud800", "\U0010ffff", "\u0130", "１２", "²", "٣"),
)
_BYTES = tuple(word.encode("utf-8", "surrogatepass") for word in WORDS)
_ODD = (b"\x00", b"\xff", b"\x80", b"\xed\xa0\x80", b"\xc3(", b"\x1f\x8b", b"\x02", b"\x03", b"\x04")
LONGEST = 20_000


def mutate(data: bytes, random: Random, others: Sequence[bytes] = (), most: int = LONGEST) -> bytes:
    """A case near `data`, with one to six changes; `others` are what pieces may be taken from."""
    for _ in range(random.randint(1, 6)):
        data = random.choice(_CHANGES)(data, random, others)
    return data[:most]


def _insert(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(_BYTES) + data[at:]


def _replace(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(data, random)
    return data[:start] + random.choice(_BYTES) + data[end:]


def _drop(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(data, random)
    return data[:start] + data[end:]


def _repeat(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 5, 30, 300)) + data[end:]


def _byte(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice((*_ODD, bytes([random.randrange(256)]))) + data[at + random.randint(0, 1) :]


def _lines(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(one, lines[other])
        case 2:
            del lines[one]
        case _:
            prefix = random.choice((b"> ", b"- ", b"    ", b"## ", b"| "))
            lines[one] = prefix * random.choice((1, 1, 3, 40)) + lines[one]
    return b"\n".join(lines)


def _splice(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    if not others:
        return _insert(data, random, others)
    other = random.choice(others)
    start, end = _stretch(other, random)
    at = random.randint(0, len(data))
    return data[:at] + other[start:end] + data[at:]


def _number(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Another number where one stands."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return _insert(data, random, others)
    at = random.choice(digits)
    return data[:at] + random.choice((b"0", b"9", b"-1", b"99999999999999999999", b"1.5", b"")) + data[at + 1 :]


def _stretch(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 2, 4, 8, 20, 60, 400)))


_CHANGES: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    *(_insert, _insert, _insert, _replace, _replace),
    *(_drop, _repeat, _byte, _lines, _lines, _splice, _number),
)
