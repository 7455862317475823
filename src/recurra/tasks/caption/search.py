"""The captions of many pictures: found by the search, drawn by chance, or given."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import Hypothesis
from recurra.kernels import exact
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.caption.network import CaptionNetwork, of_rows
from recurra.tasks.caption.preprocessing import CaptionPreprocessor
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.decoder import Source
from recurra.tasks.seq2seq.search import Asked, content_number, find, force, inputs_per_batch
from recurra.tasks.seq2seq.search import attention_weights as weights_of

CAPTIONS_PER_BATCH = 256
"""Captions that are known and are scored together."""


def _look(network: CaptionNetwork, inputs: Sequence[np.ndarray] | np.ndarray) -> Source:
    pictures = torch.from_numpy(np.stack(list(inputs)))
    return network.encode(pictures.to(next(network.parameters()).device))


def search(
    network: CaptionNetwork,
    preprocessor: CaptionPreprocessor,
    inputs: Sequence[np.ndarray] | np.ndarray,
    options: SearchedOptions,
) -> list[list[Hypothesis]]:
    """Find captions of pictures, the best first; each depends on no other picture, where the engine is there."""
    found: list[list[Hypothesis]] = []
    prefix = preprocessor.encode(options.prefix or "")
    with eval_mode(network), exact(required=False):
        count = inputs_per_batch(options, preprocessor.vocabulary)
        for start in range(0, len(inputs), count):
            some = inputs[start : start + count]
            numbers = [content_number(one) for one in some] if options.sample else []
            asked = Asked(options, preprocessor.longest, prefix, numbers)
            found += find(network.decoder, preprocessor.vocabulary, _look(network, some), asked)
    return found


def score(
    network: CaptionNetwork,
    preprocessor: CaptionPreprocessor,
    inputs: Sequence[np.ndarray] | np.ndarray,
    captions: Sequence[Sequence[np.ndarray]],
    *,
    in_exact_mode: bool = True,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Give log p of each word of the captions of pictures, one after another, and of their ends, and whether each would have been the likeliest."""
    values: list[np.ndarray] = []
    right: list[np.ndarray] = []
    some: list[int] = []
    with eval_mode(network), exact(required=False) if in_exact_mode else nullcontext():
        for number, own in enumerate(captions):
            some.append(number)
            if number + 1 < len(captions) and sum(len(captions[one]) for one in some) + len(own) <= CAPTIONS_PER_BATCH:
                continue
            rows = torch.tensor([place for place, one in enumerate(some) for _ in captions[one]])
            source = _look(network, [inputs[one] for one in some])
            targets = [ids for one in some for ids in captions[one]]
            found = force(network.decoder, preprocessor.vocabulary, _of_rows(source, rows), targets)
            values, right, some = values + found[0], right + found[1], []
    return values, right


def _of_rows(source: Source, rows: Tensor) -> Source:
    return of_rows(source, rows.to(source.summary.device))


def attention_weights(
    network: CaptionNetwork, preprocessor: CaptionPreprocessor, picture: np.ndarray, caption: np.ndarray
) -> np.ndarray | None:
    """Give how much each of P cells counted for each of T words and the end, the heads' mean (T, P); None without attention."""
    with eval_mode(network), exact(required=False):
        return weights_of(network.decoder, preprocessor.vocabulary, _look(network, [picture]), caption)
