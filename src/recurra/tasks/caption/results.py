"""Captions, and where each word came from, as JSON and people get to see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.decoding import Hypothesis
from recurra.images import to_blocks
from recurra.tasks.caption.preprocessing import CaptionPreprocessor
from recurra.tasks.seq2seq.results import DIGITS


def to_result(name: str, hypotheses: list[Hypothesis], preprocessor: CaptionPreprocessor, best: int) -> dict[str, Any]:
    """Give {"image", "caption", "log_prob"}, with several also "alternatives"."""
    written = [{"caption": preprocessor.decode(one.ids), "log_prob": round(one.log_prob, DIGITS)} for one in hypotheses]
    result = {"image": name, **written[0], **({} if hypotheses[0].ended else {"ended": False})}
    return {**result, "alternatives": written[1:]} if best > 1 else result


def attention_to_json(weights: np.ndarray, words: list[str], grid: tuple[int, int]) -> dict[str, Any]:
    """Give the grid for each word: {"grid": [rows, columns], "words", "weights": (T, rows, columns), "entropy"}."""
    return {
        "grid": list(grid),
        "words": words,
        "weights": [[[round(float(weight), DIGITS) for weight in row] for row in one.reshape(grid)] for one in weights],
        "entropy": [round(float(-(row[row > 0] * np.log(row[row > 0])).sum()), DIGITS) for row in weights],
    }


def attention_lines(attention: dict[str, Any]) -> list[str]:
    """Draw in a terminal what was looked at for each word, the brighter the more.

    >>> attention_lines({"words": ["dog"], "weights": [[[0.0, 0.5], [0.25, 0.25]]]})
    ['dog', '  ██', '▒▒▒▒']
    """
    lines = []
    for word, weights in zip(attention["words"], attention["weights"], strict=True):
        values = np.array(weights)
        shown = np.rint(values / max(1e-9, values.max()) * 254).astype(np.uint8)
        lines += [word, *to_blocks(np.maximum(shown, 1))]
    return lines
