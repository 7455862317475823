"""A tagger as a stream of words or values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from recurra.nn import State
from recurra.tasks.sequence.stream import SequenceStream
from recurra.tasks.tag.network import TaggerNetwork

if TYPE_CHECKING:
    from recurra.tasks.tag.task import Tagger


class TagStream(SequenceStream):
    """Tags words or steps as they come.

    stream = run.stream()                     # of a run trained with --no-bidirectional
    stream.step("dogs")                       # {"tag": "NOUN", "probabilities": {"NOUN": 0.97, "VERB": 0.02, …}}
    stream.read(["bark", "loudly"])           # [{"tag": "VERB", …}, {"tag": "ADV", …}]

    A tag is what is likeliest when nothing comes after its word; it stands, though a CRF may think otherwise of it later.
    What is said now is how likely each tag is, and the number of the one that is given: (1, K + 1).
    """

    def __init__(self, task: Tagger, network: TaggerNetwork) -> None:
        def follow(inputs: Any, state: State) -> tuple[Tensor, State]:
            tag, shares, after = network.follow(inputs, state)
            return torch.cat([shares.double(), shares.new_tensor([tag], dtype=torch.float64)]).unsqueeze(0), after

        self._tags = task.tags
        unread = torch.zeros(1, len(task.tags) + 1, dtype=torch.float64, device=network.output.weight.device)
        super().__init__(task.input, network, follow, network.begin(), unread)

    def read(self, sequence: Any, k: int | None = None) -> list[dict[str, Any]]:
        """Read a sequence on from here; gives {"tag", "probabilities"} of each element, with k only of the k likeliest."""
        return [self._said(output[0], k) for output in self.outputs(sequence)]

    def step(self, value: Any, k: int | None = None) -> dict[str, Any]:
        """Read one word or step; gives its {"tag", "probabilities"}."""
        return self._said(self.feed(self.element(value))[0], k)

    def _said(self, output: Tensor, k: int | None) -> dict[str, Any]:
        *shares, tag = output.tolist()
        order = sorted(range(len(shares)), key=lambda index: -shares[index])[:k]
        return {
            "tag": self._tags[int(tag)],
            "probabilities": {self._tags[index]: round(shares[index], 6) for index in order},
        }
