"""The series classifier to beat: the class of the nearest training series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self

import numpy as np

from recurra.baselines.classes import known_targets
from recurra.baselines.dtw import dtw
from recurra.baselines.titles import register_title
from recurra.errors import UsageError

DISTANCES_PER_CHUNK = 2**22  # distances that are held at a time
SERIES_TO_ESTIMATE_ERROR = {
    "euclidean": 1000,
    "dtw": 100,
}  # training series whose neighbours are looked up, to know how often they mislead

NAMES = {"euclidean": ("1-nn", "nearest neighbour"), "dtw": ("1-nn-dtw", "nearest neighbour (DTW)")}
"""Name and title by metric."""
for _name, _title in NAMES.values():
    register_title(_name, _title)


class NearestNeighbour:
    """The class of the nearest training series, by the Euclidean distance or by dynamic time warping with a band.

    A missing value (NaN) is interpolated between those around it; a series of another length than the training series' median
    is resampled to it by linear interpolation (Ratanamahatana and Keogh 2005: this loses nothing even with warping). Then
    each channel is brought to mean 0 and standard deviation 1.

    The nearest one's class has the probability 1 − e, and the others share e: how often the class of a training series differs
    from its nearest neighbour's, with one error and one success more, over as many of them as `SERIES_TO_ESTIMATE_ERROR` allows. With several
    labels e is that of a label, and each of the nearest one's has 1 − e. Of equally near series the first counts.

    Args:
        metric: "euclidean" or "dtw".
        band: how far warping may move a step, as a share of the length (Sakoe and Chiba 1978); 1: as far as it likes.
        scale: "series": each series by its own mean and deviation, as is custom for single channels (Bagnall et al. 2017);
            "data": all by those of the training steps, which keeps how high and how lively they are; None: the one with which
            fewer training series mislead, "series" of equals.

    >>> series = [np.sin(np.arange(20) / 2)[:, None], np.cos(np.arange(20) / 2)[:, None]]
    >>> model = NearestNeighbour().fit(series, np.array([0, 1]), classes=2)
    >>> model.probabilities([np.cos(np.arange(40) / 4)[:, None]]).argmax(1).tolist()
    [1]
    """

    def __init__(
        self,
        metric: Literal["euclidean", "dtw"] = "euclidean",
        band: float = 0.1,
        scale: Literal["series", "data"] | None = None,
    ) -> None:
        if metric not in SERIES_TO_ESTIMATE_ERROR:
            raise UsageError(f"metric: expected euclidean or dtw, got {metric!r}")
        if not 0 <= band <= 1:
            raise UsageError(f"band: expected a share of the length from 0 to 1, got {band}")
        if scale not in ("series", "data", None):
            raise UsageError(f"scale: expected series, data or None (chosen by the training series), got {scale!r}")
        self.metric, self.band, self.scale = metric, band, scale
        self.name, self.title = NAMES[metric]
        self.length = 0
        self._series = np.zeros((0, 0, 0), np.float32)
        self._marks = np.zeros((0, 0))
        self._hit_and_miss = (0.0, 0.0)
        self._middle: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self, sequences: Sequence[np.ndarray], targets: np.ndarray, classes: int) -> Self:
        """Keep the series, each (T, C), and their classes (N,), or which labels they have (N, classes).

        Raises:
            UsageError: nothing to learn from, targets that do not fit, or series that differ in their channels.
        """
        known = known_targets(targets, len(sequences), classes)
        self.length = max(1, int(np.median([len(each) for each in sequences])))
        raw = same_length(sequences, self.length)
        multi = known.ndim == 2
        self._marks = known.astype(np.float64) if multi else (known[:, None] == np.arange(classes)).astype(np.float64)
        of_data = raw.mean((0, 1), dtype=np.float64), raw.std((0, 1), dtype=np.float64)
        scales = {"series": None, "data": of_data}
        errors = {}
        for name in [self.scale] if self.scale else scales:
            self._series = scaled(raw, scales[name])
            errors[name] = self._error(multi)
        chosen = min(errors, key=lambda name: errors[name])  # the first of equals
        self._middle, error = scales[chosen], errors[chosen]
        self._series = scaled(raw, self._middle)
        if multi:
            self._hit_and_miss = (1 - min(error, 0.49), min(error, 0.49))
        else:
            # Even where neighbours mislead more often than chance would, the nearest one's class stays the likeliest.
            error = min(error, 0.99 * (classes - 1) / classes)
            self._hit_and_miss = (1 - error, error / max(1, classes - 1))
        return self

    def probabilities(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Give the probability of each class, float64 (N, C).

        Raises:
            UsageError: `fit` was not called, or series with other channels than those it had.
        """
        if not len(self._series):
            raise UsageError("NearestNeighbour has learnt nothing yet: call fit first")
        raw = same_length(sequences, self.length, self._series.shape[2])
        marks = self._marks[self._nearest(scaled(raw, self._middle))]
        hit, miss = self._hit_and_miss
        return np.where(marks > 0, hit, miss)

    def cost(self, sequences: Sequence[np.ndarray], count: int) -> float:
        """Estimate the work of `fit` on these series and of `probabilities` for so many others: numbers that are touched.

        A core touches about 4·10⁸ a second with "dtw", and 10¹⁰ at best with "euclidean".
        """
        size, length = len(sequences), max(1, float(np.median([len(each) for each in sequences])))
        around = min(2 * self.band * length + 1, length) if self.metric == "dtw" else 1.0
        sample = min(size, SERIES_TO_ESTIMATE_ERROR[self.metric]) * (1 if self.scale else 2)
        return size * (count + sample) * length * around * np.shape(sequences[0])[-1]

    def _steps(self) -> int:
        return int(np.ceil(self.band * (self.length - 1)))

    def _error(self, multi: bool) -> float:
        """Look up the neighbours of some training series: the share of those (or of their labels) that mislead."""
        size = len(self._series)
        if size < 2:
            return 0.5
        chance = np.random.default_rng(0)
        sample = np.sort(chance.permutation(size)[: SERIES_TO_ESTIMATE_ERROR[self.metric]])
        marks = self._marks[self._nearest(self._series[sample], sample)]
        wrong = marks != self._marks[sample]
        errors = wrong.sum() if multi else wrong.any(1).sum()
        return float((errors + 1) / ((wrong.size if multi else len(sample)) + 2))

    def _nearest(self, series: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
        """Give the place of the nearest training series for each of `series` (N, T, C), but never its `own` place."""
        found = np.zeros(len(series), np.int64)
        each = max(1, DISTANCES_PER_CHUNK // len(self._series))
        measure = self._distances()
        for first in range(0, len(series), each):
            part = slice(first, first + each)
            distances = measure(series[part])
            if own is not None:
                distances[np.arange(len(distances)), own[part]] = np.inf
            found[part] = distances.argmin(1)
        return found

    def _distances(self) -> Callable[[np.ndarray], np.ndarray]:
        """Give the function from series (N, T, C) to what orders the training series by their distance, (N, training)."""
        if self.metric == "dtw":
            return lambda series: dtw(series, self._series, self._steps())
        theirs = self._series.reshape(len(self._series), -1)
        squares = (theirs**2).sum(1)
        # Each less the square of the series itself, which changes no order.
        return lambda series: squares - 2 * series.reshape(len(series), -1) @ theirs.T


def same_length(sequences: Sequence[np.ndarray], length: int, channels: int | None = None) -> np.ndarray:
    """Bring series, each (T, C), to one length without missing values, float32 (N, length, C).

    Raises:
        UsageError: a series that is not (T, C), or whose channels are not those of the first (or `channels`).

    >>> same_length([np.array([[1.0], [np.nan], [3.0]])], 5)[0, :, 0].tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """
    shapes = [np.shape(each) for each in sequences]
    width = channels if channels is not None else (shapes[0][1] if shapes and len(shapes[0]) == 2 else 1)
    for number, shape in enumerate(shapes):
        if len(shape) != 2 or shape[1] != width:
            raise UsageError(f"sequences: expected series (steps, {width} channels), got {shape} at place {number}")
    found = np.zeros((len(shapes), length, width), np.float32)
    for number, each in enumerate(sequences):
        found[number] = _resampled(np.asarray(each, np.float64), length)
    return found


def scaled(series: np.ndarray, of_data: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """Bring each channel of series (N, T, C) to mean 0 and standard deviation 1: its own, or those `of_data`, (C,) both.

    >>> scaled(np.array([[[1.0], [3.0]]])).tolist()
    [[[-1.0], [1.0]]]
    """
    middle, spread = of_data or (
        series.mean(1, keepdims=True, dtype=np.float64),
        series.std(1, keepdims=True, dtype=np.float64),
    )
    # What rounding leaves of a constant is no movement.
    still = spread <= 1e-6 * np.maximum(1, np.abs(middle))
    return np.where(still, 0, (series - middle) / np.where(still, 1, spread)).astype(np.float32)


def _resampled(values: np.ndarray, length: int) -> np.ndarray:
    """Interpolate over missing values and to a length; channels without a single value are 0."""
    if len(values) == length and np.isfinite(values).all():
        return values
    found = np.zeros((length, values.shape[1]))
    wanted = np.linspace(0, max(0, len(values) - 1), length)
    for channel in range(values.shape[1]):
        there = np.flatnonzero(np.isfinite(values[:, channel]))
        if len(there):
            found[:, channel] = np.interp(wanted, there, values[there, channel])
    return found
