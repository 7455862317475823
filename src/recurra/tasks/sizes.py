"""What every task of whole labelled sequences chooses in the same way."""

from __future__ import annotations

TEXT_RATE = 0.001
"""Learning rate for text, where most of the weights are vectors of words that are rare: a larger one learns them by heart."""


def choose_batch(examples: int) -> int:
    """Choose how many sequences are read side by side: few examples in small batches, for enough steps.

    >>> choose_batch(40), choose_batch(400), choose_batch(100_000)
    (8, 8, 64)
    """
    batch = 64
    while batch > 8 and examples < 40 * batch:
        batch //= 2
    return batch
