"""How sure a tagger may be: the temperature that fits what was held out."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from recurra.metrics import golden_section
from recurra.tasks.base.inference import eval_mode, to_device
from recurra.tasks.tag.data import Split
from recurra.tasks.tag.network import TaggerNetwork
from recurra.tasks.tag.predict import Tagger
from recurra.tasks.tag.results import total_nll

TEMPERATURES = (0.2, 5.0)
"""The lowest and the highest that are tried."""
SEARCH_STEPS = 16
"""Each narrows the range to 0.62 of what it was, 16 to a two-thousandth."""
MAX_SEQUENCES = 2_000
"""Sequences that are enough to find a single number by."""
SEQUENCES_PER_BATCH = 64


def fit_temperature(tagger: Tagger, split: Split) -> None:
    """Set the temperature with the least −log p of the true tags."""
    network = cast(TaggerNetwork, tagger.network)
    indices = range(0, len(split), max(1, len(split) // MAX_SEQUENCES))
    targets = [split.targets[index] for index in indices]
    with eval_mode(network) as device:
        scored = _scores(tagger, [split.encoded[index] for index in indices], device)

        def cost(sharpness: float) -> float:
            rows = []
            for scores, lengths in scored:
                shares = network.probabilities(scores, lengths, float(np.exp(-sharpness))).double().cpu().numpy()
                rows += [shares[: int(length), row] for row, length in enumerate(lengths)]
            return total_nll(targets, rows)

        low, high = np.log(TEMPERATURES)
        # By −log of the temperature: where all fit alike, the search ends at the highest number, so at the lowest temperature.
        sharpness = golden_section(cost, -high, -low, SEARCH_STEPS)
        cast(Tensor, network.temperature).fill_(float(np.exp(-sharpness)))


def _scores(tagger: Tagger, encoded: list[Any], device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """Give the scores (T, B, K) and lengths (B) of batches."""
    scored = []
    for first in range(0, len(encoded), SEQUENCES_PER_BATCH):
        group = encoded[first : first + SEQUENCES_PER_BATCH]
        lengths = torch.tensor([len(one) for one in group])
        scored.append((tagger.network(to_device(tagger.inputs.collate(group), device), lengths), lengths))
    return scored
