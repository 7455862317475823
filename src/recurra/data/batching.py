"""Batches of whole sequences, those of like length together: little is computed for padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recurra.errors import UsageError

BATCHES_SORTED_TOGETHER = 32
"""Batches whose sequences are sorted among themselves: enough for like lengths, few enough for chance to mix them well."""


def batches_by_length(lengths: Sequence[int] | np.ndarray, batch: int, *, seed: int, epoch: int) -> list[np.ndarray]:
    """Give the indices of each batch of an epoch: every sequence once, in an order that the seed and the epoch fix.

    lengths: of the sequences, (N).  batch: sequences in a batch; the last of the shortest or longest may be smaller.
    All are shuffled; what falls into `BATCHES_SORTED_TOGETHER` batches is then sorted by length and cut, and the batches are shuffled again.
    Raises `UsageError` for a batch below one.

    >>> [b.tolist() for b in batches_by_length([9, 1, 8, 2, 7], 2, seed=1, epoch=0)]
    [[4, 2], [1, 3], [0]]
    """
    if batch < 1:
        raise UsageError(f"batch: expected at least one sequence, got {batch}")
    sizes = np.asarray(lengths)
    generator = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = generator.permutation(len(sizes))
    cut: list[np.ndarray] = []
    for first in range(0, len(order), batch * BATCHES_SORTED_TOGETHER):
        group = order[first : first + batch * BATCHES_SORTED_TOGETHER]
        group = group[np.argsort(sizes[group], kind="stable")]
        cut += [group[start : start + batch] for start in range(0, len(group), batch)]
    return [cut[index] for index in generator.permutation(len(cut))]


def cut_large(batches: Sequence[np.ndarray], size: Callable[[np.ndarray], int], most: int) -> list[np.ndarray]:
    """Cut batches in halves until each is of at most `most`, as `size` gives it for the indices of one, or of one sequence.

    >>> steps = np.array([9, 1, 8, 2, 7])
    >>> [b.tolist() for b in cut_large([np.arange(5)], lambda some: len(some) * steps[some].max(), 18)]
    [[0, 1], [2], [3, 4]]
    """
    found: list[np.ndarray] = []
    left = list(batches)[::-1]
    while left:
        batch = left.pop()
        if len(batch) > 1 and size(batch) > most:
            left += np.array_split(batch, 2)[::-1]
        else:
            found.append(batch)
    return found


def inference_batches(lengths: Sequence[int] | np.ndarray, steps: int) -> list[np.ndarray]:
    """Give the indices of batches for inference, sorted by length, each of at most so many steps with its padding (or one
    sequence): as many at once as memory is good for.

    >>> [b.tolist() for b in inference_batches([9, 1, 8, 2, 7], 16)]
    [[1, 3], [4, 2], [0]]
    """
    sizes = np.maximum(1, np.asarray(lengths))
    batches: list[list[int]] = []
    for index in np.argsort(sizes, kind="stable").tolist():
        # Sorted, the last is the longest, to whose length all are padded.
        if batches and (len(batches[-1]) + 1) * sizes[index] <= steps:
            batches[-1].append(index)
        else:
            batches.append([index])
    return [np.array(group, dtype=np.int64) for group in batches]
