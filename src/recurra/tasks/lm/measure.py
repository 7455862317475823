"""The figures of a model and of the baselines on the same held-out text."""

from __future__ import annotations

import numpy as np

from recurra.baselines import Baseline
from recurra.metrics import LanguageScore
from recurra.tasks.lm.examples import Part
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import document_item, score_items, text_items
from recurra.text import Vocabulary


def measure_network(
    network: LanguageNetwork, part: Part, vocabulary: Vocabulary, context: int, end: int | None
) -> dict[str, float]:
    """Measure a network: the figures of `LanguageScore`, and how many units they are over ("count")."""
    if part.continuous:
        items = text_items(part.sequences[0], context)
    else:
        items = [document_item(ids, context, end) for ids in part.sequences]
    scored = score_items(network, items)
    if part.continuous:  # the lanes are one text again
        log_probs = [np.concatenate([s.log_probs for s in scored])]
        hits = [np.concatenate([s.hits for s in scored])]
    else:
        log_probs, hits = [s.log_probs for s in scored], [s.hits for s in scored]
    return _figures(part, vocabulary, end, log_probs, hits)


def measure_baseline(
    baseline: Baseline, train: Part, part: Part, vocabulary: Vocabulary, end: int | None
) -> dict[str, float]:
    """Fit a baseline on the training text and measure it exactly as the network is measured."""
    baseline.fit(train.sequences, vocabulary.size, vocabulary.begin, end)
    targets = [_with_end(ids, end) for ids in part.sequences]
    log_probs, hits = [baseline.log_probs(ids) for ids in targets], [baseline.hits(ids) for ids in targets]
    return _figures(part, vocabulary, end, log_probs, hits)


def _with_end(ids: np.ndarray, end: int | None) -> np.ndarray:
    return ids if end is None else np.append(ids, end)


def _figures(
    part: Part, vocabulary: Vocabulary, end: int | None, log_probs: list[np.ndarray], hits: list[np.ndarray]
) -> dict[str, float]:
    """Give the figures of all sequences; hits: how likely the first guess at each id was right (a network's is, or is not)."""
    # What stands for an unknown word is foretold, the word itself is not: bits of the text would be far too few.
    lossy = vocabulary.unknown is not None and any((ids == vocabulary.unknown).any() for ids in part.sequences)
    total = LanguageScore() if lossy else LanguageScore(characters=part.characters, bytes=part.bytes)
    right = 0.0
    for ids, values, guessed in zip(part.sequences, log_probs, hits, strict=True):
        starts = vocabulary.starts(ids)
        if end is not None:
            starts = np.append(starts, True)
        total.merge(LanguageScore().add(values, starts))
        # A unit of several ids is right when all of them are.
        right += float(np.multiply.reduceat(guessed.astype(np.float64), np.flatnonzero(starts)).sum())
    return {"count": total.units, **total.metrics(), "accuracy": right / total.units}
