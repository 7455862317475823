"""The log-probability of what follows a text as a function of the units that are there of it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.errors import DataError, UsageError
from recurra.tasks.base.explanation import Explained, Target, group_elements, replace_steps, shares_of_parts
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.base.settings import Flag
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor, token_label
from recurra.tasks.sequence.explain import text_elements
from recurra.tasks.sequence.preprocessing import TokenPreprocessor

BLANK = "the mean of all units"


class LanguageExplainOptions(ExplainOptions):
    """What `explain` takes of a run of lm."""

    target: Annotated[str | None, Flag(metavar="TEXT")] = Field(
        default=None, description="What follows, whose probability is explained. Default: the likeliest next unit."
    )


def explain_next(
    network: LanguageNetwork, preprocessor: TextPreprocessor, text: str, options: LanguageExplainOptions
) -> Explained:
    """Give the log-probability of the next unit, or of the text that follows."""
    inputs = TokenPreprocessor(preprocessor.vocabulary)
    shown, elements = text_elements(text, inputs)
    if not elements:
        raise DataError("there is nothing to explain: the text has no unit")
    segments, owner = group_elements(elements, shown)
    read = preprocessor.encode(text)
    wanted, name = _wanted(network, preprocessor, read, options.target)
    whole = np.concatenate([read, wanted[:-1]])
    units = np.repeat(owner, [len(one) for one in inputs.elements(text)])
    always = np.full(len(whole) - 1 - len(units), -1)
    parts = torch.from_numpy(
        np.concatenate([[-1], units, always])[:, None]
    )  # the mark at the beginning is always there
    with eval_mode(network) as device:
        vectors, blank = network.embedding(torch.from_numpy(whole).to(device)), network.embedding.weight.mean(0)
    vectors, blank = vectors.clone(), blank.clone()  # outside of inference mode, for gradients
    targets = torch.from_numpy(wanted).to(vectors.device)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        x = replace_steps(vectors, blank, shares_of_parts(shares, order, parts), order)
        logits = network.next_logits(x, len(targets))  # (m, n, V)
        found = logits.double().log_softmax(2)
        return found.gather(2, targets.view(-1, 1, 1).expand(-1, found.shape[1], 1)).sum((0, 2))

    return Explained(
        network, segments, len(whole), compute, Target(name, "log-probability", len(read) - 1, BLANK), shown=shown
    )


def _wanted(
    network: LanguageNetwork, preprocessor: TextPreprocessor, read: np.ndarray, target: str | None
) -> tuple[np.ndarray, str]:
    """Give the units whose probability is explained, and how they are called."""
    if target is not None:
        ids = preprocessor.vocabulary.encode(target).astype(np.int64)
        if not len(ids):
            raise UsageError("target: expected what follows, got nothing")
        return ids, repr(target)
    with eval_mode(network) as device:
        x = network.embedding(torch.from_numpy(read).to(device)).unsqueeze(1)
        best = int(network.next_logits(x, 1)[0, 0].argmax())
    return np.array([best]), repr(token_label(preprocessor.vocabulary, best))
