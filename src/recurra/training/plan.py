"""Before training: which precision is faster here, and how much fits the time there is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from statistics import median

import torch

from recurra.tasks.base.task import Task
from recurra.training.config import Training, duration
from recurra.training.step import TrainState

RESERVED_TIME_SHARE = 0.1
"""Share of the time kept back for validation, baselines and the report."""

MEASURING_TIME_SHARE = 0.04
"""Share of the time that measuring one size in one precision may take; the first step is always taken."""

MIN_STEPS_BETWEEN_VALIDATIONS = 10
"""Steps between validations at least: a short training is not to be spent on measuring it."""

SECONDS_BETWEEN_VALIDATIONS = 20
"""Time between validations, where time is short and the user has not said how many."""


@dataclass
class Plan:
    """What a training will do; part of every checkpoint, so that a resumed training follows the same one.

    steps: optimizer steps in all.  every: steps between validations.  log: steps between entries of the training loss.
    seconds: what the steps may take in all, where --within sets a limit.  most: steps that were planned at first.  threads: of the CPU; sums are rounded by their number.
    first: the epochs that were planned before a clock had its say.
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


def make_plan(task: Task, training: Training, batch: int, started: float) -> Plan:
    """Fill in what the user left open, by measuring this machine, and say what will be done.

    started: `time.monotonic()` when the user's clock began.
    """
    budget = None if training.within is None else duration(training.within)
    measured: dict[str, float] = {}

    def measure_seconds() -> float:
        measured.clear()
        measured.update(measure_steps(task, training, batch, None if budget is None else MEASURING_TIME_SHARE * budget))
        return min(measured.values()) * task.batch_count(0, batch=batch, seed=training.seed)

    left = None if budget is None else max(1.0, budget * (1 - RESERVED_TIME_SHARE) - (time.monotonic() - started))
    worthwhile = task.choose_defaults(left, measure_seconds)
    if not measured and (training.precision == "auto" or budget is not None):
        measure_seconds()
    precision = min(measured, key=measured.__getitem__) if measured else training.precision
    per_epoch = task.batch_count(0, batch=batch, seed=training.seed)
    epochs = training.epochs or worthwhile
    if budget is not None:
        left = max(1.0, budget * (1 - RESERVED_TIME_SHARE) - (time.monotonic() - started))
        fit = left / (measured[precision] * per_epoch)
        # Past what is worth training, more passes only learn the text by heart.
        epochs = min(fit, worthwhile)
    steps = max(1, round(epochs * per_epoch))
    validations = training.validations or (
        20 if left is None else max(4, min(20, round(left / SECONDS_BETWEEN_VALIDATIONS)))
    )
    every = max(min(steps, MIN_STEPS_BETWEEN_VALIDATIONS), -(-steps // validations))
    if left is None or training.validations is not None:
        every = min(every, max(per_epoch, MIN_STEPS_BETWEEN_VALIDATIONS))
    log = max(1, min(every, 50) // 2) if every > 1 else 1
    sentence = f"{steps} steps, {epochs:.3g} passes over the data, in {precision}"
    if measured:
        sentence += (
            f"; about {_format_time(steps * measured[precision])} at the measured {1 / measured[precision]:.3g} steps/s"
        )
    return Plan(epochs, steps, every, log, precision, sentence, left, steps, torch.get_num_threads(), epochs)


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


def apply_threads(threads: int | None) -> None:
    """Set torch's threads, where a number is asked for."""
    if threads is not None:
        torch.set_num_threads(threads)
