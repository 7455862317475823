"""A classifier as a stream of words, characters or values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.sequence.stream import PooledStream

if TYPE_CHECKING:
    from recurra.tasks.classify.task import Classifier


class ClassStream(PooledStream):
    """Reads a text or series as it comes and always knows which class it is by now.

    stream = run.stream()            # of a run trained with --no-bidirectional
    stream.read("that was")          # {"label": "negative", "probabilities": {"negative": 0.55, "positive": 0.45}}
    stream.step("phenomenal")        # {"label": "positive", …}
    stream.step([0.5, 1.2])          # of a run on series with two channels
    rival = stream.fork()            # the same past, another future

    A text that is read in pieces is cut into words or characters piece by piece.
    """

    def __init__(self, task: Classifier, network: ClassifierNetwork) -> None:
        self._task = task
        super().__init__(task.input, network)

    def read(self, sequence: Any, k: int | None = None) -> dict[str, Any]:
        """Read a sequence on from here; gives {"label" (or "labels"), "probabilities"}, with k only of the k likeliest."""
        for _ in self.outputs(sequence):
            pass
        return self.prediction(k)

    def step(self, value: Any, k: int | None = None) -> dict[str, Any]:
        """Read one word, character or step; gives what `read` does."""
        self.feed(self.element(value))
        return self.prediction(k)

    def prediction(self, k: int | None = None) -> dict[str, Any]:
        """Say what is known by now, as `read` does."""
        from recurra.tasks.classify.predict import said, shares

        return said(self._task, shares(self._task, self.said[None].double().cpu().numpy())[0], k)
