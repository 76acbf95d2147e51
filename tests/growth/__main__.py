"""The table of growth: how long each shape takes at two sizes. `make growth` types it.

Each runs in a process of its own, which is ended when it takes too long. Names of shapes on the command line choose.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import tempfile
from pathlib import Path

from growth.line import MOST, seconds
from growth.shapes import SHAPES, Shape

SMALL, LARGE = 25_000, 100_000
PATIENCE = 60
"""Seconds of the processor after which a size is given up."""
FLOOR = 0.2
"""Seconds below which what is measured is the clock and the machine."""


def bounded(shape: Shape, size: int) -> float | None:
    """The same in a process of its own; None when it takes longer than anybody waits."""

    def run() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        with tempfile.TemporaryDirectory() as folder:
            seconds(shape, 500, Path(folder) / "p")  # what is loaded late is loaded now
            sender.send(seconds(shape, size, Path(folder) / "p"))

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=run)
    child.start()
    sender.close()
    try:
        return float(receiver.recv())
    except EOFError:
        child.join()
        if child.exitcode in (-signal.SIGXCPU, -signal.SIGKILL):
            return None
        raise RuntimeError(f"{shape.name} failed, see above") from None


def main(names: list[str]) -> int:
    chosen = [shape for shape in SHAPES if not names or shape.name in names]
    over = 0
    print("| shape | 25 KB | 100 KB | ratio |\n| --- | ---: | ---: | ---: |", flush=True)
    for shape in chosen:
        small = bounded(shape, SMALL)
        large = bounded(shape, LARGE) if small is not None else None
        ratio = large / max(small, 0.001) if small and large else None
        bad = large is None or (ratio is not None and ratio > MOST and large > FLOOR)
        over += bad
        print(
            f"| {'**' * bad}{shape.name.replace('|', chr(92) + '|')}{'**' * bad} "
            f"| {f'{small:.2f}' if small is not None else f'over {PATIENCE}'} "
            f"| {f'{large:.2f}' if large is not None else f'over {PATIENCE}'} "
            f"| {f'{ratio:.1f}' if ratio is not None else '-'} |",
            flush=True,
        )
    print(
        f"\n{len(chosen)} shapes, {over} of them more than linear (over {MOST:g} times the time for 4 times the input)"
    )
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
