"""The events of a training so far, and how much longer it will take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recurra.formatting import clock_time, count, finite
from recurra.metrics import get_metric, metric_keys

_LOSS_EVENTS = 50
"""The training loss is averaged over about this many events."""


class RateEstimator:
    """Estimates the seconds per step from the last half of the time that has passed: steady, yet it forgets a slow beginning.

    >>> estimator = RateEstimator()
    >>> for step in range(100):
    ...     estimator.add(10.0 + step * 0.5, step)
    >>> estimator.seconds_per_step()
    0.5
    """

    def __init__(self, interval: float = 0.25, limit: int = 256) -> None:
        self._interval, self._limit = interval, limit
        self._notes: list[tuple[float, float]] = []
        self._last: tuple[float, float] | None = None

    def add(self, now: float, step: float) -> None:
        """Note that `step` was reached at the time `now` (seconds)."""
        self._last = (now, step)
        if self._notes and now - self._notes[-1][0] < self._interval:
            return
        self._notes.append(self._last)
        if len(self._notes) > self._limit:
            # Half as many notes, twice as far apart: memory and time stay bounded however long it takes.
            self._notes = self._notes[::2]
            self._interval *= 2

    def seconds_per_step(self) -> float | None:
        """Give the estimate; None until two steps lie apart."""
        if self._last is None or len(self._notes) < 2:
            return None
        now, step = self._last
        middle = (self._notes[0][0] + now) / 2
        then, before = next((note for note in reversed(self._notes) if note[0] <= middle), self._notes[0])
        return (now - then) / (step - before) if step > before and now > then else None


class TrainingHistory:
    """The newest events of a training by their kind, and what follows from all of them.

    >>> history = TrainingHistory(now=0.0)
    >>> history.add({"event": "start", "steps": 100}, now=0.0)
    >>> for step in (0, 25, 50):
    ...     history.add({"event": "train", "step": step, "loss": 2.0, "seconds": 10.0}, now=step / 5)
    >>> history.step, history.percent_done(100), history.mean_loss(), history.seconds_left(now=10.0)
    (50, 50, '2.000', 10.0)
    """

    def __init__(self, now: float, units: str = "units") -> None:
        self.units = units
        """What the loss is over, as in "units" a second."""
        self.start: Mapping[str, Any] = {}
        self.train: Mapping[str, Any] = {}
        self.valid: Mapping[str, Any] = {}
        self.best: Mapping[str, Any] = {}
        self.sample: Mapping[str, Any] = {}
        self.end: Mapping[str, Any] = {}
        self.validation_values: list[float] = []
        self.units_per_second = 0.0
        self.step = 0
        self.seconds = 0.0
        self.last_event_at = now
        self._loss = self._weight = 0.0
        self._estimator = RateEstimator()

    def add(self, event: Mapping[str, Any], now: float) -> None:
        """Take note of an event that came at the time `now` (seconds)."""
        self.last_event_at = now
        match event.get("event"):
            case "train":
                self._add_train(event, now)
            case "valid":
                self._add_valid(event, now)
            case "sample":
                self.sample = event
            case "start":
                self.start = event
            case "plan":
                self.start = {**self.start, "steps": event.get("steps")}
            case "end":
                self.end = event
                self._advance(event, now)

    @property
    def steps(self) -> float | None:
        """How many steps there will be; None while it is not known."""
        return finite(self.start.get("steps"))

    @property
    def has_loss(self) -> bool:
        """Whether there is a training loss to speak of."""
        return self._weight > 0

    def mean_loss(self) -> str:
        """Write the training loss, averaged over the last events."""
        return get_metric("loss").format(self._loss / self._weight)

    def percent_done(self, steps: float) -> int:
        """Give how much of `steps` is done."""
        return math.floor(100 * min(1.0, self.step / steps))

    def seconds_left(self, now: float) -> float | None:
        """Estimate the seconds until the last step; None while there is nothing to go by."""
        steps, seconds_per_step = self.steps, self._estimator.seconds_per_step()
        if steps is None or seconds_per_step is None or self.end:
            return None
        return max(0.0, (steps - self.step) * seconds_per_step - (now - self.last_event_at))

    def end_message(self) -> str:
        """Say in a line how the training ended."""
        reason = str(self.end.get("reason", "ended"))
        text = f"{reason} after {count(self.step)} steps in {clock_time(self.seconds)}"
        best = self.end.get("best_step")
        if finite(best) is None:
            return text
        metrics = f": {', '.join(first_metrics(self.best))}" if self.best.get("step") == best else ""
        return f"{text}, best at step {count(best)}{metrics}"

    def _add_train(self, event: Mapping[str, Any], now: float) -> None:
        self.train = event
        self._advance(event, now)
        loss = finite(event.get("loss"))
        if loss is not None:
            keep = 1 - 1 / _LOSS_EVENTS
            self._loss, self._weight = keep * self._loss + loss, keep * self._weight + 1
        rate = finite(event.get("units_per_second"))
        if rate is not None:
            self.units_per_second = rate if not self.units_per_second else 0.9 * self.units_per_second + 0.1 * rate

    def _add_valid(self, event: Mapping[str, Any], now: float) -> None:
        self.valid = event
        self._advance(event, now)
        if event.get("best") is True:
            self.best = event
        keys = metric_keys(event)
        value = finite(event[keys[0]]) if keys else None
        if value is not None:
            self.validation_values.append(value)

    def _advance(self, event: Mapping[str, Any], now: float) -> None:
        step, seconds = event.get("step"), finite(event.get("seconds"))
        if isinstance(step, int):
            self.step = step
            self._estimator.add(now, step)
        if seconds is not None:
            self.seconds = seconds


def first_metrics(valid: Mapping[str, Any]) -> list[str]:
    """Write the first two figures of a validation, each with its name."""
    return [
        f"{get_metric(key).title} {get_metric(key).format(valid[key])}".replace("\u00a0", "")
        for key in metric_keys(valid)[:2]
    ]
