"""n-grams of words or characters as numbers: which a text has, by 64-bit hashes, and how often."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

MAX_WORD_LENGTH = 64
"""Characters of a word; what is longer is read as several."""
_WORD = re.compile(rf"\w{{1,{MAX_WORD_LENGTH}}}|[^\w\s]")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it modulo 2^64 loses nothing
_ROUNDS = ((31, 0xBF58476D1CE4E5B9), (29, 0x94D049BB133111EB))
_LAST_SHIFT = np.uint64(32)

Unit = Literal["word", "char"]


class Counts(NamedTuple):
    """Which features each of N texts has: feature `columns[i]` comes `values[i]` times in text `rows[i]`, rows ascending."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class Ngrams(NamedTuple):
    """Hashes of n-grams, which text each is in, and how often it comes there."""

    keys: np.ndarray
    texts: np.ndarray
    times: np.ndarray


def units_of(text: str, unit: Unit) -> np.ndarray:
    """Give the units of a text as numbers, (T,) uint64: hashes of its words and punctuation marks, or its characters.

    Case does not matter. Characters: white space of any length is one space, and one stands at either end, so that n-grams know where
    words begin and end.

    >>> len(units_of("So good!", "word")), len(units_of("So  good!", "char"))
    (3, 10)
    """
    text = text.casefold()
    if unit == "word":
        return np.array([hash_word(word) for word in split_words(text)], np.uint64)
    joined = " ".join(text.split())
    return characters(f" {joined} " if joined else "")


def unit_spans(text: str, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Give the first and the last character, in the text, of each of its units as `units_of` gives them, (T,) each.

    A space that stands for the beginning or the end is where the first word begins, or the last one ends.

    >>> [places.tolist() for places in unit_spans("So good!", "word")]
    [[0, 3, 7], [1, 6, 7]]
    """
    origin = [at for at, letter in enumerate(text) for _ in letter.casefold()]
    folded = text.casefold()
    if unit == "word":
        spans = [found.span() for found in _WORD.finditer(folded)]
        places = [(origin[start], origin[end - 1]) for start, end in spans]
    else:
        places = []
        for start, end in (found.span() for found in re.finditer(r"\S+", folded)):
            space = origin[start - 1] if places else origin[start]
            places += [(space, space), *((at, at) for at in origin[start:end])]
        places += places[-1:]
    begins, ends = np.array(places, np.int64).reshape(-1, 2).T
    return begins, ends


def split_words(text: str) -> list[str]:
    """Give the words of a text, and its punctuation marks."""
    return _WORD.findall(text)


def characters(text: str) -> np.ndarray:
    """Give the code points of a text, (T,) uint64."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)


@lru_cache(maxsize=1_000_000)
def hash_word(word: str) -> int:
    """Give the number of a word, 64 bits that depend on nothing else."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def ngram_keys(units: np.ndarray, lengths: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the hash of every n-gram of 1 to `longest` units within a text, and which text it is in.

    units: of all texts one after another; lengths: of each. Two different n-grams of a million have the same hash with a probability
    of 3·10⁻⁸.
    """
    found = list(_by_length(units, lengths, longest))
    return (
        np.concatenate([np.zeros(0, np.uint64), *(keys for keys, _ in found)]),
        np.concatenate([np.zeros(0, np.int32), *(texts for _, texts in found)]),
    )


def _by_length(units: np.ndarray, lengths: np.ndarray, longest: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    text = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    mixed = _mix(units)
    running = np.zeros(len(units), np.uint64)
    for count in range(1, min(longest, len(units)) + 1):
        size = len(units) - count + 1
        running = running[:size] * _FACTOR + mixed[count - 1 :]
        inside = text[:size] == text[count - 1 :]
        yield _mix(running[inside] + np.uint64(count)), text[:size][inside]


def counted_ngrams(units: np.ndarray, lengths: np.ndarray, longest: int) -> Ngrams:
    """Count the n-grams that `ngram_keys` gives, those of one length after another: all of a large text take gigabytes."""
    found = [Ngrams(np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.int64))]
    for keys, texts in _by_length(units, lengths, longest):
        order = np.lexsort((texts, keys))
        keys, texts = keys[order], texts[order]
        starts = np.flatnonzero((np.diff(keys, prepend=~keys[:1]) != 0) | (np.diff(texts, prepend=-1) != 0))
        found.append(Ngrams(keys[starts], texts[starts], np.diff(starts, append=len(keys))))
    return Ngrams(*map(np.concatenate, zip(*found, strict=True)))


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread what differs in some bits over all 64 (the finaliser of Steele, Lea and Flood 2014, SplitMix)."""
    for shift, factor in _ROUNDS:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> _LAST_SHIFT)


def count_keys(ngrams: Ngrams, vocabulary: np.ndarray) -> Counts:
    """Give the counts of those n-grams that are in a vocabulary, hashes in ascending order."""
    if not len(vocabulary):
        empty = np.zeros(0, np.int64)
        return Counts(empty, empty, np.zeros(0, np.float32))
    place = np.minimum(np.searchsorted(vocabulary, ngrams.keys), len(vocabulary) - 1)
    known = vocabulary[place] == ngrams.keys
    cells = ngrams.texts[known].astype(np.int64) * len(vocabulary) + place[known]
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    starts = np.flatnonzero(
        np.diff(cells, prepend=-1)
    )  # of one n-gram in one text there is one count, unless two hashes are the same
    values = np.add.reduceat(ngrams.times[known][order], starts) if len(starts) else np.zeros(0)
    cells = cells[starts]
    return Counts(cells // len(vocabulary), cells % len(vocabulary), values.astype(np.float32))


def frequent_keys(keys: np.ndarray, texts: np.ndarray, least: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the n-grams that at least so many texts have, in ascending order, and how many have each; of too many the commonest."""
    order = np.lexsort((texts, keys))
    keys, texts = keys[order], texts[order]
    new_key = np.diff(keys, prepend=~keys[:1]) != 0
    first_in_text = new_key | (np.diff(texts, prepend=-1) != 0)
    starts = np.flatnonzero(new_key)
    counts = np.add.reduceat(first_in_text.astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)
    vocabulary = keys[starts]
    keep = counts >= least
    if keep.sum() > most:
        kept = np.flatnonzero(keep)
        keep = np.zeros(len(counts), bool)
        keep[kept[np.argsort(-counts[kept], kind="stable")[:most]]] = True
    return vocabulary[keep], counts[keep]


class NgramFamily:
    """The n-grams of one kind that training texts share, with a weight for each: TF-IDF.

    A text is a row of (1 + log count) · idf over its n-grams, of length 1, with idf = 1 + log((1 + N) / (1 + texts that have it)), as
    scikit-learn's `TfidfVectorizer` has it.

    >>> family = NgramFamily.from_texts(["so good", "so bad"] * 3, "word", 2)
    >>> len(family.vocabulary), family.rows(["so good"]).shape
    (5, torch.Size([1, 5]))
    """

    def __init__(self, unit: Unit, longest: int, vocabulary: np.ndarray, idf: np.ndarray) -> None:
        self.unit, self.longest, self.vocabulary, self.idf = unit, longest, vocabulary, idf

    @classmethod
    def from_texts(
        cls, texts: Sequence[str], unit: Unit, longest: int, *, least: int = 2, most: int = 2**18
    ) -> NgramFamily:
        """Make it of the n-grams that at least `least` of the texts have, at most the `most` commonest."""
        return cls.with_rows(texts, unit, longest, least=least, most=most)[0]

    @classmethod
    def with_rows(
        cls, texts: Sequence[str], unit: Unit, longest: int, *, least: int = 2, most: int = 2**18
    ) -> tuple[NgramFamily, Tensor]:
        """Do as `from_texts`, and give `rows` of the texts, whose n-grams are counted but once."""
        ngrams = counted_ngrams(*all_units(texts, unit), longest)
        vocabulary, counts = frequent_keys(ngrams.keys, ngrams.texts, least, most)
        idf = 1 + np.log((1 + len(texts)) / (1 + counts))
        family = cls(unit, longest, vocabulary, idf.astype(np.float32))
        return family, family.weigh(count_keys(ngrams, vocabulary), len(texts))

    def counts(self, texts: Sequence[str]) -> Counts:
        """Count the known n-grams of each text."""
        return count_keys(counted_ngrams(*all_units(texts, self.unit), self.longest), self.vocabulary)

    def values(self, counts: Counts, texts: int) -> np.ndarray:
        """Give the value of each count of so many texts, float64."""
        values = (1 + np.log(counts.values.astype(np.float64))) * self.idf[counts.columns]
        squares = np.bincount(counts.rows, values**2, minlength=texts)
        return values / np.sqrt(squares)[counts.rows]

    def weigh(self, counts: Counts, texts: int) -> Tensor:
        """Give counts as rows, sparse (N, F) float32 in CSR form."""
        values = self.values(counts, texts)
        starts = np.zeros(texts + 1, np.int64)
        np.cumsum(np.bincount(counts.rows, minlength=texts), out=starts[1:])
        return sparse(starts, counts.columns, values.astype(np.float32), (texts, len(self.vocabulary)))

    def weighted_sums(self, texts: Sequence[str], weights: np.ndarray) -> np.ndarray:
        """Give each text's row times weights (F, C), (N, C) float64."""
        counts = self.counts(texts)
        found = np.zeros((len(texts), weights.shape[1]))
        if len(counts.rows):
            products = self.values(counts, len(texts))[:, None] * weights[counts.columns]
            starts = np.flatnonzero(np.diff(counts.rows, prepend=-1))
            found[counts.rows[starts]] = np.add.reduceat(products, starts)
        return found

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Give each text as a row, sparse (N, F) float32 in CSR form."""
        return self.weigh(self.counts(texts), len(texts))


def select_rows(matrix: Tensor, places: Tensor) -> Tensor:
    """Give some of the rows of a sparse matrix in CSR form."""
    starts, columns, values = (part.numpy() for part in (matrix.crow_indices(), matrix.col_indices(), matrix.values()))
    sizes = np.diff(starts)[places.numpy()]
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    where = np.repeat(starts[:-1][places.numpy()] - ends[:-1], sizes) + np.arange(ends[-1])
    return sparse(ends, columns[where], values[where], (len(places), matrix.shape[1]))


def all_units(texts: Sequence[str], unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Give the units of all texts one after another, and how many each has."""
    each = [units_of(text, unit) for text in texts]
    return np.concatenate([np.zeros(0, np.uint64), *each]), np.array([len(units) for units in each], np.int64)


def sparse(starts: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> Tensor:
    """Make a sparse matrix in CSR form."""
    parts = (torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(*parts, size=shape, check_invariants=False)
