"""Pictures as levels of grey, and back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.pictures import CHANNELS, grey_bytes, parse_size
from recurra.errors import DataError, RunError
from recurra.formatting import abbreviate
from recurra.images import read_picture, resize, to_grey
from recurra.tasks.pixels.config import Data

_BYTES = 256
_WHITE = 255


@dataclass(frozen=True)
class PicturePreprocessor:
    """size: height and width.  levels: how many levels of grey.  drawn: whether two levels are drawn with the brightness as the chance."""

    size: tuple[int, int]
    levels: int = 2
    drawn: bool = False

    def check(self, picture: Any) -> np.ndarray:
        """Give a picture, a file's name or an array (H, W) or (H, W, 1 or 3) of bytes, or of truth values or fractions from 0 to 1, as grey uint8 of the size.

        Raises `DataError` for what is none.
        """
        if isinstance(picture, str | Path):
            grey = to_grey(read_picture(picture))
        else:
            values = np.asarray(picture) if hasattr(picture, "shape") or isinstance(picture, list | tuple) else None
            if values is None or values.ndim not in (2, 3) or not values.size:
                raise DataError(
                    f"expected a picture, its file's name or rows of numbers; got {abbreviate(picture, 40)}"
                )
            colours = values.ndim == 3
            if colours and values.shape[2] not in CHANNELS:
                sizes = " x ".join(map(str, values.shape))
                raise DataError(f"expected one picture, rows x columns or with 3 colours; got an array {sizes}")
            grey = grey_bytes(values, colours=colours, bits=False)
        return resize(grey, *self.size)

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """Give the levels, uint8 (N, H, W), of pictures in grey, uint8 (N, H, W).

        >>> PicturePreprocessor((1, 3)).encode(np.array([[[0, 127, 128]]], np.uint8)).tolist()
        [[[0, 0, 1]]]
        >>> PicturePreprocessor((1, 3), levels=16).encode(np.array([[[0, 17, 255]]], np.uint8)).tolist()
        [[[0, 1, 15]]]
        """
        if self.drawn:
            return np.stack([draw_levels(each) for each in pictures]) if len(pictures) else pictures
        return (pictures.astype(np.uint16) * self.levels // _BYTES).astype(np.uint8)

    def decode(self, levels: np.ndarray) -> np.ndarray:
        """Give levels as grey, uint8: the first is black, the last white.

        >>> PicturePreprocessor((1, 3), levels=3).decode(np.array([[0, 1, 2]])).tolist()
        [[0, 128, 255]]
        """
        return np.rint(levels.astype(np.float64) * (_WHITE / (self.levels - 1))).astype(np.uint8)

    def save(self, folder: Path) -> list[str]:  # noqa: ARG002
        """Everything stands in the configuration: there is no file."""
        return []

    @classmethod
    def load(cls, folder: Path, data: Data) -> PicturePreprocessor:
        """Make it from a run's settings; raises `RunError` where the size is missing."""
        if data.size is None:
            raise RunError(f"{folder / 'config.toml'}: expected the setting size, got none; train again")
        return cls(parse_size(data.size), data.levels, data.binarise == "sample")


def draw_levels(picture: np.ndarray) -> np.ndarray:
    """Draw black and white, uint8 (H, W), with the brightness of each pixel as the chance of white; the same for the same picture.

    >>> draw_levels(np.array([[0, 255]], np.uint8)).tolist()
    [[0, 1]]
    """
    seed = int.from_bytes(hashlib.blake2b(picture.tobytes(), digest_size=8).digest(), "little")
    return draw_from(picture, np.random.Generator(np.random.PCG64(seed)))


def draw_from(pictures: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw black and white, uint8, with the brightness of each pixel (uint8, any shape) as the chance of white."""
    return (generator.random(pictures.shape) * _WHITE < pictures).astype(np.uint8)
