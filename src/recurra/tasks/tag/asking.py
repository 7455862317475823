"""What a trained tagger can be asked: the tags of a sentence or series, alone or many at once, or after each of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from recurra.data.tagged import TagReading, read_tagged
from recurra.errors import DataError
from recurra.metrics import spans
from recurra.tasks.inputs import WordInput
from recurra.tasks.inputs.series import parse_series
from recurra.tasks.reading import in_batches, to_device
from recurra.tasks.tag.examples import Part, sequences
from recurra.tasks.tag.network import TaggerNetwork

if TYPE_CHECKING:
    from recurra.tasks.tag.task import Tagger

LINES = {".txt", ""}
"""Suffixes of files that hold a sentence a line; others are read as the training data were."""


@dataclass(frozen=True)
class Answer:
    """The tags of one sequence: (T) each, and the probability of every tag at every step, (T, K)."""

    tags: list[str]
    probabilities: np.ndarray


def answers(task: Tagger, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> list[Answer]:
    """Tag sequences."""
    tagger = cast(TaggerNetwork, network)

    def ask(indices: np.ndarray, device: torch.device) -> list[Answer]:
        group = [encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in group])
        scores = tagger(to_device(task.input.collate(group), device), lengths)
        chosen = tagger.decode(scores, lengths)
        shares = tagger.probabilities(scores, lengths).double().cpu().numpy()
        return [Answer([task.tags[tag] for tag in tags], shares[: len(tags), row]) for row, tags in enumerate(chosen)]

    return in_batches(network, [len(one) for one in encoded], ask, exactly=exactly)


def predict(
    task: Tagger, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"tokens" or "series", "tags", "probabilities"} of each sequence, and "spans" where the tags mark some.

    probabilities: of the tag given to each step; with k the k likeliest tags of each step and theirs, as {tag: p}.
    steps: also "steps", what would be said after each element.
    """
    groups = [[*task.input.prefixes(sequence)[:-1], sequence] if steps else [sequence] for sequence in inputs]
    flat = [sequence for group in groups for sequence in group]
    given = iter(answers(task, network, [task.input.encode(sequence) for sequence in flat]))
    results = []
    for group in groups:
        said = [_said(task, sequence, next(given), k) for sequence in group]
        results.append({**said[-1], "steps": said} if steps else said[-1])
    return results


def _said(task: Tagger, sequence: Any, answer: Answer, k: int | None) -> dict[str, Any]:
    if k is None:
        index = {tag: number for number, tag in enumerate(task.tags)}
        sure: list[Any] = [
            round(float(row[index[tag]]), 6) for tag, row in zip(answer.tags, answer.probabilities, strict=True)
        ]
    else:
        sure = [
            {task.tags[tag]: round(float(row[tag]), 6) for tag in np.argsort(-row, kind="stable")[:k]}
            for row in answer.probabilities
        ]
    name = "tokens" if task.input.kind == "text" else "series"
    result = {name: task.input.shown(sequence), "tags": answer.tags, "probabilities": sure}
    if task.spans and name == "tokens":
        result["spans"] = [
            {"start": start, "end": end, "type": kind, "tokens": sequence[start:end]}
            for start, end, kind in spans(answer.tags)
        ]
    return result


def line(result: Mapping[str, Any]) -> str:
    """Write the tags in a line for people, and one more for each step.

    >>> line({"tokens": ["dogs", "bark"], "tags": ["NOUN", "VERB"], "probabilities": [0.98, 0.97]})
    'dogs/NOUN bark/VERB'
    """
    return "\n".join(_line(step) for step in result.get("steps", [result]))


def _line(result: Mapping[str, Any]) -> str:
    if "tokens" in result:
        return " ".join(f"{token}/{tag}" for token, tag in zip(result["tokens"], result["tags"], strict=True))
    return " ".join(result["tags"])


def few_lines(task: Tagger, network: nn.Module, part: Part, count: int = 3) -> str:
    """Show what the network says of a few examples, spread over the part; a wrong tag has the right one behind it."""
    chosen = sorted({round(place) for place in np.linspace(0, len(part) - 1, count)})
    given = answers(task, network, [part.encoded[index] for index in chosen], exactly=False)
    lines = []
    for index, answer in zip(chosen, given, strict=True):
        tokens = part.sequences[index] if task.input.kind == "text" else [""] * len(answer.tags)
        words = [
            f"{token}/{tag}" if tag == truth else f"{token}/{tag}(not {truth})"
            for token, tag, truth in zip(tokens[:20], answer.tags, part.tags[index], strict=False)
        ]
        lines.append(" ".join(words) + (" …" if len(answer.tags) > 20 else ""))
    return "\n".join(lines)


def parse(task: Tagger, text: str) -> Any:
    """Read a line: a sentence, cut as the training data is; a JSON list of words as it is; or a series."""
    if task.input.kind == "series":
        return parse_series(text)
    if text.lstrip().startswith("["):
        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return cast(WordInput, task.input).vocabulary.cut(text)


def read_inputs(task: Tagger, source: str, how: TagReading) -> list[Any] | None:
    """Read sequences from a file of the kind that was trained on; None for what holds a sentence a line."""
    if source == "-" or (task.input.kind == "text" and Path(source).suffix.lower() in LINES and Path(source).is_file()):
        return None
    read = read_tagged([source], how)
    if read.kind != task.input.kind:
        raise DataError(f"expected {task.input.kind}, as this run was trained on; got {read.kind}", source=source)
    return sequences(read)
