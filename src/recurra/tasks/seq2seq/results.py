"""What was written, and where was looked for it, as JSON and people get to see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.text import Vocabulary
from recurra.text.vocabulary.base import MARKS

DIGITS = 4
END = MARKS[1]
"""The end of a text, as a unit."""
_SHADES = " ░▒▓█"


def units_of(ids: np.ndarray, vocabulary: Vocabulary) -> list[str]:
    """Name the units of a text, the end mark as such."""
    return [vocabulary.label(int(id)) for id in ids]


def attention_to_json(weights: np.ndarray, source: list[str], target: list[str]) -> dict[str, Any]:
    """Give the matrix, a row for each unit written, with the source's unit that counted most for it, from 0."""
    return {
        "source": source,
        "target": target,
        "weights": [[round(float(weight), DIGITS) for weight in row] for row in weights],
        "alignment": [
            f"{int(row.argmax())}-{number}"
            for number, (row, name) in enumerate(zip(weights, target, strict=True))
            if name != END and source[int(row.argmax())] != END
        ],
        "entropy": [round(float(-(row[row > 0] * np.log(row[row > 0])).sum()) + 0.0, DIGITS) for row in weights],
    }


def attention_lines(attention: dict[str, Any]) -> list[str]:
    """Draw the matrix in a terminal: a line for each unit written, a cell for each of the source, the darker the more it counted.

    >>> attention_lines({"source": ["a", "b"], "target": ["x"], "weights": [[0.1, 0.9]]})
    ['  ab', 'x  █']
    """
    width = max(map(len, attention["target"]), default=0)
    head = " " * (width + 1) + "".join(unit.strip()[:1] or " " for unit in attention["source"])
    rows = [
        f"{unit:<{width}} "
        + "".join(_SHADES[min(len(_SHADES) - 1, round(weight * len(_SHADES)))] for weight in weights)
        for unit, weights in zip(attention["target"], attention["weights"], strict=True)
    ]
    return [head, *rows]
