"""Four times the input takes about four times as long, from the file to the page: a choice of shapes, small.

`make growth` puts all of them through, at 25 KB and at 100 KB.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from growth.line import MOST, seconds
from growth.shapes import FRONT, SHAPES, TOML, WERE_SLOW, Shape

SMALL, LARGE = 5_000, 20_000
FLOOR = 0.25
"""Seconds below which the clock, the machine and the garbage are what is measured."""
CHOICE = [
    shape
    for number, shape in enumerate(SHAPES)
    if shape.name in WERE_SLOW or number % (4 if shape in (*FRONT, *TOML) else 8) == 0
]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is loaded late is loaded."""
    for shape in SHAPES[:3]:
        seconds(shape, 500, tmp_path_factory.mktemp("warm"), thorough=False)


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("shape", CHOICE, ids=lambda shape: shape.name)
def test_time_grows_with_the_input_and_not_faster(shape: Shape, tmp_path: Path) -> None:
    small, large = float("inf"), float("inf")
    for _ in range(3):
        large = min(large, seconds(shape, LARGE, tmp_path / "p", thorough=False))
        if large < FLOOR:
            return
        small = min(small, seconds(shape, SMALL, tmp_path / "p", thorough=False))
        if large < MOST * small:
            return
    pytest.fail(f"{small:.2f} s for {SMALL} bytes, and {large:.2f} s for {LARGE}")


def test_there_are_many_shapes_and_each_has_a_name() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) > 300
    assert len(CHOICE) > 60
    assert {shape.name for shape in SHAPES} >= WERE_SLOW
