"""Series side by side: many of about one length in a table, and what is seen of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

NUMBERS_PER_BLOCK = 2**14
"""Steps of one channel, over all series of a block: what is computed of them stays in a core's cache."""
MAX_SERIES_PER_BLOCK = 4096
SERIES_MULTIPLE = 8
"""The count of series in a block is a multiple of it: as many marks of a byte are added as one word."""
SMALLEST_VARIANCE = 1e-2
"""Added to a variance before it divides, in units of the variance of all data."""


def fill_forward(values: np.ndarray) -> np.ndarray:
    """Give float32 (T, C) with each missing value replaced by the last one before it, and by 0 where there is none.

    >>> fill_forward(np.array([[np.nan], [1.0], [np.nan]]))[:, 0].tolist()
    [0.0, 1.0, 1.0]
    """
    found = np.asarray(values, np.float32)
    missing = ~np.isfinite(found)
    if not missing.any():
        return found
    places = np.where(missing, 0, np.arange(1, len(found) + 1)[:, None])
    before = np.concatenate([np.zeros((1, found.shape[1]), np.float32), found])
    return np.take_along_axis(before, np.maximum.accumulate(places, 0), 0)


def series_blocks(sequences: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of series of like length, the longest first: their places (k,), and values float32 (C, T, n).

    Time goes down and series stand side by side, so that a shift in time is a slice. NaN follows the end of a series, and fills
    the columns from k to n: n is a multiple of 8, or less. A series without steps has one of NaN.

    >>> [(places.tolist(), block.shape) for places, block in series_blocks([np.ones((2, 1)), np.ones((3, 1))])]
    [([1, 0], (1, 3, 2))]
    """
    lengths = np.array([len(each) for each in sequences], np.int64)
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        steps = max(1, int(lengths[order[start]]))
        width = min(NUMBERS_PER_BLOCK // steps, MAX_SERIES_PER_BLOCK) // SERIES_MULTIPLE * SERIES_MULTIPLE
        places = order[start : start + max(SERIES_MULTIPLE, width)]
        start += len(places)
        few = len(places) < SERIES_MULTIPLE and len(places) * steps <= NUMBERS_PER_BLOCK
        columns = len(places) if few else -(-len(places) // SERIES_MULTIPLE) * SERIES_MULTIPLE
        block = np.full((sequences[0].shape[1], steps, columns), np.nan, np.float32)
        for column, place in enumerate(places):
            block[:, : lengths[place], column] = sequences[place].T
        yield places, block


def differences(block: np.ndarray) -> np.ndarray:
    """Give how much each step differs from the one before, 0 for the first: (C, T, n) like the block."""
    found = np.empty_like(block)
    np.subtract(block[:, 1:], block[:, :-1], out=found[:, 1:])
    found[:, 0] = block[:, 0] - block[:, 0]  # NaN stays NaN
    return found


def running_scores(block: np.ndarray) -> np.ndarray:
    """Give how many standard deviations each step is from the mean of the steps up to it: (C, T, n) like the block.

    >>> running_scores(np.array([[[0.0], [2.0], [np.nan]]], np.float32)).round(2).ravel().tolist()
    [0.0, 1.0, nan]
    """
    values = block.astype(np.float64)
    counts = np.arange(1, block.shape[1] + 1, dtype=np.float64)[None, :, None]
    # Sums that grow step by step, so that a stream, which adds the same in the same order, has the same bits.
    return scores_of(values, np.cumsum(values, 1), np.cumsum(values * values, 1), counts)


def scores_of(values: np.ndarray, sums: np.ndarray, squares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give (x − m) / s in float32, where m and s² are mean and variance of so many steps, by their sums; all float64."""
    mean = sums / counts
    variance = np.maximum(squares / counts - mean * mean, 0)
    return ((values - mean) / np.sqrt(variance + SMALLEST_VARIANCE)).astype(np.float32)


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "values": lambda block: block,
    "differences": differences,
    "scores": running_scores,
}
"""What is seen of a block of series: each knows nothing of later steps."""
