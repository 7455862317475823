"""Where the ticks of an axis stand, and what is written beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Place about `count` ticks at multiples of 1, 2 or 5 times a power of ten, all within [low, high].

    >>> ticks(0, 9.3)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    if not high - low > 1e-300:  # a fifth of less could be no number any more
        return [low]
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((factor * power for factor in (1, 2, 5) if raw <= factor * power * 1.0000001), 10 * power)
    first = math.ceil(low / step - 1e-9)
    # Far from zero a step can be smaller than the spacing of floats there: then no tick can be told from the next.
    if not abs(first) < 2**52:
        return [low, high]
    last = math.floor(high / step + 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, digits) + 0.0 for index in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Place ticks at powers of ten within [low, high], every second or third one where there are many.

    >>> log_ticks(0.002, 30)
    [0.01, 0.1, 1.0, 10.0]
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / count))
    powers = [10.0**power for power in range(first, last + 1) if power % every == 0]
    return powers if len(powers) > 1 else ticks(low, high, 3)


def tick_labels(values: Sequence[float]) -> list[str]:
    """Write ticks with just the decimals that tell them apart, and thousands and millions by a letter.

    >>> tick_labels([0, 0.5, 1]), tick_labels([0, 20000, 40000]), tick_labels([0, 2e-6])
    (['0', '0.5', '1.0'], ['0', '20k', '40k'], ['0', '2·10⁻⁶'])
    """
    largest = max((abs(value) for value in values), default=0.0)
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if 10 * size <= largest < 1e12 or (size < largest < 1e12 and all(value % (size / 10) == 0 for value in values)):
            return [f"{value / size:g}{letter}" if value else "0" for value in values]
    if largest >= 1e12 or 0 < largest < 1e-3:
        return [scientific(value) for value in values]
    gaps = [abs(b - a) for a, b in pairwise(values) if b != a]
    step = min(gaps, default=largest)
    digits = min(6, max(0, -math.floor(math.log10(step) + 1e-9))) if step else 0
    return [f"{value:.{digits}f}" if value else "0" for value in values]


def scientific(value: float) -> str:
    """Write a number by its power of ten.

    >>> scientific(0.001), scientific(250_000.0)
    ('10⁻³', '2.5·10⁵')
    """
    if not value:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    mantissa = mantissa.removesuffix(".0")
    return power if mantissa == "1" else f"{mantissa}·{power}"
