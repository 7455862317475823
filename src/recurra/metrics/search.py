"""The least of a function of one number."""

from __future__ import annotations

from collections.abc import Callable

GOLDEN = (5**0.5 - 1) / 2


def golden_section(cost: Callable[[float], float], low: float, high: float, iterations: int) -> float:
    """Find where a function with a single minimum between low and high is least, by golden section search (Kiefer 1953).

    Each iteration narrows the range to 0.618 of what it was; the middle of the last one is given.

    >>> round(golden_section(lambda x: (x - 0.3) ** 2, 0.0, 1.0, 40), 6)
    0.3
    """
    for _ in range(iterations):
        step = GOLDEN * (high - low)
        left, right = high - step, low + step
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return (low + high) / 2
