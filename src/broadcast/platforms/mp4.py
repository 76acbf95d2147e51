"""How large the picture of an MP4 video is: just enough of its boxes (ISO/IEC 14496-12) to know."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_BOXES = 1000
"""Most boxes that are looked at on one level of a file."""


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the video is shown, that is, turned as its header says; None where the file does
    not tell."""
    view = memoryview(data)
    for moov in _boxes(view, b"moov"):
        for track in _boxes(moov, b"trak"):
            for header in _boxes(track, b"tkhd"):
                if found := _size(header):
                    return found
    return None


def _boxes(view: memoryview, kind: bytes) -> Iterator[memoryview]:
    """The contents of the boxes of a kind, on one level. A box that claims more than there is ends the search."""
    start = 0
    for _ in range(MAX_BOXES):
        if start + 8 > len(view):
            return
        length, name = struct.unpack_from(">I4s", view, start)
        head = 8
        if length == 1 and start + 16 <= len(view):
            (length,) = struct.unpack_from(">Q", view, start + 8)
            head = 16
        elif length == 0:  # up to the end of the file
            length = len(view) - start
        if length < head or start + length > len(view):
            return
        if name == kind:
            yield view[start + head : start + length]
        start += length


def _size(header: memoryview) -> tuple[int, int] | None:
    """Of a track header (8.3.2): a matrix of nine numbers, then width and height as 16.16; both are 0 for sound."""
    matrix = 52 if header and header[0] == 1 else 40
    if len(header) < matrix + 44:
        return None
    a, b = struct.unpack_from(">ii", header, matrix)
    width, height = (number >> 16 for number in struct.unpack_from(">II", header, matrix + 36))
    if not width or not height:
        return None
    return (height, width) if a == 0 and b != 0 else (width, height)  # a quarter turn
