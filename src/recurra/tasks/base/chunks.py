"""What a model writes, piece by piece, and how its next unit is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from recurra.decoding import Sampling
from recurra.tasks.base.options import GenerateOptions


@dataclass(frozen=True)
class TextChunk:
    """Text that has become certain: of which sample, and whether it was that sample's last."""

    sample: int
    text: str
    last: bool = False


def sampling_of(options: GenerateOptions) -> Sampling:
    """Give how a unit is chosen, by the options of `generate`."""
    temperature = 0.0 if options.greedy else 1.0 if options.temperature is None else options.temperature
    return Sampling(temperature, options.top_k, options.top_p)
