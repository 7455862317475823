"""A classifier as a stream of words, characters or values."""

from __future__ import annotations

from typing import Any

from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.results import class_probabilities, to_result
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.stream import PooledStream


class ClassStream(PooledStream):
    """Reads a text or series as it comes and always knows which class it is by now.

    stream = run.stream()            # of a run trained with --no-bidirectional
    stream.read("that was")          # {"label": "negative", "probabilities": {"negative": 0.55, "positive": 0.45}}
    stream.step("phenomenal")        # {"label": "positive", …}
    stream.step([0.5, 1.2])          # of a run on series with two channels
    rival = stream.fork()            # the same past, another future

    A text that is read in pieces is cut into words or characters piece by piece.
    """

    def __init__(self, preprocessor: LabelledPreprocessor, network: ClassifierNetwork) -> None:
        self._classes, self._multi_label = preprocessor.labels, network.multi_label
        super().__init__(preprocessor.inputs, network)

    def read(self, sequence: Any, k: int | None = None) -> dict[str, Any]:
        """Read a sequence on from here; gives {"label" (or "labels"), "probabilities"}, with k only of the k likeliest."""
        for _ in self.feed_all(sequence):
            pass
        return self.prediction(k)

    def step(self, value: Any, k: int | None = None) -> dict[str, Any]:
        """Read one word, character or step; gives what `read` does."""
        self.feed(self.parse_element(value))
        return self.prediction(k)

    def prediction(self, k: int | None = None) -> dict[str, Any]:
        """Give the prediction for what was read, as `read` does."""
        logits = self.output[None].double().cpu().numpy()
        (probabilities,) = class_probabilities(logits, multi_label=self._multi_label)
        return to_result(probabilities, self._classes, k, multi_label=self._multi_label)
