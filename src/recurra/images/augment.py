"""Pictures of lines changed by chance, as another hand, pen or camera would have them."""

from __future__ import annotations

import numpy as np

_KNOTS = 24
"""Pixels between the points that are moved by chance when a line is bent."""


def vary_line(
    line: np.ndarray,
    chance: np.random.Generator,
    *,
    shear: float = 0.3,
    stretch: float = 0.15,
    size: float = 0.2,
    rise: float = 0.08,
    elastic: float = 2.0,
    thickness: float = 0.3,
    contrast: float = 0.3,
) -> np.ndarray:
    """Slant, stretch, raise or lower, bend, thicken or thin, and fade a line (height, width) float32, 0 the paper and 1 the ink; the height stays.

    Args:
        line: as `line_image` gives it.
        chance: says how much of each.
        shear: across, for each pixel up, at most.
        stretch: of the width, at most.
        size: of the height of the writing, at most: how much of a cut line is ascenders and descenders is chance.
        rise: how far it stands higher or lower, in heights, at most.
        elastic: pixels that a point is moved by, as a standard deviation.
        thickness: chance of one pixel more or less of ink all around.
        contrast: what the ink loses, at most, and its curve bends by.

    >>> line = np.zeros((16, 40), np.float32); line[4:12, 10:30] = 1
    >>> vary_line(line, np.random.default_rng(1)).shape[0]
    16
    """
    height, width = line.shape
    slant = chance.uniform(-shear, shear)
    new_width = max(2, round(width * np.exp(chance.uniform(-stretch, stretch)) + abs(slant) * height))
    down, across = np.mgrid[:height, :new_width].astype(np.float64)
    scale = width / max(new_width - abs(slant) * height, 1)
    shift = slant * (height / 2 - down)
    x = (across - abs(slant) * height / 2 + shift) * scale
    x += _field(height, new_width, elastic, chance)
    middle = height / 2 + chance.uniform(-rise, rise) * height
    y = (down - middle) * np.exp(chance.uniform(-size, size)) + height / 2 + _field(height, new_width, elastic, chance)
    made = _sample(line, y, x)
    draw = chance.random()
    if draw < thickness:
        made = _neighbours(made, np.minimum if draw < thickness / 2 else np.maximum)
    made = made ** np.exp(chance.uniform(-contrast, contrast)) * (1 - chance.uniform(0, contrast))
    return made.astype(np.float32)


def _field(height: int, width: int, size: float, chance: np.random.Generator) -> np.ndarray:
    """Draw how far each pixel is moved: a smooth field between points drawn by chance."""
    rows, columns = height // _KNOTS + 2, width // _KNOTS + 2
    knots = chance.normal(0, size, (rows, columns))
    at = np.linspace(0, columns - 1, width)
    wide = np.stack([np.interp(at, np.arange(columns), row) for row in knots])
    place = np.linspace(0, rows - 1, height)
    low = np.minimum(place.astype(int), rows - 2)
    part = (place - low)[:, None]
    return wide[low] * (1 - part) + wide[low + 1] * part


def _sample(line: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Give the values at places between pixels, from the four around each; outside is paper."""
    padded = np.pad(line, 1)
    y, x = np.clip(y + 1, 0, line.shape[0] + 0.999), np.clip(x + 1, 0, line.shape[1] + 0.999)
    top, left = y.astype(int), x.astype(int)
    down, right = y - top, x - left
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


def _neighbours(line: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """Give each pixel the least or the most of it and the four beside it: thinner or thicker ink."""
    padded = np.pad(line, 1, mode="edge")
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    made = line
    for side in sides:
        made = choose(made, side)
    return (made + line) / 2  # half of it: a whole pixel more or less is much at this height
