"""Pictures as JSON and people get to see them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from recurra.images import encode_png, to_blocks


def to_result(levels: np.ndarray, rows: int) -> dict[str, Any]:
    """Give {"rows", "picture"}: how many rows were kept, and all rows, the levels of each pixel (H, W)."""
    return {"rows": rows, "picture": levels.tolist()}


def score_to_json(name: str, log_probs: np.ndarray) -> dict[str, Any]:
    """Give the log-probability of a picture by that of its pixels (H, W), nats; its units are its rows."""
    total = float(log_probs.sum())
    return {
        "picture": name,
        "log_prob": total,
        "log_prob_per_unit": total / log_probs.size,
        "units": [[f"row {number}", float(row.sum())] for number, row in enumerate(log_probs, 1)],
    }


def to_lines(picture: np.ndarray) -> str:
    """Draw a picture in grey, uint8 (H, W), for a terminal."""
    return "\n".join(line.rstrip() or " " for line in to_blocks(picture))


def as_png_texts(pictures: Iterable[np.ndarray]) -> list[str]:
    """Write pictures in grey as PNG files in base64, which JSON and a page can hold."""
    return [base64.b64encode(encode_png(picture)).decode("ascii") for picture in pictures]
