"""Series for the tests of forecasting baselines."""

from __future__ import annotations

import numpy as np

from recurra.baselines import Linear, Naive2, SeasonalNaive

LEVELS = (0.1, 0.5, 0.9)
QUICK = [SeasonalNaive, Naive2, Linear]


def wavy(seed: int, steps: int = 120, channels: int = 2, season: int = 6) -> np.ndarray:
    """A season, a slow walk and noise, above 0: (T, C)."""
    chance = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(steps) / season)[:, None] * chance.uniform(2, 4, channels)
    return (
        50 + wave + chance.normal(0, 0.5, (steps, channels)).cumsum(0) * 0.2 + chance.normal(0, 0.3, (steps, channels))
    )


def with_gaps(values: np.ndarray, seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    gaps = values.copy()
    gaps[chance.random(values.shape) < 0.15] = np.nan
    gaps[:3, 0] = np.nan
    gaps[40:60, 1] = np.inf
    return gaps


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]
