"""Whether an explanation holds: what leaving out the parts that it names costs, beside leaving out as many at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.explain.shapley import Values

SHARE_LEFT_OUT = 0.1
DRAWS = 32


@dataclass(frozen=True)
class Faithfulness:
    """count: parts that are left out.  top: by how much the output falls without those of the largest shares.  random: without as many others,
    on average over draws, and `spread`, their standard deviation."""

    count: int
    top: float
    random: float
    spread: float


def measure_faithfulness(
    values: Values, shares: np.ndarray, *, share: float = SHARE_LEFT_OUT, seed: int = 0
) -> Faithfulness | None:
    """Leave out the top tenth of the parts, but at least one; None where there are not two parts.

    >>> found = measure_faithfulness(lambda masks: masks @ np.array([3.0, 0.0, 0.0]), np.array([3.0, 0.0, 0.0]))
    >>> found.count, found.top, found.random < 2
    (1, 3.0, True)
    """
    parts = len(shares)
    if parts < 2:
        return None
    count = max(1, round(share * parts))
    chance = np.random.default_rng(seed)
    masks = np.ones((2 + DRAWS, parts), bool)
    masks[1, np.argsort(-shares, kind="stable")[:count]] = False
    for row in masks[2:]:
        row[chance.choice(parts, count, replace=False)] = False
    found = values(masks)
    falls = found[0] - found[1:]
    return Faithfulness(count, float(falls[0]), float(falls[1:].mean()), float(falls[1:].std()))
