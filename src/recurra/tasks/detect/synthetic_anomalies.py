"""Anomalies that are put into normal series on purpose, to find out without labels what tells them best.

As they choose among detectors in Goswami et al. 2022, arXiv:2210.01078.
"""

from __future__ import annotations

import numpy as np

ANOMALY_KINDS = ("flip", "scale", "shift", "drift", "smooth", "noise", "stretch", "splice")
"""What is done to series, in turn."""
MIN_STEPS = 8
"""A series of fewer steps is too short for one."""


def inject_anomaly(values: np.ndarray, other: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Corrupt a quarter of a series (T, C), T ≥ 8, by one of `ANOMALY_KINDS`; other: a series that "splice" takes a part of.

    flip: backwards; scale: a quarter or two and a half times as far from its mean; shift: up or down by 0.7 of the series' spread;
    drift: away by one spread; smooth: a mean of nine steps; noise: of 0.3 of the spread; stretch: half or 1.6 times as fast.
    """
    corrupted, steps = values.copy(), len(values)
    width = max(4, steps // 4)
    first = int(rng.integers(1, steps - width + 1))
    place = slice(first, first + width)
    part, spread, sign = values[place], np.nanstd(values, axis=0), int(rng.choice([-1, 1]))
    if kind == "flip":
        corrupted[place] = part[::-1]
    elif kind == "scale":
        middle = np.nanmean(part, axis=0) if np.isfinite(part).any(0).all() else 0.0
        corrupted[place] = middle + (part - middle) * (0.25 if sign < 0 else 2.5)
    elif kind == "shift":
        corrupted[place] = part + sign * 0.7 * spread
    elif kind == "drift":
        corrupted[place] = part + sign * np.linspace(0, 1, width)[:, None] * spread
    elif kind == "smooth":
        padded = np.pad(part, ((4, 4), (0, 0)), mode="edge")
        corrupted[place] = np.stack([padded[at : at + width] for at in range(9)]).mean(0)
    elif kind == "noise":
        corrupted[place] = part + rng.normal(0, 0.3, part.shape) * spread
    elif kind == "stretch":
        places = np.clip(first + np.arange(width) * (0.5 if sign < 0 else 1.6), 0, steps - 1)
        corrupted[place] = values[np.round(places).astype(int)]
    else:
        width = min(width, len(other) - 1)
        start = int(rng.integers(1, len(other) - width + 1))
        corrupted[first : first + width] = other[start : start + width]
    return corrupted
