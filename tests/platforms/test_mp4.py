from __future__ import annotations

import struct

import pytest

from broadcast.platforms.mp4 import dimensions

UPRIGHT = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
TURNED = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)


def box(kind: bytes, *contents: bytes, wide: bool = False) -> bytes:
    content = b"".join(contents)
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def track(width: int, height: int, matrix: tuple[int, ...] = UPRIGHT, version: int = 0) -> bytes:
    head = bytes([version, 0, 0, 7]) + bytes(32 if version else 20) + bytes(16)
    return box(b"trak", box(b"tkhd", head, struct.pack(">9i", *matrix), struct.pack(">II", width << 16, height << 16)))


def movie(*tracks: bytes) -> bytes:
    return box(b"ftyp", b"mp42", bytes(4)) + box(b"mdat", bytes(100)) + box(b"moov", box(b"mvhd", bytes(100)), *tracks)


@pytest.mark.parametrize("version", [0, 1])
def test_the_size_is_that_of_the_first_track_with_a_picture(version: int) -> None:
    assert dimensions(movie(track(0, 0), track(1280, 720, version=version), track(1, 1))) == (1280, 720)


def test_a_quarter_turn_is_told_as_it_is_shown() -> None:
    assert dimensions(movie(track(1920, 1080, TURNED))) == (1080, 1920)


def test_wide_lengths_and_a_last_box_without_a_length() -> None:
    moov = box(b"moov", track(640, 480), wide=True)
    assert dimensions(box(b"ftyp", b"mp42") + moov) == (640, 480)
    open_ended = struct.pack(">I4s", 0, b"moov") + track(640, 480)
    assert dimensions(box(b"ftyp", b"mp42") + open_ended) == (640, 480)


def test_what_does_not_tell_has_no_size() -> None:
    whole = movie(track(1280, 720))
    for cut in range(len(whole)):
        assert dimensions(whole[:cut]) is None
    for data in (b"", b"\0" * 50, b"\xff" * 50, movie(), movie(track(0, 720)), box(b"moov") * 100_000):
        assert dimensions(data) is None
