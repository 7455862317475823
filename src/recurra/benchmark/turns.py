"""Taking turns: each contestant again and again, with each number of threads, all in the same rounds."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from recurra.errors import UsageError

MIN_ROUNDS = 5
SAMPLE_SECONDS = 0.02
"""A sample repeats a step until it is at least this long, so that the clock's grain does not count."""
HOPELESS = 1.4
"""A number of threads that takes this many times a contestant's best one in the trial is measured no further."""


@dataclass(frozen=True)
class Contestant:
    """What takes turns: a step in a precision and with a number of threads; `count` says how many units a call makes."""

    name: str
    precision: str
    threads: int
    step: Callable[[], object]
    count: int = 1


@dataclass(frozen=True)
class Timing:
    """Seconds of one unit of a contestant's work: in the trial, and in each round unless it was hopeless there.

    count: the units of a call, as `Contestant` says.
    """

    name: str
    precision: str
    threads: int
    count: int
    trial: float
    seconds: list[float]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """Give what is stored as JSON."""
        return asdict(self)


def check_rounds(rounds: int) -> None:
    """Raise `UsageError` for fewer rounds than a median needs."""
    if rounds < MIN_ROUNDS:
        raise UsageError(f"rounds: expected at least {MIN_ROUNDS}, got {rounds}")


def take_turns(contestants: Sequence[Contestant], rounds: int) -> list[Timing]:
    """Time every contestant in each round, after a trial; every other round goes the other way.

    In the trial a contestant's hopeless numbers of threads are left behind. Each is seen at its best one anyway.
    Raises `UsageError` for fewer than 5 rounds, of which a median says nothing.

    >>> timings = take_turns([Contestant("sum", "float32", 1, lambda: sum(range(9)))], 5)
    >>> timings[0].name, len(timings[0].seconds), timings[0].median > 0
    ('sum', 5, True)
    """
    check_rounds(rounds)
    with _threads_as_they_were():
        first = [_sample(each, 1, warm=0) for each in contestants]
        repeats = [_repeats(seconds) for seconds in first]
        trial = [min(once, _sample(each, count)) for each, once, count in zip(contestants, first, repeats, strict=True)]
        repeats = [_repeats(seconds) for seconds in trial]
        going = _hopeful(contestants, trial)
        samples: list[list[float]] = [[] for _ in contestants]
        for number in range(rounds):
            for index in going if number % 2 == 0 else reversed(going):
                samples[index].append(_sample(contestants[index], repeats[index]))
    return [
        Timing(
            each.name,
            each.precision,
            each.threads,
            each.count,
            once / each.count,
            [sample / each.count for sample in seconds],
        )
        for each, once, seconds in zip(contestants, trial, samples, strict=True)
    ]


def best(timings: Iterable[Timing], name: str, *precisions: str) -> Timing:
    """Give a contestant's best timing, in one of these precisions or in any."""
    found = [each for each in timings if each.name == name and (not precisions or each.precision in precisions)]
    return min((each for each in found if each.seconds), key=lambda each: each.median)


def ratio(above: Timing, below: Timing) -> float:
    """How many times the one took of what the other did: the median over the rounds, whose samples are neighbours in time."""
    return statistics.median(one / other for one, other in zip(above.seconds, below.seconds, strict=True))


def _repeats(seconds: float) -> int:
    return max(1, round(SAMPLE_SECONDS / max(seconds, 1e-9)))


def _sample(contestant: Contestant, repeats: int, *, warm: int | None = None) -> float:
    """Seconds of a call; caches and threads are warmed up before, where that costs little."""
    torch.set_num_threads(contestant.threads)
    for _ in range(repeats // 8 + (repeats > 1) if warm is None else warm):
        contestant.step()
    start = time.perf_counter()
    for _ in range(repeats):
        contestant.step()
    return (time.perf_counter() - start) / repeats


def _hopeful(contestants: Sequence[Contestant], trial: Sequence[float]) -> list[int]:
    fastest: dict[tuple[str, str], float] = {}
    for each, seconds in zip(contestants, trial, strict=True):
        key = each.name, each.precision
        fastest[key] = min(seconds, fastest.get(key, seconds))
    return [
        index
        for index, (each, seconds) in enumerate(zip(contestants, trial, strict=True))
        if seconds <= HOPELESS * fastest[each.name, each.precision]
    ]


@contextlib.contextmanager
def _threads_as_they_were() -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
