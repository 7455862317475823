"""Ink changed by chance, as another hand, or the same at another time, would write it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.ink.ink import Ink


def vary_ink(
    ink: Ink,
    chance: np.random.Generator,
    *,
    rotation: float = 0.1,
    shear: float = 0.3,
    stretch: float = 0.15,
    jitter: float = 0.01,
) -> Ink:
    """Turn, slant and stretch an ink, and move its points a little; each by as much as chance says.

    Args:
        ink: the strokes.
        chance: says how much.
        rotation: radians, at most.
        shear: across, for each unit up, at most.
        stretch: of the width against the height, at most.
        jitter: standard deviation, of the height of all.

    >>> ink = Ink((np.array([[0, 0], [0, 10]], np.float32),))
    >>> vary_ink(ink, np.random.default_rng(1)).strokes[0].shape
    (2, 2)
    """
    angle, slant = chance.uniform(-rotation, rotation), chance.uniform(-shear, shear)
    wide = np.exp(chance.uniform(-stretch, stretch))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    change = turn @ np.array([[wide, slant], [0, 1 / wide]])
    points = np.concatenate(ink.strokes).astype(np.float64)
    middle = points.mean(0)
    changed = (points - middle) @ change.T + middle
    changed += chance.normal(0, jitter * max(float(np.ptp(points[:, 1])), 1e-9), points.shape)
    cuts = np.cumsum([len(stroke) for stroke in ink.strokes])[:-1]
    return replace(ink, strokes=tuple(np.split(changed.astype(np.float32), cuts)))
