"""What a trained tagger can be asked: the tags of a sentence or series, alone or many at once, or after each of its steps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.kernels import exact
from recurra.metrics import spans
from recurra.tasks.base.inference import eval_mode, run_in_batches, spread, to_device
from recurra.tasks.sequence.preprocessing import WordPreprocessor
from recurra.tasks.tag.data import Part
from recurra.tasks.tag.network import TaggerNetwork

if TYPE_CHECKING:
    from recurra.tasks.tag.task import Tagger

AT_ONCE = 256
"""Beginnings of a sequence that are tagged at a time."""


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
        return _answers(task, tagger, tagger(to_device(task.input.collate(group), device), lengths), lengths)

    return run_in_batches(network, [len(one) for one in encoded], ask, exactly=exactly)


def _answers(task: Tagger, network: TaggerNetwork, scores: Tensor, lengths: Tensor) -> list[Answer]:
    """Give what scores (T, B, K) say of each row."""
    chosen = network.decode(scores, lengths)
    shares = network.probabilities(scores, lengths).double().cpu().numpy()
    return [Answer([task.tags[tag] for tag in tags], shares[: len(tags), row]) for row, tags in enumerate(chosen)]


def predict(
    task: Tagger, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"tokens" or "series", "tags", "probabilities"} of each sequence, and "spans" where the tags mark some.

    probabilities: of the tag given to each step; with k the k likeliest tags of each step and theirs, as {tag: p}.
    steps: also "steps", what is said of all steps so far after each of them. A network in one direction reads a sequence once
    for that; for one in both directions each beginning is read by itself.
    """
    given = [_words(task, sequence) for sequence in task.taken(inputs)]
    encoded = [task.input.encode(sequence) for sequence in given]
    results = [
        _said(task, sequence, answer, k)
        for sequence, answer in zip(given, answers(task, network, encoded), strict=True)
    ]
    if not steps:
        return results
    return [
        {
            **result,
            "steps": [
                _said(task, sequence[: len(answer.tags)], answer, k)
                for answer in _after_each(task, network, one, sequence)
            ],
        }
        for result, one, sequence in zip(results, encoded, given, strict=True)
    ]


def _words(task: Tagger, sequence: Any) -> Any:
    """Cut a text into its words; what is cut already, and a series, stays as it is."""
    return cast(WordPreprocessor, task.input).vocabulary.cut(sequence) if isinstance(sequence, str) else sequence


def _after_each(task: Tagger, network: nn.Module, encoded: Any, sequence: Any) -> Iterator[Answer]:
    """Tag what there is after each step."""
    if not task.streams:
        prefixes = task.input.prefixes(sequence)
        while some := list(islice(prefixes, AT_ONCE)):
            yield from answers(task, network, some)
        return
    tagger = cast(TaggerNetwork, network)
    with eval_mode(network) as device, exact(required=False):
        lengths = torch.tensor([len(encoded)])
        scores = tagger(to_device(task.input.collate([encoded]), device), lengths)  # (T, 1, K)
        for first in range(0, len(encoded), AT_ONCE):
            lengths = torch.arange(first, min(first + AT_ONCE, len(encoded))) + 1
            yield from _answers(task, tagger, scores[: lengths[-1]].expand(-1, len(lengths), -1), lengths)


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
    result = {name: task.input.to_json(sequence), "tags": answer.tags, "probabilities": sure}
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
    return "\n".join(map(_line, result.get("steps", []))) or _line(result)


def _line(result: Mapping[str, Any]) -> str:
    if "tokens" in result:
        return " ".join(f"{token}/{tag}" for token, tag in zip(result["tokens"], result["tags"], strict=True))
    return " ".join(result["tags"])


def few_lines(task: Tagger, network: nn.Module, part: Part, count: int = 3) -> str:
    """Show what the network says of a few examples, spread over the part; a wrong tag has the right one behind it."""
    chosen = spread(len(part), count)
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
    if task.input.kind == "text" and text.lstrip().startswith("["):
        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return task.input.read(words)
    return _words(task, task.input.parse(text))
