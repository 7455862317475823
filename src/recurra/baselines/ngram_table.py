"""The probabilities of an n-gram model, looked up: of each id of a text, or of every id that may come next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recurra.baselines.counts import find
from recurra.baselines.orders import Order


@dataclass(frozen=True)
class NgramTable:
    """What a Kneser–Ney model has worked out; size: V.  single: probabilities (V,) float64.  longer: of the orders from 2 up.

    A context is known by its places: (B, n − 1) int64, column k the place of the last k + 1 ids among the n-grams of order
    k + 1, −1 where they were never seen. Those of what follows are found from them and the next id alone.

    >>> from recurra.baselines import KneserNey
    >>> table = KneserNey(3).fit([np.array([2, 3, 2, 2, 3])], size=5, bos_id=0, eos_id=None).table
    >>> places = table.start(1)
    >>> for id in (0, 2, 3):
    ...     places = table.advance(places, np.array([id]))
    >>> round(float(table.distributions(places).sum()), 12), table.probs(np.array([0, 2, 3, 2]))[3] in table.distributions(places)
    (1.0, True)
    """

    size: int
    single: np.ndarray
    longer: Sequence[Order]

    @property
    def order(self) -> int:
        """The longest n-gram, n."""
        return len(self.longer) + 1

    def start(self, rows: int) -> np.ndarray:
        """Give the places of contexts of which nothing is known, (B, n − 1)."""
        return np.full((rows, len(self.longer)), -1, np.int64)

    def advance(self, places: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Give the places of contexts (B, n − 1) that are one id longer, (B,)."""
        after = np.empty_like(places)
        after[:, :1] = ids[:, None]
        for column, table in enumerate(self.longer[:-1]):
            before = places[:, column]
            after[:, column + 1] = find(table.keys, np.where(before >= 0, before * self.size + ids, -1))
        return after

    def places(self, words: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
        """Give the places after each id of a text (T,), (T, n − 1); start: those before it, (n − 1,)."""
        before = self.start(1)[0] if start is None else start
        after = np.empty((len(words), len(self.longer)), np.int64)
        column = np.asarray(words, np.int64)
        for number, table in enumerate(self.longer):
            after[:, number] = column
            if number + 1 < len(self.longer):
                context = np.concatenate([before[number : number + 1], column[:-1]])
                column = find(table.keys, np.where(context >= 0, context * self.size + words, -1))
        return after

    def probs_after(self, places: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Give the probability of an id (N,) after each context, places (N, n − 1); as `distributions` has it, to the bit."""
        probs = self.single[ids]
        for column, table in enumerate(self.longer):
            before = places[:, column]
            found = find(table.keys, np.where(before >= 0, before * self.size + ids, -1))
            backoff = np.where(before >= 0, table.backoff[before], 1.0)
            probs = np.where(found >= 0, table.probs[found], probs * backoff)
        return probs

    def distributions(self, places: np.ndarray) -> np.ndarray:
        """Give the probability of every id after each context, (N, V) float64."""
        if len(places) == 1:
            return self._distribution(places[0].tolist())[np.newaxis]
        probs = np.tile(self.single, (len(places), 1))
        for column, table in enumerate(self.longer):
            seen = np.flatnonzero(places[:, column] >= 0)
            if not len(seen):
                break  # where the shorter context was never seen, neither was the longer
            before = places[seen, column]
            first, last = (np.searchsorted(table.keys, (before + more) * self.size) for more in (0, 1))
            counts = last - first
            rows = np.repeat(np.arange(len(seen)), counts)
            grams = np.arange(len(rows)) + np.repeat(first - np.cumsum(counts) + counts, counts)
            if len(seen) == len(probs):
                probs *= table.backoff[before][:, None]
            else:
                probs[seen] *= table.backoff[before][:, None]
            probs[seen[rows], table.keys[grams] - before[rows] * self.size] = table.probs[grams]
        return probs

    def _distribution(self, places: Sequence[int]) -> np.ndarray:
        """The same of one context, (V,), to the bit: a writer asks at every step, and what serves many rows would take ten times as long."""
        probs = self.single.copy()
        for table, place in zip(self.longer, places, strict=True):
            if place < 0:
                break
            base = place * self.size
            first, last = table.keys.searchsorted((base, base + self.size))
            probs *= table.backoff[place]
            probs[table.keys[first:last] - base] = table.probs[first:last]
        return probs

    def probs(self, words: np.ndarray) -> np.ndarray:
        """Give the probability of each id given all before it in a text, (T,)."""
        probs = self.single[words]
        for table, places, found in self.lookups(words):
            backoff = np.where(places >= 0, table.backoff[places], 1.0)
            probs[1:] = np.where(found >= 0, table.probs[found], probs[1:] * backoff)
        return probs

    def lookups(self, words: np.ndarray) -> Iterator[tuple[Order, np.ndarray, np.ndarray]]:
        """For each order from 2 up: its table, and for every id but the first the place of the n − 1 ids before it in
        the order below and the place of the n-gram that it ends, −1 where they were never seen."""
        grams = words
        for table in self.longer:
            places = grams[:-1]
            found = find(table.keys, np.where(places >= 0, places * self.size + words[1:], -1))
            yield table, places, found
            grams = np.concatenate([[-1], found])

    # To be kept: 14 bytes or less for each n-gram

    def compact(self) -> Self:
        """Give the same with probabilities of 24 bits, as `tensors` keeps them."""
        longer = [Order(t.keys, t.probs.astype(np.float32), t.backoff.astype(np.float32)) for t in self.longer]
        return type(self)(self.size, self.single.astype(np.float32).astype(np.float64), longer)

    def tensors(self) -> dict[str, np.ndarray]:
        """Give it as arrays: of each n-gram its last id, and how many follow each context, of which the keys can be made again."""
        arrays: dict[str, np.ndarray] = {"single": self.single.astype(np.float32)}
        shorter = self.size
        for number, table in enumerate(self.longer, 2):
            context, ids = np.divmod(table.keys, self.size)
            kind = np.uint16 if self.size <= 2**16 else np.int32
            arrays[f"ids.{number}"] = ids.astype(kind)
            arrays[f"followers.{number}"] = np.bincount(context, minlength=shorter).astype(np.int32)
            arrays[f"probs.{number}"] = table.probs.astype(np.float32)
            arrays[f"backoff.{number}"] = table.backoff.astype(np.float32)
            shorter = len(table.keys)
        return arrays

    @classmethod
    def from_tensors(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Undo `tensors`; raises `ValueError` or `LookupError` where they do not fit each other."""
        single = arrays["single"].astype(np.float64)
        size = shorter = len(single)
        longer: list[Order] = []
        while (number := len(longer) + 2) and f"ids.{number}" in arrays:
            ids, followers, probs, backoff = (
                arrays[f"{name}.{number}"] for name in ("ids", "followers", "probs", "backoff")
            )
            if len(followers) != shorter or len(backoff) != shorter or not len(ids) == len(probs) == followers.sum():
                raise ValueError(f"the n-grams of order {number} do not fit those below")
            keys = np.repeat(np.arange(shorter, dtype=np.int64) * size, followers) + ids
            if len(ids) and (ids.max() >= size or (np.diff(keys) <= 0).any()):
                raise ValueError(f"the n-grams of order {number} are not in order")
            longer.append(Order(keys, probs, backoff))
            shorter = len(ids)
        if not longer or not all(np.isfinite(part).all() for t in longer for part in (t.probs, t.backoff)):
            raise ValueError("expected n-grams with finite probabilities")
        return cls(size, single, longer)
