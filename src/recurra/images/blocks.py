"""Pictures drawn in a terminal."""

from __future__ import annotations

import numpy as np

_HALVES = " ▄▀█"  # by lower + 2 · upper
_SHADES = " ░▒▓█"
_BRIGHT = 128


def to_blocks(picture: np.ndarray) -> list[str]:
    """Draw a picture, uint8 (H, W), in lines: two rows a line where it is black and white alone, else a row a line, in shades.

    >>> to_blocks(np.array([[255, 0], [255, 255], [0, 255]], np.uint8))
    ['█▄', ' ▀']
    >>> to_blocks(np.array([[0, 100, 255]], np.uint8))
    ['  ▒▒██']
    """
    height, width = picture.shape
    if np.isin(picture, (0, 255)).all():
        bright = np.zeros((height + height % 2, width), bool)
        bright[:height] = picture >= _BRIGHT
        return [
            "".join(_HALVES[int(low) + 2 * int(up)] for up, low in zip(upper, lower, strict=True))
            for upper, lower in zip(bright[::2], bright[1::2], strict=True)
        ]
    places = np.rint(picture / 255 * (len(_SHADES) - 1)).astype(int)
    return ["".join(2 * _SHADES[place] for place in row) for row in places]
