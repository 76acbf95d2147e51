"""Characters that must never reach a follower: those that are not seen and change what is read.

What goes, and why:

- Controls (C0, C1), noncharacters and lone surrogates: no platform keeps them, and some refuse the post. Tabs become
  spaces, `\\r\\n`, `\\r`, U+2028 and U+2029 become `\\n`, a lone surrogate becomes U+FFFD.
- Bidirectional embeddings, overrides and isolates (U+202A–U+202E, U+2066–U+2069): an override can show a text backwards
  ("Trojan Source", CVE-2021-42574), and a pair can be torn apart where a thread is cut. The marks U+200E, U+200F and
  U+061C stay: right-to-left text needs them, and they reorder nothing beyond their neighbors.
- Zero-width space, word joiner, byte order mark, soft hyphen, invisible operators and language tags: they break words,
  URLs and hashtags without being seen. The joiners U+200C and U+200D stay between two visible characters (emoji,
  Persian, Indic scripts), tag characters stay in flag emoji.

The rest is normalized to NFC (UAX #15), which is what X counts.
"""

from __future__ import annotations

import re

from broadcast.text.characters import composed

_LINES = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_HARMLESS = re.compile(r"[\n -~]*")
_FLAG = r"\U0001F3F4[\U000E0030-\U000E007A]{1,8}\U000E007F"
_UNSEEN = re.compile(
    rf"({_FLAG})"
    r"|[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u180e\u200b\u2060-\u206f\ufeff\u202a-\u202e\ufdd0-\ufdef\ufff0-\ufffb"
    r"\U000E0000-\U000E007F]"
    r"|[\ufffe\uffff\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U000ffffe\U000fffff\U0010fffe\U0010ffff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LOOSE_JOINERS = re.compile(r"(?:^|(?<=\s))[\u200c\u200d]+|[\u200c\u200d]+(?=\s|$)|(?<=[\u200c\u200d])[\u200c\u200d]+")


def clean(text: str) -> str:
    """`text` in NFC, without what is not seen. Cleaning twice changes nothing more."""
    if _HARMLESS.fullmatch(text):
        return text
    text = _LINES.sub("\n", text).replace("\t", "    ")
    text = _UNSEEN.sub(lambda found: found[1] or "", _SURROGATES.sub("\ufffd", text))
    return composed(_LOOSE_JOINERS.sub("", text))
