"""The log-probability of a translation, or of one of its units, as a function of the units of the source that are there."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.errors import DataError
from recurra.tasks.base.explanation import Explained, Target, group_elements, replace_steps, shares_of_parts
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.base.settings import Flag
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.explain import unit_log_probs
from recurra.tasks.seq2seq.results import units_of
from recurra.tasks.seq2seq.search import teacher
from recurra.tasks.sequence.explain import check_place, text_elements
from recurra.tasks.sequence.preprocessing import TokenPreprocessor
from recurra.tasks.translate.network import TranslationNetwork
from recurra.tasks.translate.preprocessing import TranslationPreprocessor
from recurra.tasks.translate.search import search

BLANK = "the mean of all units of the source"


class TranslatorExplainOptions(ExplainOptions):
    """What `explain` takes of a run of translate."""

    target: Annotated[str | None, Flag(metavar="TEXT")] = Field(
        default=None, description="The translation that is explained. Default: the likeliest that the search finds."
    )
    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The unit of the translation that is explained, from 1, given those before it. Default: all.",
    )


def explain_translation(
    network: TranslationNetwork, preprocessor: TranslationPreprocessor, text: str, options: TranslatorExplainOptions
) -> Explained:
    """Give the log-probability of a translation with its end, or of one of its units."""
    inputs = TokenPreprocessor(preprocessor.source)
    shown, elements = text_elements(preprocessor.check(text), inputs)
    if not elements:
        raise DataError("there is nothing to explain: the source has no unit")
    segments, owner = group_elements(elements, shown)
    source = preprocessor.encode_source(text)
    target = _target(network, preprocessor, source, options.target)
    read, written = teacher(preprocessor.target, [target])
    place = None if options.at is None else check_place(options.at, len(target))
    units = np.repeat(owner, [len(one) for one in inputs.elements(shown)])
    parts = torch.from_numpy(
        np.concatenate([units, np.full(len(source) - len(units), -1)])[:, None]
    )  # the end is always there
    with eval_mode(network) as device:
        ids = torch.from_numpy(source.astype(np.int64)).to(device)
        vectors, blank = network.body.embed(ids.unsqueeze(1))[:, 0], network.body.encoder.blank()
    vectors, blank = vectors.clone(), blank.clone()  # outside of inference mode, for gradients
    read, written = read.to(vectors.device), written.to(vectors.device)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        x = replace_steps(vectors, blank, shares_of_parts(shares, order, parts), order)
        found = unit_log_probs(network.decoder, network.encode_vectors(x), read, written)  # (T, n)
        return found.sum(0) if place is None else found[place]

    name = preprocessor.target.decode(target) if place is None else units_of(target, preprocessor.target)[place]
    about = Target(repr(name), "log-probability", len(units) - 1, BLANK)
    return Explained(network, segments, len(source), compute, about, shown=shown, reader=network.body)


def _target(
    network: TranslationNetwork, preprocessor: TranslationPreprocessor, source: np.ndarray, given: str | None
) -> np.ndarray:
    if given is not None:
        return preprocessor.encode_target(given)
    found = search(network, preprocessor, [source], SearchedOptions())[0][0]
    return found.ids[:-1] if found.ended else found.ids
