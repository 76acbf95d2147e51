"""The shapes of input whose cost is watched: each makes a project of so many bytes that is one thing, repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

Files = Mapping[str, str]
"""What to write, by path in the project."""
FILE = "incidents/a.md"
BEGAN = datetime(2020, 1, 1)  # noqa: DTZ001 - written with `UTC` behind it
HEAD = "---\ntitle: Slow search\nseverity: major\n---\n\n## Investigating - 2020-01-01 00:00 UTC\n"
CHANNELS = {
    "x": "",
    "bluesky": 'handle = "status.example.com"\n',
    "mastodon": 'api_base_url = "https://mastodon.example"\n',
}
URL = 'url = "https://status.example.com"\n'


@dataclass(frozen=True, slots=True)
class Shape:
    """`make` takes the bytes that the whole should have, more or less."""

    name: str
    make: Callable[[int], Files]


def config(more: str = "", top: str = "") -> str:
    """Each platform twice, for threads and for single posts, and the site."""
    tables = [URL, top, '[channels.site]\nplatform = "site"\n']
    for platform, keys in CHANNELS.items():
        tables += [f'[channels.{platform}-{fit}]\nplatform = "{platform}"\nfit = "{fit}"\n{keys}' for fit in FITS]
    return "\n".join([*tables, more])


SEEN = "Error rate of all requests since 14:00, as seen from Frankfurt, Dublin, Singapore and Oregon, in %"
FITS = ("thread", "single")


def filled(units: Iterator[str], size: int) -> str:
    """As many of them as have this many bytes in UTF-8."""
    pieces: list[str] = []
    while size > 0:
        pieces.append(next(units))
        size -= len(pieces[-1].encode())
    return "".join(pieces)


def times(unit: str, size: int) -> str:
    return unit * max(size // len(unit.encode()), 1)


def body(text: str) -> Files:
    return {"broadcast.toml": config(), FILE: f"{HEAD}{text}\n"}


def repeated(name: str, unit: str, before: str = "", after: str = "") -> Shape:
    return Shape(name, lambda size: body(before + times(unit, size) + after))


def numbered(name: str, made: Callable[[int], str], before: str = "", after: str = "") -> Shape:
    return Shape(name, lambda size: body(before + filled(map(made, count()), size) + after))


def both(name: str, first: Callable[[int], str], second: Callable[[int], str]) -> Shape:
    """Two lists of the same length, one after the other."""

    def make(size: int) -> Files:
        amount = max(size // len((first(0) + second(0)).encode()), 1)
        return body("".join(map(first, range(amount))) + "\n" + "".join(map(second, range(amount))))

    return Shape(name, make)


def front(name: str, made: Callable[[int], str]) -> Shape:
    """`made` makes lines of the front matter."""

    def make(size: int) -> Files:
        return {"broadcast.toml": config(), FILE: HEAD.replace("severity", f"{made(size)}\nseverity") + "Text.\n"}

    return Shape(name, make)


def toml(name: str, more: Callable[[int], str], top: Callable[[int], str] = lambda size: "") -> Shape:
    """`more` makes tables of `broadcast.toml`, `top` what stands above them."""
    return Shape(name, lambda size: {"broadcast.toml": config(more(size), top(size)), FILE: f"{HEAD}Text.\n"})


def time(number: int) -> str:
    return f"{BEGAN + timedelta(minutes=number):%Y-%m-%d %H:%M} UTC"


def updates(name: str, text: Callable[[int], str]) -> Shape:
    """An update every hundred bytes."""

    def make(size: int) -> Files:
        amount = max(size // 100, 1)
        chain = (f"## Update - {time(number)}\n{text(number)}\n\n" for number in range(1, amount))
        return body("First.\n\n" + "".join(chain))

    return Shape(name, make)


def many(name: str, made: Callable[[int], tuple[str, str]], each: int) -> Shape:
    """A file for every so many bytes: `made` says its name and its text."""

    def make(size: int) -> Files:
        files = dict(made(number) for number in range(max(size // each, 1)))
        return {"broadcast.toml": config(), FILE: f"{HEAD}Text.\n", **files}

    return Shape(name, make)


def _item(number: int) -> str:
    return f"{'  ' * min(number, 60)}- item {number}\n"


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + digit) for digit in divmod(number % 676, 26))


TEXT = (
    repeated("letters", "x"),
    repeated("letters é", "é"),
    repeated("capitals", "X"),
    repeated("digits", "1"),
    repeated("words", "word "),
    repeated("words on lines", "word\n"),
    repeated("words on lines, CRLF", "word\r\n"),
    repeated("paragraphs", "word\n\n"),
    repeated("spaces", " ", "a", "b"),
    repeated("spaces at line ends", "a      \n"),
    repeated("spaces in a quote", " ", "> a", "b"),
    repeated("spaces in a cell", " ", "|a|b|\n|-|-|\n|a", "b|c|"),
    repeated("spaces in code", " ", "`a", "b`"),
    repeated("spaces in a link", " ", "[a", "b](https://example.com)"),
    repeated("no-break spaces", "\u00a0", "a", "b"),
    repeated("wide spaces", "\u3000", "a", "b"),
    repeated("tabs", "\t", "a", "b"),
    repeated("blank lines", "\n", "a", "b"),
    repeated("blank lines, CRLF", "\r\n", "a", "b"),
    repeated("blank lines with spaces", "  \n", "a", "b"),
    repeated("hard breaks", "a\\\n"),
    repeated("hard breaks, nothing else", "\\\n", "a", "b"),
    repeated("line separators", "\u2028", "a", "b"),
    repeated("flags", "🇩🇪"),
    repeated("flags, spaced", "🇩🇪 "),
    repeated("half flags", "🇩🇪🇫"),
    repeated("flags of tags", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
    repeated("families", "👨‍👩‍👧‍👦"),
    repeated("joined without end", "👨\u200d"),
    repeated("keycaps", "1\ufe0f\u20e3"),
    repeated("emoji", "😀"),
    repeated("skin tones", "👍🏽"),
    repeated("emoji and letters", "a😀"),
    repeated("joiners", "\u200d", "a", "b"),
    repeated("joiners and spaces", "\u200d ", "a"),
    repeated("soft hyphens", "a\u00ad"),
    repeated("marks on one letter", "\u0301", "e"),
    repeated("marks of all classes", "\u0301\u0323\u0336", "e"),
    repeated("zalgo", "z\u0351\u0336\u0324\u0315"),
    repeated("variation selectors", "\ufe0f", "a"),
    repeated("Devanagari", "नमस्ते"),
    repeated("Devanagari, conjuncts", "क्"),
    repeated("jamo", "\u1112\u1161\u11ab"),
    repeated("jamo, leading only", "\u1100"),
    repeated("Hangul", "한국어"),
    repeated("Chinese", "正在调查错误"),
    repeated("Chinese sentences", "正在调查。"),
    repeated("Chinese stops", "。"),
    repeated("Chinese openers", "「"),
    repeated("Japanese", "エラー率が上昇しています、"),
    repeated("Thai", "กำลังตรวจสอบ"),
    repeated("Hebrew", "שלום"),
    repeated("Arabic words", "سلام "),
    repeated("direction marks", "a\u200f"),
    repeated("direction overrides", "\u202ea"),
    repeated("beyond the first plane", "𝔘"),
    repeated("last of all characters", "\U0010fffd"),
    repeated("replacement characters", "\ufffd"),
    repeated("control characters", "\x01"),
    repeated("URLs", "https://example.com/a "),
    repeated("URLs without spaces", "https://example.com/a"),
    repeated("URLs with commas", "https://example.com/a,"),
    repeated("schemes", "https://"),
    repeated("schemes, words", "https "),
    repeated("scheme ends", "://"),
    repeated("one URL", "a", "https://example.com/"),
    repeated("one URL of slashes", "/", "https://example.com/"),
    repeated("one URL of dots", ".", "https://example.com/a"),
    repeated("one URL of parentheses", "(", "https://example.com/"),
    repeated("one URL of pairs", "(a)", "https://example.com/"),
    repeated("one URL of closers", ")", "https://example.com/a"),
    repeated("one URL of arguments", "a=b&", "https://example.com/?"),
    repeated("one host", "a.", "https://", "com"),
    repeated("one host of hyphens", "-", "https://a", ".com"),
    repeated("one host of letters", "a", "https://", ".com"),
    repeated("www.", "www."),
    repeated("www. and letters", "www.a"),
    repeated("domains", "example.com "),
    repeated("domains without spaces", "example.com"),
    repeated("domains with hyphens", "example.com-"),
    repeated("domains and wide letters", "example.com本"),
    repeated("a.b.c", "a.b.c."),
    repeated("a.b.c.d with spaces", "a.b.c.d "),
    repeated("dots", "."),
    repeated("ellipses", "... "),
    repeated("ellipses of one sign", "…"),
    repeated("@a@b", "@a@b"),
    repeated("@ signs", "@"),
    repeated("mentions", "@somebody "),
    repeated("mentions with servers", "@somebody@social.example "),
    repeated("mentions with dots", "@a.b-c.d"),
    repeated("one mention", ".a", "@a"),
    repeated("one server", ".a", "@a@b"),
    repeated("hashtags with commas", "#tag,"),
    repeated("code with commas", "`a`,"),
    repeated("# signs", "#"),
    repeated("# signs after a letter", "#", "a"),
    repeated("hashtags", "#tag "),
    repeated("hashtags without spaces", "#tag"),
    repeated("hashtags without letters", "#1"),
    repeated("one hashtag of digits", "1", "#"),
    repeated("one hashtag of underscores", "_", "#"),
    repeated("e-mail addresses", "a@example.com "),
    repeated("e-mail addresses with commas", "a@example.com,"),
    repeated("one e-mail address", "a.", "", "b@example.com"),
    repeated("parentheses", "("),
    repeated("closing parentheses", ")"),
    repeated("parentheses around words", "(word) "),
    repeated("brackets", "["),
    repeated("closing brackets", "]"),
    repeated("brackets in brackets", "[a", "", "]"),
    repeated("links without ends", "[a](b "),
    repeated("links without addresses", "[a]("),
    repeated("links with <", "[a](<b"),
    repeated("links with titles without ends", '[a](b "'),
    repeated("links", "[a](https://example.com) "),
    repeated("links without spaces", "[a](https://example.com)"),
    repeated("links with titles", '[a](https://example.com "b") '),
    repeated("relative links", "[some words](b/c) "),
    repeated("mail links", "[a](mailto:a@example.com) "),
    repeated("autolinks", "<https://example.com>"),
    repeated("a link of many words", "a ", "[", "](https://example.com)"),
    repeated("images without ends", "!["),
    repeated("images", f"![{SEEN}](e.png) "),
    repeated("images without spaces", f"![{SEEN}](e.png)"),
    repeated("images that are missing", f"![{SEEN}](none.png) "),
    repeated("images between words", f"word ![{SEEN}](e.png) "),
    repeated("videos", f"![{SEEN}](e.mp4) word "),
    repeated("too many images", "![a](e.png) "),
    repeated("too many links", "[a](b) "),
    repeated("one alternative text", "a ", "![", "](e.png)"),
    repeated("*_", "*_"),
    repeated("* before words", "**a **a"),
    repeated("* after words", "a**"),
    repeated("_ in words", "a_"),
    repeated("emphasis", "*a* "),
    repeated("emphasis in emphasis", "*a **a "),
    repeated("emphasis with marks", "*,_"),
    repeated("struck out", "~~a~~ "),
    repeated("tildes", "~~a"),
    numbered("backticks of growing length", lambda number: "`" * (number % 400 + 1) + "a"),
    repeated("backticks", "`"),
    repeated("backticks before words", "`a"),
    repeated("code", "`a b` "),
    repeated("URLs in code", "`https://example.com/a` "),
    repeated("<", "<"),
    repeated("< before words", "<a "),
    repeated("<!", "<!"),
    repeated("<?", "<?"),
    repeated("<![CDATA[", "a<![CDATA["),
    repeated("comments without ends", "a <!-- "),
    repeated("comments", "a <!-- b --> "),
    repeated("comments on lines", "<!-- b -->\n"),
    repeated("HTML", "<b>a</b> "),
    repeated("HTML blocks", "<div>\n\na\n\n"),
    repeated("HTML with attributes", '<a href="b" '),
    repeated("breaks of HTML", "a<br>"),
    repeated("spaces in a break of HTML", " ", "a<br", "b"),
    repeated("entities", "&amp;"),
    repeated("numbered entities", "&#35;"),
    repeated("& signs", "&"),
    repeated("backslashes", "\\"),
    repeated("backslashes before signs", "\\*"),
    repeated("notes", "a[^1] "),
    repeated("notes without ends", "[^"),
    numbered("notes, each its own", lambda number: f"a[^{number}] "),
    numbered("definitions of notes", lambda number: f"[^{number}]: https://example.com/{number}\n"),
    numbered("definitions of notes that say more", lambda number: f"[^{number}]: a note of words\n"),
    both("notes and definitions", lambda n: f"a[^{n}] ", lambda n: f"\n[^{n}]: https://example.com/{n}"),
    repeated("spaces in a definition of a note", " ", "a[^1]\n\n[^1]: a", "b"),
    repeated("references", "[a][b] "),
    numbered("definitions", lambda number: f"[a{number}]: https://example.com/{number}\n"),
    numbered("definitions without addresses", lambda number: f"[a{number}]:\n"),
    numbered("definitions after words", lambda number: f"word\n[a{number}]: b\n\n"),
    both("references and definitions", lambda n: f"[a{n}] ", lambda n: f"\n[a{n}]: https://example.com/{n}"),
    repeated("rows", "| a | b |\n", "| a | b |\n|---|---|\n"),
    repeated("rows of three", "| a | b | c |\n", "| a | b | c |\n|---|---|---|\n"),
    Shape("columns", lambda n: body(f"{times('|a', n // 3)}|\n{times('|-', n // 3)}|\n{times('|b', n // 3)}|")),
    repeated("columns without rows", "|a"),
    repeated("tables", "|a|b|\n|-|-|\n|a|b|\n\n"),
    repeated("list", "- item\n"),
    repeated("list of sentences", "- This is an item. It goes on.\n"),
    repeated("loose list", "- item\n\n"),
    repeated("numbered list", "1. item\n"),
    repeated("list of nothing", "-\n"),
    repeated("lists in lists", "- "),
    repeated("lists in lists in lines", "- - - a\n"),
    numbered("deep list", _item),
    repeated("quotes in quotes", ">"),
    repeated("quotes in quotes in lines", ">>>>>> a\n"),
    repeated("quote", "> a\n"),
    repeated("quote of lists", "> - a\n"),
    repeated("lists of quotes", "- > a\n"),
    repeated("fenced code", "code\n", "```\n", "```"),
    repeated("fenced code that is never closed", "code\n", "```\n"),
    repeated("many fences", "```\na\n```\n"),
    repeated("fences that open", "```a\n"),
    repeated("fences of both kinds", "```\n~~~\n"),
    repeated("indented code", "    code\n", "a\n\n"),
    repeated("one line of code", "code ", "```\n", "\n```"),
    *(repeated(f"headings of level {level}", f"{'#' * level} a\n") for level in range(1, 7)),
    repeated("headings and text", "### Heading\n\nText.\n\n"),
    repeated("headings that are underlined", "a\n---\n"),
    repeated("rules", "***\n\n"),
    repeated("one heading", "a ", "### "),
    repeated("labels", "**Impact**\n\n"),
    repeated("colons", "As follows:\n\n"),
    repeated("numbers", "123 "),
    repeated("numbers with signs", "1,234.5 "),
    repeated("one number with signs", "1,"),
    repeated("numbers with units", "5 minutes "),
    repeated("quotation marks", '"a" '),
    repeated("quotation marks without words", '"'),
    repeated("typographic quotation marks", "“a” "),
    repeated("closers", "»"),
    repeated("closers and letters", "».a"),
    repeated("dashes", "a — b "),
    repeated("hyphens", "a-b-"),
    repeated("hyphens without words", "-", "a"),
    repeated("abbreviations", "information because of maintenance, approximately "),
    repeated("dotted", "e.g. "),
    repeated("initials", "J. "),
    repeated("spaced before", "mot ! "),
    repeated("sentences", "Ok. "),
    repeated("long sentences", "this goes on and on and on, without an end, and on; and on, "),
    repeated("a;b", "a;b;"),
    repeated("a,b", "a,b,"),
    repeated("a/b", "a/b/"),
    repeated("a:b", "a:b:"),
    repeated("a=b", "a=b&"),
    repeated("a'b", "a'b"),
    repeated("!?", "!?"),
    repeated("signs", "!\"$%&'()*+,-./:;=?@[]^_`{|}~"),
    repeated("template's signs", "{{ a }}"),
    repeated("shortcodes", "{{< a >}} "),
    repeated("shortcodes without ends", "{{<"),
)
"""One update whose text is one thing, repeated."""

CSTATE = (
    repeated("marks", "[Update] a\n"),
    repeated("marks with times", "[Update - 2020-01-02 10:00 UTC] a\n"),
    repeated("marks in bold", "**2020-01-02 10:00:00** a\n"),
    repeated("tracks", '*Monitoring* - a {{< track "2020-01-02 10:00:00" >}}\n\n'),
    repeated("tracks on a line", '{{< track "2020-01-02 10:00:00" >}}'),
    repeated("marks in words", "Update: a\n"),
)
"""What the import from cState looks for."""

FILES = (
    updates("updates", lambda number: f"Text number {number}, which says something of its own."),
    updates("updates with images", lambda number: f"Text {number}. ![a](e.png)"),
    updates("updates with overrides", lambda number: f"Text {number}.\n\n```post x\nShort {number}.\n```\n"),
    updates("updates with URLs", lambda number: f"Text {number}: https://example.com/{number}"),
    numbered("headings that are nearly updates", lambda number: f"## Updaet - {time(number)}\nText.\n\n"),
    numbered("updates at one time", lambda number: "## Update - 2020-01-02 10:00 UTC\nText.\n\n"),
    numbered("updates that go back", lambda number: f"## Investigating - {time(number + 1)}\nText.\n\n"),
    numbered("updates without text", lambda number: f"## Update - {time(number + 1)}\n"),
    numbered("overrides of nobody", lambda number: f"```post nobody-{number}\nText.\n```\n\n"),
    repeated("overrides of one", "```post x\nText.\n```\n\n"),
    repeated("one override", "word ", "```post x-thread\n", "\n```"),
    repeated("text before the updates", "word ", "", "\n\n## Update - 2020-01-02 10:00 UTC\nText."),
    updates("updates in one paragraph", lambda number: f"Text {number}.\n" + "word " * 10),
    many("announcements", lambda n: (f"incidents/b{n}.md", f"{HEAD}Text {n}.\n"), 200),
    many("announcements in folders", lambda n: (f"incidents/{n}/b{n}.md", f"{HEAD}Text {n}.\n"), 200),
    many("announcements of one name", lambda n: (f"incidents/{n}/a.md", f"{HEAD}Text {n}.\n"), 200),
    many("translations", lambda n: (f"incidents/b{n // 50}.{_letters(n % 50)}.md", f"{HEAD}Text {n}.\n"), 200),
    many("too many translations", lambda n: (f"incidents/a.{_letters(n)}.md", f"{HEAD}Text {n}.\n"), 200),
)
"""Updates, announcements and translations."""

FRONT = (
    front("components", lambda n: "components: [" + filled((f"API {i}, " for i in count()), n) + "]"),
    front("components on lines", lambda n: "components:\n" + filled((f"  - API {i}\n" for i in count()), n)),
    front("long components", lambda n: "components:\n" + filled((f"  - {'API ' * 24}{i}\n" for i in count()), n // 2)),
    front("long tags", lambda n: "tags:\n" + filled((f"  - {'tag' * 32}{i}\n" for i in count()), n // 2)),
    front("tags", lambda n: "tags: [" + filled((f"tag{i}, " for i in count()), n) + "]"),
    front("channels", lambda n: "channels: [" + times("site, ", n) + "]"),
    front("channels of no name", lambda n: "channels: [" + filled((f"none{i}, " for i in count()), n) + "]"),
    front("keys", lambda n: filled((f"key{i}: a\n" for i in count()), n)),
    front("one key", lambda n: times("link: a\n", n)),
    front("long link", lambda n: "link: https://example.com/" + times("a", n)),
    front("long host", lambda n: "link: https://" + times("a.", n) + "com"),
    front("long value", lambda n: "version: " + times("a ", n)),
    front("long key", lambda n: times("a", n) + ": b"),
    front("anchors", lambda n: "tags: [" + filled((f"&a{i} a, " for i in count()), n) + "]"),
    front("aliases", lambda n: "tags: [&a a, " + times("*a, ", n) + "]"),
    front("lists of YAML", lambda n: "tags: " + times("[", n)),
    front("mappings of YAML", lambda n: "tags: " + times("{a: ", n)),
    front("quotes of YAML", lambda n: 'tags: ["' + times('", "', n) + '"]'),
    front("a quote of YAML without end", lambda n: 'tags: "' + times("a\n  ", n)),
    front("escapes of YAML", lambda n: 'version: "' + times("\\n", n) + '"'),
    front("comments of YAML", lambda n: times("# a\n", n)),
    front("a block of YAML", lambda n: "version: |\n" + times("  a\n", n)),
    front("a block of YAML, folded", lambda n: "version: >\n" + times("  a\n\n", n)),
    front("blank lines of YAML", lambda n: times("\n", n)),
    front("questions of YAML", lambda n: times("? ", n)),
    front("dashes of YAML", lambda n: "tags:\n  " + times("- ", n)),
    front("tags of YAML", lambda n: "tags: [" + times("!a b, ", n) + "]"),
    Shape("no front matter", lambda n: {"broadcast.toml": config(), FILE: times("title: a\n", n)}),
)
"""The front matter."""

TOML = (
    toml("configured channels", lambda n: filled((_channel(i) for i in count()), n // 10)),
    toml("channels with secrets of one name", lambda n: filled((_channel(0, "_" * i) for i in count(1)), n // 10)),
    toml("routes", lambda n: times('[[routes]]\nkinds = ["release"]\nchannels = ["x-thread"]\n', n)),
    toml("names in a route", lambda n: "[[routes]]\nchannels = [" + times('"x-thread", ', n) + "]\n"),
    toml("unknown names in a route", lambda n: "[[routes]]\nchannels = [" + _names(n) + "]\n"),
    toml("own abbreviations", lambda n: "[abbreviations.en]\n" + filled((f'word{i} = "w{i}"\n' for i in count()), n)),
    toml("unknown keys", lambda n: "", lambda n: filled((f"key{i} = 1\n" for i in count()), n)),
    toml("a long array", lambda n: "", lambda n: "key = [" + times("1, ", n) + "]\n"),
    toml("arrays in arrays", lambda n: "", lambda n: "key = " + times("[", n)),
    toml("a long text", lambda n: "", lambda n: 'templates = "' + times("a", n) + '"\n'),
    toml("a text of lines", lambda n: "", lambda n: 'templates = """\n' + times("a\n", n) + '"""\n'),
    toml("comments of TOML", lambda n: times("# a\n", n)),
    toml("spaces in TOML", lambda n: "a" + times(" ", n) + "= 1\n"),
    toml("dotted keys", lambda n: "", lambda n: times("a.", n) + "a = 1\n"),
    toml("tables of TOML", lambda n: filled((f"[a{i}]\n" for i in count()), n)),
)
"""`broadcast.toml`."""


def _channel(number: int, more: str = "") -> str:
    return f'[channels.more-{number}{more}]\nplatform = "mastodon"\napi_base_url = "https://mastodon.example"\n'


def _names(size: int) -> str:
    return filled((f'"none-{number}", ' for number in count()), size)


WERE_SLOW = frozenset(
    (
        "spaces",
        "spaces in a quote",
        "spaces in a cell",
        "spaces in a definition of a note",
        "no-break spaces",
        "wide spaces",
        "tabs",
        "flags",
        "half flags",
        "marks of all classes",
        "brackets",
        "brackets in brackets",
        "images without ends",
        "notes without ends",
        "images",
        "images without spaces",
        "videos",
        "<?",
        "<!",
        "updates",
        "updates that go back",
        "too many translations",
        "dotted keys",
    )
)
"""What took more than linear time once."""
SHAPES = (*TEXT, *CSTATE, *FILES, *FRONT, *TOML)
