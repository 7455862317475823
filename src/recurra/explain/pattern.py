"""Units that are high over a stretch of steps, and other stretches where they are high together.

As LSTMVis searches (Strobelt et al. 2018, IEEE TVCG 24(1), section 4): a stretch is chosen by eye, and the units that rise with it and fall behind it stand for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recurra.errors import UsageError
from recurra.explain.trace import LayerTrace
from recurra.explain.units import text_around

MIN_SHARE = 0.5
"""Of the units that has to be high at each step of a stretch that is like the chosen one."""


@dataclass(frozen=True)
class Match:
    """Steps `first` up to but not including `last`, the share of the units that is high there, on average, and the text around."""

    first: int
    last: int
    share: float
    before: str
    text: str
    after: str

    def to_json(self) -> dict[str, Any]:
        """Give its fields."""
        return asdict(self)


@dataclass(frozen=True)
class Pattern:
    """units: high over the chosen stretch.  matches: other stretches, the likest first."""

    units: Sequence[int]
    matches: Sequence[Match]


def find_pattern(layer: LayerTrace, signal: str, first: int, last: int, threshold: float, *, most: int = 50) -> Pattern:
    """Find the units of a layer that are at or above a threshold from step `first` to before `last` and, where there are such, not at the steps around.

    signal: a state or a gate.  most: matches that are given.  Raises `UsageError` for a signal or steps that are not there.
    """
    values = values_of(layer, signal)
    count = len(values)
    if not 0 <= first < last <= count:
        raise UsageError(f"from, to: expected steps of 0 to {count}, the first before the last, got {first} and {last}")
    if not np.isfinite(threshold):
        raise UsageError(f"threshold: expected a finite number, got {threshold}")
    high = values >= threshold
    chosen = high[first:last].all(0)
    for around in (first - 1, last):
        if 0 <= around < count:
            chosen &= ~high[around]
    units = np.flatnonzero(chosen).tolist()
    if not units:
        return Pattern([], [])
    shares = high[:, units].mean(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (shares >= MIN_SHARE).astype(np.int8), [0]]))).reshape(-1, 2)
    found = [(a, b, float(shares[a:b].mean())) for a, b in edges.tolist() if b <= first or a >= last]
    ranked = sorted(found, key=lambda each: (-each[2], abs(each[1] - each[0] - (last - first)), each[0]))
    return Pattern(units, [Match(a, b, share, *text_around(layer, a, b)) for a, b, share in ranked[:most]])


def values_of(layer: LayerTrace, signal: str) -> np.ndarray:
    """Give the values of a state or a gate, (T, H); raises `UsageError` where there is none of that name."""
    known = {**layer.states, **layer.gates}
    if signal not in known:
        raise UsageError(f"signal: expected one of {', '.join(known)}; got {signal!r}")
    return known[signal]
