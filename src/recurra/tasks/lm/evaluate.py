"""The figures of a model and of the baselines on the same held-out text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.baselines import Baseline, language_baselines
from recurra.metrics import LanguageScore
from recurra.tasks.lm.data import Part
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import LANES, Item, Scored, document_item, score_items, text_items
from recurra.text import Vocabulary

if TYPE_CHECKING:
    from recurra.tasks.lm.task import LanguageModel

LONG = 2**20
"""Units from which on a text is cut into more lanes: many at a time are several times as fast, and show how far it is."""
LANE = 2**14  # units of one lane of such a text, beside which those read to warm up are few
DOCUMENTS = 64 * LANES  # that are scored together, sorted by their lengths, before anything is said
SECONDS = 20  # from one word on how far it is to the next


def evaluation(
    task: LanguageModel,
    network: LanguageNetwork,
    part: Part,
    name: str,
    progress: Callable[[str], None],
    *,
    baselines: bool,
) -> dict[str, Any]:
    """Measure a network on a part, beside the baselines if wanted: the object that `evaluate` prints."""
    vocabulary, end = task.vocabulary, task.end
    progress("measuring the model")
    model = measure_network(network, part, vocabulary, task.context, end, progress)
    beside = {}
    if baselines:
        train = task.examples.train
        for title, baseline in language_baselines().items():
            progress(f"measuring the baseline {title}")
            beside[title] = measure_baseline(baseline, train, part, vocabulary, end)
            if (learnt := baseline.trained_on) < (units := train.units):
                progress(f"{title}: learnt from the last {learnt:,} of {units:,} units; more do not fit into memory")
    count = int(model.pop("count"))
    for figures in beside.values():
        figures.pop("count")
    result = {"task": task.name, "data": name, "count": count, "metrics": model, "baselines": beside}
    return {**result, "skipped": len(part.skipped)} if part.skipped else result


def measure_network(
    network: LanguageNetwork,
    part: Part,
    vocabulary: Vocabulary,
    context: int,
    end: int | None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, float]:
    """Measure a network: the figures of `LanguageScore`, and how many units they are over ("count").

    `progress` is told now and then how far it is, where that takes long.
    """
    if part.continuous:
        ids = part.sequences[0]
        items = text_items(ids, context, **({"lanes": len(ids) // LANE} if len(ids) > LONG else {}))
    else:
        items = [document_item(ids, context, end) for ids in part.sequences]
    scored = _scored(network, items, LANES if part.continuous else DOCUMENTS, progress)
    if part.continuous:  # the lanes are one text again
        log_probs = [np.concatenate([s.log_probs for s in scored])]
        hits = [np.concatenate([s.hits for s in scored])]
    else:
        log_probs, hits = [s.log_probs for s in scored], [s.hits for s in scored]
    return _figures(part, vocabulary, end, log_probs, hits)


def _scored(
    network: LanguageNetwork, items: Sequence[Item], together: int, progress: Callable[[str], None]
) -> list[Scored]:
    scored: list[Scored] = []
    said = time.monotonic()
    for first in range(0, len(items), together):
        scored += score_items(network, items[first : first + together])
        if time.monotonic() > said + SECONDS and len(scored) < len(items):
            said = time.monotonic()
            progress(f"measured {100 * len(scored) // len(items)} %")
    return scored


def measure_baseline(
    baseline: Baseline, train: Part, part: Part, vocabulary: Vocabulary, end: int | None
) -> dict[str, float]:
    """Fit a baseline on the training text and measure it exactly as the network is measured.

    "trained_on" says from how many units it learnt, where all would have taken more memory than it may (`KneserNey`).
    """
    baseline.fit(train.sequences, vocabulary.size, vocabulary.begin, end)
    targets = [_with_end(ids, end) for ids in part.sequences]
    log_probs, hits = [baseline.log_probs(ids) for ids in targets], [baseline.top1(ids) for ids in targets]
    figures = _figures(part, vocabulary, end, log_probs, hits)
    return figures if baseline.trained_on == train.units else {**figures, "trained_on": baseline.trained_on}


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
