"""Language models that count: interpolated modified Kneser–Ney of any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from recurra.baselines.base import LanguageBaseline
from recurra.baselines.counts import Counts, adjust, chunks, count
from recurra.baselines.discounts import Discounts
from recurra.baselines.guesses import likeliest
from recurra.baselines.language import check_ids, check_marks, check_range
from recurra.baselines.ngram_table import NgramTable
from recurra.baselines.orders import Order, interpolated
from recurra.baselines.titles import register_title, register_title_family
from recurra.baselines.uniform import Uniform
from recurra.errors import DataError, UsageError

MEMORY = 3 * 2**30
"""Bytes that counting may take: those of 200 million characters of prose take 1.3 GiB, 2 of noise the whole."""


def language_baselines() -> dict[str, LanguageBaseline]:
    """The baselines of a language model by the names they have in results, not fitted yet.

    >>> list(language_baselines())
    ['uniform', 'bigram', 'kneser-ney-5']
    """
    return {"uniform": Uniform(), "bigram": KneserNey(2), "kneser-ney-5": KneserNey(5)}


register_title("unigram", "unigram")
register_title("bigram", "bigram")
register_title_family(r"kneser-ney-(\d+)", lambda match: f"Kneser–Ney {match[1]}-gram")


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
        memory: bytes that counting may take. Of a text that takes more, only the last part is counted.
        trained_on: units that were counted, ends included; fewer than there were where the memory did not suffice.
        discounts: of the orders 1 … n, each with the way it was estimated; empty before `fit`.
        table: the probabilities that `fit` has worked out.

    Raises:
        UsageError: the order is below 1, or the memory less than a megabyte.

    >>> a, b, c, d = 2, 3, 4, 5
    >>> poems = [np.array(poem) for poem in ([a, b, c], [a, b, d], [a, b, d], [a, c])]
    >>> model = KneserNey(order=2).fit(poems, size=6, bos_id=0, eos_id=1)
    >>> [order.estimate for order in model.discounts]
    ['single', 'modified']
    >>> np.exp(model.log_probs(np.array([a, b, 1]))).round(4).tolist()
    [0.5714, 0.3304, 0.1905]
    """

    def __init__(self, order: int = 5, memory: float = MEMORY) -> None:
        if order < 1:
            raise UsageError(f"order: expected 1 or more, got {order}")
        if not memory >= 2**20:
            raise UsageError(f"memory: expected {2**20} bytes or more, got {memory}")
        self.order, self.memory, self.trained_on = order, memory, 0
        self.discounts: tuple[Discounts, ...] = ()
        self._size = self._bos_id = 0
        self.table = NgramTable(0, np.empty(0), ())
        self._likeliest: list[np.ndarray] = []

    def fit(self, sequences: Sequence[np.ndarray], size: int, bos_id: int, eos_id: int | None) -> Self:
        """Count the n-grams of the sequences and work out every probability that looking up will need.

        Of sequences whose n-grams take more than the memory, only the last are counted: the last half, or else quarter,
        and so on. Sequences are taken whole, but for a last one that is too long by itself, such as a continuous text.

        Args:
            sequences: ids (T,) of each document, without marks; one array when the text is continuous.
            size: V, the number of ids, marks included.
            bos_id: the mark before every sequence: a context, never predicted.
            eos_id: the mark after every sequence, predicted like any id; None where sequences do not end (continuous text).

        Raises:
            UsageError: an id is not in 0 … V − 1, or is a mark.
            DataError: there is nothing to count.
        """
        check_marks(size, bos_id, eos_id)
        for number, sequence in enumerate(sequences, start=1):
            check_ids(sequence, size, bos_id, f"sequence {number}", eos_id)
        tables = self._count(sequences, size, bos_id, eos_id)
        adjust(tables)
        tables[0].counts[bos_id] = 0
        self.discounts = tuple(Discounts.from_counts(table.counts) for table in tables)
        self._size, self._bos_id = size, bos_id

        singles = tables.pop(0).counts
        discount = self.discounts[0].of(singles)
        probs = (singles - discount + discount.sum() / (size - 1)) / singles.sum()
        probs[bos_id] = 0.0
        longer: list[Order] = []
        self.table, self._likeliest = NgramTable(size, probs, longer), []
        for discounts in self.discounts[1:]:
            table = tables.pop(0)  # each is let go of as soon as it is of no more use: they are large
            if not len(table.keys):
                break
            longer.append(interpolated(table, discounts, probs, size))
            probs = longer[-1].probs
        return self

    def _count(self, sequences: Sequence[np.ndarray], size: int, bos_id: int, eos_id: int | None) -> list[Counts]:
        """Count as much of the sequences as the memory allows."""
        units = sum(len(sequence) + (eos_id is not None) for sequence in sequences)
        if not units:
            raise DataError("expected text to count, got none", hint="is the training part empty?")
        while True:
            part = last_units(sequences, units, eos_id)
            words = _stream(part, size, bos_id, eos_id)
            self.trained_on = len(words) - len(part)
            tables = count(words, size, bos_id, self.order, self.memory)
            if tables is not None:
                return tables
            units = max(1, self.trained_on // 2)

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """The natural log-probability of each id given those before it, float64 (T,).

        Args:
            sequence: ids (T,); put the end mark last to have it predicted too.
            context: the ids just before the sequence, when it does not stand at the beginning of a document (where the
                context is the begin mark alone).

        Raises:
            UsageError: `fit` was not called, an id is not in 0 … V − 1, or the sequence holds the begin mark.
        """
        return np.log(self._of_each(sequence, context, self.table.probs))

    def top1(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """Whether each id is the likeliest one given those before it, 1 or 0, float64 (T,); arguments as for `log_probs`.

        Of ids that are equally likely, one counts as the likeliest.

        >>> model = KneserNey(2).fit([np.array([2, 3, 2, 2, 3])], size=5, bos_id=0, eos_id=None)
        >>> model.top1(np.array([2, 3, 2, 4])).tolist()
        [1.0, 1.0, 1.0, 0.0]
        """
        return self._of_each(sequence, context, lambda words: self._guesses(words) == words)

    def distribution(self, context: np.ndarray | None = None) -> np.ndarray:
        """The probability of every id to come next, float64 (V,); without a context, at the beginning of a document.

        Raises:
            UsageError: `fit` was not called, or an id of the context is not in 0 … V − 1.

        >>> model = KneserNey(2).fit([np.array([2, 3, 2, 2, 3])], size=5, bos_id=0, eos_id=None)
        >>> probs = model.distribution(np.array([2]))
        >>> probs.round(4).tolist(), round(float(probs.sum()), 12)
        ([0.0, 0.025, 0.4083, 0.5417, 0.025], 1.0)
        """
        places = self.table.start(1)
        for id in self._before(context):
            places = self.table.advance(places, np.array([id]))
        return self.table.distributions(places)[0]

    def ngrams(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Give all that `fit` has worked out, order by order: ids (M, n), their log-probabilities (M,), and how much the log-probability
        of what follows is changed where a longer n-gram was never seen, (M,)."""
        found = []
        ids, probs = np.arange(self._size)[:, None], self.table.single
        for longer in [*self.table.longer, None]:
            backoff = np.ones(len(probs)) if longer is None else longer.backoff
            with np.errstate(divide="ignore"):
                found.append((ids, np.log(probs), np.log(backoff)))
            if longer is not None:
                ids = np.concatenate([ids[longer.keys // self._size], (longer.keys % self._size)[:, None]], 1)
                probs = longer.probs
        return found

    def _of_each(
        self, sequence: np.ndarray, context: np.ndarray | None, compute: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """What is computed of each id given all before it, float64 (T,), a chunk of the sequence at a time."""
        before = self._before(context)
        check_ids(sequence, self._size, self._bos_id, "the sequence")
        results = np.empty(len(sequence))
        for part in chunks(len(sequence)):
            words = np.concatenate([before, np.asarray(sequence[part], np.int64)])
            results[part] = compute(words)[len(before) :]
            before = words[max(0, len(words) - self.order + 1) :]
        return results

    def _before(self, context: np.ndarray | None) -> np.ndarray:
        """As much of the context as the longest n-gram can hold."""
        if not self.discounts:
            raise UsageError("KneserNey knows no counts yet: call fit first")
        ids = np.array([self._bos_id]) if context is None else np.asarray(context, np.int64)
        check_range(ids, self._size, "the context")
        return ids[max(0, len(ids) - self.order + 1) :]

    def _guesses(self, words: np.ndarray) -> np.ndarray:
        """The likeliest id given all before it in `words`: the likeliest of those seen there, or that of the shorter context."""
        if not self._likeliest:
            self._likeliest = [likeliest(t.keys, t.probs, self._size, len(t.backoff)) for t in self.table.longer]
        guesses = np.full(len(words), self.table.single.argmax())
        probs = self.table.single[guesses]
        for (table, places, _), best in zip(self.table.lookups(words), self._likeliest, strict=True):
            top = np.where(places >= 0, best[places], -1)
            seen = np.where(top >= 0, table.probs[top], 0.0)
            shorter = np.where(places >= 0, table.backoff[places], 1.0) * probs[1:]
            guesses[1:] = np.where(seen >= shorter, table.keys[top] % self._size, guesses[1:])
            probs[1:] = np.maximum(seen, shorter)
        return guesses


def last_units(sequences: Sequence[np.ndarray], units: int, eos_id: int | None) -> list[np.ndarray]:
    """The last sequences that together have so many units, ends included; of a last one that has more, its last."""
    last: list[np.ndarray] = []
    left = units
    for sequence in reversed(sequences):
        length = len(sequence) + (eos_id is not None)
        if length > left:
            return last[::-1] or [sequence[-max(1, units - (eos_id is not None)) :]]
        last.append(sequence)
        left -= length
    return last[::-1]


def _stream(sequences: Sequence[np.ndarray], size: int, bos_id: int, eos_id: int | None) -> np.ndarray:
    """All sequences with their marks in one array, in the smallest type that can hold the ids."""
    marks = 1 if eos_id is None else 2
    words = np.empty(sum(len(sequence) + marks for sequence in sequences), np.min_scalar_type(size - 1))
    place = 0
    for sequence in sequences:
        words[place] = bos_id
        words[place + 1 : place + 1 + len(sequence)] = sequence
        place += marks + len(sequence)
        if eos_id is not None:
            words[place - 1] = eos_id
    return words
