from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from broadcast.errors import RefusedError
from broadcast.model import Media
from broadcast.platforms.media import MAX_SIDE, fit, load

PLENTY = 10_000_000


def written(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    size = width * height * len(mode)
    return Image.frombytes(mode, (width, height), random.Random(1).randbytes(size))


def camera() -> Image.Exif:
    """What a telephone writes: its name, how it was held, where it was."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return exif


def frames(form: str) -> bytes:
    first, *rest = (noise(40, 30).quantize(16 + number) for number in range(4))
    return written(first, form, save_all=True, append_images=rest, duration=[100, 200, 300, 400], loop=0)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"comment": b"SecretComment"}),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (8, 8))]}),
        ("PNG", {"pnginfo": PngImagePlugin.PngInfo()}),
        ("WEBP", {"xmp": b"SecretComment"}),
    ],
)
def test_metadata_goes_and_the_picture_stays_upright(form: str, options: dict[str, Any]) -> None:
    if "pnginfo" in options:
        options["pnginfo"].add_text("SecretComment", "SecretComment")
    source = written(Image.new("RGB", (80, 50), "red"), form, exif=camera(), **options)
    assert b"Secret" in source

    image = fit(source, PLENTY)

    assert b"Secret" not in image.data
    assert (image.width, image.height) == opened(image.data).size == (50, 80)
    assert not opened(image.data).getexif()
    assert image.mime == {"MPO": "image/jpeg"}.get(form, f"image/{form.lower()}")


def test_gif_comment_goes() -> None:
    source = written(Image.new("P", (8, 8)), "GIF", comment=b"SecretComment", save_all=True)
    assert b"Secret" in source
    assert b"Secret" not in fit(source, PLENTY, PLENTY).data


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_same_file_gives_same_bytes(form: str) -> None:
    source = written(noise(300, 200), form)
    for most in (PLENTY, 20_000):
        assert fit(source, most) == fit(source, most)


def test_png_stays_as_it_is_to_the_pixel() -> None:
    source = noise(64, 48, "RGBA")
    image = fit(written(source, "PNG"), PLENTY)
    assert image.mime == "image/png"
    assert opened(image.data).tobytes() == source.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("most", [PLENTY, 900])
def test_every_mode_is_taken(mode: str, form: str, most: int) -> None:
    try:
        source = written(Image.new(mode, (60, 40)), form)
    except (OSError, ValueError):
        return  # there is no such file
    image = fit(source, most)
    assert len(image.data) <= most
    assert opened(image.data).convert("RGB").size == (image.width, image.height)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_too_large_becomes_smaller_and_keeps_its_shape(mode: str) -> None:
    image = fit(written(noise(1200, 800, mode), "PNG"), 200_000)
    assert len(image.data) <= 200_000
    assert image.mime == "image/jpeg"
    assert image.width / image.height == pytest.approx(1.5, abs=0.01)
    assert image.width >= 300


def test_transparent_becomes_white_in_a_jpeg() -> None:
    source = noise(300, 300, "RGBA")
    source.putalpha(0)
    image = fit(written(source, "PNG", compress_level=0), 5_000)
    if image.mime == "image/jpeg":
        assert opened(image.data).getpixel((10, 10)) == (255, 255, 255)


def test_long_side_is_bounded() -> None:
    image = fit(written(Image.new("L", (MAX_SIDE * 2, 100)), "PNG"), PLENTY)
    assert (image.width, image.height) == (MAX_SIDE, 50)


def test_what_cannot_be_made_small_enough_is_refused() -> None:
    with pytest.raises(RefusedError, match="smaller than 100 bytes"):
        fit(written(noise(200, 200), "PNG"), 100)


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_animation_keeps_its_times_or_becomes_its_first_frame(form: str) -> None:
    moving = fit(frames(form), 100, PLENTY)
    times = []
    for frame in ImageSequence.Iterator(opened(moving.data)):
        frame.load()
        times.append(frame.info["duration"])
    assert times == [100, 200, 300, 400]
    assert opened(moving.data).info["loop"] == 0
    still = fit(frames(form), PLENTY)
    assert getattr(opened(still.data), "n_frames", 1) == 1
    with pytest.raises(RefusedError, match="at most 100"):
        fit(frames(form), PLENTY, 100)


def test_colors_keep_their_profile_where_it_still_speaks_of_them() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode, kept in (("RGB", True), ("L", False)):
        image = fit(written(Image.new(mode, (8, 8)), "JPEG", icc_profile=profile), PLENTY)
        assert (opened(image.data).info.get("icc_profile") == profile) is kept


def test_bombs_are_refused_before_they_go_off() -> None:
    for source in (
        written(Image.new("1", (20_000, 20_000)), "PNG"),
        written(
            Image.new("L", (1, 1)),
            "GIF",
            save_all=True,
            append_images=[Image.new("L", (1, 1), 200 + number % 2) for number in range(600)],
        ),
    ):
        with pytest.raises(RefusedError, match=r"pixels|frames"):
            fit(source, PLENTY, PLENTY)


def test_bomb_in_a_text_chunk() -> None:
    head, tail = written(Image.new("L", (8, 8)), "PNG").split(b"IDAT", 1)
    text = b"zTXtComment\0\0" + zlib.compress(bytes(200_000_000), 9)
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    with pytest.raises(RefusedError):
        fit(head[:-4] + chunk + head[-4:] + b"IDAT" + tail, PLENTY)


def _bmp() -> bytes:
    return written(Image.new("RGB", (8, 8)), "BMP")


def _half() -> bytes:
    return written(noise(100, 100), "PNG")[:5000]


def _tiff_as_png() -> bytes:
    return written(Image.new("RGB", (8, 8)), "TIFF")


@pytest.mark.parametrize("make", [bytes, _bmp, _half, _tiff_as_png, lambda: b"<svg/>", lambda: b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(RefusedError, match="is not a PNG, JPEG, GIF or WebP"):
        fit(make(), PLENTY)


def test_an_animation_whose_later_frames_have_no_colors_is_refused_or_mended() -> None:
    """Pillow ends in an assertion of its own where it writes this one again."""
    data = (
        b"GIF89a\x0c\0\t\0\0\0\0,\0\0\0\0\x0c\0\t\0\0\x08\x14\0\x01\x08\x1cH\xb0\xa0\xc1\x83\x08\x13*\\\xc8\xb0\xa1\xc3\x81"
        b"\x01\x01\0,\0\0\0\0\x0c\0\t\0\x81\x02\0\0\0\0\0\0\0\0\0\x08\x14\0\x01\x08\x1cdate_\n"
        b"\0\0\0\0\0\0\0\0\0\0\0!\xf9\x04\0\x04\0\0\0,\0\0"
    )
    with suppress(RefusedError):
        assert fit(data, PLENTY, PLENTY).data


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_mended(data: st.DataObject) -> None:
    source = bytearray(data.draw(st.sampled_from(DAMAGED)))
    for _ in range(data.draw(st.integers(1, 8))):
        source[data.draw(st.integers(0, min(len(source) - 1, 400)))] = data.draw(st.integers(0, 255))
    with suppress(RefusedError):
        assert fit(bytes(source), 5_000, 50_000).data


DAMAGED = [written(noise(20, 20), form, exif=camera()) for form in ("PNG", "JPEG", "WEBP")] + [
    frames("GIF"),
    frames("WEBP"),
]


def test_path_stays_in_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.png").write_bytes(written(Image.new("L", (8, 8)), "PNG"))
    (project / "link.png").symlink_to(tmp_path / "outside.png")
    (project / "inside.png").write_bytes((tmp_path / "outside.png").read_bytes())
    assert load(project, Media("inside.png", ""), PLENTY).width == 8
    for path in ("../outside.png", "link.png", str(tmp_path / "outside.png"), ".", "none.png"):
        with pytest.raises(RefusedError, match=path):
            load(project, Media(path, ""), PLENTY)
