"""Telemanom's threshold: the one above which few, separate runs of errors take most of the mean and spread away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Self

import numpy as np

from recurra.errors import UsageError
from recurra.thresholds.base import Decision, decide_nonfinite, events

MIN_ERROR_SHARE = 0.05
"""Errors below this share of the values' spread and range are never unusual."""


class DynamicThreshold:
    """The nonparametric dynamic threshold of telemanom: of smoothed errors, over a window, with pruning.

        e_s: exponentially weighted means of the errors, span = smoothing · batch · windows
        ε = μ(e_s) + z·σ(e_s),   z = argmax over 2.5, 3, … 11.5 of (Δμ/μ + Δσ/σ) / (runs² + steps)

    where Δμ and Δσ are what leaving out the errors from ε on takes from their mean and spread, and the runs are
    those errors with `buffer` steps to either side. At most 5 runs over less than half of the window are
    allowed; without any such z it is 12. Of the largest errors of the runs, and the largest one outside, in
    descending order, those that are not followed by a step down of more than `prune` (a share) are normal after all.

    `events` is the method as published, which sees each window of `windows` batches at its end, and looks for errors
    that are unusually low too. `step` judges each error at once: it is unusual where it is above the ε of the last
    complete batch and, by the rule of pruning, stands out by the share `prune` from the largest error of that window that was
    normal. Low errors, and buffers, which begin before an error is known, are left out.

    Source: Hundman et al. 2018, arXiv:1802.04431, sections 3.2 and 3.3, and khundman/telemanom, telemanom/errors.py (2019). In
    one thing it differs: the last window begins its judgement where the one before ended, while telemanom's judges the
    last batch, and up to `batch` − 1 steps before it never.

    Args:
        batch, windows: steps of a batch, and batches of a window.
        smoothing: the span of the smoothing, as a share of the window.
        buffer: steps on either side of an error above ε that belong to the same event.
        prune: p, the least step down.
        history: steps at the beginning whose errors are taken to be usual (telemanom: its 250 steps of input). In `events` they
            are twice as many from 2500 steps on, and none below 1800.
        min_error: no error is unusual where none in the window is above this, in units of the errors; telemanom's values are scaled
            to −1 … 1.

    >>> chance = np.random.default_rng(0)
    >>> errors = np.abs(chance.normal(0, 0.1, size=4000))
    >>> errors[3000:3060] += 2
    >>> (start, stop), = DynamicThreshold().events(errors)
    >>> 2890 < start < 3000 and 3060 < stop < 3300
    True
    """

    def __init__(
        self,
        batch: int = 70,
        windows: int = 30,
        smoothing: float = 0.05,
        buffer: int = 100,
        prune: float = 0.13,
        history: int = 250,
        min_error: float = 0.05,
    ) -> None:
        if batch < 1 or windows < 1 or buffer < 0 or history < 0:
            raise UsageError(
                "batch, windows, buffer and history: expected steps from 1, 1, 0 and 0, "
                f"got {batch}, {windows}, {buffer} and {history}"
            )
        if not 0 < smoothing <= 1 or not 0 <= prune < 1 or not min_error >= 0:
            raise UsageError(
                f"smoothing, prune and min_error: expected shares up to 1 and a number from 0, got {smoothing}, {prune}, {min_error}"
            )
        self.batch, self.windows, self.smoothing, self.buffer = batch, windows, smoothing, buffer
        self.prune, self.history, self.min_error = prune, history, min_error
        self._errors = np.zeros(0)  # smoothed, of the window
        self._values = np.zeros(0)
        self._seen = 0
        self._sums = [0.0, 0.0]  # weighted errors, and the weights
        self.threshold = math.inf

    @property
    def decay(self) -> float:
        """What an error still weighs one step later, in the smoothing."""
        span = max(1, int(self.batch * self.windows * self.smoothing))
        return 1 - 2 / (span + 1)

    def smooth(self, errors: np.ndarray) -> np.ndarray:
        """Give the weighted means of errors (T,) and those before each, without the treatment of the beginning, (T,).

        >>> DynamicThreshold(batch=1, windows=3, smoothing=1.0).smooth(np.array([1.0, 2.0, 4.0])).round(4).tolist()
        [1.0, 1.6667, 3.0]
        """
        total, weight, means = 0.0, 0.0, []
        for error in np.asarray(errors, np.float64).tolist():
            total, weight = error + self.decay * total, 1 + self.decay * weight
            means.append(total / weight)
        return np.array(means, np.float64)

    def events(self, errors: np.ndarray, values: np.ndarray | None = None) -> list[tuple[int, int]]:
        """Find the events in the errors of a whole stream, as published: (first step, step behind the last), in order.

        Args:
            errors: absolute errors of the predictions, (T,), not yet smoothed. Telemanom's begin at step 250 of a channel, the first
                that has a whole window before it: give those from there on where the steps are to be the ones that it judges.
            values: what was predicted, (T,): how large an error must be to matter. None: however small.

        Raises:
            UsageError: other shapes, or numbers that are not finite.
        """
        raw = _check_numbers(errors, "errors")
        if not len(raw):
            return []
        known = np.zeros(len(raw)) if values is None else _check_numbers(values, "values")
        if len(known) != len(raw):
            raise UsageError(f"values: expected one for each of {len(raw)} errors, got {len(known)}")
        smoothed = self.smooth(raw)
        smoothed[: self.history] = smoothed[: 2 * self.history].mean() if self.history else 0.0
        ignored = self.history * (0 if len(raw) < 1800 else 1 if len(raw) < 2500 else 2)
        found = np.zeros(len(raw), bool)
        size = self.batch * self.windows
        last = max(0, (len(raw) - size) // self.batch)
        judged = ignored
        for number in range(last + 1):
            start = number * self.batch
            stop = len(raw) if number == last else start + size
            here = np.s_[start:stop]
            new = np.arange(start, stop) >= judged
            found[here] |= self._unusual(smoothed[here], known[here], new, found[here])
            judged = max(judged, stop)
        return events(found, shortest=2)

    def step(self, score: float, value: float = 0.0) -> Decision:
        """Judge one error at once, and learn from it; the decision's score is the smoothed error.

        Args:
            score: the absolute error.
            value: what was predicted; without any, errors matter however small they are beside the values.
        """
        nonfinite = decide_nonfinite(score, self.threshold)
        if nonfinite is not None:
            return nonfinite
        self._sums = [score + self.decay * self._sums[0], 1 + self.decay * self._sums[1]]
        smoothed = self._sums[0] / self._sums[1]
        size = self.batch * self.windows
        self._errors = np.append(self._errors[-size + 1 :] if size > 1 else self._errors[:0], smoothed)
        self._values = np.append(self._values[-size + 1 :] if size > 1 else self._values[:0], value)
        decision = Decision(smoothed, self.threshold, smoothed > self.threshold)
        self._seen += 1
        if self._seen % self.batch == 0 and self._seen >= self.history:
            self.threshold = self._next_threshold(self._errors, self._values)
        return decision

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the next step needs, as arrays."""
        return {
            "errors": self._errors.copy(),
            "values": self._values.copy(),
            "seen": np.array([self._seen], np.int64),
            "sums": np.array([*self._sums, self.threshold], np.float64),
        }

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken; the settings must be the same."""
        self._errors, self._values = np.array(state["errors"], np.float64), np.array(state["values"], np.float64)
        self._seen = int(state["seen"][0])
        *self._sums, self.threshold = state["sums"].tolist()
        return self

    def _next_threshold(self, smoothed: np.ndarray, values: np.ndarray) -> float:
        """Give what an error of the next batch must be above to be unusual."""
        mean, std = smoothed.mean(), smoothed.std()
        value_range = float(np.subtract(*np.percentile(values, [95, 5])))
        epsilon = mean + max(self._deviations(smoothed, mean, std) * std, 1e-6 * mean)
        epsilon = max(epsilon, MIN_ERROR_SHARE * value_range, self.min_error)
        high = _widen(smoothed > epsilon, self.buffer)
        unusual = self._prune(smoothed, high, ~high)
        return float(max(epsilon, smoothed[~unusual].max(initial=0.0) / (1 - self.prune)))

    def _unusual(self, smoothed: np.ndarray, values: np.ndarray, new: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Flag the steps of a window, (T,), that are `new` and belong to an event; those `before` were flagged already."""
        none = np.zeros(len(smoothed), bool)
        mean, std = smoothed.mean(), smoothed.std()
        value_range = np.subtract(*np.percentile(values, [95, 5]))
        matters = std > MIN_ERROR_SHARE * values.std() or smoothed.max() > MIN_ERROR_SHARE * value_range
        if not matters or not smoothed.max() > self.min_error:
            return none
        found = none.copy()
        for errors in (smoothed, 2 * mean - smoothed):
            epsilon = mean + self._deviations(errors, mean, std) * std
            over = (errors >= epsilon) & (errors > MIN_ERROR_SHARE * value_range)
            if std > 0 and over.any():
                flags = _widen(over, self.buffer) & new
                found |= self._prune(errors, flags, ~(flags | before))
        return found

    def _deviations(self, errors: np.ndarray, mean: float, std: float) -> float:
        """Give z, how many standard deviations ε lies above the mean; `mean` and `std` are those of the window."""
        best, chosen = -math.inf, 12.0
        if not std > 0 or not mean > 0:
            return chosen
        for z in np.arange(2.5, 12.0, 0.5).tolist():
            over = errors >= mean + z * std
            if not over.any():
                break
            flags = _widen(over, self.buffer - 1)
            runs = len(events(flags, shortest=2))
            rest = errors[~over]
            if runs > 5 or flags.sum() >= 0.5 * len(errors) or not len(rest):
                continue
            gain = (mean - rest.mean()) / mean + (std - rest.std()) / std
            score = gain / (runs**2 + flags.sum())
            if score >= best:
                best, chosen = score, z
        return chosen

    def _prune(self, errors: np.ndarray, flags: np.ndarray, usual: np.ndarray) -> np.ndarray:
        """Give the flags (T,) without the runs that do not stand out from the next lower one, or from the `usual` errors."""
        runs = events(flags, shortest=2)
        peaks = [float(errors[start:stop].max()) for start, stop in runs]
        order = sorted(range(len(peaks)), key=lambda number: -peaks[number])
        heights = [peaks[number] for number in order]
        heights += [float(errors[usual].max())] if usual.any() and errors[usual].max() > 0 else []
        kept = 0
        for number in range(len(heights) - 1):
            if heights[number] - heights[number + 1] >= self.prune * heights[number]:
                kept = number + 1
        if len(heights) == len(order):  # nothing to compare the lowest with
            kept = len(order)
        found = np.zeros(len(flags), bool)
        for number in order[:kept]:
            found[slice(*runs[number])] = True
        return found


def _widen(flags: np.ndarray, steps: int) -> np.ndarray:
    """Flag so many steps before and after each that is flagged too.

    >>> _widen(np.array([0, 0, 0, 1, 0, 0], bool), 1).astype(int).tolist()
    [0, 0, 1, 1, 1, 0]
    """
    places = np.flatnonzero(flags)
    edges = np.zeros(len(flags) + 1, np.int64)
    np.add.at(edges, np.maximum(places - steps, 0), 1)
    np.add.at(edges, np.minimum(places + steps + 1, len(flags)), -1)
    return edges[:-1].cumsum() > 0


def _check_numbers(numbers: np.ndarray, name: str) -> np.ndarray:
    found = np.asarray(numbers, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise UsageError(
            f"{name}: expected finite numbers of each step, (T,), got {found.shape} with others or another shape"
        )
    return found
