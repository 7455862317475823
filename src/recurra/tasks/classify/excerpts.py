"""What a network reads of a long text: its beginning, its end, and between them what tells the linear classifier most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from recurra.tasks.classify.preprocessing import ClassifierPreprocessor, linear_input

DEFAULT_EXCERPT = 400
"""Steps of a text that are read where nothing else is set: as many as a few paragraphs have words."""
STEPS_PER_PIECE = 50
SHARE_AT_EITHER_END = 0.25
"""Share of the pieces that are the beginning, and that are the end."""


def encode_excerpts(
    sequences: Sequence[Any], encoded: Sequence[Any], preprocessor: ClassifierPreprocessor, most: int | None
) -> list[Any]:
    """Give encoded sequences, those of more than `most` steps as excerpts; None, 0, or no linear classifier of texts: as they are.

    An excerpt depends on its text alone. It has about `most` steps.
    """
    linear = preprocessor.linear
    if not most or linear is None or linear.kind != "text":
        return list(encoded)
    found = list(encoded)
    long = [index for index, each in enumerate(encoded) if len(each) > most]
    pieces = {index: cut(sequences[index], -(-len(encoded[index]) // STEPS_PER_PIECE)) for index in long}
    every = [linear_input(piece) for index in long for piece in pieces[index]]
    gains = np.split(_gains(linear.logits(every), linear.prior()), np.cumsum([len(pieces[index]) for index in long]))
    for index, gain in zip(long, gains, strict=False):
        chosen = choose(gain, max(1, most // STEPS_PER_PIECE))
        found[index] = preprocessor.inputs.encode(join([pieces[index][place] for place in chosen]))
    return found


def cut(sequence: str | list[str], count: int) -> list[Any]:
    """Cut a text, or a list of words, into so many pieces of about the same length; a text between words, where there are spaces.

    >>> cut("so good it is", 2), cut(["so", "good", "it"], 2), cut("房间很好", 2)
    (['so good', 'it is'], [['so'], ['good', 'it']], ['房间', '很好'])
    """
    units = sequence.split() if isinstance(sequence, str) else sequence
    if isinstance(sequence, str) and len(units) < count:
        units = list(sequence)
    ends = [len(units) * number // count for number in range(count + 1)]
    parts = [units[start:end] for start, end in pairwise(ends)]
    if not isinstance(sequence, str):
        return parts
    between = " " if len(sequence.split()) >= count else ""
    return [between.join(part) for part in parts]


def join(pieces: Sequence[Any]) -> Any:
    """Put pieces one after another."""
    return " ".join(pieces) if isinstance(pieces[0], str) else [word for piece in pieces for word in piece]


def choose(gains: np.ndarray, most: int) -> list[int]:
    """Give which pieces are read, in their order: those at either end, and between them those of the largest gains.

    >>> choose(np.array([0.0, 0.0, 3.0, 0.1, 2.0, 0.0, 0.0]), 4)
    [0, 2, 4, 6]
    """
    ends = round(SHARE_AT_EITHER_END * most)
    inner = np.arange(ends, len(gains) - ends)
    best = inner[np.argsort(-gains[inner], kind="stable")[: most - 2 * ends]]
    return [*range(ends), *sorted(best.tolist()), *range(len(gains) - ends, len(gains))]


def _gains(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Give by how much each piece raises the class that it raises most, (N,)."""
    return (logits - prior).max(1) - (logits - prior).mean(1) if len(logits) else np.zeros(0)
