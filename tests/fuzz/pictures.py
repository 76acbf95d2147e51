"""Entrances for images and videos: whatever a file is, it becomes an image that fits, or is refused."""

from __future__ import annotations

import io

from PIL import Image

from broadcast.errors import RefusedError
from broadcast.images import HEAD, kind_of
from broadcast.platforms.media import fit
from broadcast.platforms.mp4 import dimensions

MOST = 20_000


def image(data: bytes) -> None:
    kind_of(data[:HEAD])
    for animation in (0, MOST):
        try:
            made = fit(data, MOST, animation)
        except RefusedError:
            continue
        assert len(made.data) <= MOST
        assert kind_of(made.data[:HEAD]) == made.mime
        with Image.open(io.BytesIO(made.data)) as picture:
            picture.load()
            assert picture.size == (made.width, made.height)
            assert not picture.getexif()


def video(data: bytes) -> None:
    found = dimensions(data)
    assert found is None or min(found) > 0
