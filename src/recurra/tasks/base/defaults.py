"""What several tasks choose in the same way."""

from __future__ import annotations

TEXT_LEARNING_RATE = 0.001
"""Learning rate for text, where most of the weights are vectors of words that are rare: a larger one learns them by heart."""


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
