"""What a network foretold of stretches of series, and how far the values lay from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.tasks.detect.examples import Stretch
from recurra.tasks.detect.lanes import collate
from recurra.tasks.detect.network import DetectorNetwork, Foretold
from recurra.tasks.reading import in_batches


@dataclass(frozen=True)
class Told:
    """Of each step of a stretch, (T, C) float32 in scaled units: what was foretold, with what spread, and −log p of the value.

    errors: |value − location| / (spread · unit), NaN where there is no value, or nothing came before it.
    """

    location: np.ndarray
    spread: np.ndarray
    surprise: np.ndarray
    errors: np.ndarray


def told(network: nn.Module, stretches: Sequence[Stretch], *, exactly: bool = True) -> list[Told]:
    """Foretell each step of stretches from those before it, all read in one go; exactly: as a stream gives it, bit for bit."""
    detector = cast(DetectorNetwork, network)

    def ask(indices: np.ndarray, device: torch.device) -> list[Told]:
        chosen = [stretches[index] for index in indices]
        batch = collate([(one.encoded, one.begin, one.last) for one in chosen], 1)
        state = detector.zero_state(len(chosen))
        values, there = batch.values.to(device), batch.there.to(device)
        foretold, _ = detector(batch.features.to(device), batch.before.to(device), state, batch.lengths)
        foretold = Foretold(foretold.location[:, :, :1], foretold.spread[:, :, :1])
        surprise = detector.surprise(foretold, values, there)
        errors = torch.where(there, standardised(detector, *foretold, values), torch.nan)
        parts = [part[:, :, 0].cpu().numpy() for part in (*foretold, surprise, errors)]
        return [
            Told(*(part[one.first - one.begin : one.last - one.begin, row] for part in parts))
            for row, one in enumerate(chosen)
        ]

    return in_batches(network, [one.last - one.begin for one in stretches], ask, exactly=exactly)


def standardised(network: DetectorNetwork, location: Tensor, spread: Tensor, values: Tensor) -> Tensor:
    """Give |value − location| / (spread · unit), (…, C); NaN where there is no value."""
    return (values - location).abs() / (spread * cast(Tensor, network.unit))


def mean_surprise(parts: Sequence[Told]) -> float:
    """Give the mean of −log p over all values that are there, in nats."""
    there = [~np.isnan(one.errors) for one in parts]
    total = sum(float(one.surprise[known].astype(np.float64).sum()) for one, known in zip(parts, there, strict=True))
    return total / max(1, sum(int(known.sum()) for known in there))
