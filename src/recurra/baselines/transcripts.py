"""Plain transcribers: the commonest text for all signals, and the text of the nearest signal known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from recurra.baselines.neighbour import NearestNeighbour
from recurra.baselines.titles import register_baseline

BANDS = 10
"""Numbers of a frame that signals are compared by: of more, neighbours are taken together."""


class TranscriptBaseline(Protocol):
    """A plain transcriber: learns from frames of signals, each (T, F), and their texts; then writes those of others."""

    name: str
    title: str

    def fit(self, frames: Sequence[np.ndarray], texts: Sequence[str]) -> Self: ...

    def write(self, frames: Sequence[np.ndarray]) -> list[str]: ...


@register_baseline
class MostFrequentText:
    """Writes the commonest text, whatever the signal; of equally common ones the first.

    >>> MostFrequentText().fit([np.zeros((1, 1))] * 3, ["yes", "no", "no"]).write([np.zeros((1, 1))])
    ['no']
    """

    name, title, ignores_input = "most-frequent-text", "most frequent text", True

    def fit(self, frames: Sequence[np.ndarray], texts: Sequence[str]) -> Self:  # noqa: ARG002
        self._text = Counter(texts).most_common(1)[0][0]
        return self

    def write(self, frames: Sequence[np.ndarray]) -> list[str]:
        return [self._text for _ in frames]


@register_baseline
class NearestSignal:
    """Writes the text of the signal that is nearest by dynamic time warping, each brought to the same length before.

    >>> frames = [np.sin(np.arange(20) / 2)[:, None], np.cos(np.arange(20) / 2)[:, None]]
    >>> NearestSignal().fit(frames, ["sine", "cosine"]).write([np.cos(np.arange(40) / 4)[:, None]])
    ['cosine']
    """

    name, title = "nearest-signal", "text of the nearest signal (DTW)"

    def fit(self, frames: Sequence[np.ndarray], texts: Sequence[str]) -> Self:
        self._texts = list(dict.fromkeys(texts))
        numbers = {text: number for number, text in enumerate(self._texts)}
        self._model = NearestNeighbour("dtw")
        self._known = [in_bands(one) for one in frames]
        self._model.fit(self._known, np.array([numbers[text] for text in texts]), len(self._texts))
        return self

    def cost(self, count: int) -> float:
        """Estimate the work of writing the texts of so many signals: numbers that are touched, 4·10⁸ a second."""
        return self._model.cost(self._known, count)

    def write(self, frames: Sequence[np.ndarray]) -> list[str]:
        chosen = self._model.probabilities([in_bands(one) for one in frames]).argmax(1)
        return [self._texts[number] for number in chosen.tolist()]


def in_bands(frames: np.ndarray) -> np.ndarray:
    """Take neighbouring numbers of each frame (T, F) together, by their mean: (T, F') float32, F' at most `BANDS`.

    >>> in_bands(np.arange(40.0)[None])[0].tolist()
    [1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5, 33.5, 37.5]
    """
    size = frames.shape[1]
    if size <= BANDS:
        return frames.astype(np.float32)
    starts = np.linspace(0, size, BANDS + 1).astype(int)[:-1]
    counts = np.diff([*starts, size])
    return (np.add.reduceat(frames, starts, axis=1) / counts).astype(np.float32)
