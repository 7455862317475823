"""The metrics of a language model and of the baselines on the same held-out text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from recurra.baselines import LanguageBaseline, language_baselines
from recurra.metrics import LanguageScore
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm.data import Split
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.scoring import LANES_PER_BATCH, Item, Scored, document_item, score_items, text_items
from recurra.tasks.lm.tokens import TextPreprocessor

MAX_UNITS_IN_FEW_LANES = 2**20
"""A longer text is cut into more lanes: many at a time are several times as fast, and show how far it is."""
UNITS_PER_LANE = 2**14
"""Of such a text, beside which those read to warm up are few."""
DOCUMENTS_PER_BATCH = 64 * LANES_PER_BATCH
"""Documents that are scored together, sorted by their lengths, before progress is reported."""
SECONDS_BETWEEN_NOTES = 20
SAMPLE_LENGTH, SAMPLE_TEMPERATURE = 240, 0.8


def evaluate(
    model: LanguageModel, split: Split, *, name: str, train: Split | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Measure a language model on a split: the object that `evaluate` prints. train: what the baselines learn from; None: none are measured."""
    progress("measuring the model")
    metrics = compute_metrics(model, split, progress)
    baselines = {}
    for title, baseline in language_baselines().items() if train is not None else ():
        progress(f"measuring the baseline {title}")
        baselines[title] = compute_baseline_metrics(baseline, cast(Split, train), split, model.preprocessor)
        if (learnt := baseline.trained_on) < (units := cast(Split, train).units):
            progress(f"{title}: learnt from the last {learnt:,} of {units:,} units; more do not fit into memory")
    count = int(metrics.pop("count"))
    for other in baselines.values():
        other.pop("count")
    result = {"task": model.name, "data": name, "count": count, "metrics": metrics, "baselines": baselines}
    return {**result, "skipped": len(split.skipped)} if split.skipped else result


def compute_metrics(
    model: LanguageModel, split: Split, progress: Callable[[str], None] = lambda _: None
) -> dict[str, float]:
    """Give the metrics of `LanguageScore` of a model on a split, and how many units they are over ("count").

    `progress` takes now and then how far it is, where that takes long.
    """
    preprocessor, network = model.preprocessor, cast(LanguageNetwork, model.network)
    if split.continuous:
        ids = split.sequences[0]
        lanes = {"lanes": len(ids) // UNITS_PER_LANE} if len(ids) > MAX_UNITS_IN_FEW_LANES else {}
        items = text_items(ids, preprocessor.bos_id, **lanes)
    else:
        items = [document_item(ids, preprocessor.bos_id, preprocessor.eos_id) for ids in split.sequences]
    scored = _score(network, items, LANES_PER_BATCH if split.continuous else DOCUMENTS_PER_BATCH, progress)
    log_probs, top1 = [one.log_probs for one in scored], [one.top1 for one in scored]
    if split.continuous:  # the lanes are one text again
        log_probs, top1 = [np.concatenate(log_probs)], [np.concatenate(top1)]
    return _metrics(split, preprocessor, log_probs, top1)


def _score(
    network: LanguageNetwork, items: Sequence[Item], together: int, progress: Callable[[str], None]
) -> list[Scored]:
    scored: list[Scored] = []
    noted = time.monotonic()
    for first in range(0, len(items), together):
        scored += score_items(network, items[first : first + together])
        if time.monotonic() > noted + SECONDS_BETWEEN_NOTES and len(scored) < len(items):
            noted = time.monotonic()
            progress(f"measured {100 * len(scored) // len(items)} %")
    return scored


def compute_baseline_metrics(
    baseline: LanguageBaseline, train: Split, split: Split, preprocessor: TextPreprocessor
) -> dict[str, float]:
    """Fit a baseline on the training text and measure it exactly as the model is measured.

    "trained_on" says from how many units it learnt, where all would have taken more memory than it may (`KneserNey`).
    """
    vocabulary, end = preprocessor.vocabulary, preprocessor.eos_id
    baseline.fit(train.sequences, vocabulary.size, vocabulary.bos_id, end)
    targets = [ids if end is None else np.append(ids, end) for ids in split.sequences]
    log_probs, top1 = [baseline.log_probs(ids) for ids in targets], [baseline.top1(ids) for ids in targets]
    metrics = _metrics(split, preprocessor, log_probs, top1)
    return metrics if baseline.trained_on == train.units else {**metrics, "trained_on": baseline.trained_on}


def _metrics(
    split: Split, preprocessor: TextPreprocessor, log_probs: list[np.ndarray], top1: list[np.ndarray]
) -> dict[str, float]:
    """Give the metrics of all sequences; top1: how likely the first guess at each id was right (a network's is, or is not)."""
    vocabulary, end = preprocessor.vocabulary, preprocessor.eos_id
    # What stands for an unknown word is predicted, the word itself is not: bits of the text would be far too few.
    lossy = vocabulary.unknown_id is not None and any((ids == vocabulary.unknown_id).any() for ids in split.sequences)
    total = LanguageScore() if lossy else LanguageScore(characters=split.characters, bytes=split.bytes)
    right = 0.0
    for ids, values, guessed in zip(split.sequences, log_probs, top1, strict=True):
        starts = vocabulary.unit_starts(ids)
        if end is not None:
            starts = np.append(starts, True)
        total.merge(LanguageScore().add(values, starts))
        # A unit of several ids is right when all of them are.
        right += float(np.multiply.reduceat(guessed.astype(np.float64), np.flatnonzero(starts)).sum())
    return {"count": total.units, **total.metrics(), "accuracy": right / total.units}


def sample_text(model: LanguageModel, seed: int) -> str:
    """Write a short sample, for a person who watches the training."""
    options = GenerateOptions(length=SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=seed)
    with eval_mode(model.network):
        return "".join(chunk.text for chunk in model.generate([""], options))
