"""A classifier as a stream of words, characters or values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from recurra.kernels import exact
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.reading import to_device
from recurra.tasks.streams import SequenceStream

if TYPE_CHECKING:
    from recurra.tasks.classify.task import Classifier

WINDOW = 256
"""Elements that are read at a time where they are there: much faster, and the same bits in exact mode."""


class ClassStream(SequenceStream):
    """Reads a text or series as it comes and always knows which class it is by now.

    stream = run.stream()            # of a run trained with --no-bidirectional
    stream.read("that was")          # {"label": "negative", "probabilities": {"negative": 0.55, "positive": 0.45}}
    stream.step("phenomenal")        # {"label": "positive", …}
    stream.step([0.5, 1.2])          # of a run on series with two channels
    rival = stream.fork()            # the same past, another future

    A text that is read in pieces is cut into words or characters piece by piece.
    """

    def __init__(self, task: Classifier, network: ClassifierNetwork) -> None:
        self._task, self._network = task, network
        network.eval()
        with torch.inference_mode(), exact(required=False):
            unread = network.decide(network.output.weight.new_zeros(1, network.body.size))
        super().__init__(task.input, network, network.follow, network.begin(), unread)

    def outputs(self, sequence: Any) -> Iterator[Tensor]:
        elements = iter(self._input.elements(self._input.read(sequence)))
        while window := list(islice(elements, WINDOW)):
            *network, carried, _ = self._state
            followed = []
            for element in window:
                steps, stays, carried = self._input.follow(element, carried)
                followed.append(steps if stays and len(steps) == 1 else None)
            if any(steps is None for steps in followed):  # a character of several bytes, or frames: step by step
                yield from map(self.feed, window)
                continue
            inputs = to_device(self._input.collate(followed), self._network.output.weight.device)
            with torch.inference_mode(), exact(required=False):
                said, after = self._network.follow_each(inputs, tuple(network))
                self._state = (*after, carried, (said[-1:],))
            yield from said.split(1)

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
        from recurra.tasks.classify.asking import said, shares

        return said(self._task, shares(self._task, self.said[None].double().cpu().numpy())[0], k)
