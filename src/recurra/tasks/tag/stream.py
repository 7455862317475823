"""A tagger as a stream of words or values."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recurra.arguments import Positive, checked
from recurra.nn import State
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.stream import SequenceStream
from recurra.tasks.tag.network import TaggerNetwork


class TagStream(SequenceStream):
    """Tags words or steps as they come.

    stream = run.stream()                     # of a run trained with --no-bidirectional
    stream.step("dogs")                       # {"tag": "NOUN", "probabilities": {"NOUN": 0.97, "VERB": 0.02, …}}
    stream.read(["bark", "loudly"])           # [{"tag": "VERB", …}, {"tag": "ADV", …}]

    A tag is what is likeliest when nothing comes after its word; it stands, though a CRF may decide otherwise later. The
    network's output is the probability of each tag, and then the number of the one that is given: (1, K + 1).
    """

    def __init__(self, preprocessor: LabelledPreprocessor, network: TaggerNetwork) -> None:
        def step(inputs: Any, state: State) -> tuple[Tensor, State]:
            tag, probabilities, after = network.step(inputs, state)
            number = probabilities.new_tensor([tag], dtype=torch.float64)
            return torch.cat([probabilities.double(), number]).unsqueeze(0), after

        self._tags = preprocessor.labels
        device = network.output.weight.device
        empty_output = torch.zeros(1, len(self._tags) + 1, dtype=torch.float64, device=device)
        super().__init__(preprocessor.inputs, network, step, network.initial_state(), empty_output)

    @checked
    def read(self, sequence: Any, k: Positive | None = None) -> list[dict[str, Any]]:
        """Read a sequence on from here; gives {"tag", "probabilities"} of each element, with k only of the k likeliest."""
        return [self._to_result(output[0], k) for output in self.feed_all(sequence)]

    @checked
    def step(self, value: Any, k: Positive | None = None) -> dict[str, Any]:
        """Read one word or step; gives its {"tag", "probabilities"}."""
        return self._to_result(self.feed(self.parse_element(value))[0], k)

    def _to_result(self, output: Tensor, k: int | None) -> dict[str, Any]:
        *probabilities, tag = output.tolist()
        order = sorted(range(len(probabilities)), key=lambda index: -probabilities[index])[:k]
        return {
            "tag": self._tags[int(tag)],
            "probabilities": {self._tags[index]: round(probabilities[index], 6) for index in order},
        }
