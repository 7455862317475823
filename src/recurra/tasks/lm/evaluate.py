"""The metrics of a language model and of the baselines on the same held-out text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor

from recurra.baselines import LanguageBaseline, language_baselines
from recurra.metrics import LanguageScore
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm.adapt import Adaptation, AdaptiveReader, describe, reading_items
from recurra.tasks.lm.data import Split
from recurra.tasks.lm.mixture import mixture_of
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.scoring import LANES_PER_BATCH, Scored, score_items, split_items
from recurra.tasks.lm.tokens import TextPreprocessor

DOCUMENTS_PER_BATCH = 64 * LANES_PER_BATCH
"""Documents that are scored together, sorted by their lengths, before progress is reported."""
SECONDS_BETWEEN_NOTES = 20
SAMPLE_LENGTH, SAMPLE_TEMPERATURE = 240, 0.8


def evaluate(
    model: LanguageModel, split: Split, *, name: str, train: Split | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Measure a language model on a split: the object that `evaluate` prints. train: what the baselines learn from; None: none are measured."""
    progress("measuring the model")
    scored = score_split(model, split, progress)
    metrics, details = (
        metrics_of(model, split, [(one.log_probs, one.top1) for one in scored]),
        _details(model, split, scored),
    )
    baselines = {}
    for title, baseline in language_baselines().items() if train is not None else ():
        progress(f"measuring the baseline {title}")
        baselines[title] = compute_baseline_metrics(baseline, cast(Split, train), split, model.preprocessor)
        if (learnt := baseline.trained_on) < (units := cast(Split, train).units):
            progress(f"{title}: learnt from the last {learnt:,} of {units:,} units; more do not fit into memory")
    count = int(metrics.pop("count"))
    for other in baselines.values():
        other.pop("count")
    result = {"task": model.name, "data": name, "count": count, "metrics": metrics, "baselines": baselines, **details}
    return {**result, "skipped": len(split.skipped)} if split.skipped else result


def compute_metrics(
    model: LanguageModel, split: Split, progress: Callable[[str], None] = lambda _: None
) -> dict[str, float]:
    """Give the metrics of `LanguageScore` of a model on a split, and how many units they are over ("count").

    `progress` takes now and then how far it is, where that takes long.
    """
    return metrics_of(model, split, [(one.log_probs, one.top1) for one in score_split(model, split, progress)])


def score_split(
    model: LanguageModel, split: Split, progress: Callable[[str], None] = lambda _: None, *, alone: bool = False
) -> list[Scored]:
    """Score a split, item by item; alone: by the network, without n-grams."""
    preprocessor, network = model.preprocessor, cast(LanguageNetwork, model.network)
    mixture = None if alone else mixture_of(network, preprocessor)
    items, together = split_items(split, preprocessor), LANES_PER_BATCH if split.continuous else DOCUMENTS_PER_BATCH
    scored: list[Scored] = []
    noted = time.monotonic()
    for first in range(0, len(items), together):
        scored += score_items(network, items[first : first + together], mixture)
        if time.monotonic() > noted + SECONDS_BETWEEN_NOTES and len(scored) < len(items):
            noted = time.monotonic()
            progress(f"measured {100 * len(scored) // len(items)} %")
    return scored


def metrics_of(
    model: LanguageModel, split: Split, scored: Sequence[tuple[np.ndarray, np.ndarray | None]]
) -> dict[str, float]:
    """Give the metrics of a split by the log-probabilities of its items, and which units were the likeliest, where that is known."""
    log_probs, top1 = [one[0] for one in scored], [one[1] for one in scored if one[1] is not None]
    if split.continuous:  # the lanes are one text again
        log_probs, top1 = [np.concatenate(log_probs)], [np.concatenate(top1)] if top1 else []
    return _metrics(split, model.preprocessor, log_probs, top1 or None)


def _details(model: LanguageModel, split: Split, scored: Sequence[Scored]) -> dict[str, Any]:
    """Give what the network and the n-grams reach alone, where the model is a mixture, and how much the network counts on average."""
    network = cast(LanguageNetwork, model.network)
    if network.ngram_shares is None:
        return {}
    if (mixture := mixture_of(network, model.preprocessor)) is None:
        note = "on the validation text n-grams made nothing likelier, so they are left out"
        return {"details": {"notes": [note]}}
    order = f"{mixture.table.order}-grams"
    parts: dict[str, Any] = {
        "network": metrics_of(model, split, [(cast(np.ndarray, one.network), None) for one in scored]),
        "ngrams": metrics_of(model, split, [(cast(np.ndarray, one.ngrams), None) for one in scored]),
    }
    for metrics in parts.values():
        metrics.pop("count")
    network_share = float(np.mean(np.concatenate([cast(np.ndarray, one.shares) for one in scored])))
    shown = {name: f"{metrics['perplexity']:.4g}" for name, metrics in parts.items()}
    parts["shares"] = {"network": network_share, "ngrams": 1 - network_share}
    note = f"perplexity of the network alone {shown['network']}, of its {order} alone {shown['ngrams']}; the network counts {network_share:.0%} on average"
    return {"details": {"notes": [note], "parts": parts}}


def add_adapted(
    result: dict[str, Any], model: LanguageModel, split: Split, adaptation: Adaptation, roots: list[Tensor]
) -> dict[str, Any]:
    """Give an evaluation in which the metrics are those of a model that learns from the text; those without stand in the details."""
    network = cast(LanguageNetwork, model.network)
    reader = AdaptiveReader(network, mixture_of(network, model.preprocessor), adaptation, roots)
    scored = reader.read(reading_items(split, model))
    metrics = metrics_of(model, split, [(one.log_probs, one.top1) for one in scored])
    metrics.pop("count")
    details = result.get("details", {})
    note = f"{describe(adaptation)}; without: perplexity {result['metrics']['perplexity']:.4g}"
    details = {**details, "fixed": result["metrics"], "notes": [*details.get("notes", []), note]}
    return {**result, "metrics": metrics, "details": details}


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
    split: Split, preprocessor: TextPreprocessor, log_probs: list[np.ndarray], top1: list[np.ndarray] | None
) -> dict[str, float]:
    """Give the metrics of all sequences; top1: how likely the first guess at each id was right (a network's is, or is not); None: not known."""
    vocabulary, end = preprocessor.vocabulary, preprocessor.eos_id
    # What stands for an unknown word is predicted, the word itself is not: bits of the text would be far too few.
    lossy = vocabulary.unknown_id is not None and any((ids == vocabulary.unknown_id).any() for ids in split.sequences)
    total = LanguageScore() if lossy else LanguageScore(characters=split.characters, bytes=split.bytes)
    right = 0.0
    for number, (ids, values) in enumerate(zip(split.sequences, log_probs, strict=True)):
        starts = vocabulary.unit_starts(ids)
        if end is not None:
            starts = np.append(starts, True)
        total.merge(LanguageScore().add(values, starts))
        # A unit of several ids is right when all of them are.
        if top1 is not None:
            right += float(np.multiply.reduceat(top1[number].astype(np.float64), np.flatnonzero(starts)).sum())
    accuracy = {} if top1 is None else {"accuracy": right / total.units}
    return {"count": total.units, **total.metrics(), **accuracy}


def sample_text(model: LanguageModel, seed: int) -> str:
    """Write a short sample, for a person who watches the training."""
    options = GenerateOptions(length=SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=seed)
    with eval_mode(model.network):
        return "".join(chunk.text for chunk in model.generate([""], options))
