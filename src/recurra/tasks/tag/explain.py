"""The log-odds of one word's or step's tag as a function of the words or values that are there."""

from __future__ import annotations

from typing import Annotated, Any, cast

import torch
from pydantic import Field
from torch import Tensor

from recurra.nn.crf_log_odds import tag_log_odds
from recurra.tasks.base.explanation import Explained, Target
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.settings import Flag
from recurra.tasks.sequence.explain import (
    ReplaceableInput,
    SequenceExplainOptions,
    check_place,
    check_target,
    replaceable,
)
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.tag.network import TaggerNetwork

NO_TAG = "O"


class TaggerExplainOptions(SequenceExplainOptions):
    """What `explain` takes of a run of tag."""

    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The word or step whose tag is explained, from 1. Default: the first with a tag but O.",
    )
    target: Annotated[str | None, Flag(metavar="TAG")] = Field(
        default=None, description="The tag that is explained. Default: the likeliest."
    )


def explain_tag(
    network: TaggerNetwork, preprocessor: LabelledPreprocessor, sequence: Any, options: TaggerExplainOptions
) -> Explained:
    """Give the log-odds of the tag of a step, whatever the other tags are."""
    given, tags = replaceable(sequence, preprocessor.inputs, network.body, options.by), preprocessor.labels
    check_target(options.target, tags, "tags")
    step, number = _chosen(network, given, tags, options)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        x, lengths = given.vectors(shares, order)
        return log_odds(network, network.read_vectors(x, lengths), lengths, step, number)

    shown = given.elements[step]
    target = Target(f"{tags[number]} at {shown.text}", "log-odds", step, given.blank)
    return Explained(network, given.segments, given.steps, compute, target, shown=given.text)


def log_odds(network: TaggerNetwork, scores: Tensor, lengths: Tensor, step: int, number: int) -> Tensor:
    """Give log p / (1 − p) of a tag at a step, (B,), for scores (T, B, K)."""
    temperature = float(cast(Tensor, network.temperature))
    if network.crf is not None:
        return tag_log_odds(network.crf, scores, lengths, step, number, temperature)
    row = scores[step].double() / temperature
    others = torch.cat([row[:, :number], row[:, number + 1 :]], 1)
    return row[:, number] - others.logsumexp(1)


def _chosen(
    network: TaggerNetwork, given: ReplaceableInput, tags: list[str], options: TaggerExplainOptions
) -> tuple[int, int]:
    """Give the step and the number of the tag that is explained."""
    with eval_mode(network):
        x, lengths = given.vectors(torch.ones(1, len(given.segments)), None)
        (best,) = network.decode(network.read_vectors(x, lengths), lengths)
    if options.at is None:
        step = next((at for at, number in enumerate(best) if tags[number] != NO_TAG), 0)
    else:
        step = check_place(options.at, len(best))
    return step, best[step] if options.target is None else tags.index(options.target)
