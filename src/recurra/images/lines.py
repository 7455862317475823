"""Lines of writing: cut out of a page, and brought to one height."""

from __future__ import annotations

import numpy as np

from recurra.errors import DataError
from recurra.images.transform import resize

_MIN_SIDE = 2
_MAX_WIDTH = 8_192
"""Pixels of a line at its new height: 128 times as wide as it is high, at 64."""


def cut_polygon(picture: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Cut a part out of a picture (H, W) uint8: the box around a polygon's corners (n, 2), x and y; what is outside gets the median within.

    None where the polygon has no pixel in the picture.

    >>> cut_polygon(np.arange(12, dtype=np.uint8).reshape(3, 4), np.array([[1, 0], [3, 0], [3, 2], [1, 2]])).tolist()
    [[1, 2], [5, 6]]
    """
    height, width = picture.shape
    low = np.clip(np.floor(corners.min(0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, (width, height)).astype(int)
    if (high - low).min() < 1:
        return None
    cut = picture[low[1] : high[1], low[0] : high[0]].copy()
    inside = _inside(corners - low, *cut.shape)
    if not inside.any():
        return None
    cut[~inside] = int(np.median(cut[inside]))
    return cut


def _inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Tell of each pixel whether its middle is within the polygon: a ray to the left crosses its sides an odd number of times."""
    inside = np.zeros((height, width), bool)
    across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
    for (x, y), (next_x, next_y) in zip(corners, np.roll(corners, -1, 0), strict=True):
        rows = np.flatnonzero((down > min(y, next_y)) & (down <= max(y, next_y)))
        if len(rows):
            edge = x + (down[rows] - y) / (next_y - y) * (next_x - x)
            inside[rows] ^= across[None] > edge[:, None]
    return inside


def line_image(picture: np.ndarray, height: int = 64) -> np.ndarray:
    """Bring a picture of a line (H, W) or (H, W, C) uint8, dark on light or light on dark, to a height, its form kept: (height, width) float32.

    0 is the paper and 1 the darkest ink: the paper is the median, whatever the light.

    Raises `DataError` for a picture with no contrast, and for one that would be wider than 8,192 pixels.

    >>> page = np.full((32, 50), 200, np.uint8); page[10:20, 10:40] = 20
    >>> line = line_image(page, 16)
    >>> line.shape, float(line.min()) >= 0, round(float(line.max()), 1)
    ((16, 25), True, 1.0)
    """
    grey = picture if picture.ndim == 2 else picture.mean(2).astype(np.uint8)
    rows, columns = grey.shape
    width = max(1, round(columns * height / rows))
    if min(rows, columns) < _MIN_SIDE or width > _MAX_WIDTH:
        raise DataError(
            f"expected a line of writing, got a picture of {columns} x {rows} pixels",
            hint="cut lines out of pages, one for each picture",
        )
    paper = float(np.median(grey))
    low, high = np.percentile(grey, (0.5, 99.5))
    low, high = (low, high) if high > low else (float(grey.min()), float(grey.max()))
    if high <= low:
        raise DataError("expected writing, got a picture of one colour")
    dark = paper - low >= high - paper
    ink = (
        (paper - grey.astype(np.float32)) / (paper - low)
        if dark
        else (grey.astype(np.float32) - paper) / (high - paper)
    )
    values = resize((np.clip(ink, 0, 1) * 255).astype(np.uint8), height, width)
    return values.astype(np.float32) / np.float32(255)
