"""Transcripts, the times of their words and how sure these are, as JSON and people get to see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from recurra.decoding import CtcHypothesis, align
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor

DIGITS = 4
SMALLEST_SHARE = 1e-6


class Word(NamedTuple):
    """A word: its text, its first step, the one behind its last, and the mean probability of its units at their steps with the highest probability."""

    text: str
    start: int
    end: int
    likely: float


class Writer:
    """Turns what a search has found into results."""

    def __init__(self, network: TranscriberNetwork, preprocessor: TranscriptPreprocessor, step_frames: int) -> None:
        self._network, self._preprocessor = network, preprocessor
        seconds = preprocessor.signals.seconds
        self.step_size = 1.0 if seconds is None else seconds * step_frames
        """Seconds of a step; where frames are no time, a step."""

    def words(self, log_probs: np.ndarray, labels: np.ndarray) -> list[Word]:
        """Find where each word of a text is, and how likely its units are there (their geometric mean)."""
        found = align(log_probs, labels)
        return [
            Word(
                text,
                int(found.starts[first]),
                int(found.ends[end - 1]),
                float(np.exp(np.log(np.maximum(found.peaks[first:end], SMALLEST_SHARE)).mean())),
            )
            for text, first, end in self._preprocessor.words(labels)
        ]

    def confidence(self, likely: float) -> float:
        """Give how often what is so likely is right, as it was on the validation part."""
        share = min(1 - SMALLEST_SHARE, max(SMALLEST_SHARE, likely))
        slope, offset = self._network.confidence.tolist()
        return float(1 / (1 + np.exp(-(slope * np.log(share / (1 - share)) + offset))))

    def result(
        self, name: str, hypotheses: Sequence[CtcHypothesis], log_probs: np.ndarray, *, several: bool, times: bool
    ) -> dict[str, Any]:
        """Give {"file", "text", "log_prob", "confidence"}; with `times` also "words", with several also "alternatives"."""
        written = [self._written(one, log_probs, times=times and not place) for place, one in enumerate(hypotheses)]
        result = {"file": name, **written[0]}
        return {**result, "alternatives": written[1:]} if several else result

    def _written(self, found: CtcHypothesis, log_probs: np.ndarray, *, times: bool) -> dict[str, Any]:
        words = self.words(log_probs, found.ids)
        sure = [self.confidence(word.likely) for word in words]
        return {
            "text": self._preprocessor.decode(found.ids),
            "log_prob": round(found.log_prob, DIGITS),
            "confidence": round(float(np.prod(sure)), DIGITS),
            **({"words": self.word_results(words)} if times else {}),
        }

    def word_results(self, words: Sequence[Word], first: float = 0.0) -> list[dict[str, Any]]:
        """Give words as JSON has them; first: when the signal begins."""
        return [
            {
                "word": word.text,
                "start": round(first + word.start * self.step_size, 3),
                "end": round(first + word.end * self.step_size, 3),
                "confidence": round(self.confidence(word.likely), DIGITS),
            }
            for word in words
        ]


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """Write a result for people: its text, or a line for each of several texts, words or steps.

    >>> result_lines({"text": "two", "words": [{"word": "two", "start": 0.1, "end": 0.3, "confidence": 0.98}]})
    ['0.10\\t0.30\\t0.98\\ttwo']
    """
    if "steps" in result:
        return [f"{one['time']:.2f}\t{one['text']}" for one in result["steps"]]
    if "alternatives" in result:
        return [f"{one['log_prob']:.2f}\t{one['text']}" for one in [result, *result["alternatives"]]]
    if result.get("words"):
        return [
            f"{word['start']:.2f}\t{word['end']:.2f}\t{word['confidence']:.2f}\t{word['word']}"
            for word in result["words"]
        ]
    return [result["text"]]
