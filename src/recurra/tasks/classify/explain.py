"""The log-odds of a class as a function of the words, characters or values that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.linear import NgramClassifier, NgramCoalitions
from recurra.tasks.base.explanation import Explained, Segment, Target, shares_of_parts
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.settings import Flag
from recurra.tasks.classify.excerpts import excerpt_steps
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.preprocessing import ClassifierPreprocessor
from recurra.tasks.sequence.explain import (
    ReplaceableInput,
    ReplaceableSeries,
    ReplaceableText,
    SequenceExplainOptions,
    check_by,
    check_target,
)
from recurra.tasks.sequence.preprocessing.series import SeriesPreprocessor


class ClassifierExplainOptions(SequenceExplainOptions):
    """What `explain` takes of a run of classify."""

    target: Annotated[str | None, Flag(metavar="LABEL")] = Field(
        default=None, description="The class that is explained. Default: the likeliest."
    )


class ClassOutput:
    """A network's logits, with those of the linear classifier, of a sequence parts of which are there.

    shares: what the logits of the network and of the linear classifier count.  excerpt: the most steps that the network reads.
    """

    def __init__(
        self,
        network: ClassifierNetwork,
        preprocessor: ClassifierPreprocessor,
        sequence: Any,
        options: SequenceExplainOptions,
        *,
        shares: tuple[float, float],
        excerpt: int | None,
    ) -> None:
        self.network, self.shares = network, shares
        inputs, self.linear = preprocessor.inputs, preprocessor.linear if shares[1] else None
        self.input: ReplaceableInput
        if isinstance(inputs, SeriesPreprocessor):
            self.input = ReplaceableSeries(sequence, inputs, options.by, network.device)
            self._series = np.asarray(sequence, np.float64)
            self._means = np.nanmean(self._series, axis=0) if inputs.options.scale == "series" else inputs.mean
        else:
            check_by(options.by)
            steps = excerpt_steps(sequence, inputs.encode(sequence), preprocessor, excerpt)
            self.input = ReplaceableText(sequence, inputs, network.body, steps)
            if isinstance(self.linear, NgramClassifier):
                shown = self.input.text or ""
                self._coalitions = NgramCoalitions(self.linear, shown, segment_of_letters(shown, self.input.segments))
        self.differentiable = self.linear is None or isinstance(self.linear, NgramClassifier)

    def logits(self, shares: Tensor, order: Tensor | None) -> Tensor:
        """Give the logits, (n, C) float64: shares (n, S).

        Whatever the order, the linear classifier, which has no memory, sees the whole.
        """
        own, other = self.shares
        total = torch.zeros((), dtype=torch.float64)
        if own or self.linear is None:
            total = own * self.network.read_vectors(*self.input.vectors(shares, order)).double()
        if self.linear is not None:
            linear = self._linear(shares if order is None else torch.ones_like(shares[:1]))
            total = total + other * linear.to(total.device)
        return total.expand(len(shares), -1)

    def _linear(self, shares: Tensor) -> Tensor:
        if isinstance(self.linear, NgramClassifier):
            return self._coalitions.logits(shares, fixed_length=shares.requires_grad)
        there = shares_of_parts(shares.detach(), None, self.input.owner).numpy() > 0
        series = [np.where(one, self._series, self._means).astype(np.float32) for one in there]
        return torch.from_numpy(cast(Any, self.linear).logits(series)).double()


def segment_of_letters(text: str, segments: Sequence[Segment]) -> np.ndarray:
    """Give the segment of each character of a text; −1 for white space, and for what is between two segments.

    >>> segment_of_letters("so good", [Segment("so", 0, 2), Segment("good", 3, 7)]).tolist()
    [0, 0, -1, 1, 1, 1, 1]
    """
    owner = np.full(len(text), -1)
    for number, segment in enumerate(segments):
        owner[segment.start : segment.end] = number
    owner[[letter.isspace() for letter in text]] = -1
    return owner


def class_log_odds(logits: Tensor, number: int, *, multi_label: bool) -> Tensor:
    """Give log p / (1 − p) of a class, (n,), for logits (n, C).

    >>> class_log_odds(torch.tensor([[0.0, 2.0]]), 1, multi_label=False).tolist()
    [2.0]
    """
    if multi_label:
        return logits[:, number]
    others = torch.cat([logits[:, :number], logits[:, number + 1 :]], 1)
    return logits[:, number] - others.logsumexp(1)


def explain_class(
    output: ClassOutput, classes: list[str], options: ClassifierExplainOptions, *, multi_label: bool
) -> Explained:
    """Give the log-odds of a class; of the likeliest where none is named."""
    name = options.target
    check_target(name, classes, "classes")
    with eval_mode(output.network):
        every = torch.ones(1, len(output.input.segments))
        number = int(output.logits(every, None)[0].argmax()) if name is None else classes.index(name)
    return Explained(
        output.network,
        output.input.segments,
        output.input.steps,
        lambda shares, order: class_log_odds(output.logits(shares, order), number, multi_label=multi_label),
        Target(classes[number], "log-odds", output.input.steps - 1, output.input.blank),
        shown=output.input.text,
        differentiable=output.differentiable,
    )
