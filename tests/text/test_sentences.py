"""Where sentences end, by language."""

from __future__ import annotations

import pytest

from broadcast.text.sentences import ends_clause, ends_sentence, stay_together


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("en", "down.", "We"),
        ("en", "down?", "We"),
        ("en", "(again).", "We"),
        ("en", "“now.”", "We"),
        ("en", "down.", "“We"),
        ("en", "2026.", "We"),
        ("de", "ist.", "Wir"),
        ("fr", "terminé.", "Nous"),
        ("es", "terminado.", "¿Qué"),
        ("ja", "ました。", "次"),
        ("zh", "恢复！", "请"),
        ("xx", "down.", "We"),
    ],
)
def test_ends(language: str, before: str, after: str) -> None:
    assert ends_sentence(before, after, language)


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("en", "e.g.", "The"),
        ("en", "v2.0", "The"),
        ("en", "node.js", "is"),
        ("en", "U.S.", "East"),
        ("en", "J.", "Smith"),
        ("en", "Dr.", "Who"),
        ("en", "9:35", "UTC"),
        ("en", "approx.", "5"),
        ("en", "Yahoo!", "said"),
        ("de", "3.", "Oktober"),
        ("de", "bzw.", "Berlin"),
        ("de", "z.", "B."),
        ("de", "ca.", "5"),
        ("fr", "M.", "Dupont"),
        ("fr", "env.", "5"),
        ("es", "Sr.", "García"),
        ("es", "EE.", "UU."),
    ],
)
def test_does_not_end(language: str, before: str, after: str) -> None:
    assert not ends_sentence(before, after, language)


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("de", "z.", "B."),
        ("de", "(z.", "B.,"),
        ("es", "p.", "ej."),
        ("fr", "panne", "!"),
        ("fr", "«", "panne"),
        ("fr", "panne", "»"),
        ("en", "J.", "Smith"),
        ("en", "18,", "2026"),
    ],
)
def test_stays_together(language: str, before: str, after: str) -> None:
    assert stay_together(before, after, language)


def test_clauses() -> None:
    assert ends_clause("down,", "but")
    assert ends_clause("down", "(again")
    assert ends_clause("down", "–")
    assert ends_clause("恢复，", "请")
    assert not ends_clause("is", "down")
