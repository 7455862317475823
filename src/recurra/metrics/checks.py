"""What every measure of classes refuses before it counts anything."""

from __future__ import annotations

import numpy as np

from recurra.errors import DivergedError, UsageError

SLACK = 1e-4  # how far from 1 the rounding of float32 or bfloat16 scores may put the sum of a row


def probability_rows(probabilities: np.ndarray, *, one: bool) -> np.ndarray:
    """Give probabilities as float64 (N, C), C ≥ 1; `one`: each row is a distribution over the classes.

    Raises:
        DivergedError: a probability is infinite or not a number.
        UsageError: no examples, another rank, a value outside [0, 1], or (`one`) a row that does not add up to 1.
    """
    rows = np.asarray(probabilities, np.float64)
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise UsageError(f"probabilities: expected a table (examples, classes) with a column or more, got {rows.shape}")
    if not len(rows):
        raise UsageError("probabilities: expected at least one example to measure, got none: is the data empty?")
    if not np.isfinite(rows).all():
        row = int(np.flatnonzero(~np.isfinite(rows).all(1))[0])
        raise DivergedError(f"expected finite probabilities, got {rows[row].tolist()[:8]} in row {row}")
    if rows.min() < -SLACK or rows.max() > 1 + SLACK:
        row = int(np.flatnonzero(((rows < -SLACK) | (rows > 1 + SLACK)).any(1))[0])
        raise UsageError(f"probabilities: expected values from 0 to 1, got {rows[row].tolist()[:8]} in row {row}")
    totals = rows.sum(1)
    if one and np.abs(totals - 1).max() > SLACK:
        row = int(np.abs(totals - 1).argmax())
        raise UsageError(f"probabilities: expected rows that add up to 1, got {totals[row]:.6g} in row {row}")
    return rows


def class_numbers(targets: np.ndarray, count: int, classes: int) -> np.ndarray:
    """Give targets as int64 (N,): the numbers of classes, or −1 for a label that training never saw.

    Raises:
        UsageError: another length than `count`, numbers that are not whole, or outside −1 … `classes` − 1.
    """
    numbers = np.asarray(targets)
    if numbers.shape != (count,):
        raise UsageError(f"targets: expected a class for each of {count} examples, got {numbers.shape}")
    if not np.issubdtype(numbers.dtype, np.integer):
        raise UsageError(f"targets: expected whole numbers of classes, got {numbers.dtype}")
    if count and (numbers.min() < -1 or numbers.max() >= classes):
        raise UsageError(
            f"targets: expected classes from 0 to {classes - 1}, or −1 for a label that training never saw, "
            f"got classes from {numbers.min()} to {numbers.max()}"
        )
    return numbers.astype(np.int64)


def class_marks(targets: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give targets as bool (N, C): which labels each example has.

    Raises:
        UsageError: another shape, or values other than 0 and 1.
    """
    marks = np.asarray(targets)
    if marks.shape != shape:
        raise UsageError(f"targets: expected a mark for each example and class, {shape}, got {marks.shape}")
    if not np.isin(marks, (0, 1)).all():
        raise UsageError("targets: expected 1 for each label of an example and 0 for the others, got other values")
    return marks.astype(bool)
