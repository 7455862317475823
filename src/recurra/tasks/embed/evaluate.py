"""The figures of an embedder and of the plain ways to a vector, on the same held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from recurra.errors import MissingExtraError
from recurra.metrics import adjusted_rand, mutual_information, neighbour_accuracy
from recurra.tasks.base.inference import spread
from recurra.tasks.embed import clustering as groups
from recurra.tasks.embed import predict as asking
from recurra.tasks.embed.baselines import MeanUnits, MeanValues, Plain, RawSeries
from recurra.tasks.embed.data import Part
from recurra.tasks.sequence.data import evaluation_notes
from recurra.tasks.sequence.preprocessing import SeriesPreprocessor

if TYPE_CHECKING:
    from recurra.tasks.embed.task import Embedder

MOST_GROUPED = 10_000
"""Sequences that are grouped and compared with their neighbours; of more so many, spread over all."""
MOST_SHOWN = 400
"""Sequences on a map."""
CHANNELS, STEPS, CHARACTERS = 3, 48, 200
"""What of a sequence a map shows."""


def evaluation(
    task: Embedder, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
) -> dict[str, Any]:
    """Measure a network on a part, beside the plain ways if wanted: the object that `evaluate` prints."""
    progress("measuring the model")
    notes = evaluation_notes(task, name, part)
    figures = {task.criterion: asking.mean_error(task, network, part)}
    vectors = asking.vectors(task, network, part.encoded)
    labelled, found = len(set(part.labels)) > 1, None
    try:
        found = groups.clusters(vectors, len(set(part.labels)) if labelled else "auto")
        figures |= by_labels(vectors, part.labels) if labelled else {}
    except MissingExtraError as error:
        notes.append(f"not grouped: {error}")
        labelled = False
    beside: dict[str, dict[str, float]] = {}
    for plain in _plain(task, part if labelled else None) if baselines else ():
        progress(f"measuring the baseline {plain.name}")
        own = by_labels(plain.vectors(part), part.labels) if labelled else {}
        beside[plain.name] = {task.criterion: plain.error(part), **own}
    details = {"notes": notes, "map": a_map(task, part, vectors, found)}
    return {
        "task": task.name,
        "data": name,
        "count": len(part),
        "metrics": figures,
        "baselines": beside,
        "details": details,
    }


def by_labels(vectors: np.ndarray, labels: list[str]) -> dict[str, float]:
    """Measure vectors (N, D) by labels: how k-means, with as many clusters as labels, agrees with them, and the nearest neighbour."""
    chosen = spread(len(labels), MOST_GROUPED)
    some, said = vectors[chosen], [labels[place] for place in chosen]
    found = groups.k_means(some, len(set(said))).tolist()
    return {
        "adjusted_rand": adjusted_rand(said, found),
        "mutual_information": mutual_information(said, found),
        "neighbour_accuracy": neighbour_accuracy(some, said),
    }


def _plain(task: Embedder, labelled: Part | None) -> Iterator[Plain]:
    """Give the plain ways, which have learnt from the same training data."""
    train, made, new = task.examples.train, task.input, task.config.model.method == "next"
    if not isinstance(made, SeriesPreprocessor):
        yield MeanUnits(task.targets, train)
        return
    yield MeanValues(task.targets, len(made.channels), new=new)
    if labelled is not None:
        yield RawSeries(task.targets, train, len(set(labelled.labels)), new=new)


def a_map(task: Embedder, part: Part, vectors: np.ndarray, found: list[int | None] | None) -> dict[str, Any]:
    """Give what a report draws: where the vectors of some sequences lie on a plane, and what each of them is."""
    chosen = spread(len(part), MOST_SHOWN)
    places, how = groups.on_a_map(vectors[chosen])
    points = []
    for (x, y), index in zip(places / max(float(np.ptp(places)), 1e-12), chosen, strict=True):
        point: dict[str, Any] = {"x": round(float(x), 4), "y": round(float(y), 4), "place": part.places[index]}
        if found is not None:
            point["cluster"] = found[index]
        if part.labels:
            point["label"] = part.labels[index]
        points.append({**point, **_shown(task, part.sequences[index])})
    return {"by": how, "of": len(part), "points": points}


def _shown(task: Embedder, sequence: Any) -> dict[str, Any]:
    if task.input.kind == "text":
        text = sequence if isinstance(sequence, str) else " ".join(sequence)
        return {"text": text[:CHARACTERS] + ("…" if len(text) > CHARACTERS else "")}
    kept = np.asarray(sequence)[spread(len(sequence), STEPS), :CHANNELS] if len(sequence) else np.zeros((0, 1))
    return {
        "steps": len(sequence),
        "lines": [[None if np.isnan(value) else float(f"{value:.4g}") for value in channel] for channel in kept.T],
    }
