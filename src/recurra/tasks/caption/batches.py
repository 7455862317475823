"""Pictures side by side, with captions of each: what a step of training reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.data.batching import batches_by_length
from recurra.metrics import caption_words
from recurra.tasks.caption.data import Split
from recurra.tasks.seq2seq.search import teacher
from recurra.text import Vocabulary

CAPTIONS_AT_ONCE = 5
"""Captions of a picture that are learnt from when it is looked at; of more, others the next time."""
SIDE_WORD = re.compile(
    r"left\w*|right(?:s|y|er|most|wards?|hand|handed|hander)?|links\w*|linke\w*|rechts\w*|rechte\w*|gauches?|droite?s?|izquierd\w*|derech\w*"
)
SIDE_CHARACTERS = frozenset("左右")


class CaptionBatch(NamedTuple):
    """Pictures (P, …), whether each may be mirrored (P), of which picture each of B captions is, and what the decoder reads and writes (T, B)."""

    pictures: Tensor
    may_mirror: Tensor
    rows: Tensor
    read: Tensor
    written: Tensor
    units: int


def says_sides(caption: str) -> bool:
    """Tell whether a caption says left or right, so that it would be wrong of the mirrored picture.

    >>> says_sides("a dog left of a ball"), says_sides("a dog on its right side"), says_sides("a bright ball")
    (True, True, False)
    >>> says_sides("a right-handed pitcher"), says_sides("eine linke Hand"), says_sides("el lado izquierdo")
    (True, True, True)
    """
    words = [part for word in caption_words(caption) for part in word.split("-")]
    return any(map(SIDE_WORD.fullmatch, words)) or not SIDE_CHARACTERS.isdisjoint(caption)


def may_mirror(split: Split) -> np.ndarray:
    """Tell of each picture whether all its captions are true of its mirror image, (N) bool."""
    return np.array([not any(map(says_sides, some)) for some in split.captions])


def caption_batches(
    split: Split, mirrored: np.ndarray, vocabulary: Vocabulary, *, batch: int, seed: int, epoch: int, start: int = 0
) -> Iterator[CaptionBatch]:
    """Give the batches of an epoch from batch `start` on: of `batch` pictures each, whose longest captions are of like length.

    mirrored: of each picture, whether it may be mirrored.
    """
    chosen = [_chosen(some, epoch) for some in split.encoded]
    lengths = [max(map(len, some)) for some in chosen]
    for indices in batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:]:
        yield make_batch(split, [chosen[index] for index in indices], indices, mirrored, vocabulary)


def make_batch(
    split: Split,
    chosen: Sequence[Sequence[np.ndarray]],
    indices: np.ndarray,
    mirrored: np.ndarray,
    vocabulary: Vocabulary,
) -> CaptionBatch:
    """Put pictures, and the captions that are chosen of each, side by side."""
    captions = [ids for some in chosen for ids in some]
    read, written = teacher(vocabulary, captions)
    rows = torch.arange(len(indices)).repeat_interleave(torch.tensor([len(some) for some in chosen]))
    return CaptionBatch(
        torch.from_numpy(split.inputs[indices]),
        torch.from_numpy(mirrored[indices]),
        rows,
        read,
        written,
        sum(len(ids) + 1 for ids in captions),
    )


def _chosen(captions: list[np.ndarray], epoch: int) -> list[np.ndarray]:
    if len(captions) <= CAPTIONS_AT_ONCE:
        return captions
    return [captions[(epoch * CAPTIONS_AT_ONCE + number) % len(captions)] for number in range(CAPTIONS_AT_ONCE)]
