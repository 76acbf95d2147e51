from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from broadcast.rehearsal.base import World
from broadcast.rehearsal.server import Faults, Server

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that stop when the test ends."""
    with ExitStack() as stack:

        def start(world: World, faults: Faults | None = None) -> Server:
            return stack.enter_context(Server(world, faults))

        yield start


@pytest.fixture(scope="session")
def png() -> bytes:
    """A whole picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
