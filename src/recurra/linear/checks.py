"""What a linear classifier is saved as, held against the types and sizes that it has to have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recurra.documents import Document, Finite

MAX_CLASSES = 1_000_000
"""Of a saved model."""


class RidgeSettings(Document):
    """What is saved of a `ConvolutionRidge` beside its tensors."""

    seed: int = Field(ge=0)
    classes: int = Field(ge=1, le=MAX_CLASSES)
    multi: bool
    mix: dict[str, Finite]
    penalty: Finite


def expect_array(arrays: Mapping[str, np.ndarray], name: str, kind: npt.DTypeLike, *shape: int | None) -> np.ndarray:
    """Give an array of a file, whose dimensions are checked where they are not None.

    Raises `KeyError` where it is missing, and `ValueError` for another type, other sizes, or numbers that are not finite.

    >>> expect_array({"levels": np.zeros((2, 3))}, "levels", np.float64, 2, None).shape
    (2, 3)
    """
    array = arrays[name]
    fits = len(array.shape) == len(shape) and all(
        want in (None, size) for want, size in zip(shape, array.shape, strict=True)
    )
    if array.dtype != kind or not fits:
        sizes = " x ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name}: expected {sizes} of {np.dtype(kind)}, got {array.shape} of {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers")
    return array


def expect_range(array: np.ndarray, name: str, low: int, high: int) -> np.ndarray:
    """Give an array of whole numbers; raises `ValueError` for one that is not from low to high."""
    if array.size and not low <= int(array.min()) <= int(array.max()) <= high:
        raise ValueError(f"{name}: expected numbers from {low} to {high}, got {array.min()} to {array.max()}")
    return array
