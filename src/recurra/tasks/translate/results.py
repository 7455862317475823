"""Translations as JSON gives them."""

from __future__ import annotations

from typing import Any

from recurra.decoding import Hypothesis
from recurra.tasks.seq2seq.results import DIGITS
from recurra.text import Vocabulary


def to_result(source: str, hypotheses: list[Hypothesis], vocabulary: Vocabulary, best: int) -> dict[str, Any]:
    """Give {"text", "translation", "log_prob"}, with several also "alternatives"."""
    written = [
        {
            "translation": vocabulary.decode(one.ids),
            "log_prob": round(one.log_prob, DIGITS),
            **({} if one.ended else {"ended": False}),
        }
        for one in hypotheses
    ]
    result = {"text": source, **written[0]}
    return {**result, "alternatives": written[1:]} if best > 1 else result
