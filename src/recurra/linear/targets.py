"""Classes as the columns that a linear classifier seeks logits for."""

from __future__ import annotations

import numpy as np


def columns_sought(known: np.ndarray, classes: int) -> int:
    """Give how many logits a text has: one for each class, but one for two classes that exclude each other.

    >>> columns_sought(np.array([0, 1]), 2), columns_sought(np.array([0, 1]), 3), columns_sought(np.array([[0, 1]]), 2)
    (1, 3, 2)
    """
    return 1 if known.ndim == 1 and classes == 2 else classes


def one_hot(known: np.ndarray, classes: int) -> np.ndarray:
    """Give a one in the column of each text's class, (N, C) float32."""
    marks = np.zeros((len(known), classes), np.float32)
    marks[np.arange(len(known)), known] = 1
    return marks
