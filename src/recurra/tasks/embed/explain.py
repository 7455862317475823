"""How like a sequence's vector is to another, or to its own, as a function of the words, characters or values that are there."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from recurra.tasks.base.explanation import Explained, Target
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.settings import Flag
from recurra.tasks.embed.network import EmbedderNetwork
from recurra.tasks.sequence.explain import SequenceExplainOptions, replaceable
from recurra.tasks.sequence.preprocessing import Preprocessor


class EmbedderExplainOptions(SequenceExplainOptions):
    """What `explain` takes of a run of embed."""

    target: Annotated[str | None, Flag(metavar="INPUT")] = Field(
        default=None,
        description="Another text or series, likeness to which is explained. Default: to itself as a whole.",
    )


def explain_similarity(
    network: EmbedderNetwork, inputs: Preprocessor, sequence: Any, options: EmbedderExplainOptions
) -> Explained:
    """Give the cosine of a sequence's vector, parts of which are there, with that of a whole one."""
    given = replaceable(sequence, inputs, network.body, options.by)
    other = (
        given if options.target is None else replaceable(inputs.parse(options.target), inputs, network.body, options.by)
    )
    with eval_mode(network):
        vector = network.read_vectors(*other.vectors(torch.ones(1, len(other.segments)), None)).double()
    vector = vector.clone()

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        found = network.read_vectors(*given.vectors(shares, order)).double()
        return torch.cosine_similarity(found, vector, dim=1)

    name = "likeness to itself" if options.target is None else f"likeness to {options.target}"
    target = Target(name, "cosine", given.steps - 1, given.blank)
    return Explained(network, given.segments, given.steps, compute, target, shown=given.text)
