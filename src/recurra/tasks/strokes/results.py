"""Drawings as JSON and people get to see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.images import to_blocks
from recurra.ink import Ink, to_dots

PEN_NAMES = ("down", "lifted", "end")
_HEIGHT, _WIDTH = 40, 76
_DIGITS = 4


def ink_to_json(ink: Ink) -> list[list[list[float]]]:
    """Give strokes as lists of points [x, y], as `train` reads them again.

    >>> ink_to_json(Ink((np.array([[0, 0.5]], np.float32),)))
    [[[0.0, 0.5]]]
    """
    return [np.round(stroke.astype(np.float64), _DIGITS).tolist() for stroke in ink.strokes]


def pens_to_json(logits: np.ndarray) -> dict[str, float]:
    """Give how likely each pen state is after the next point, by log probabilities (3)."""
    return dict(zip(PEN_NAMES, np.exp(logits).tolist(), strict=True))


def score_to_json(name: str, log_probs: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """Give the log-probability of a drawing by that of its steps and pen states (N), nats; its units are its points after the first."""
    points = log_probs[0] + log_probs[1]
    total = float(points.sum())
    return {
        "text": name,
        "log_prob": total,
        "log_prob_per_unit": total / len(points),
        "units": [[f"point {number}", float(value)] for number, value in enumerate(points, 2)],
    }


def to_lines(ink: Ink, *, height: int = _HEIGHT, width: int = _WIDTH) -> str:
    """Draw ink for a terminal."""
    lines = [line.rstrip() for line in to_blocks(to_dots(ink, height, width))]
    return "\n".join(line or " " for line in lines)
