"""How far back in a text the gradient reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from recurra.errors import UsageError
from recurra.nn import map_state
from recurra.tasks.lm.network import LanguageNetwork

LANES = 16


def gradient_norms_by_lag(network: LanguageNetwork, sequences: Sequence[np.ndarray], lags: int) -> list[float]:
    """Measure how far back the gradient reaches: ‖∂ loss_T / ∂ state‖ for the state that step T − k reads, k = 0 … lags.

    sequences: the ids of training texts, (T) each. Lanes of the first that is long enough are read for lags + 1 steps, one
    step at a time so that each state can be asked; the norm is over all layers, states and lanes. A vanishing gradient falls
    by a factor with every step, an exploding one rises. Raises `UsageError` where all texts are too short.
    """
    ids = torch.from_numpy(_lanes(sequences, lags)).to(next(network.parameters()).device)
    training = network.training
    network.eval()
    with torch.enable_grad():
        state = map_state(torch.Tensor.requires_grad_, network.zero_state(ids.shape[1]))
        states, logits = [], torch.empty(0)
        for t in range(lags + 1):
            states.append(state)
            logits, state = network.step(ids[t], state)
            # A view of its own for what the next step reads: a memory that its own output was made from is not asked twice.
            state = map_state(lambda tensor: tensor.view_as(tensor), state)
        loss = torch.nn.functional.cross_entropy(logits, ids[lags + 1])
        tensors = [tensor for state in states for layer in state for tensor in layer]
        gradients = torch.autograd.grad(loss, tensors)
    network.train(training)
    per_state = len(tensors) // len(states)
    squares = [float((g.double() ** 2).sum()) for g in gradients]
    norms = [sum(squares[first : first + per_state]) ** 0.5 for first in range(0, len(squares), per_state)]
    return norms[::-1]


def _lanes(sequences: Sequence[np.ndarray], lags: int) -> np.ndarray:
    """Give pieces of a text from all over it, (lags + 2, 16) int64."""
    text = next((ids for ids in sequences if len(ids) > lags + 1), None)
    if text is None:
        raise UsageError(f"gradient_lags: expected a text of more than {lags + 1} units, all are shorter")
    starts = np.linspace(0, len(text) - lags - 2, LANES).astype(int)
    return np.stack([text[start : start + lags + 2] for start in starts], axis=1).astype(np.int64)
