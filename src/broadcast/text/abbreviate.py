"""Words written shorter, one by one: never in links, code, quotes or names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from broadcast.text.atoms import WHOLE_SENTENCES, Atom, Break
from broadcast.text.sentences import is_number, known

_LEADS, _TRAILS = "(\"'“„‘«¿¡", ".,;:!?)\"'”’»…"
NUMBER = "#"
"""In a list of abbreviations: any number. `# hours` is not `for hours`."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The atoms from `start` up to `end` become one with this text."""

    start: int
    end: int
    text: str


def edits(atoms: Sequence[Atom], kinds: Sequence[Break], own: Mapping[str, str], language: str) -> list[Edit]:
    """What can be written shorter in `atoms`, in the order in which it should be: by the user's list, then by the
    packaged one, and each word where it stands first. None touches an atom of another."""
    table = {**own, **{long: short for long, short in known(language).shorter.items() if long not in own}}
    rules: dict[str, list[tuple[int, list[str], str]]] = {}
    for order, (long, short) in enumerate(table.items()):
        if short and (words := long.split()):
            rules.setdefault(words[0].casefold(), []).append((order, words, short))
    found = []
    for index, atom in enumerate(atoms):
        core = _parted(atom.text)[1]
        candidates = rules.get(core.casefold(), []) + (rules.get(NUMBER, []) if is_number(core) else [])
        for order, words, short in candidates:
            text = _shortened(atoms, kinds, index, words, short, german=language.startswith("de"))
            if text is not None:
                found.append((order, Edit(index, index + len(words), text)))
    taken: set[int] = set()
    chosen = []
    for _, edit in sorted(found, key=lambda entry: (entry[0], entry[1].start)):
        if taken.isdisjoint(range(edit.start, edit.end)):
            taken.update(range(edit.start, edit.end))
            chosen.append(edit)
    return chosen


def apply(atoms: Sequence[Atom], chosen: Sequence[Edit]) -> list[Atom]:
    """The atoms with these edits made."""
    result: list[Atom] = []
    position = 0
    for edit in sorted(chosen, key=lambda edit: edit.start):
        media = tuple(image for atom in atoms[edit.start : edit.end] for image in atom.media)
        result += atoms[position : edit.start]
        result.append(replace(atoms[edit.start], text=edit.text, media=media))
        position = edit.end
    return [*result, *atoms[position:]]


def _parted(word: str) -> tuple[str, str, str]:
    rest = word.lstrip(_LEADS)
    core = rest.rstrip(_TRAILS)
    return word[: len(word) - len(rest)], core, rest[len(core) :]


def _shortened(
    atoms: Sequence[Atom], kinds: Sequence[Break], start: int, words: Sequence[str], short: str, *, german: bool
) -> str | None:
    """What the atoms from `start` on are written as, when they are these words and may be shortened."""
    run = atoms[start : start + len(words)]
    if len(run) < len(words) or any(atom.fixed or atom.marks for atom in run):
        return None
    if any(
        atom.space != " " or kind in WHOLE_SENTENCES for atom, kind in zip(run[1:], kinds[start + 1 :], strict=False)
    ):
        return None
    lead, _, _ = _parted(run[0].text)
    *_, trail = _parted(run[-1].text)
    phrase = " ".join(atom.text for atom in run)
    said = phrase[len(lead) : len(phrase) - len(trail)].split(" ")
    number = ""
    for word, wanted in zip(said, words, strict=True):
        if wanted == NUMBER and is_number(word):
            number = word
        elif word != wanted and not (
            word == wanted[:1].upper() + wanted[1:] and _opens(kinds, start) and word == said[0]
        ):
            return None
    if not german and words[0][:1].isupper() and _in_name(atoms, start, start + len(words)):
        return None
    text = short.replace(NUMBER, number)
    if said[0][:1].isupper() and words[0][:1].islower():
        text = text[:1].upper() + text[1:]
    text = lead + text + (trail[1:] if text.endswith(".") and trail.startswith(".") else trail)
    return text if len(text) < len(lead + " ".join(said) + trail) else None


def _opens(kinds: Sequence[Break], index: int) -> bool:
    return index == 0 or kinds[index] in WHOLE_SENTENCES


def _in_name(atoms: Sequence[Atom], start: int, end: int) -> bool:
    """Whether a capitalized word has another right behind it: in "August Meier", August is nobody's month."""
    if atoms[end - 1].text[-1:] in ",;:.)" or end >= len(atoms) or atoms[end].space != " ":
        return False
    return atoms[end].text[:1].isupper() and atoms[end].text.rstrip(".,;:!?)").isalpha()
