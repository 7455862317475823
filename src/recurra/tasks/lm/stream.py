"""A language model as a stream of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.errors import UsageError
from recurra.stream import Stream
from recurra.tasks.lm.network import LanguageNetwork

if TYPE_CHECKING:
    from recurra.tasks.lm.task import LanguageModel


class LanguageStream(Stream):
    """Reads text as it comes and always knows what is likely next.

    stream = run.stream()
    stream.read("To be, or not to ")
    stream.likeliest(3)         # [("b", 0.61), ("t", 0.08), ("s", 0.06)]
    stream.log_prob("be")       # of these units coming next; the stream itself stays where it is
    rival = stream.fork()       # the same past, another future
    """

    def __init__(self, task: LanguageModel, network: LanguageNetwork) -> None:
        super().__init__(network.eval().step, network.zero_state(1))
        self._vocabulary = task.vocabulary
        self._device = next(network.parameters()).device
        self._next = self._log_softmax(task.context)

    def _log_softmax(self, unit: int) -> np.ndarray:
        logits = self.feed(torch.tensor([unit], device=self._device))
        return logits[0].double().log_softmax(-1).cpu().numpy()

    @property
    def log_probs(self) -> np.ndarray:
        """The natural log-probability of every id to come next, (V,)."""
        return self._next

    def step(self, unit: int) -> np.ndarray:
        """Read one id; gives the log-probabilities of the next, (V,)."""
        if not 0 <= unit < self._vocabulary.size:
            raise UsageError(f"unit: expected an id from 0 to {self._vocabulary.size - 1}, got {unit}")
        self._next = self._log_softmax(unit)
        return self._next

    def read(self, text: str) -> float:
        """Read text; gives its log-probability given all that was read before."""
        total = 0.0
        for unit in self._vocabulary.encode(text).tolist():
            total += float(self._next[unit])
            self.step(unit)
        return total

    def log_prob(self, text: str) -> float:
        """Give the log-probability that this text comes next, without reading it."""
        return self.fork().read(text)

    def likeliest(self, k: int = 5) -> list[tuple[str, float]]:
        """Give the k likeliest next units and their probabilities."""
        order = np.argsort(-self._next)[:k]
        return [(self._vocabulary.label(int(i)), float(np.exp(self._next[i]))) for i in order]
