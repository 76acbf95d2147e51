"""`make fuzz`: cases that reach ever more of the program, by atheris. Findings stay in `.fuzz`, and are small.

    python -m fuzz [--minutes 60] [ENTRANCE ...]

Each entrance gets a process and its share of the time. What is not allowed to happen, or takes longer than it may, is
written down once for each place that it comes from, with the smallest case that shows it; the rest goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import pkgutil
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import atheris  # type: ignore[import-untyped,unused-ignore]  # installed by `make fuzz` alone

import broadcast
from fuzz.mutation import LONGEST, mutate

if TYPE_CHECKING:
    from fuzz.entrances import Entrance

HOME = Path(__file__).parents[2] / ".fuzz"
SLOW = 5.0
"""Most seconds of the processor's time that a case of at most `LONGEST` bytes may take."""
STUCK = 120
"""Seconds after which a case counts as a hang."""
TRIES = 400
"""How often a finding is made smaller, at most, and for how many seconds."""
ENOUGH = 20.0


@dataclass(slots=True)
class Watch:
    """Runs cases of one entrance and keeps what they find."""

    take: Callable[[bytes], None]
    folder: Path
    known: set[str] = field(default_factory=set)

    def __call__(self, data: bytes) -> None:
        place, told = self._run(data)
        if place is None or place in self.known:
            return
        self.known.add(place)
        data = self._smaller(data, place)
        _, told = self._run(data)
        name = hashlib.sha256(place.encode()).hexdigest()[:12]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.bin").write_bytes(data)
        (self.folder / f"{name}.txt").write_text(f"{place}\n{data!r}\n\n{told}", encoding="utf-8", errors="replace")

    def _run(self, data: bytes) -> tuple[str | None, str]:
        """Where it went wrong, and how."""
        start = time.process_time()
        try:
            self.take(data)
        except Exception as error:  # noqa: BLE001 - this is what we are here for
            frames = [one for one in traceback.extract_tb(error.__traceback__) if "/fuzz/__main__" not in one.filename]
            ours = [one for one in frames if "/broadcast/" in one.filename or "/fuzz/" in one.filename] or frames
            last = ours[-1]
            place = f"{type(error).__name__} {Path(last.filename).name}:{last.lineno} {last.name}"
            return place, "".join(traceback.format_exception(error)[-12:])
        seconds = time.process_time() - start
        return ("slow", f"{seconds:.1f} s for {len(data)} bytes") if seconds > SLOW else (None, "")

    def _smaller(self, data: bytes, place: str) -> bytes:
        """The same finding in fewer bytes: without every piece that it does not need, large ones first."""
        end, tries, size = time.monotonic() + ENOUGH, 0, max(len(data) // 2, 1)
        while size:
            at = 0
            while at < len(data):
                if (tries := tries + 1) > TRIES or time.monotonic() > end:
                    return data
                less = data[:at] + data[at + size :]
                if self._run(less)[0] == place:
                    data = less
                else:
                    at += size
            size //= 2
        return data


def _fuzz(name: str, entrance: Entrance, seconds: int) -> None:
    """One entrance, in this process, which it ends."""
    corpus = HOME / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = list(entrance.seeds())
    for seed in seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)

    def near(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.3:
            return bytes(atheris.Mutate(data, most))
        return mutate(data, random, seeds, most)

    options = {
        "max_total_time": seconds,
        "max_len": max([LONGEST, *map(len, seeds)]),
        "timeout": STUCK,
        "rss_limit_mb": 4096,
        "artifact_prefix": f"{HOME / name}/",
        "print_final_stats": 1,
        "report_slow_units": STUCK,
        "verbosity": 1,
    }
    arguments = [sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)]
    atheris.Setup(arguments, Watch(entrance, HOME / name / "findings"), custom_mutator=near)
    atheris.Fuzz()


def main() -> int:
    with atheris.instrument_imports(include=["broadcast"]):
        from fuzz.entrances import ENTRANCES

        # What is imported late would not be measured.
        for module in pkgutil.walk_packages(broadcast.__path__, "broadcast."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)

    parser = argparse.ArgumentParser(prog="fuzz", description="Fuzz every entrance, or those that are named.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--one", type=int, metavar="SECONDS", help=argparse.SUPPRESS)
    parser.add_argument("entrances", nargs="*", metavar="ENTRANCE")
    asked = parser.parse_args()
    names = asked.entrances or list(ENTRANCES)
    if unknown := set(names) - ENTRANCES.keys():
        parser.error(f"there is no entrance {min(unknown)}; there are: {', '.join(ENTRANCES)}")
    if asked.one:
        _fuzz(names[0], ENTRANCES[names[0]], asked.one)
    whole = sum(ENTRANCES[name].share for name in names)
    bad = 0
    for name in names:
        seconds = max(int(asked.minutes * 60 * ENTRANCES[name].share / whole), 5)
        command = [sys.executable, "-m", "fuzz", "--one", str(seconds), name]
        (HOME / name).mkdir(parents=True, exist_ok=True)
        with (HOME / name / "log").open("w+", encoding="utf-8", errors="replace") as log:
            code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
            log.seek(0)
            told = log.read()
        found = sorted((HOME / name / "findings").glob("*.txt"))
        stuck = [path.name for path in (HOME / name).glob("*-*") if path.is_file()]
        bad += len(found) + len(stuck) + (code != 0)
        print(f"{name}: {_summary(told)}; {len(found)} findings{', stopped: ' + ', '.join(stuck) if stuck else ''}")
        for path in found:
            print(f"  {path.relative_to(HOME.parent)}: {path.read_text(encoding='utf-8').partition(chr(10))[0]}")
        if code != 0:
            print(f"  ended with {code}: see {HOME / name / 'log'}")
        sys.stdout.flush()
    return 1 if bad else 0


def _summary(log: str) -> str:
    """Executions and coverage, from libFuzzer's own words."""
    states = re.findall(r"^#(\d+)\s+(?:INITED|NEW|REDUCE|pulse|DONE|RELOAD)\s+cov: (\d+) ft: (\d+)", log, re.MULTILINE)
    began = re.search(r"INITED cov: (\d+) ft: (\d+)", log)
    if not states or began is None:
        return "nothing was run"
    runs, edges, features = states[-1]
    return f"{runs} cases, edges {began[1]} -> {edges}, features {began[2]} -> {features}"


if __name__ == "__main__":
    sys.exit(main())
