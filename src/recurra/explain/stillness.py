"""Which units never move: one definition for what is recorded of an input, and for the diagnosis of a run."""

from __future__ import annotations

import numpy as np

STILL_SHARE, STILL = 0.01, 1e-4
"""Share of what the liveliest unit of the layer spans, and span of an output that adds nothing to what is computed: a unit that spans less never moves."""
MIN_STEPS = 20
"""Of fewer steps nothing is said."""
WARM_UP_STEPS = 10


def warm_up(steps: int) -> int:
    """Give how many of the first steps of a sequence do not count, in which a unit leaves the state of zeros; half of a short one at most.

    >>> warm_up(100), warm_up(7)
    (10, 3)
    """
    return min(WARM_UP_STEPS, steps // 2)


def never_move(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell which units never move, (H) bool, by their least and largest outputs, (H) each; of a layer that always gives the same, all.

    >>> never_move(np.array([-1.0, 0.5, 0.0]), np.array([1.0, 0.51, 0.5])).tolist()
    [False, True, False]
    """
    spans = high - low
    return spans <= max(STILL, STILL_SHARE * float(spans.max(initial=0.0)))
