"""What a model holds to be legal, beside what is: right strings, first failures, and the threshold between the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recurra.tasks.grammar.preprocessing import MARK

ACCEPTED = 0.99
"""The share of held-out strings that are to be accepted, where nobody knows what is legal."""


@dataclass(frozen=True)
class Verdict:
    """How a model does on one string: whether it is right at each step, (T + 1) bool, and at the symbol that follows from far before (None: there is none)."""

    right: np.ndarray
    recalled: bool | None = None

    @property
    def whole(self) -> bool:
        """Whether it is right at every step."""
        return bool(self.right.all())

    @property
    def first_fault(self) -> int | None:
        """The first step that is wrong."""
        return None if self.whole else int(self.right.argmin())


def judge(legal: Sequence[np.ndarray], truth: Sequence[np.ndarray], places: Sequence[int | None]) -> list[Verdict]:
    """Compare what is held to be legal with what is, both bool (T + 1, V) for each string; places: of the symbol that follows from far before."""
    found = []
    for one, other, place in zip(legal, truth, places, strict=True):
        right = (one == other).all(1)
        found.append(Verdict(right, None if place is None else bool(right[place])))
    return found


def scores(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Give the shares of strings that are right at every step, of steps that are right, and of symbols that follow from far before."""
    found = {
        "strings_right": float(np.mean([verdict.whole for verdict in verdicts])),
        "steps_right": float(np.concatenate([verdict.right for verdict in verdicts]).mean()),
    }
    recalled = [verdict.recalled for verdict in verdicts if verdict.recalled is not None]
    return found | ({"recalled": float(np.mean(recalled))} if recalled else {})


def by_size(sizes: Sequence[int], verdicts: Sequence[Verdict]) -> list[tuple[int, float, int]]:
    """Give for each size the share of strings that are right, and how many there are.

    >>> by_size([2, 1, 2], [Verdict(np.array([True])), Verdict(np.array([False])), Verdict(np.array([False]))])
    [(1, 0.0, 1), (2, 0.5, 2)]
    """
    rows: dict[int, list[bool]] = {}
    for size, verdict in zip(sizes, verdicts, strict=True):
        rows.setdefault(size, []).append(verdict.whole)
    return [(size, float(np.mean(rows[size])), len(rows[size])) for size in sorted(rows)]


def best_threshold(shares: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float | None:
    """Give the probability that parts what is legal from what is not in the most strings; None where in none it does.

    shares: of each symbol after each beginning of each string, (T + 1, V).  truth: whether it may follow.

    >>> best_threshold([np.array([[0.5, 0.4, 0.1]])], [np.array([[True, True, False]])])
    0.2
    """
    least = [float(np.where(legal, share, 1.0).min()) for share, legal in zip(shares, truth, strict=True)]
    most = [float(np.where(legal, 0.0, share).max()) for share, legal in zip(shares, truth, strict=True)]
    spans = [(low, high) for low, high in zip(most, least, strict=True) if low < high]
    if not spans:
        return None
    # The most spans hold a point just above one of their lower ends; what they share there reaches to the next upper one.
    low = max((low for low, _ in spans), key=lambda point: sum(one <= point < other for one, other in spans))
    high = min(other for one, other in spans if one <= low < other)
    return round(float(np.sqrt(max(low, high * 1e-6) * high)), 12)


def accepting_threshold(shares: Sequence[np.ndarray], ids: Sequence[np.ndarray]) -> float:
    """Give the probability that the symbols of all but a few strings have at least; see `ACCEPTED`."""
    least = [
        float(share[np.arange(len(share)), [*each.tolist(), MARK]].min())
        for share, each in zip(shares, ids, strict=True)
    ]
    return float(np.quantile(least, 1 - ACCEPTED))


def accepted(shares: Sequence[np.ndarray], ids: Sequence[np.ndarray], threshold: float) -> float:
    """Give the share of strings whose symbols, and ends, all have at least a probability."""
    return float(np.mean([(share[np.arange(len(share)), [*each.tolist(), MARK]] >= threshold).all() for share, each in zip(shares, ids, strict=True)]))  # fmt: skip


def change_one(ids: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Change a string in one place: a symbol is replaced by another, left out, written twice, or changes places with the next.

    size: numbers from 1 up to it are symbols.

    >>> change_one(np.array([1]), 2, np.random.default_rng(2)).tolist()
    [2]
    """
    place, how = int(generator.integers(len(ids))), int(generator.integers(4))
    if how == 1 and len(ids) > 1:
        return np.delete(ids, place)
    if how == 2:
        return np.insert(ids, place, ids[place])
    if how == 3 and place + 1 < len(ids) and ids[place] != ids[place + 1]:
        other = ids.copy()
        other[[place, place + 1]] = ids[[place + 1, place]]
        return other
    other = ids.copy()
    other[place] = 1 + (ids[place] - 1 + int(generator.integers(1, max(2, size)))) % size
    return other


def of_each(strings: Sequence[Sequence[str]], number: Callable[[Sequence[str]], int | None]) -> list[int | None]:
    """Give a number of each string, such as its size; strings that are the same are asked about once."""
    known = {key: number(key) for key in dict.fromkeys(map(tuple, strings))}
    return [known[tuple(string)] for string in strings]
