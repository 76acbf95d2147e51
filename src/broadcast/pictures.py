"""Images that may be hostile: opened without being decoded, and what will be refused of them told beforehand.

`check` and sending go by the same rules. Pillow is imported late.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
"""The formats that are read, by Pillow's name for them."""
MAX_PIXELS = 50_000_000
"""Most pixels that are decoded, over all frames: a file of a few kilobytes can claim billions."""
MAX_FRAMES = 500
DENSEST = 1032
"""Deflate makes no more than so many bytes of one (zlib.net/zlib_tech.html)."""

UNREADABLE = "is not a PNG, JPEG, GIF or WebP image, or is broken"
TOO_MANY_PIXELS = f"more than {MAX_PIXELS:,} pixels, which is more than is decoded"
TOO_MANY_FRAMES = f"more than {MAX_FRAMES} frames"

# What Pillow's decoders raise on broken or hostile files.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    struct.error,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    MemoryError,
)


class TooLargeError(Exception):
    """An image that is not decoded. The message says what is too much of it."""


def opened(data: bytes) -> Image:
    """The image, of which only the headers have been read. Raises one of `BROKEN`, or Pillow's error for a bomb."""
    from PIL import Image as Pillow

    # Pillow refuses twice this, wherever in a file a size stands, and warns of half of that. Nor is its opinion of
    # metadata that are thrown away of interest to anybody.
    Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    warnings.filterwarnings("ignore", module=r"PIL\.")
    return Pillow.open(io.BytesIO(data), formats=tuple(MIME))


def form_of(image: Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)  # what phones make: a JPEG and more of it


def frames_of(image: Image) -> int:
    """How many frames are shown one after the other, without counting further than is allowed: more frames, or more
    pixels in them. Raises `TooLargeError`."""
    if form_of(image) == "JPEG":
        return 1
    count = 1
    # To count the frames of a GIF is to decode them, and eleven kilobytes can hold 500 of 49 million pixels each.
    most = min(MAX_FRAMES, MAX_PIXELS // (image.width * image.height))
    try:
        while count <= most:
            image.seek(count)
            count += 1
    except EOFError:
        pass
    image.seek(0)
    if count > MAX_FRAMES:
        raise TooLargeError(TOO_MANY_FRAMES)
    return count


def wrong(data: bytes) -> str:
    """Why the file of an image will be refused when it is sent; empty where nothing speaks for that. What looks whole
    is not decoded, nor is what is too large."""
    from PIL import Image as Pillow

    try:
        with opened(data) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"has {image.width} x {image.height} pixels: {TOO_MANY_PIXELS}"
            count = frames_of(image)
            if image.width * image.height * count > MAX_PIXELS:
                return f"has {image.width} x {image.height} pixels in {count} frames or more: {TOO_MANY_PIXELS}"
            if not _whole(data, form_of(image), image):
                image.load()
    except TooLargeError as error:
        return f"has {error}"
    except Pillow.DecompressionBombError:
        return f"has {TOO_MANY_PIXELS}"
    except BROKEN as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        return "is broken: its end is missing" if cut else UNREADABLE
    return ""


def _whole(data: bytes, form: str, image: Image) -> bool:
    """Whether a file has what its format ends with; where it has not, decoding must tell."""
    match form:
        case "PNG":
            return _whole_png(data, image)
        case "JPEG":
            return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
        case "GIF":
            return data.rstrip(b"\0").endswith(b";")
        case _:
            return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _whole_png(data: bytes, image: Image) -> bool:
    """Every chunk there with its checksum, and as many bytes of pixels as can make the image (PNG, 5.3 and 11.2)."""
    packed = 0
    for kind, content, right in _chunks(data):
        if not right:
            return False
        packed += len(content) if kind == b"IDAT" else 0
        if kind == b"IEND":
            return packed * DENSEST >= image.height * (image.width * len(image.getbands()) // 8)
    return False


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    at, view = 8, memoryview(data)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        content = view[at + 8 : at + 8 + size]
        checksum = data[at + 8 + size : at + 12 + size]
        yield data[at + 4 : at + 8], content, checksum == zlib.crc32(view[at + 4 : at + 8 + size]).to_bytes(4, "big")
        at += 12 + size
