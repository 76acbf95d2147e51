"""The documents say what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcast.config import ChannelTable, File
from broadcast.platforms import base as platforms
from broadcast.source.frontmatter import FrontMatter

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    text = re.sub(r"````?.*?````?|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_every_key_of_the_front_matter_is_documented() -> None:
    page = (ROOT / "docs" / "announcements.md").read_text(encoding="utf-8")
    for key in FrontMatter.model_fields:
        assert f"`{key}`" in page, key


def test_every_key_of_the_configuration_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    models = [platforms.load(name).OPTIONS for name in ("x", "bluesky", "mastodon", "site")]
    keys = {*ChannelTable.model_fields, *(key for model in models for key in model.model_fields)}
    for key in keys | {
        key for key in File.model_fields if key not in ("channels", "routes", "cadence", "abbreviations")
    }:
        assert f"`{key}`" in page, key


def test_the_changelog_names_every_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for command in re.findall(r"^\| `broadcast ([a-z]+)", readme, re.MULTILINE):
        assert command in changelog, command
