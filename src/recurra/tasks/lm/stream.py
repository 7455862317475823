"""A language model as a stream of text."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.arguments import Positive, checked
from recurra.errors import DataError, UsageError
from recurra.kernels import exact
from recurra.nn import State
from recurra.stream import Stream
from recurra.tasks.lm.mixture import begin_state, mixed_step, mixture_of
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor, token_label


class LanguageStream(Stream):
    """Reads text as it comes and always knows what is likely next.

    stream = run.stream()
    stream.read("To be, or not to ")
    stream.likeliest(3)         # [("b", 0.61), ("t", 0.08), ("s", 0.06)]
    stream.log_prob("be")       # of these units coming next; the stream itself stays where it is
    rival = stream.fork()       # the same past, another future

    Its state has one more entry than the network's: the log-probabilities (1, V) of what comes next; and before that, where
    n-grams are mixed with the network, the places of what was read among them (1, n − 1).
    """

    def __init__(self, network: LanguageNetwork, preprocessor: TextPreprocessor) -> None:
        mixture = mixture_of(network, preprocessor)
        read = mixed_step(network.step, mixture)

        def step(ids: Tensor, state: State) -> tuple[Tensor, State]:
            with exact(required=False):
                logits, state = read(ids, state[:-1])
            log_probs = logits if mixture is not None else logits.double().log_softmax(-1)
            return log_probs, (*state, (log_probs,))

        self._vocabulary = preprocessor.vocabulary
        self._device = next(network.parameters()).device
        unread = torch.zeros(1, self._vocabulary.size, dtype=torch.float64, device=self._device)
        network.eval()
        super().__init__(step, (*begin_state(network, mixture), (unread,)))
        self.step(preprocessor.bos_id)

    @property
    def log_probs(self) -> np.ndarray:
        """The natural log-probability of every id to come next, (V,)."""
        return self.state[-1][0][0].cpu().numpy()

    def _check_element(self, element: Any) -> None:
        if not isinstance(element, Tensor) or element.shape != (1,) or element.dtype not in (torch.int32, torch.int64):
            raise DataError("expected the id of a unit as a tensor (1,); read takes a text, step an id")
        self._check_id(int(element))

    def _check_id(self, unit: int) -> None:
        if not 0 <= unit < self._vocabulary.size:
            raise UsageError(f"unit: expected an id from 0 to {self._vocabulary.size - 1}, got {unit}")

    @checked
    def step(self, unit: int) -> np.ndarray:
        """Read one id; gives the log-probabilities of the next, (V,)."""
        self._check_id(unit)
        return self._advance(torch.tensor([unit], device=self._device))[0].cpu().numpy()

    @checked
    def read(self, text: str) -> float:
        """Read text; gives its log-probability given all that was read before."""
        total, log_probs = 0.0, self.log_probs
        for unit in self._vocabulary.encode(text).tolist():
            total += float(log_probs[unit])
            log_probs = self.step(unit)
        return total

    @checked
    def log_prob(self, text: str) -> float:
        """Give the log-probability that this text comes next, without reading it."""
        return self.fork().read(text)

    @checked
    def likeliest(self, k: Positive = 5) -> list[tuple[str, float]]:
        """Give the k likeliest next units and their probabilities."""
        log_probs = self.log_probs
        order = np.argsort(-log_probs, kind="stable")[:k]
        return [(token_label(self._vocabulary, int(i)), float(np.exp(log_probs[i]))) for i in order]
