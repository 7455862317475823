"""The n-gram classifier's logits of a text parts of which are left out, for many choices of the parts at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.linear.ngrams import NgramFamily, ngram_keys, unit_spans, units_of
from recurra.linear.texts import NgramClassifier

CELLS_AT_ONCE = 2**22
"""n-grams of texts that are looked at together."""


class _Occurrences(NamedTuple):
    """Where the known n-grams of a text are, those of one kind side by side.

    first, last: the segments that each touches, (O).  starts: where a new n-gram begins, (F).  idf: (F).  weights: (F, C).
    """

    first: Tensor
    last: Tensor
    starts: np.ndarray
    idf: Tensor
    weights: Tensor


class NgramCoalitions:
    """A text as the n-gram classifier reads it where segments are left out: an n-gram is there where all that it touches is.

    owner: the segment of each character, (len(text)), −1 for white space between them.

    >>> model = NgramClassifier().fit(["so good", "very good", "so bad", "very bad"] * 5, np.array([1, 1, 0, 0] * 5), 2)
    >>> coalitions = NgramCoalitions(model, "so good", np.array([0, 0, -1, 1, 1, 1, 1]))
    >>> some, every = coalitions.logits(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    >>> bool(every[1] > some[1]), bool(np.allclose(every, model.logits(["so good"])[0]))
    (True, True)
    """

    def __init__(self, model: NgramClassifier, text: str, owner: np.ndarray) -> None:
        self.model = model
        pairs = zip(model.families, model.weights, strict=True)
        self.families = [_occurrences(family, weights, text, owner) for family, weights in pairs]

    def logits(self, shares: Tensor, *, fixed_length: bool = False) -> Tensor:
        """Give the logits (n, C) float64 where segments are there to a share: (n, S).

        A text is a row of length 1. fixed_length: the rows are divided by the length that the whole text has, so that there is no jump
        where nothing is there any more, and gradients add up to the difference.
        """
        size = max(1, CELLS_AT_ONCE // max([1, *(len(each.first) for each in self.families)]))
        found = [self._logits(some, fixed_length=fixed_length) for some in shares.double().split(size)]
        return torch.cat(found)

    def _logits(self, shares: Tensor, *, fixed_length: bool) -> Tensor:
        total = torch.from_numpy(self.model.intercept).expand(len(shares), -1)
        for each in self.families:
            if not len(each.first):
                continue
            values = self._values(each, shares)
            length = self._values(each, torch.ones_like(shares[:1])) if fixed_length else values
            length = (length**2).sum(1, keepdim=True).sqrt()
            total = total + values @ each.weights / length.clamp(min=1e-12)
        if self.model.exclusive and total.shape[1] == 1:
            total = torch.cat([torch.zeros_like(total), total], 1)
        return total

    @staticmethod
    def _values(each: _Occurrences, shares: Tensor) -> Tensor:
        """Give the value of each n-gram, (n, F): (1 + log count) · idf, or count · idf below one."""
        there = shares[:, each.first]
        for offset in range(1, int((each.last - each.first).max()) + 1):
            further = shares[:, (each.first + offset).clamp(max=shares.shape[1] - 1)]
            there = torch.where(each.first + offset <= each.last, there * further, there)
        sums = torch.cat([torch.zeros_like(there[:, :1]), there.cumsum(1)], 1)
        ends = np.append(each.starts[1:], there.shape[1])
        counts = sums[:, ends] - sums[:, each.starts]
        return torch.where(counts < 1, counts, 1 + counts.clamp(min=1).log()) * each.idf


def _occurrences(family: NgramFamily, weights: np.ndarray, text: str, owner: np.ndarray) -> _Occurrences:
    units = units_of(text, family.unit)
    first, last = _touched(text, owner, family)
    if len(units) != len(first):
        raise ValueError("expected as many places as units")
    keys, _ = ngram_keys(units, np.array([len(units)]), family.longest)
    lengths = range(1, min(family.longest, len(units)) + 1)
    begins = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(units) - size + 1) for size in lengths)])
    ends = np.concatenate([np.zeros(0, np.int64), *(np.arange(size - 1, len(units)) for size in lengths)])
    place = np.minimum(np.searchsorted(family.vocabulary, keys), max(0, len(family.vocabulary) - 1))
    known = np.flatnonzero(family.vocabulary[place] == keys) if len(family.vocabulary) else np.zeros(0, np.int64)
    known = known[np.argsort(place[known], kind="stable")]
    columns, starts = np.unique(place[known], return_index=True)
    return _Occurrences(
        torch.from_numpy(first[begins[known]]),
        torch.from_numpy(last[ends[known]]),
        starts,
        torch.from_numpy(family.idf[columns].astype(np.float64)),
        torch.from_numpy(weights[columns].astype(np.float64)),
    )


def _touched(text: str, owner: np.ndarray, family: NgramFamily) -> tuple[np.ndarray, np.ndarray]:
    """Give the first and the last segment that an n-gram touches which begins, or ends, with each unit of a text.

    White space belongs to the word before it where an n-gram ends with it, and to that after it where one begins.
    """
    after = owner.copy()
    for at in range(len(after) - 2, -1, -1):
        after[at] = after[at + 1] if after[at] < 0 else after[at]
    before = np.maximum.accumulate(owner) if len(owner) else owner
    top = int(owner.max(initial=0))
    after, before = np.where(after < 0, top, after), np.maximum(before, 0)
    begins, ends = unit_spans(text, family.unit)
    return np.minimum(after[begins], before[ends]), np.maximum(after[begins], before[ends])
