"""Ink changed by chance, as another hand, or the same at another time, would write it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.ink.ink import Ink

_WAVES, _WAVES_A_HEIGHT = 6, (0.2, 1.5)
"""By how many waves a writing is bent, and how many of one fit into its height."""


def vary_ink(
    ink: Ink,
    chance: np.random.Generator,
    *,
    rotation: float = 0.1,
    shear: float = 0.3,
    stretch: float = 0.15,
    bend: float = 0.03,
    jitter: float = 0.01,
) -> Ink:
    """Turn, slant, stretch and bend an ink, and move its points a little; each by as much as chance says.

    Args:
        ink: the strokes.
        chance: says how much.
        rotation: radians, at most.
        shear: across, for each unit up, at most.
        stretch: of the width against the height, at most.
        bend: standard deviation of each of the waves by which places are moved, smoothly across the writing, of its height.
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
    height = max(float(np.ptp(points[:, 1])), 1e-9)
    changed += _bends(points / height, chance) * (bend * height)
    changed += chance.normal(0, jitter * height, points.shape)
    cuts = np.cumsum([len(stroke) for stroke in ink.strokes])[:-1]
    return replace(ink, strokes=tuple(np.split(changed.astype(np.float32), cuts)))


def _bends(places: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Give how places (n, 2), in heights of the writing, are moved: by waves of chance directions, shorter than the writing is high to some times as long."""
    directions = chance.uniform(0, np.pi, size=_WAVES)
    turns = 2 * np.pi * np.exp(chance.uniform(*np.log(_WAVES_A_HEIGHT), size=_WAVES))
    along = places @ np.stack([np.cos(directions), np.sin(directions)])
    waves = np.cos(along * turns + chance.uniform(0, 2 * np.pi, _WAVES))
    return waves @ chance.standard_normal((_WAVES, 2))
