"""What a network reads of a long text: its beginning, its end, and between them what tells the linear classifier most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from recurra.tasks.classify.preprocessing import ClassifierPreprocessor, linear_input
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.tasks.sequence.preprocessing.tokens import TokenPreprocessor
from recurra.tasks.sequence.preprocessing.words import WordPreprocessor

DEFAULT_EXCERPT = 400
"""Steps of a text that are read where nothing else is set: as many as a few paragraphs have words."""
MAX_STEPS_PER_PIECE, MIN_PIECES = 50, 4
SHARE_AT_EITHER_END = 0.25
"""Share of the pieces that are the beginning, and that are the end."""


def encode_excerpts(
    sequences: Sequence[Any], encoded: Sequence[Any], preprocessor: ClassifierPreprocessor, most: int | None
) -> list[Any]:
    """Give encoded sequences, those of more than `most` steps as excerpts of so many; None, 0, or no linear classifier of texts: as they are.

    An excerpt depends on its text and on the linear classifier alone.
    """
    found = list(encoded)
    for index, each in enumerate(encoded):
        if (chosen := chosen_pieces(sequences[index], each, preprocessor, most)) is not None:
            pieces, join, _ = chosen
            found[index] = join(pieces)
    return found


def chosen_pieces(
    sequence: Any, encoded: Any, preprocessor: ClassifierPreprocessor, most: int | None
) -> tuple[list[int], Callable[[Sequence[int]], Any], int] | None:
    """Give which pieces of a text its excerpt has, how some are put together, and the steps of a piece; None where all is read."""
    linear = preprocessor.linear
    if not most or linear is None or linear.kind != "text" or len(encoded) <= most:
        return None
    size = max(1, min(MAX_STEPS_PER_PIECE, most // MIN_PIECES))
    texts, join = cut(sequence, encoded, preprocessor.inputs, size)
    gains = logit_gains(linear.logits([linear_input(text) for text in texts]), linear.prior())
    return choose(gains, most // size), join, size


def excerpt_steps(sequence: Any, encoded: Any, preprocessor: ClassifierPreprocessor, most: int | None) -> np.ndarray:
    """Give which steps of an encoded sequence the network reads, in their order."""
    if (chosen := chosen_pieces(sequence, encoded, preprocessor, most)) is None:
        return np.arange(len(encoded))
    pieces, _, size = chosen
    return np.concatenate([np.arange(piece * size, min((piece + 1) * size, len(encoded))) for piece in pieces])


def cut(
    sequence: Any, encoded: Any, inputs: Preprocessor, size: int
) -> tuple[list[Any], Callable[[Sequence[int]], Any]]:
    """Cut a text into pieces of `size` steps, the last perhaps of fewer; gives their texts, and how some are put together, as numbers."""
    if inputs.reads_words:
        words = cast(WordPreprocessor, inputs).vocabulary.tokenize(sequence)
        parts = [words[start : start + size] for start in range(0, len(words), size)]
        return parts, lambda chosen: inputs.encode([word for place in chosen for word in parts[place]])
    vocabulary = cast(TokenPreprocessor, inputs).vocabulary
    pieces = np.split(encoded, range(size, len(encoded), size))
    return [vocabulary.decode(piece) for piece in pieces], lambda chosen: np.concatenate([pieces[at] for at in chosen])


def choose(gains: np.ndarray, most: int) -> list[int]:
    """Give which pieces are read, in their order: those at either end, and between them those of the largest gains.

    >>> choose(np.array([0.0, 0.0, 3.0, 0.1, 2.0, 0.0, 0.0]), 4)
    [0, 2, 4, 6]
    """
    ends = max(round(SHARE_AT_EITHER_END * most), int(most > 2))
    inner = np.arange(ends, len(gains) - ends)
    best = inner[np.argsort(-gains[inner], kind="stable")[: most - 2 * ends]]
    return [*range(ends), *sorted(best.tolist()), *range(len(gains) - ends, len(gains))]


def logit_gains(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Give by how much each piece raises the class that it raises most, (N,)."""
    return (logits - prior).max(1) - (logits - prior).mean(1)
