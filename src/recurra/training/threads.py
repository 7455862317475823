"""How many threads compute a training's steps: measured before it, and again where its rate falls.

Sums are rounded by the number of threads. So it is part of the plan, is changed between two steps only, and each change is
recorded; a training for which the user has named a number keeps it.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from recurra.errors import DivergedError
from recurra.tasks.base.task import Task
from recurra.training.config import Training
from recurra.training.position import Position
from recurra.training.step import TrainState

WORTHWHILE_TIME_SHARE = 0.85
"""Share of a step's time that another number of threads may take at most: closer numbers change places by chance."""

TURNS = 3
"""How often each number of threads is measured, in turn with the others."""

TURN_SECONDS = 0.05
"""Time that a turn takes at least: many times what a busy core gives to one program before another."""

BATCHES_MEASURED = 3

BLAS_VARIABLES = frozenset({"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"})
"""By which a user sets the threads of numpy's products."""

WINDOW_SECONDS = 5.0
WINDOW_STEPS = 5
"""Time and steps at least that a rate is taken over."""

FALLEN_RATE_SHARE = 0.7
"""Share of the best rate below which the number of threads is measured again."""

SECONDS_MEASURING_AGAIN = 2.0
"""Time after which no further turn is measured during a training."""

MEASURING_SHARE_FALLEN = 0.1
"""Share of the time that measuring may take where the rate has fallen, and there is much to be gained."""

MEASURING_SHARE_RISEN = 0.03
"""Share of the time that measuring may take where the rate has not fallen, but fewer threads than at most compute."""

SECONDS_ON_FEWER_THREADS = 60.0
"""Time after which it is measured whether more threads are faster again."""


def apply_threads(threads: int | None) -> None:
    """Set torch's threads, where a number is asked for."""
    if threads is not None:
        torch.set_num_threads(threads)


def apply_recorded_threads(threads: int, note: Callable[[str], None]) -> None:
    """Set torch's threads as a training has recorded them, and say so where torch would take fewer here."""
    if threads > (here := torch.get_num_threads()):
        note(
            f"this training was on {threads} threads, and torch takes {here} here: it goes on with {threads}, "
            "slower, and perhaps not to the same bits"
        )
    torch.set_num_threads(threads)


@contextmanager
def training_threads() -> Iterator[None]:
    """Let numpy's products be on one thread, and give torch and numpy their threads back at the end.

    OpenBLAS waits for its slowest thread awake: beside one other program a product of 128 columns takes 30 ms on two threads and 0.5 ms
    on one. It rounds by their number too. What the user has set in the environment stays.
    """
    before, blas = torch.get_num_threads(), None if os.environ.keys() & BLAS_VARIABLES else _openblas()
    blas_before = 0 if blas is None else blas[0]()
    try:
        if blas is not None:
            blas[1](1)
        yield
    finally:
        torch.set_num_threads(before)
        if blas is not None:
            blas[1](blas_before)


def _openblas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Give what reads and sets the threads of the OpenBLAS that numpy's wheels bring; None where numpy has another library."""
    folder = Path(np.__file__).parent
    for path in (*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")):
        library = ctypes.CDLL(str(path))  # loaded already
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
            if hasattr(library, name.format("set")):
                return library[name.format("get")], library[name.format("set")]
    return None


def most_threads(training: Training) -> int:
    """Give the most threads that may be chosen, as many as torch takes now; 0 where there is no choice.

    >>> most_threads(Training(threads=2))
    0
    """
    free = training.threads is None and torch.device(training.device).type == "cpu" and torch.get_num_threads() > 1
    return torch.get_num_threads() if free else 0


@dataclass(frozen=True)
class Choice:
    """A number of threads, and its time for a step as a share of that of the number which was used before."""

    threads: int
    share: float = 1.0


def choose_threads(seconds_per_step: Callable[[Sequence[int]], dict[int, float]], most: int, now: int) -> Choice:
    """Find the number of threads that computes a step in the least time; `now` of them stay where no other is clearly faster.

    Tried are all, one less (a single core that is taken slows down each step, which is as slow as its slowest thread), and
    halves of them as long as fewer are faster.
    seconds_per_step: measures several numbers of threads in turn.

    >>> choose_threads(lambda counts: {n: abs(n - 3) + 1.0 for n in counts}, most=8, now=8)
    Choice(threads=4, share=0.3333333333333333)
    """
    shares = {now: 1.0}
    counts = sorted({most, most - 1, most // 2, now} - {0})
    while True:
        seconds = seconds_per_step(counts)
        known = next(count for count in reversed(counts) if count in shares)
        shares |= {count: shares[known] * seconds[count] / seconds[known] for count in counts if count not in shares}
        best = min(shares, key=shares.__getitem__)
        if best == 1 or best != counts[0]:
            break
        counts = [best // 2, best]
    return Choice(best, shares[best]) if shares[best] <= WORTHWHILE_TIME_SHARE else Choice(now)


def measure_threads(
    task: Task, training: Training, precision: str, batches: Sequence[Any], limit: float | None = None
) -> Callable[[Sequence[int]], dict[int, float]]:
    """Give what measures numbers of threads by steps of a fresh network: the median seconds of each.

    They take turns with the same batches, so that what slows down the machine for a while slows down all of them.
    limit: seconds after which there is no further turn.
    """
    state = TrainState(task, training, precision)

    def turn(count: int, batch: Any) -> float:
        torch.set_num_threads(count)
        torch.ones(1 << 17).add_(1)  # makes the threads
        start, steps = time.perf_counter(), 0
        while not steps or time.perf_counter() - start < TURN_SECONDS:
            state.step(batch, lr=0.0)
            steps += 1
        return (time.perf_counter() - start) / steps

    def measure(counts: Sequence[int]) -> dict[int, float]:
        start = time.perf_counter()
        times: dict[int, list[float]] = {count: [] for count in counts}
        for number in range(TURNS):
            for count in counts if number % 2 else reversed(counts):
                times[count].append(turn(count, batches[number % len(batches)]))
            if limit is not None and time.perf_counter() - start >= limit:
                break
        return {count: median(seconds) for count, seconds in times.items()}

    return measure


def first_batches(task: Task, training: Training, batch: int) -> list[Any]:
    """Give the batches that threads are measured with before a training."""
    return list(islice(task.batches(0, batch=batch, seed=training.seed), BATCHES_MEASURED))


class ThreadTuner:
    """Watches the rate of a training, and measures the number of threads again where the rate falls, and later for its rise.

    most: threads at most; 0: their number stays.
    """

    def __init__(self, task: Task, training: Training, precision: str, most: int) -> None:
        self.task, self.training, self.precision, self.most = task, training, precision, most
        self._units = self._steps = 0
        self._seconds = self._since_measured = 0.0

    def after_step(self, position: Position, batch: Any, units: int, seconds: float) -> Choice | None:
        """Take note of a step; gives another number of threads where it is clearly faster now, and sets it."""
        if not self.most:
            return None
        self._units, self._steps, self._seconds = self._units + units, self._steps + 1, self._seconds + seconds
        if self._seconds < WINDOW_SECONDS or self._steps < WINDOW_STEPS:
            return None
        rate, step = self._units / self._seconds, self._seconds / self._steps
        self._since_measured += self._seconds
        self._units, self._steps, self._seconds = 0, 0, 0.0
        fallen = rate < FALLEN_RATE_SHARE * position.rate
        position.rate = max(rate, position.rate)
        cost = min(2 * TURNS * max(step, TURN_SECONDS), max(2 * step, SECONDS_MEASURING_AGAIN))
        fewer = torch.get_num_threads() < self.most and self._since_measured >= SECONDS_ON_FEWER_THREADS
        share = MEASURING_SHARE_FALLEN if fallen else MEASURING_SHARE_RISEN if fewer else 0.0
        if self._since_measured * share < cost:
            return None
        self._since_measured = 0.0
        choice = self._measure(batch)
        position.rate = rate if choice is None else 0.0  # to be measured again, it has to fall once more
        return choice

    def _measure(self, batch: Any) -> Choice | None:
        now = torch.get_num_threads()
        # Nothing of the training may change by being measured: not its network, and not what is drawn for its dropout.
        with torch.random.fork_rng(devices=[]):
            try:
                measure = measure_threads(self.task, self.training, self.precision, [batch], SECONDS_MEASURING_AGAIN)
                choice = choose_threads(measure, self.most, now)
            except DivergedError:  # of a network that has learnt nothing yet, which says nothing of the training
                choice = Choice(now)
            finally:
                torch.set_num_threads(now)
        torch.set_num_threads(choice.threads)
        return choice if choice.threads != now else None
