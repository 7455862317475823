"""The targets of many sources: found by the search, drawn by chance, or given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np

from recurra.decoding import Hypothesis
from recurra.kernels import exact
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.decoder import Source
from recurra.tasks.seq2seq.search import (
    INPUTS_PER_BATCH,
    Asked,
    Watch,
    collate,
    content_number,
    find,
    force,
    inputs_per_batch,
)
from recurra.tasks.seq2seq.search import attention_weights as weights_of
from recurra.tasks.translate.network import TranslationNetwork
from recurra.tasks.translate.preprocessing import TranslationPreprocessor

MAX_WEIGHTS = 4_000_000
"""Of the attention, padding included, that are computed together where targets are known."""
LENGTH_STEP = 16
"""Sources of up to so many units more are searched together, to the same length: whatever else is asked, each has its own."""
UNITS_PER_SOURCE_UNIT, MORE_UNITS = 3, 32
"""Of a target, at most."""


def longest_target(length: int) -> int:
    """Give how many units a target may have, for a source of so many.

    >>> longest_target(3), longest_target(16), longest_target(17)
    (80, 80, 128)
    """
    return UNITS_PER_SOURCE_UNIT * LENGTH_STEP * -(-length // LENGTH_STEP) + MORE_UNITS


def _read(network: TranslationNetwork, sources: Sequence[np.ndarray]) -> Source:
    ids, lengths = collate(sources)
    return network.encode(ids.to(next(network.parameters()).device), lengths)


def search(
    network: TranslationNetwork,
    preprocessor: TranslationPreprocessor,
    sources: Sequence[np.ndarray],
    options: SearchedOptions,
    watch: Watch | None = None,
) -> list[list[Hypothesis]]:
    """Find targets of encoded sources, the best first; each depends on no other one, where the engine is there.

    watch: where there is one source, and one target is looked for, what sees it come.
    """
    found: list[list[Hypothesis]] = [[] for _ in sources]
    prefix = preprocessor.encode_target(options.prefix or "")
    by_length: dict[int, list[int]] = {}
    for index in sorted(range(len(sources)), key=lambda one: len(sources[one])):
        by_length.setdefault(longest_target(len(sources[index])), []).append(index)
    with eval_mode(network), exact(required=False):
        for longest, indices in by_length.items():
            count = inputs_per_batch(options, preprocessor.target)
            for start in range(0, len(indices), count):
                some = indices[start : start + count]
                source = _read(network, [sources[index] for index in some])
                numbers = [content_number(sources[index]) for index in some] if options.sample else []
                results = find(
                    network.decoder, preprocessor.target, source, Asked(options, longest, prefix, numbers, watch)
                )
                for index, result in zip(some, results, strict=True):
                    found[index] = result
    return found


def score(
    network: TranslationNetwork,
    preprocessor: TranslationPreprocessor,
    sources: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    *,
    in_exact_mode: bool = True,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Give log p of each unit of the targets and of their ends, and whether each would have been the likeliest."""
    values: list[np.ndarray] = [np.zeros(0)] * len(sources)
    right: list[np.ndarray] = [np.zeros(0, bool)] * len(sources)
    order = sorted(range(len(sources)), key=lambda one: (len(targets[one]), len(sources[one])))
    with eval_mode(network):
        for some in _scored_together(order, sources, targets):
            with exact(required=False) if in_exact_mode else nullcontext():
                source = _read(network, [sources[index] for index in some])
                found = force(network.decoder, preprocessor.target, source, [targets[index] for index in some])
            for index, log_probs, hits in zip(some, *found, strict=True):
                values[index], right[index] = log_probs, hits
    return values, right


def _scored_together(
    order: Sequence[int], sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> Iterator[list[int]]:
    """Give which pairs are scored together: attention has a weight for each unit of both sides."""
    some: list[int] = []
    longest, most = 0, 0
    for index in order:
        longest, most = max(longest, len(sources[index])), max(most, len(targets[index]) + 1)
        if some and (len(some) == INPUTS_PER_BATCH or (len(some) + 1) * longest * most > MAX_WEIGHTS):
            yield some
            some, longest, most = [], len(sources[index]), len(targets[index]) + 1
        some.append(index)
    if some:
        yield some


def attention_weights(
    network: TranslationNetwork, preprocessor: TranslationPreprocessor, source: np.ndarray, target: np.ndarray
) -> np.ndarray | None:
    """Give how much each of S units of the source counted for each of T units written, the heads' mean (T, S); None without attention."""
    with eval_mode(network), exact(required=False):
        return weights_of(network.decoder, preprocessor.target, _read(network, [source]), target)
