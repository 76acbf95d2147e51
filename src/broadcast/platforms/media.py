"""Images made to fit a platform: known by their content, small enough, and without what a camera wrote into them.

The same file gives the same bytes (with the same Pillow), because a record that names an image by its digest is made
before the image is sent. Pillow is imported late.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broadcast import reach
from broadcast.errors import RefusedError
from broadcast.images import HEAD, MAX_VIDEO, is_video, kind_of
from broadcast.images import MAX_IMAGE as MAX_FILE
from broadcast.model import Media
from broadcast.pictures import (
    BROKEN,
    MAX_PIXELS,
    MIME,
    TOO_MANY_PIXELS,
    UNREADABLE,
    TooLargeError,
    form_of,
    frames_of,
    opened,
)

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_SIDE = 3000
"""Longest side that is sent, in pixels; every platform shows less."""
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25, 0.15)
QUALITIES = (90, 80, 70)
HOPELESS = 3
"""A JPEG this many times too large does not fit with less quality either, only with less size."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as it is sent. `width` and `height` are in pixels."""

    data: bytes
    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Video:
    """A video, as it is in its file."""

    data: bytes
    mime: str


def load(root: Path, media: Media, max_bytes: int, max_animation: int = 0) -> Image:
    """The image of a post, made to fit as `fit` says. Raises `RefusedError` where it is none of the known formats,
    stands outside of `root`, or cannot be made to fit."""
    data = read(root, media)
    try:
        return fit(data, max_bytes, max_animation)
    except RefusedError as error:
        raise RefusedError(f"{media.path}: {error}") from None


def moving(root: Path, media: Media, max_bytes: int, max_animation: int, max_video: int) -> Image | Video:
    """The image or the video of a post. A video is sent as it is, or refused."""
    if is_video(media.path):
        return video_of(root, media, max_video)
    return load(root, media, max_bytes, max_animation)


def video_of(root: Path, media: Media, max_video: int) -> Video:
    """The video of a post. Raises `RefusedError` where it is none, or too large."""
    data = read(root, media)
    if kind_of(data[:HEAD]) != "video/mp4":
        raise RefusedError(f"{media.path}: is not an MP4 video")
    if len(data) > max_video:
        raise RefusedError(f"{media.path}: the video has {len(data):,} bytes, of at most {max_video:,}")
    return Video(data, "video/mp4")


def read(root: Path, media: Media) -> bytes:
    """The file, unless it is far too large for anything. Raises `RefusedError`."""
    try:
        return reach.read(root, media.path, (MAX_VIDEO if is_video(media.path) else MAX_FILE) + 1)
    except reach.OutsideError:
        raise RefusedError(f"{media.path}: stands outside of the project") from None
    except OSError as error:
        raise RefusedError(f"{media.path}: cannot be read ({error.strerror})") from None


def fit(data: bytes, max_bytes: int, max_animation: int = 0) -> Image:
    """The image without metadata, in at most `max_bytes`: as it is where that fits, else as a JPEG, else scaled too.

    An animation is never scaled: it fits in `max_animation` bytes or is refused. Where that is 0, its first frame
    stands for it.
    """
    from PIL import Image as Pillow

    if len(data) > MAX_FILE:
        raise RefusedError(f"the file is larger than {MAX_FILE // (1024 * 1024)} MB")
    try:
        with opened(data) as image:
            form, frames = form_of(image), frames_of(image) if max_animation > 0 else 1
            moving = frames > 1
            if image.width * image.height * frames > MAX_PIXELS:
                size = f"{image.width} x {image.height} pixels"
                raise RefusedError(f"{size}{f', {frames} frames or more' if moving else ''}: more than is decoded")
            if moving:
                return _animation(image, form, max_animation)
            return _still(image, form, max_bytes)
    except TooLargeError as error:
        raise RefusedError(str(error)) from None
    except Pillow.DecompressionBombError:
        raise RefusedError(TOO_MANY_PIXELS) from None
    except BROKEN:
        raise RefusedError(UNREADABLE) from None


def _animation(image: PillowImage, form: str, max_bytes: int) -> Image:
    options: dict[str, Any] = {"save_all": True}
    if form == "WEBP":  # of a GIF, Pillow keeps these by itself
        options["loop"] = image.info.get("loop", 0)
        options["duration"] = [_duration(image, frame) for frame in range(frames_of(image))]
        image.seek(0)
    data = _saved(image, form, **options)
    if len(data) > max_bytes:
        raise RefusedError(f"the animation has {len(data):,} bytes, of at most {max_bytes:,}")
    return Image(data, MIME[form], image.width, image.height)


def _duration(image: PillowImage, frame: int) -> int:
    """Milliseconds for which a frame is shown."""
    image.seek(frame)
    image.load()
    return int(image.info.get("duration", 100))


def _still(image: PillowImage, form: str, max_bytes: int) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    image.load()
    picture = ImageOps.exif_transpose(image)
    if max(picture.size) > MAX_SIDE:
        picture = _plain(picture)
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Pillow.Resampling.LANCZOS)
    for data, mime, (width, height) in _attempts(picture, "PNG" if form == "GIF" else form, max_bytes):
        if len(data) <= max_bytes:
            return Image(data, mime, width, height)
    raise RefusedError(f"cannot be made smaller than {max_bytes:,} bytes")


def _attempts(picture: PillowImage, form: str, max_bytes: int) -> Iterator[tuple[bytes, str, tuple[int, int]]]:
    """The image written in several ways, the best first. Text in a screenshot stays sharpest in full size, so the
    format is given up before the size is."""
    from PIL import Image as Pillow

    if form == "PNG":
        yield _saved(picture, form), MIME[form], picture.size
    else:
        first = _opaque(picture) if form == "JPEG" else _plain(picture)
        yield _saved(first, form, quality=95 if form == "JPEG" else 90), MIME[form], first.size
    opaque = _opaque(picture)
    for scale in SCALES:
        size = (max(1, round(opaque.width * scale)), max(1, round(opaque.height * scale)))
        smaller = opaque if scale == 1 else opaque.resize(size, Pillow.Resampling.LANCZOS)
        for quality in QUALITIES:
            data = _saved(smaller, "JPEG", quality=quality, optimize=True)
            yield data, MIME["JPEG"], size
            if len(data) > HOPELESS * max_bytes:
                break


def _plain(image: PillowImage) -> PillowImage:
    """In a mode that can be scaled smoothly: no palette, no 16-bit gray."""
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _opaque(image: PillowImage) -> PillowImage:
    """On white where it was transparent: JPEG knows no transparency."""
    from PIL import Image as Pillow

    plain = _plain(image)
    if plain.mode != "RGBA":
        return plain
    ground = Pillow.new("RGB", plain.size, "white")
    ground.paste(plain, mask=plain.getchannel("A"))
    return ground


def _saved(image: PillowImage, form: str, **options: Any) -> bytes:
    """The file, with nothing that came with it but its colors: the profile (where it speaks of the colors that are
    written: an image may have been converted) and the transparency of a palette."""
    file = io.BytesIO()
    profile = image.info.get("icc_profile")
    space = b"GRAY" if image.mode in ("1", "L", "LA", "I", "I;16") else b"RGB "
    if form != "GIF" and isinstance(profile, bytes) and profile[16:20] == space:  # ICC.1:2022, 7.2.6
        options["icc_profile"] = profile
    else:
        image.info.pop("icc_profile", None)
    image.info.pop("comment", None)
    image.save(file, form, **options)
    return file.getvalue()
