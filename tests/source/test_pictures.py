"""What will be refused of a picture when it is sent is told by `check`, from its headers, in little time and memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from PIL import Image

from broadcast import pictures
from broadcast.errors import RefusedError
from broadcast.platforms.media import fit
from kit import Desk, incident


def saved(form: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes, pixels: bytes = b"\0" * 100, end: bool = True) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(pixels))
    return data + chunk(b"IEND", b"") * end


def frames(count: int, form: str, size: tuple[int, int] = (8, 8)) -> bytes:
    made = [Image.new("RGB", size, (n % 256, n // 256, 9)) for n in range(count)]
    file = io.BytesIO()
    made[0].save(file, form, save_all=True, append_images=made[1:])
    return file.getvalue()


def gif(width: int, height: int, count: int) -> bytes:
    """Of `count` frames, each of a single pixel on a canvas as large as it says: 23 bytes each."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"!\xf9\x04\x04\x01\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * count + b";"


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a bomb": lambda: png(50_000, 50_000),
    "just too many pixels": lambda: png(10_000, 5_001),
    "no width": lambda: png(0, 10),
    "a header that lies": lambda: png(5_000, 5_000),
    "a text that unfolds": lambda: png(4, 4, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 80_000_000))),
    "a profile that unfolds": lambda: png(4, 4, chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 80_000_000))),
    "ten thousand frames": lambda: frames(600, "GIF"),
    "large frames": lambda: frames(30, "GIF", (1600, 1200)),
    "500 frames of 49 million pixels": lambda: gif(7000, 7000, 500),
    "half a PNG": lambda: cut(saved("PNG", (400, 300))),
    "a PNG without its end": lambda: png(4000, 30, pixels=b"\0" * 90, end=False),
    "a PNG that was changed": lambda: saved("PNG").replace(b"IDAT", b"IDAT\x01", 1),
    "half a JPEG": lambda: cut(saved("JPEG", (400, 300))),
    "half a GIF": lambda: cut(saved("GIF", (400, 300))),
    "half a WebP": lambda: cut(saved("WEBP", (400, 300))),
    "only a name": lambda: b"\x89PNG\r\n\x1a\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_sending_refuses_is_told_beforehand(name: str) -> None:
    data = HOSTILE[name]()
    tracemalloc.start()
    before = process_time()
    try:
        said = pictures.wrong(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert said
    assert process_time() - before < 3
    assert most < 200_000_000
    with pytest.raises(RefusedError):
        fit(data, 1_000_000, 5_000_000)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])  # the frames of a GIF cannot be counted without
def test_what_is_whole_is_not_even_decoded(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(form, (400, 300))
    assert fit(data, 1_000_000).data
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
    assert pictures.wrong(data) == ""


@pytest.mark.parametrize("data", [saved("JPEG") + b"\0" * 50, saved("GIF") + b"\0", saved("JPEG", progressive=True)])
def test_what_cameras_and_old_programs_leave_behind_is_fine(data: bytes) -> None:
    assert pictures.wrong(data) == ""
    assert fit(data, 1_000_000).data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "git lfs pull"),
        (b"", "is an empty file"),
        (png(50_000, 50_000), "more than 50,000,000 pixels"),
        (cut(saved("JPEG", (400, 300))), "its end is missing"),
        (b"II*\0" + b"\0" * 40, "is not a PNG"),
        (b"BM" + b"\0" * 60, "is not a PNG"),
    ],
)
def test_check_names_the_line_and_what_is_wrong(desk: Desk, data: bytes, said: str) -> None:
    """On e0fdd80 `check` found nothing, and X, Bluesky and Mastodon got nothing at all."""
    desk.write("broadcast.toml", '[channels.site]\nplatform = "site"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "Look: ![A graph](a.png)")))
    (desk.root / "incidents" / "a.png").write_bytes(data)
    done = desk.run("check", "--json")
    assert done.code == 1
    (problem,) = done.json()["problems"]
    assert (problem["code"], problem["path"], problem["line"], problem["column"]) == (
        "bad-media",
        str(Path("incidents", "slow.md")),
        7,
        7,
    )
    assert said in problem["message"]


def test_a_picture_that_is_named_a_thousand_times_is_looked_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def wrong(data: bytes) -> str:
        looked.append(len(data))
        return "is broken"

    monkeypatch.setattr(pictures, "wrong", wrong)
    desk.write("broadcast.toml", '[channels.site]\nplatform = "site"\n')
    for slug in ("a", "b"):
        body = "![A graph](a.png)\n\n" * 500
        desk.write(f"incidents/{slug}.md", incident(("Investigating", 30, body), ("Resolved", 20, body)))
    (desk.root / "incidents" / "a.png").write_bytes(saved("PNG"))
    problems = desk.run("check", "--json").json()["problems"]
    assert len([one for one in problems if one["code"] == "bad-media"]) == 2000
    assert len(looked) == 1
