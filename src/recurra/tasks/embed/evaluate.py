"""The metrics of an embedder and of the plain ways to a vector, on the same held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch

from recurra.errors import MissingExtraError
from recurra.metrics import adjusted_rand, mutual_information, neighbour_accuracy
from recurra.tasks.base.inference import evenly_spaced, run_in_batches, to_device
from recurra.tasks.embed.baselines import MeanTokens, MeanValues, RawSeries, VectorBaseline
from recurra.tasks.embed.clustering import cluster, k_means, project_to_plane
from recurra.tasks.embed.data import Split
from recurra.tasks.embed.network import EmbedderNetwork
from recurra.tasks.embed.predict import Embedder
from recurra.tasks.embed.targets import collate
from recurra.tasks.sequence.data import evaluation_notes
from recurra.tasks.sequence.preprocessing import SeriesPreprocessor

MAX_SEQUENCES_CLUSTERED = 10_000
"""Sequences that are grouped and compared with their neighbours; of more so many, spread over all."""
MAX_POINTS = 400
"""Sequences on a map."""
MAX_CHANNELS_SHOWN, MAX_STEPS_SHOWN, MAX_CHARACTERS_SHOWN = 3, 48, 200
"""What of a sequence a map shows."""


def mean_error(embedder: Embedder, split: Split, *, exact: bool = True) -> float:
    """Give how far what is given back, or predicted, is from what is there, on average over all elements of a split."""
    network, targets = cast(EmbedderNetwork, embedder.network), embedder.targets

    def run(indices: np.ndarray, device: torch.device) -> list[tuple[float, int]]:
        inputs, lengths, wanted = collate(split, indices, embedder.inputs, targets)
        errors, counts = network.errors(to_device(inputs, device), lengths, wanted.to(device))
        return list(zip(errors.double().tolist(), counts.tolist(), strict=True))

    found = run_in_batches(network, [len(one) for one in split.encoded], run, exact=exact)
    return targets.mean_error(sum(error for error, _ in found), sum(count for _, count in found))


def evaluate(
    embedder: Embedder,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure an embedder on a split: the object that `evaluate` prints.

    train: what the baselines learn from; None: none are measured.  notes: on the training data.
    """
    progress("measuring the model")
    notes, metric = evaluation_notes(notes, name, split), embedder.targets.metric
    metrics = {metric: mean_error(embedder, split)}
    vectors = embedder.vectors(split.encoded)
    labelled, found = len(set(split.labels)) > 1, None
    try:
        found = cluster(vectors, len(set(split.labels)) if labelled else "auto")
        metrics |= label_metrics(vectors, split.labels) if labelled else {}
    except MissingExtraError as error:
        notes.append(f"not grouped: {error}")
        labelled = False
    baselines: dict[str, dict[str, float]] = {}
    labels = len(set(split.labels)) if labelled else 0
    for baseline in _fit_baselines(embedder, train, labels) if train is not None else ():
        progress(f"measuring the baseline {baseline.name}")
        by_label = label_metrics(baseline.vectors(split), split.labels) if labelled else {}
        baselines[baseline.name] = {metric: baseline.error(split), **by_label}
    return {
        "task": embedder.name,
        "data": name,
        "count": len(split),
        "metrics": metrics,
        "baselines": baselines,
        "details": {"notes": notes, "map": vector_map(embedder, split, vectors, found)},
    }


def label_metrics(vectors: np.ndarray, labels: list[str]) -> dict[str, float]:
    """Measure vectors (N, D) by labels: how k-means, with as many clusters as labels, agrees with them, and the nearest neighbour."""
    chosen = evenly_spaced(len(labels), MAX_SEQUENCES_CLUSTERED)
    some, truth = vectors[chosen], [labels[place] for place in chosen]
    found = k_means(some, len(set(truth))).tolist()
    return {
        "adjusted_rand": adjusted_rand(truth, found),
        "mutual_information": mutual_information(truth, found),
        "neighbour_accuracy": neighbour_accuracy(some, truth),
    }


def _fit_baselines(embedder: Embedder, train: Split, labels: int) -> Iterator[VectorBaseline]:
    """Give the plain ways to compare with, which have learnt from the same training data; labels: different ones, 0 for none."""
    inputs, targets = embedder.inputs, embedder.targets
    next_step = embedder.config.model.objective == "next_step"
    if not isinstance(inputs, SeriesPreprocessor):
        yield MeanTokens(targets, train)
        return
    yield MeanValues(targets, len(inputs.channels), next_step=next_step)
    if labels:
        yield RawSeries(targets, train, labels, next_step=next_step)


def vector_map(
    embedder: Embedder, split: Split, vectors: np.ndarray, clusters: list[int | None] | None
) -> dict[str, Any]:
    """Give what a report draws: where the vectors of some sequences lie on a plane, and what each of them is."""
    chosen = evenly_spaced(len(split), MAX_POINTS)
    places, how = project_to_plane(vectors[chosen])
    points = []
    for (x, y), index in zip(places / max(float(np.ptp(places)), 1e-12), chosen, strict=True):
        point: dict[str, Any] = {"x": round(float(x), 4), "y": round(float(y), 4), "place": split.places[index]}
        if clusters is not None:
            point["cluster"] = clusters[index]
        if split.labels:
            point["label"] = split.labels[index]
        points.append({**point, **_preview(split.sequences[index], text=embedder.inputs.discrete)})
    return {"by": how, "of": len(split), "points": points}


def _preview(sequence: Any, *, text: bool) -> dict[str, Any]:
    if text:
        whole = sequence if isinstance(sequence, str) else " ".join(sequence)
        return {"text": whole[:MAX_CHARACTERS_SHOWN] + ("…" if len(whole) > MAX_CHARACTERS_SHOWN else "")}
    kept = np.zeros((0, 1))
    if len(sequence):
        kept = np.asarray(sequence)[evenly_spaced(len(sequence), MAX_STEPS_SHOWN), :MAX_CHANNELS_SHOWN]
    return {
        "steps": len(sequence),
        "lines": [[None if np.isnan(value) else float(f"{value:.4g}") for value in channel] for channel in kept.T],
    }
