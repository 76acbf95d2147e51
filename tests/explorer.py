"""Plays every interleaving of a few actors, by playing again from the start with other choices.

An actor is ordinary code in a thread of its own. Wherever it touches what actors share it says so (`Stage.pause`) and
waits for its turn; in between it runs alone. So a play is a sequence of choices, and all plays are a tree that is
searched to its end. A state that was seen before is not searched again: an actor is deterministic, so what it will do
follows from what it was told so far.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class KilledError(BaseException):
    """What an actor sees when it is killed. From then on it touches nothing that is shared."""


@dataclass(slots=True)
class Actor:
    name: str
    play: Callable[[], None]
    at: str = ""
    options: tuple[str, ...] = ()
    trace: list[Hashable] = field(default_factory=list)
    dead: bool = False
    done: bool = False
    failure: BaseException | None = None
    chosen: str = ""
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class World(Protocol):
    """What the actors share."""

    def key(self) -> Hashable:
        """All of it that matters for what can still happen."""
        ...

    def moves(self, actors: Sequence[Actor]) -> list[str]:
        """What can happen now besides an actor going on."""
        ...

    def move(self, name: str, actors: Sequence[Actor]) -> None: ...

    def check(self) -> None:
        """Raise `AssertionError` if this state must not be."""
        ...

    def end(self) -> None:
        """All actors have ended; see that all is well."""
        ...


class Stage:
    """Where one play happens."""

    def __init__(self) -> None:
        self._quiet = threading.Semaphore(0)
        self.actors: dict[str, Actor] = {}
        self.free = False
        """Nobody waits any more: actors go on at once, with the first option."""

    def add(self, name: str, play: Callable[[], None]) -> Actor:
        actor = self.actors[name] = Actor(name, play)
        return actor

    def pause(self, name: str, at: str, options: tuple[str, ...] = ("go",)) -> str:
        """Called by an actor, before it does what is shared: gives what was chosen for it."""
        if self.free:
            return options[0]
        actor = self.actors[name]
        if actor.dead:
            raise KilledError
        actor.at, actor.options = at, options
        self._quiet.release()
        actor.turn.acquire()
        if actor.dead:
            raise KilledError
        actor.trace.append((at, actor.chosen))
        return actor.chosen

    def note(self, name: str, seen: Hashable) -> None:
        """What an actor was told: it decides by that."""
        if not self.free:
            self.actors[name].trace.append(seen)

    def begin(self, actor: Actor) -> threading.Thread:
        def body() -> None:
            try:
                actor.play()
            except KilledError:
                pass
            except BaseException as error:  # noqa: BLE001 - it is raised again where the play is watched
                actor.failure = error
            actor.done = True
            self._quiet.release()

        thread = threading.Thread(target=body, name=actor.name)
        thread.start()
        self._quiet.acquire()
        return thread

    def go(self, actor: Actor, chosen: str) -> None:
        actor.chosen = chosen
        actor.turn.release()
        self._quiet.acquire()

    def kill(self, actor: Actor) -> None:
        actor.dead = True
        actor.turn.release()
        self._quiet.acquire()


@dataclass(frozen=True, slots=True)
class Summary:
    """How far a search went."""

    plays: int
    states: int


class Found(AssertionError):  # noqa: N818 - it is what was searched for
    """A play that ends where it must not. The message tells it step by step."""


def explore(setting: Callable[[Stage], World], most: int = 1_000_000) -> Summary:
    """Search all plays. `setting` puts actors on a new stage and gives the world between them. Raises `Found`."""
    seen: set[Hashable] = set()
    ended: set[Hashable] = set()
    waiting: list[tuple[str, ...]] = [()]
    plays = 0
    while waiting:
        prefix = waiting.pop()
        plays += 1
        assert plays <= most, f"more than {most} plays"
        waiting += _play(setting, prefix, seen, ended)
    return Summary(plays, len(seen))


def _play(
    setting: Callable[[Stage], World], prefix: tuple[str, ...], seen: set[Hashable], ended: set[Hashable]
) -> list[tuple[str, ...]]:
    """One play, and the prefixes of others that branch off from it."""
    stage = Stage()
    world = setting(stage)
    actors = list(stage.actors.values())
    threads = [stage.begin(actor) for actor in actors]
    steps: list[str] = []
    told: list[str] = []
    branches: list[tuple[str, ...]] = []
    try:
        while True:
            choices = _choices(actors, world)
            fresh = len(steps) >= len(prefix)
            if fresh:
                state = (world.key(), *(_key(actor) for actor in actors))
                if state in seen:
                    return branches
                seen.add(state)
            if not choices:
                break
            step = choices[0] if fresh else prefix[len(steps)]
            if fresh:
                branches += [(*steps, other) for other in choices[1:]]
            steps.append(step)
            told.append(f"{step} ({', '.join(f'{actor.name} at {actor.at}' for actor in actors if not actor.done)})")
            _take(step, stage, world, actors)
        if (left := world.key()) not in ended:
            ended.add(left)
            stage.free = True
            world.end()
    except Exception as error:
        raise Found("\n  ".join((f"{type(error).__name__}: {error}", "after", *told))) from error
    finally:
        for actor in actors:
            while not actor.done:
                stage.kill(actor)
        for thread in threads:
            thread.join()
    return branches


def _choices(actors: Sequence[Actor], world: World) -> list[str]:
    going = [f"{actor.name} {option}" for actor in actors if not actor.done for option in actor.options]
    return going + world.moves(actors)


def _take(step: str, stage: Stage, world: World, actors: Sequence[Actor]) -> None:
    """Let it happen, and see what it led to."""
    name, _, option = step.partition(" ")
    actor = stage.actors.get(name)
    if actor is None:
        world.move(step, actors)
    else:
        stage.go(actor, option)
    world.check()
    for other in actors:
        if other.failure is not None:
            raise other.failure


def _key(actor: Actor) -> Hashable:
    return (actor.at, actor.done, actor.dead, tuple(actor.trace))
