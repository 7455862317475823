"""Language models that count: uniform, and interpolated modified Kneser–Ney of any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, Self

import numpy as np

from recurra.baselines.discounts import Discounts
from recurra.errors import DataError, UsageError


class Baseline(Protocol):
    """What every language baseline can do: learn from sequences of ids, then say how likely the ids of another are."""

    def fit(self, sequences: Sequence[np.ndarray], size: int, begin: int, end: int | None) -> Self: ...

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray: ...


def language_baselines() -> dict[str, Baseline]:
    """The baselines of a language model by the names they have in results, not fitted yet.

    >>> list(language_baselines())
    ['uniform', 'bigram', 'kneser-ney-5']
    """
    return {"uniform": Uniform(), "bigram": KneserNey(2), "kneser-ney-5": KneserNey(5)}


class Uniform:
    """Every id that can be predicted (all but the begin mark) is equally likely: 1 / (V − 1).

    >>> Uniform(5).log_probs(np.array([2, 4])).round(4).tolist()
    [-1.3863, -1.3863]
    """

    def __init__(self, size: int | None = None) -> None:
        if size is not None and size < 2:
            raise UsageError(f"size: expected 2 or more ids (one of them the begin mark), got {size}")
        self.size = size

    def fit(self, sequences: Sequence[np.ndarray], size: int, begin: int, end: int | None) -> Self:
        """Take the size of the vocabulary, V; the sequences do not matter."""
        del sequences
        _check_marks(size, begin, end)
        self.size = size
        return self

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """The natural log-probability of each id, float64 (T,); the context does not matter."""
        del context
        if self.size is None:
            raise UsageError("Uniform has no vocabulary yet: give it a size, or call fit first")
        return np.full(len(sequence), -np.log(self.size - 1))


class KneserNey:
    """Interpolated Kneser–Ney smoothing with modified discounts, Chen & Goodman 1998 (TR-10-98, section 3).

    With h the n − 1 ids before w, h' the same without its first, and a(hw) the adjusted count of an n-gram,

        p(w | h) = (a(hw) − D(a(hw))) / Σ_v a(hv)  +  γ(h) p(w | h')        γ(h) = Σ_v D(a(hv)) / Σ_v a(hv)

    down to single ids, which are interpolated with 1 / (V − 1): every id but the begin mark has a probability
    above zero, and they sum to 1 in every context. Where h was never seen, p(w | h) = p(w | h').

    The adjusted count is the count itself at the highest order. At the lower orders it is the number of different
    ids seen to the left of the n-gram, except that an n-gram which starts with the begin mark has nothing to its left
    and keeps its count. There is one begin mark to a sequence, so the history of its third id is (begin, first,
    second) at any higher order. All of this is as in KenLM, and in SRILM with `-interpolate` and no count cut-offs.
    On the Penn Treebank (Mikolov's preparation, a document to a line) order 5 has a test perplexity of 141.2, which is
    the figure that Mikolov et al. 2011 give for KN5.

    Attributes:
        order: the longest n-gram, n. 2 is the bigram model.
        discounts: of the orders 1 … n, each with the way it was estimated; empty before `fit`.

    Raises:
        UsageError: the order is below 1.

    >>> a, b, c, d = 2, 3, 4, 5
    >>> poems = [np.array(poem) for poem in ([a, b, c], [a, b, d], [a, b, d], [a, c])]
    >>> model = KneserNey(order=2).fit(poems, size=6, begin=0, end=1)
    >>> [order.estimate for order in model.discounts]
    ['single', 'modified']
    >>> np.exp(model.log_probs(np.array([a, b, 1]))).round(4).tolist()
    [0.5714, 0.3304, 0.1905]
    """

    def __init__(self, order: int = 5) -> None:
        if order < 1:
            raise UsageError(f"order: expected 1 or more, got {order}")
        self.order = order
        self.discounts: tuple[Discounts, ...] = ()
        self._size = self._begin = 0
        self._single = np.empty(0)
        self._longer: list[_Order] = []

    def fit(self, sequences: Sequence[np.ndarray], size: int, begin: int, end: int | None) -> Self:
        """Count the n-grams of all sequences and work out every probability that looking up will need.

        Args:
            sequences: ids (T,) of each document, without marks; one array when the text is continuous.
            size: V, the number of ids, marks included.
            begin: the mark before every sequence: a context, never predicted.
            end: the mark after every sequence, predicted like any id; None where sequences do not end (continuous text).

        Raises:
            UsageError: an id is not in 0 … V − 1, or is a mark.
            DataError: there is nothing to count.
        """
        _check_marks(size, begin, end)
        words, depth = _stream(sequences, size, begin, end)
        tables = _count(words, depth, size, begin, self.order)
        adjusted = _adjust(tables)
        adjusted[0][begin] = 0
        self.discounts = tuple(Discounts.from_counts(counts) for counts in adjusted)
        self._size, self._begin = size, begin

        taken = self.discounts[0].of(adjusted[0])
        probs = (adjusted[0] - taken + taken.sum() / (size - 1)) / adjusted[0].sum()
        probs[begin] = 0.0
        self._single, self._longer = probs, []
        for table, counts, discounts in zip(tables[1:], adjusted[1:], self.discounts[1:], strict=True):
            if not len(table.keys):
                break
            taken = discounts.of(counts)
            contexts = len(probs)
            total = np.bincount(table.context, weights=counts, minlength=contexts)
            followed = total > 0
            # A context that nothing follows (the last id of a text) hands everything on to the shorter one.
            backoff = np.ones(contexts)
            np.divide(np.bincount(table.context, weights=taken, minlength=contexts), total, out=backoff, where=followed)
            probs = (counts - taken) / total[table.context] + backoff[table.context] * probs[table.suffix]
            self._longer.append(_Order(table.keys, probs, backoff))
        return self

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """The natural log-probability of each id given those before it, float64 (T,).

        Args:
            sequence: ids (T,); put the end mark last to have it predicted too.
            context: the ids just before the sequence, when it does not stand at the beginning of a document (where the
                context is the begin mark alone).

        Raises:
            UsageError: `fit` was not called, an id is not in 0 … V − 1, or the sequence holds the begin mark.
        """
        before = self._before(context)
        _check_ids(sequence, self._size, self._begin, "the sequence")
        return np.log(self._probs(np.concatenate([before, np.asarray(sequence, np.int64)]))[len(before) :])

    def distribution(self, context: np.ndarray | None = None) -> np.ndarray:
        """The probability of every id to come next, float64 (V,); without a context, at the beginning of a document.

        Raises:
            UsageError: `fit` was not called, or an id of the context is not in 0 … V − 1.

        >>> model = KneserNey(2).fit([np.array([2, 3, 2, 2, 3])], size=5, begin=0, end=None)
        >>> probs = model.distribution(np.array([2]))
        >>> probs.round(4).tolist(), round(float(probs.sum()), 12)
        ([0.0, 0.025, 0.4083, 0.5417, 0.025], 1.0)
        """
        before = self._before(context)
        probs = self._single.copy()
        for table, places, _ in self._lookups(np.append(before, self._begin)):
            if len(places) and (place := places[-1]) >= 0:
                first, last = np.searchsorted(table.keys, [place * self._size, (place + 1) * self._size])
                probs *= table.backoff[place]
                probs[table.keys[first:last] - place * self._size] = table.probs[first:last]
        return probs

    def _before(self, context: np.ndarray | None) -> np.ndarray:
        """As much of the context as the longest n-gram can hold."""
        if not self.discounts:
            raise UsageError("KneserNey knows no counts yet: call fit first")
        ids = np.array([self._begin]) if context is None else np.asarray(context, np.int64)
        _check_range(ids, self._size, "the context")
        return ids[max(0, len(ids) - self.order + 1) :]

    def _probs(self, words: np.ndarray) -> np.ndarray:
        """The probability of each id given all before it in `words`."""
        probs = self._single[words]
        for table, places, found in self._lookups(words):
            backoff = np.where(places >= 0, table.backoff[places], 1.0)
            probs[1:] = np.where(found >= 0, table.probs[found], probs[1:] * backoff)
        return probs

    def _lookups(self, words: np.ndarray) -> Iterator[tuple[_Order, np.ndarray, np.ndarray]]:
        """For each order from 2 up: its table, and for every id but the first the place of the n − 1 ids before it in
        the order below and the place of the n-gram that it ends, −1 where they were never seen."""
        grams = words
        for table in self._longer:
            places = grams[:-1]
            found = table.find(np.where(places >= 0, places * self._size + words[1:], -1))
            yield table, places, found
            grams = np.concatenate([[-1], found])


@dataclass(frozen=True)
class _Order:
    """What one order from 2 up needs to be looked up.

    An n-gram is known by its place in `keys`, and its key is made of the place of its first n − 1 ids in the order
    below and of its last id: key = place · V + id. At order 1 the place is the id.
    """

    keys: np.ndarray  # int64 (n-grams,), sorted
    probs: np.ndarray  # float64 (n-grams,), interpolated all the way down
    backoff: np.ndarray  # float64 (n-grams of the order below,): γ, or 1 where nothing follows

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The place of each key, or −1."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places, -1)


@dataclass(frozen=True)
class _Counts:
    """The different n-grams of one order, sorted by key (see `_Order`)."""

    keys: np.ndarray  # int64
    context: np.ndarray  # the place of the first n − 1 ids in the order below
    suffix: np.ndarray  # the place of the last n − 1 ids in the order below
    counts: np.ndarray  # how often it was seen
    first: np.ndarray  # bool: starts with the begin mark


def _stream(sequences: Sequence[np.ndarray], size: int, begin: int, end: int | None) -> tuple[np.ndarray, np.ndarray]:
    """All sequences with their marks in one array, and how far each id is from the begin mark of its sequence."""
    head, tail = np.array([begin], np.int64), np.array([] if end is None else [end], np.int64)
    pieces: list[np.ndarray] = []
    for number, sequence in enumerate(sequences, start=1):
        _check_ids(sequence, size, begin, f"sequence {number}", end)
        pieces += [head, np.asarray(sequence, np.int64), tail]
    words = np.concatenate(pieces) if pieces else head
    places = np.arange(len(words))
    depth = places - np.maximum.accumulate(np.where(words == begin, places, 0))
    if not depth.any():
        raise DataError("expected text to count, got none", hint="is the training part empty?")
    return words, depth


def _count(words: np.ndarray, depth: np.ndarray, size: int, begin: int, order: int) -> list[_Counts]:
    """The n-grams of the orders 1 … n; those that would reach over a begin mark do not exist."""
    ids = np.arange(size)
    none = np.zeros(size, np.int64)
    tables = [_Counts(ids, none, none, np.bincount(words, minlength=size), ids == begin)]
    grams = words
    for length in range(2, order + 1):
        at = np.flatnonzero(depth >= length - 1)
        keys, places, counts = np.unique(grams[at - 1] * size + words[at], return_inverse=True, return_counts=True)
        context = keys // size
        suffix = np.empty(len(keys), np.int64)
        suffix[places] = grams[at]
        tables.append(_Counts(keys, context, suffix, counts, tables[-1].first[context]))
        grams = np.full(len(words), -1)
        grams[at] = places
    return tables


def _adjust(tables: list[_Counts]) -> list[np.ndarray]:
    """The counts that the probabilities are made of: left neighbours for all but the highest order."""
    adjusted = [
        np.where(table.first, table.counts, np.bincount(above.suffix, minlength=len(table.keys)))
        for table, above in pairwise(tables)
    ]
    return [*adjusted, tables[-1].counts]


def _check_marks(size: int, begin: int, end: int | None) -> None:
    if size < 2:
        raise UsageError(f"size: expected 2 or more ids (one of them the begin mark), got {size}")
    for name, mark in (("begin", begin), ("end", end)):
        if mark is not None and not 0 <= mark < size:
            raise UsageError(f"{name}: expected an id from 0 to {size - 1}, got {mark}")
    if begin == end:
        raise UsageError(f"begin and end: expected two different ids, got {begin} for both")


def _check_range(ids: np.ndarray, size: int, name: str) -> None:
    if len(ids) and (ids.min() < 0 or ids.max() >= size):
        raise UsageError(f"{name}: expected ids from 0 to {size - 1}, got ids from {ids.min()} to {ids.max()}")


def _check_ids(sequence: np.ndarray, size: int, begin: int, name: str, end: int | None = None) -> None:
    _check_range(sequence, size, name)
    for word, mark in (("begin", begin), ("end", end)):
        if mark is not None and (sequence == mark).any():
            raise UsageError(
                f"{name}: expected ids without marks, got the {word} mark ({mark}), which is added for you"
            )
