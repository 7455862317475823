"""Pictures changed: to grey, to another size, and several of them laid side by side."""

from __future__ import annotations

import numpy as np

from recurra.errors import require

_RED, _GREEN, _BLUE, _HALF, _BITS = 19_595, 38_470, 7_471, 32_768, 16
"""The weights of ITU-R BT.601's luma as parts of 2¹⁶, as every program rounds them."""


def to_grey(picture: np.ndarray) -> np.ndarray:
    """Turn a picture (H, W, 1 or 3) uint8 into grey (H, W): the luma of ITU-R BT.601.

    >>> to_grey(np.array([[[255, 255, 255], [255, 0, 0]]], np.uint8)).tolist()
    [[255, 76]]
    """
    if picture.shape[2] == 1:
        return picture[:, :, 0]
    red, green, blue = (picture[:, :, channel].astype(np.uint32) for channel in range(3))
    return ((red * _RED + green * _GREEN + blue * _BLUE + _HALF) >> _BITS).astype(np.uint8)


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Give a picture (H, W) or (H, W, C) uint8 in another size: each new pixel the mean of those that it covers, by a triangle.

    It is stretched where the sides are in another relation. One of that size is given as it is; else the extra `images` is needed.

    >>> resize(np.full((4, 4), 9, np.uint8), 2, 3).tolist()
    [[9, 9, 9], [9, 9, 9]]
    """
    if picture.shape[:2] == (height, width):
        return picture
    library = require("PIL.Image", "images", "changing the size of a picture")
    if picture.ndim == 3:
        return np.stack([resize(picture[:, :, channel], height, width) for channel in range(picture.shape[2])], 2)
    image = library.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), library.Resampling.BILINEAR)).copy()


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """Give a picture (H, W) with so many pixels for each side of one.

    >>> enlarge(np.array([[0, 9]], np.uint8), 2).tolist()
    [[0, 0, 9, 9], [0, 0, 9, 9]]
    """
    return picture.repeat(scale, 0).repeat(scale, 1)


def sheet_size(count: int, height: int, width: int, columns: int | None = None, *, gap: int = 2) -> tuple[int, int]:
    """Give the height and width of a `contact_sheet` of so many pictures.

    >>> sheet_size(3, 2, 2, 2, gap=1)
    (7, 7)
    """
    across = _across(count, columns)
    return gap + -(-count // across) * (height + gap), gap + across * (width + gap)


def _across(count: int, columns: int | None) -> int:
    return max(1, min(count, columns or int(np.ceil(np.sqrt(count)))))


def contact_sheet(
    pictures: np.ndarray, columns: int | None = None, *, gap: int = 2, ground: int = 128, scale: int = 1
) -> np.ndarray:
    """Lay pictures (N, H, W) uint8 side by side, each enlarged, in rows of so many, by default as in a square.

    >>> contact_sheet(np.zeros((3, 2, 2), np.uint8), 2, gap=1, ground=9).tolist()
    [[9, 9, 9, 9, 9, 9, 9], [9, 0, 0, 9, 0, 0, 9], [9, 0, 0, 9, 0, 0, 9], [9, 9, 9, 9, 9, 9, 9], [9, 0, 0, 9, 9, 9, 9], [9, 0, 0, 9, 9, 9, 9], [9, 9, 9, 9, 9, 9, 9]]
    """
    count, height, width = len(pictures), pictures.shape[1] * scale, pictures.shape[2] * scale
    across = _across(count, columns)
    sheet = np.full(sheet_size(count, height, width, columns, gap=gap), ground, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = gap + number // across * (height + gap), gap + number % across * (width + gap)
        sheet[top : top + height, left : left + width] = enlarge(picture, scale)
    return sheet
