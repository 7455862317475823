"""Patches of a picture that are left out together."""

from __future__ import annotations

import numpy as np

from recurra.tasks.base.explanation import Segment

MAX_PATCHES = 64


def cut_into_patches(rows: int, columns: int, most: int = MAX_PATCHES) -> tuple[list[Segment], np.ndarray]:
    """Cut a grid into square patches, at most so many but one for each row or column; gives them, and that of each place, (rows, columns).

    >>> patches, owner = cut_into_patches(2, 4, 2)
    >>> [patch.text for patch in patches], owner.tolist()
    (['rows 1 to 2, columns 1 to 2', 'rows 1 to 2, columns 3 to 4'], [[0, 0, 1, 1], [0, 0, 1, 1]])
    """
    side = 1
    while -(-rows // side) * -(-columns // side) > most:
        side += 1
    across = -(-columns // side)
    owner = (np.arange(rows) // side)[:, None] * across + np.arange(columns) // side
    patches = []
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            bottom, right = min(top + side, rows), min(left + side, columns)
            name = f"{_span('row', top, bottom)}, {_span('column', left, right)}"
            patches.append(Segment(name, top * columns + left, (bottom - 1) * columns + right))
    return patches, owner


def _span(what: str, first: int, last: int) -> str:
    return f"{what} {last}" if last - first == 1 else f"{what}s {first + 1} to {last}"
