"""The likeliest targets of sources: beam search over batches, forced decoding, and the attention of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import Hypothesis, SearchOptions, beam_search
from recurra.kernels import exact
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.translate.config import PredictOptions
from recurra.tasks.translate.network import PADDING, Source, TranslationNetwork
from recurra.tasks.translate.preprocessing import TranslationPreprocessor

SOURCES_PER_BATCH = 64
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


def collate(encoded: Sequence[np.ndarray], fill: int = 0) -> tuple[Tensor, Tensor]:
    """Put ids side by side: (T, B) int64, with `fill` behind the shorter ones, and their lengths (B)."""
    lengths = [len(ids) for ids in encoded]
    padded = np.full((max(lengths, default=0), len(encoded)), fill, np.int64)
    for row, ids in enumerate(encoded):
        padded[: len(ids), row] = ids
    return torch.from_numpy(padded), torch.tensor(lengths, dtype=torch.int64)


def teacher(preprocessor: TranslationPreprocessor, targets: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Give what the decoder reads, (T, B), and what it is to write, the end mark last and `PADDING` behind it."""
    vocabulary = preprocessor.target
    read, _ = collate([np.concatenate([[vocabulary.bos_id], ids]) for ids in targets])
    written, _ = collate([np.append(ids, vocabulary.eos_id) for ids in targets], PADDING)
    return read, written


def forbidden(preprocessor: TranslationPreprocessor) -> list[int]:
    """List what is never written: the begin mark, and what stands for an unknown word."""
    vocabulary = preprocessor.target
    return [id for id in (vocabulary.bos_id, vocabulary.unknown_id) if id is not None]


def search(
    network: TranslationNetwork,
    preprocessor: TranslationPreprocessor,
    sources: Sequence[np.ndarray],
    options: PredictOptions,
) -> list[list[Hypothesis]]:
    """Find the likeliest targets of encoded sources, the best first; each depends on no other one, where the engine is there."""
    found: list[list[Hypothesis]] = [[] for _ in sources]
    by_length: dict[int, list[int]] = {}
    for index in sorted(range(len(sources)), key=lambda one: len(sources[one])):
        by_length.setdefault(longest_target(len(sources[index])), []).append(index)
    with eval_mode(network), exact(required=False):
        for longest, indices in by_length.items():
            for start in range(0, len(indices), SOURCES_PER_BATCH):
                some = indices[start : start + SOURCES_PER_BATCH]
                results = _search_together(network, preprocessor, [sources[index] for index in some], longest, options)
                for index, result in zip(some, results, strict=True):
                    found[index] = result
    return found


def _search_together(
    network: TranslationNetwork,
    preprocessor: TranslationPreprocessor,
    sources: Sequence[np.ndarray],
    longest: int,
    options: PredictOptions,
) -> list[list[Hypothesis]]:
    device = next(network.parameters()).device
    ids, lengths = collate(sources)
    source = network.encode(ids.to(device), lengths)
    rows = torch.arange(len(sources), device=device)

    def step(last: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        layers, row = state
        read, _, layers = network.decode(last.unsqueeze(0), _of_rows(source, row), layers)
        return network.logits(read[0]), (layers, row)

    search_for = SearchOptions(
        width=max(options.beam, options.best),
        length=longest,
        end=preprocessor.target.eos_id,
        length_penalty=options.length_penalty,
        count=options.best,
        forbid=forbidden(preprocessor),
    )
    first = torch.full((len(sources),), preprocessor.target.bos_id, device=device)
    return beam_search(step, (network.initial_state(source), rows), first, search_for)


def _of_rows(source: Source, rows: Tensor) -> Source:
    """Give what the encoder made of some of the sources, each as often as it is asked for."""
    memory = source.memory
    if memory is not None:
        memory = type(memory)(*(part.index_select(1, rows) for part in memory))
    return Source(memory, source.summary.index_select(0, rows))


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
    with eval_mode(network) as device:
        for some in _scored_together(order, sources, targets):
            ids, lengths = collate([sources[index] for index in some])
            read, written = teacher(preprocessor, [targets[index] for index in some])
            given = ids.to(device), lengths, read.to(device), written.to(device)
            if in_exact_mode:
                with exact(required=False):
                    log_probs, hits = network.log_probs(*given)
            else:
                log_probs, hits = network.log_probs(*given)
            for row, index in enumerate(some):
                count = len(targets[index]) + 1
                values[index] = log_probs[:count, row].cpu().numpy()
                right[index] = hits[:count, row].cpu().numpy()
    return values, right


def _scored_together(
    order: Sequence[int], sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> Iterator[list[int]]:
    """Give which pairs are scored together: attention has a weight for each unit of both sides."""
    some: list[int] = []
    longest, most = 0, 0
    for index in order:
        longest, most = max(longest, len(sources[index])), max(most, len(targets[index]) + 1)
        if some and (len(some) == SOURCES_PER_BATCH or (len(some) + 1) * longest * most > MAX_WEIGHTS):
            yield some
            some, longest, most = [], len(sources[index]), len(targets[index]) + 1
        some.append(index)
    if some:
        yield some


def attention_weights(
    network: TranslationNetwork, preprocessor: TranslationPreprocessor, source: np.ndarray, target: np.ndarray
) -> np.ndarray | None:
    """Give how much each of S units of the source counted for each of T units written, the heads' mean (T, S); None without attention."""
    with eval_mode(network) as device, exact(required=False):
        ids, lengths = collate([source])
        read, _ = teacher(preprocessor, [target])
        encoded = network.encode(ids.to(device), lengths)
        _, weights, _ = network.decode(read.to(device), encoded, network.initial_state(encoded))
    return None if weights is None else weights[:, 0].mean(1).cpu().numpy()
