"""What a trained embedder can be asked: vectors, and how the sequences stand to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from recurra.errors import UsageError
from recurra.tasks.base.inference import run_in_batches, to_device
from recurra.tasks.base.results import preview, preview_column
from recurra.tasks.embed import clustering as groups
from recurra.tasks.embed.data import Part
from recurra.tasks.embed.network import EmbedderNetwork
from recurra.tasks.embed.stream import VectorStream

if TYPE_CHECKING:
    from recurra.tasks.embed.task import Embedder

DIGITS = 6
SHOWN = 4
"""Numbers of a vector that fit into a line."""
AT_ONCE = 256
"""Beginnings of a sequence that are read at a time."""


def vectors(task: Embedder, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> np.ndarray:
    """Give the vector of each sequence, (N, D) float32; it depends on no other one."""

    def ask(indices: np.ndarray, device: torch.device) -> list[np.ndarray]:
        group = [encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in group])
        return list(network(to_device(task.input.collate(group), device), lengths).float().cpu().numpy())

    answers = run_in_batches(network, [len(one) for one in encoded], ask, exactly=exactly)
    return np.stack(answers) if answers else np.zeros((0, cast(EmbedderNetwork, network).size), np.float32)


def mean_error(task: Embedder, network: nn.Module, part: Part, *, exactly: bool = True) -> float:
    """Give how far what is given back, or foretold, is from what is there, on average over all elements of a part."""

    def ask(indices: np.ndarray, device: torch.device) -> list[tuple[float, int]]:
        errors, counts = task.errors(network, task.batch(part, indices), device)
        return list(zip(errors.double().tolist(), counts.tolist(), strict=True))

    answers = run_in_batches(network, [len(one) for one in part.encoded], ask, exactly=exactly)
    return task.targets.mean(sum(error for error, _ in answers), sum(count for _, count in answers))


def predict(
    task: Embedder,
    network: nn.Module,
    inputs: Sequence[Any],
    *,
    steps: bool,
    cluster: int | str | None,
    neighbours: int | None,
) -> list[dict[str, Any]]:
    """Give {"text" or "series", "vector"} of each sequence.

    cluster: also "cluster", a number from 1, the largest first, or None for one that belongs to none: by k-means for a number of
    clusters, by HDBSCAN for "auto".  neighbours: also "neighbours", so many of the others, the nearest first, each with its
    "number" (from 1, in the order of what was asked) and "distance". Both are of what is asked at once: a run does not keep
    the data that it learnt from.  steps: also "steps", with the vector after each element.
    """
    if neighbours is not None and neighbours < 1:
        raise UsageError(f"neighbours: expected a number from 1, got {neighbours}")
    wanted = None if cluster is None else groups.check_cluster(cluster)
    given = task.taken(inputs)
    found = vectors(task, network, [task.input.encode(sequence) for sequence in given])
    kind = task.input.kind
    results: list[dict[str, Any]] = [
        {kind: task.input.to_json(sequence), "vector": written(row)} for sequence, row in zip(given, found, strict=True)
    ]
    if wanted is not None:
        for result, number in zip(results, groups.clusters(found, wanted), strict=True):
            result["cluster"] = number
    if neighbours is not None:
        for result, others in zip(results, groups.nearest(found, neighbours), strict=True):
            result["neighbours"] = [
                {"number": place + 1, "distance": round(distance, DIGITS)} for place, distance in others
            ]
    if steps:
        for result, sequence in zip(results, given, strict=True):
            result["steps"] = list(_steps(task, network, sequence))
    return results


def written(vector: np.ndarray) -> list[float]:
    """Write a vector (D) as JSON has it."""
    return [round(float(value), DIGITS) for value in vector]


def _steps(task: Embedder, network: nn.Module, sequence: Any) -> Iterator[dict[str, Any]]:
    if task.streams:
        stream = VectorStream(task, cast(EmbedderNetwork, network))
        for shown, output in zip(task.input.prefixes_json(sequence), stream.outputs(sequence), strict=True):
            yield {**shown, "vector": written(output[0].float().cpu().numpy())}
        return
    prefixes = zip(task.input.prefixes_json(sequence), task.input.prefixes(sequence), strict=True)
    while some := list(islice(prefixes, AT_ONCE)):
        rows = vectors(task, network, [encoded for _, encoded in some])
        yield from ({**shown, "vector": written(row)} for (shown, _), row in zip(some, rows, strict=True))


def line(result: Mapping[str, Any]) -> str:
    """Write an answer in a line for people, or one for each step.

    >>> line({"text": "to be", "vector": [0.5, -1.25, 0.0, 1.0, 2.0], "cluster": 2, "neighbours": [{"number": 7, "distance": 0.4}]})
    'cluster 2\\t7 (0.400)\\t 0.50 -1.25  0.00  1.00 … (5)\\tto be'
    """
    return "\n".join(map(_line, result.get("steps", []))) or _line(result)


def _line(result: Mapping[str, Any]) -> str:
    parts = []
    if "cluster" in result:
        parts.append("no cluster" if result["cluster"] is None else f"cluster {result['cluster']}")
    if "neighbours" in result:
        parts.append(" ".join(f"{near['number']} ({near['distance']:.3f})" for near in result["neighbours"]) or "alone")
    vector = result["vector"]
    more = f" … ({len(vector)})" if len(vector) > SHOWN else ""
    parts.append(" ".join(f"{value:5.2f}" for value in vector[:SHOWN]) + more)
    return "\t".join([*parts, preview(result)])


def header(result: Mapping[str, Any]) -> str:
    """Name the columns of what `line` writes.

    >>> header({"text": "to be", "vector": [0.5, -1.25], "cluster": 2, "neighbours": []})
    'cluster\\tneighbours\\tvector\\ttext'
    """
    one = next(iter(result.get("steps", [])), result)
    return "\t".join([*(name for name in ("cluster", "neighbours", "vector") if name in one), preview_column(one)])
