"""How far a figure could be off by the luck of the draw: percentile intervals from resampled examples (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.checks import class_marks, class_numbers, probability_rows
from recurra.metrics.classes import FLOOR, example_nll, mean_f1, mean_recall

MAX_NUMBERS_TOUCHED = 3 * 10**7
"""Numbers that the rounds of one figure may touch; many examples need fewer rounds than this allows, but `MIN_ROUNDS`."""
MIN_ROUNDS = 200

Interval = list[float]


def intervals(
    probabilities: np.ndarray, targets: np.ndarray, rounds: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[str, Interval]:
    """Give [low, high] for the figures of `classification`, or of `multi_label` where the targets are (N, C).

    In each round as many examples are drawn as there are, with replacement, and measured; `level` of the figures lie
    between low and high. The same arguments always give the same intervals. All figures share the rounds; the AUROC, which
    goes through every class's examples in the order of their scores, takes the first of them: as many as `MAX_NUMBERS_TOUCHED` allows, and
    200 at least (all 1,000 for 10,000 examples of up to three classes); where not even one round keeps to it, it has no interval. `calibration_error` has no interval: drawn again,
    bins are always further off, and an interval made of that would lie above the figure itself.

    Raises:
        DivergedError, UsageError: as `classification`; a level outside 0 … 1, or no rounds.

    >>> intervals(np.array([[0.9, 0.1], [0.2, 0.8]] * 50), np.array([0, 1] * 40 + [1, 0] * 10))["accuracy"]
    [0.72, 0.88]
    """
    _check(rounds, level)
    if np.ndim(targets) == 2:
        rows = probability_rows(probabilities, one=False)
        metrics = _label_metrics(rows, class_marks(targets, rows.shape))
        given = np.asarray(targets, bool)

        def marks_of(column: int) -> np.ndarray:
            return given[:, column]

        columns = list(range(rows.shape[1]))
    else:
        rows = probability_rows(probabilities, one=True)
        numbers = class_numbers(targets, *rows.shape)
        metrics = _class_metrics(rows, numbers)

        def marks_of(column: int) -> np.ndarray:
            return np.where(numbers < 0, -1, numbers == column)  # -1: in no ranking

        columns = [1] if rows.shape[1] == 2 else list(range(rows.shape[1]))
    if len(rows) * len(columns) > MAX_NUMBERS_TOUCHED:
        columns = []
    rankings = [ranked for c in columns if (ranked := _Ranking.of(rows[:, c], marks_of(c))) is not None]
    chance = np.random.default_rng(seed)
    total = _rounds(rounds, len(rows))
    with_areas = _rounds(total, len(rows) * len(rankings)) if rankings else 0
    drawn: list[dict[str, float]] = []
    for number in range(total):
        weights = np.bincount(chance.integers(0, len(rows), len(rows)), minlength=len(rows))
        found = metrics(weights)
        if number < with_areas:
            areas = [area for ranking in rankings if (area := ranking.area(weights)) is not None]
            found |= {"auroc": float(np.mean(areas))} if areas else {}
        drawn.append(found)
    names = [*drawn[0], *(["auroc"] if rankings else [])]
    values = {name: [found[name] for found in drawn if name in found] for name in dict.fromkeys(names)}
    return {name: _between(np.array(each), level) for name, each in values.items() if each}


def ratio_intervals(
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]], rounds: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[str, Interval]:
    """Give [low, high] for figures that are Σ above / Σ below over examples of many elements, such as sentences.

    The words of a sentence hang together, so sentences are drawn, not words: accuracy is (right words, words),
    F1 (2·right spans, there + predicted) of each sentence (`span_counts`).

    Args:
        parts: by the figure's name the two terms of each example, (N,) both, N the same for all.

    Raises:
        UsageError: no examples, lengths that differ, a level outside 0 … 1, or no rounds.

    >>> right, words = np.array([3, 2, 4, 5] * 25), np.array([4, 4, 4, 5] * 25)
    >>> ratio_intervals({"accuracy": (right, words)})["accuracy"]
    [0.78..., 0.86...]
    """
    _check(rounds, level)
    pairs = {name: (np.asarray(above, float), np.asarray(below, float)) for name, (above, below) in parts.items()}
    sizes = {part.shape for pair in pairs.values() for part in pair}
    if len(sizes) != 1 or len(next(iter(sizes))) != 1 or not next(iter(sizes))[0]:
        raise UsageError(f"parts: expected two terms for each of the same examples, got shapes {sorted(sizes)}")
    ((size,),) = sizes
    terms = np.stack([part for pair in pairs.values() for part in pair])  # (figures · 2, N)
    chance = np.random.default_rng(seed)
    sums = np.stack([terms[:, chance.integers(0, size, size)].sum(1) for _ in range(_rounds(rounds, size))])
    with np.errstate(invalid="ignore", divide="ignore"):
        metrics = sums[:, ::2] / sums[:, 1::2]
    columns = {name: metrics[:, place] for place, name in enumerate(pairs)}
    known = {name: values[np.isfinite(values)] for name, values in columns.items()}
    return {name: _between(values, level) for name, values in known.items() if len(values)}


def _check(rounds: int, level: float) -> None:
    if rounds < 1:
        raise UsageError(f"rounds: expected 1 or more, got {rounds}")
    if not 0 < level < 1:
        raise UsageError(f"level: expected a share between 0 and 1, such as 0.95, got {level}")


def _rounds(wanted: int, work: int) -> int:
    return min(wanted, max(MIN_ROUNDS, MAX_NUMBERS_TOUCHED // max(1, work)))


def _between(values: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def _class_metrics(rows: np.ndarray, numbers: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    """Prepare what stays the same, and give the function from weights (N,) to figures."""
    classes = rows.shape[1]
    predicted, losses = rows.argmax(1), example_nll(rows, numbers)
    true = np.where(numbers < 0, classes, numbers)
    hit = predicted == true

    def metrics(weights: np.ndarray) -> dict[str, float]:
        counted = weights.astype(np.float64)
        right, there, guessed = (
            np.bincount(place, counts, classes + 1)
            for place, counts in ((true, counted * hit), (true, counted), (predicted, counted))
        )
        return {
            "nll": float(losses @ counted / len(counted)),
            "accuracy": float(right.sum() / len(counted)),
            "balanced_accuracy": float(mean_recall(right, there)),
            "macro_f1": float(mean_f1(right, there, guessed)),
        }

    return metrics


def _label_metrics(rows: np.ndarray, marks: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    given = rows >= 0.5
    losses = -np.log(np.clip(np.where(marks, rows, 1 - rows), FLOOR, 1.0)).mean(1)
    whole = (given == marks).all(1)
    counts = np.stack([given & marks, marks, given]).astype(np.float64)  # (3, N, C)

    def metrics(weights: np.ndarray) -> dict[str, float]:
        right, there, guessed = weights @ counts
        return {
            "nll": float(losses @ weights / len(weights)),
            "exact_match": float(whole @ weights / len(weights)),
            "micro_f1": float(2 * right.sum() / max(1.0, there.sum() + guessed.sum())),
            "macro_f1": float(mean_f1(right, there, guessed)),
        }

    return metrics


class _Ranking:
    """One class's examples in the order of their scores, sorted once for all rounds."""

    def __init__(self, order: np.ndarray, first: np.ndarray, inside: np.ndarray) -> None:
        self.order, self.first, self.inside = order, first, inside

    @classmethod
    def of(cls, scores: np.ndarray, marks: np.ndarray) -> _Ranking | None:
        """Sort examples by score; those marked −1 take no part. None where the area is not defined."""
        known = np.flatnonzero(np.asarray(marks, np.int64) >= 0)
        order = known[np.argsort(scores[known], kind="stable")]
        inside = marks[order] == 1
        if not inside.any() or inside.all():
            return None
        return cls(order, np.flatnonzero(np.diff(scores[order], prepend=-np.inf)), inside)

    def area(self, weights: np.ndarray) -> float | None:
        """Give the area under the ROC curve of the weighted examples: Mann and Whitney's U, ties by half."""
        drawn = weights[self.order]
        positive = np.add.reduceat(drawn * self.inside, self.first).astype(np.float64)
        negative = np.add.reduceat(drawn * ~self.inside, self.first).astype(np.float64)
        pairs = positive.sum() * negative.sum()
        if not pairs:
            return None
        below = np.cumsum(negative) - negative
        return float((positive * (below + negative / 2)).sum() / pairs)
