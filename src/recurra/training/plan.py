"""Before training: which precision and how many threads are faster here, and how much fits the time there is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from statistics import median

import torch

from recurra.tasks.base.task import Task
from recurra.training.config import Training, duration
from recurra.training.step import TrainState
from recurra.training.threads import Choice, choose_threads, first_batches, measure_threads, most_threads

RESERVED_TIME_SHARE = 0.1
"""Share of the time kept back for validation, baselines and the report."""

MEASURING_TIME_SHARE = 0.04
"""Share of the time that measuring one size in one precision, or its threads, may take; the first step is always taken."""

SECONDS_MEASURING_THREADS = 10.0
"""Time that measuring threads takes at most where no time is set, but for the first step on each number of them."""

MIN_STEPS_BETWEEN_VALIDATIONS = 10
"""Steps between validations at least: a short training is not to be spent on measuring it."""

SECONDS_BETWEEN_VALIDATIONS = 20
"""Time between validations, where time is short and the user has not said how many."""


@dataclass
class Plan:
    """What a training will do; part of every checkpoint, so that a resumed training follows the same one.

    steps: optimizer steps in all.  every: steps between validations.  log: steps between entries of the training loss.
    seconds: what the steps may take in all, where --within sets a limit.  most: steps that are worth training, above which no plan grows.  threads: of the CPU; sums are rounded by their number.
    first: the epochs that were planned before a clock had its say.  most_threads: up to which their number may change; 0: it stays.
    """

    epochs: float
    steps: int
    every: int
    log: int
    precision: str
    sentence: str
    seconds: float | None = None
    most: int = 0
    threads: int = 1
    first: float | None = None
    most_threads: int = 0


@dataclass
class Speed:
    """What a training step takes: seconds in a precision, on a number of threads (`choice`)."""

    precision: str
    choice: Choice
    seconds: float


def make_plan(task: Task, training: Training, batch: int, started: float) -> Plan:
    """Fill in what the user left open, by measuring this machine, and say what will be done.

    started: `time.monotonic()` when the user's clock began.
    """
    budget = None if training.within is None else duration(training.within)
    limit = None if budget is None else MEASURING_TIME_SHARE * budget
    threads, most = torch.get_num_threads(), most_threads(training)
    measured: Speed | None = None

    def measure_seconds() -> float:
        nonlocal measured
        torch.set_num_threads(threads)
        measured = measure_speed(task, training, batch, limit, most)
        return measured.seconds * task.batch_count(0, batch=batch, seed=training.seed)

    left = None if budget is None else max(1.0, budget * (1 - RESERVED_TIME_SHARE) - (time.monotonic() - started))
    worthwhile = task.choose_defaults(left, measure_seconds)
    if measured is None and (training.precision == "auto" or budget is not None or most):
        measure_seconds()
    precision = training.precision if measured is None else measured.precision
    per_epoch = task.batch_count(0, batch=batch, seed=training.seed)
    epochs = training.epochs or worthwhile
    if budget is not None and measured is not None:
        left = max(1.0, budget * (1 - RESERVED_TIME_SHARE) - (time.monotonic() - started))
        fit = left / (measured.seconds * per_epoch)
        # Past what is worth training, more passes only learn the text by heart.
        epochs = min(fit, worthwhile)
    steps = max(1, round(epochs * per_epoch))
    # The machine may have been busy while it was measured, or may be later: with a limit of time the plan can still grow.
    largest = steps if budget is None else max(steps, round(worthwhile * per_epoch))
    validations = training.validations or (
        20 if left is None else max(4, min(20, round(left / SECONDS_BETWEEN_VALIDATIONS)))
    )
    every = max(min(steps, MIN_STEPS_BETWEEN_VALIDATIONS), -(-steps // validations))
    if left is None or training.validations is not None:
        every = min(every, max(per_epoch, MIN_STEPS_BETWEEN_VALIDATIONS))
    log = max(1, min(every, 50) // 2) if every > 1 else 1
    sentence = f"{steps} steps, {epochs:.3g} passes over the data, in {precision}"
    if measured is not None:
        torch.set_num_threads(measured.choice.threads)
        sentence += _format_threads(measured.choice, threads)
        sentence += (
            f"; about {_format_time(steps * measured.seconds)} at the measured {1 / measured.seconds:.3g} steps/s"
        )
    return Plan(
        epochs,
        steps,
        every,
        log,
        precision,
        sentence,
        left,
        largest,
        torch.get_num_threads(),
        epochs,
        most_threads=most,
    )


def measure_speed(task: Task, training: Training, batch: int, limit: float | None, most: int) -> Speed:
    """Time a training step in each precision that is allowed, and the faster one on fewer threads as well where `most` is above 0.

    limit: seconds that either may take. A step that takes longer is not tried on other threads.
    """
    by_precision = measure_steps(task, training, batch, limit)
    precision = min(by_precision, key=by_precision.__getitem__)
    seconds, choice = by_precision[precision], Choice(torch.get_num_threads())
    if most and (limit is None or seconds < limit):
        batches = first_batches(task, training, batch)
        within = SECONDS_MEASURING_THREADS if limit is None else limit
        measure = measure_threads(task, training, precision, batches, within)
        choice = choose_threads(measure, most, choice.threads)
    return Speed(precision, choice, seconds * choice.share)


def measure_steps(
    task: Task, training: Training, batch: int, limit: float | None = None, repeats: int = 3
) -> dict[str, float]:
    """Time a training step in each precision that is allowed: seconds, the median of a few after a warm-up.

    limit: seconds after which no further step is taken, for each precision.
    """
    choices = ["float32", "bfloat16"] if training.precision == "auto" else [training.precision]
    seconds = {}
    for precision in choices:
        state = TrainState(task, training, precision)
        times = []
        batches = task.batches(0, batch=batch, seed=training.seed)
        for item in islice(batches, repeats + 1):
            start = time.perf_counter()
            state.step(item, lr=0.0)
            times.append(time.perf_counter() - start)
            if limit is not None and sum(times) >= limit:
                break
        seconds[precision] = median(times[1:] or times)
    return seconds


def _format_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _format_threads(choice: Choice, before: int) -> str:
    if choice.threads == before:
        return ""
    noun = "thread" if choice.threads == 1 else "threads"
    return f", on {choice.threads} {noun} ({before} take {1 / choice.share:.2g} times as long)"
