"""The format of the ledger is the documented one."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from broadcast.ledger.codec import decode, encode
from broadcast.model import Facet, Intent, Media, Place, Post, Receipt, Ref, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_the_example_lines_are_lines_of_a_ledger() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    lines = block.splitlines()
    items = [decode(line.encode(), "docs/ledger.md") for line in lines]
    assert [type(item.event) for item in items] == [Intent, Receipt, Verdict]
    assert [encode(item).decode().rstrip("\n") for item in items] == lines


@pytest.mark.parametrize("kind", [Intent, Receipt, Verdict, Post, Facet, Media, Place, Ref])
def test_every_field_is_documented(kind: type) -> None:
    for field in dataclasses.fields(kind):
        assert f"`{field.name}`" in PAGE, field.name
