"""What several tasks choose in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

TEXT_LEARNING_RATE = 0.001
"""Learning rate for text, where most of the weights are vectors of words that are rare: a larger one learns them by heart."""


def largest_in_time(sizes: Sequence[int], seconds: float, epochs: float, measure: Callable[[int], float]) -> int:
    """Find the largest size that can be trained for so many epochs, going up while there is time to spare; the smallest at least.

    measure: a size → the seconds of one epoch.

    >>> largest_in_time([128, 256, 512], 100, 4, lambda size: size / 10), largest_in_time([128, 256], 1, 4, lambda size: size / 10)
    (128, 128)
    >>> largest_in_time([128, 256, 512], 1_000, 4, lambda size: size / 10)
    512
    """
    best = sizes[0]
    for size in sizes:
        fitting = seconds / measure(size)
        if fitting < epochs and size != sizes[0]:
            measure(best)  # the plan goes by what was measured last
            break
        best = size
        if fitting < 2 * epochs:  # the next size costs two to three times as much: no need to measure it
            break
    return best


def batch_size_for(examples: int, *, most: int = 64, least: int = 8, batches: int = 40) -> int:
    """Choose how many sequences are read side by side: few examples in small batches, so that there are so many of these.

    >>> batch_size_for(40), batch_size_for(400), batch_size_for(100_000)
    (8, 8, 64)
    >>> [batch_size_for(pieces, most=32, least=4, batches=4) for pieces in (7, 400)], batch_size_for(300, batches=8)
    ([4, 32], 32)
    """
    batch = most
    while batch > least and examples < batches * batch:
        batch //= 2
    return batch
