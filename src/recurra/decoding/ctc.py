"""What frames spell: the likeliest path, or the likeliest text over all its paths, by a search of prefixes.

Label 0 is the blank, as in `recurra.nn.ctc`. A text is a list of labels from 1 up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.decoding.ctc_prefix import Prefix, common_prefix
from recurra.decoding.language import Lexicon, PrefixLanguage
from recurra.errors import RunError, UsageError

BLANK = 0


@dataclass(frozen=True)
class CtcHypothesis:
    """A text that a search came to.

    Attributes:
        ids: its labels, (N,) int64.
        log_prob: natural log-probability of the text given the frames, over all paths that the search kept; greedy: of the one path.
        score: what results are sorted by: with what the language model adds.
    """

    ids: np.ndarray
    log_prob: float
    score: float


@dataclass(frozen=True)
class CtcSearch:
    """What a search of prefixes looks for.

    Attributes:
        width: prefixes that are kept at each frame.
        count: how many results to give, at most `width`.
        language_weight: what the language model's log-probability counts.
        bonus: what is added for each label: without it a language model makes texts short.
        least: probability of a label in a frame below which it is not tried there; 0: all are.
        margin: how much lower than the best score a prefix may be and still be kept.

    Raises:
        UsageError: settings that mean nothing.
    """

    width: int = 16
    count: int = 1
    language_weight: float = 0.0
    bonus: float = 0.0
    least: float = 1e-4
    margin: float = 20.0

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"beam: expected a width of 1 or more, got {self.width}")
        if not 1 <= self.count <= self.width:
            raise UsageError(f"count: expected 1 to {self.width} results from a beam of {self.width}, got {self.count}")
        if not 0 <= self.least < 1:
            raise UsageError(f"least: expected a probability below 1, got {self.least}")
        if not self.margin > 0:
            raise UsageError(f"margin: expected more than 0, got {self.margin}")


def greedy(log_probs: np.ndarray) -> CtcHypothesis:
    """Give what the likeliest label of each frame spells; log_probs: (T, V).

    >>> frames = np.log([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]])
    >>> greedy(frames).ids.tolist(), round(math.exp(greedy(frames).log_prob), 4)
    ([1, 1], 0.3888)
    """
    values = _checked(log_probs)
    path = values.argmax(1)
    ids = path[np.append(True, path[1:] != path[:-1])[: len(path)]]
    total = float(values[np.arange(len(path)), path].sum())
    return CtcHypothesis(ids[ids != BLANK].astype(np.int64), total, total)


def prefix_beam(
    log_probs: np.ndarray,
    search: CtcSearch,
    language: PrefixLanguage | None = None,
    lexicon: Lexicon | None = None,
) -> list[CtcHypothesis]:
    """Give the likeliest texts for frames (T, V), the best first: `PrefixBeam` of all of them at once.

    >>> frames = np.log([[0.6, 0.4], [0.6, 0.4]])
    >>> [(found.ids.tolist(), round(math.exp(found.log_prob), 2)) for found in prefix_beam(frames, CtcSearch(count=2))]
    [([1], 0.64), ([], 0.36)]
    """
    beam = PrefixBeam(search, language, lexicon)
    beam.push(log_probs)
    return beam.finish()


class PrefixBeam:
    """The search of prefixes (Hannun et al. 2014, arXiv:1408.2873v2), fed frame by frame.

    Of each prefix two probabilities are kept: that the frames so far spell it and end in a blank, or in its last label. Those of all its
    paths are added up, so with a `width` that keeps every prefix (and `least` 0, no `margin`) the result is the likeliest text exactly:

        score = log p(text | frames) + language_weight · log p(text) + bonus · labels

    in which the language model's log p(text) has the end in it, once `finish` is called.

    >>> beam = PrefixBeam(CtcSearch())
    >>> beam.push(np.log([[0.05, 0.9, 0.05]]))
    >>> beam.push(np.log([[0.9, 0.05, 0.05], [0.05, 0.05, 0.9]]))
    >>> beam.best, beam.finish()[0].ids.tolist()
    ([1, 2], [1, 2])
    """

    def __init__(
        self, search: CtcSearch, language: PrefixLanguage | None = None, lexicon: Lexicon | None = None
    ) -> None:
        self._search, self._lexicon = search, lexicon
        self._language = language if search.language_weight else None
        root = Prefix(None, BLANK)
        root.state = None if self._language is None else self._language.start()
        root.words = None if lexicon is None else lexicon.start
        self._prefixes = [root]
        self._blank, self._label = np.zeros(1), np.full(1, -math.inf)  # (N,)
        self._last, self._added = np.zeros(1, np.int64), np.zeros(1)
        self._next = np.zeros((1, 0))
        self._certain: list[int] = []
        self._size: int | None = None

    def push(self, log_probs: np.ndarray) -> None:
        """Read frames (n, V), natural log-probabilities; any number of them."""
        values = _checked(log_probs)
        if not len(values):
            return
        if self._size is None:
            self._size = values.shape[1]
            self._next = self._next_of(self._prefixes)
        elif values.shape[1] != self._size:
            raise UsageError(f"log_probs: expected {self._size} labels as before, got {values.shape[1]}")
        for row in values:
            self._step(row)

    @property
    def best(self) -> list[int]:
        """The labels of the best prefix by now."""
        scores = np.logaddexp(self._blank, self._label) + self._added
        return [*self._certain, *self._prefixes[int(scores.argmax())].labels()]

    @property
    def stable(self) -> list[int]:
        """The labels that every prefix begins with: whatever comes, the result begins with them too, so they only grow in number."""
        root = common_prefix(self._prefixes)
        self._certain += root.labels()
        root.become_root()
        return self._certain[:]

    def finish(self) -> list[CtcHypothesis]:
        """Give the results, the best first; the search can go on afterwards as if it had not been asked."""
        total = np.logaddexp(self._blank, self._label)
        scores = total + self._added
        if self._language is not None:
            ends = self._language.next([prefix.state for prefix in self._prefixes])[:, BLANK]
            scores = scores + self._search.language_weight * ends
        if self._lexicon is not None:
            complete = [self._lexicon.may_end(prefix.words) for prefix in self._prefixes]
            scores = np.where(complete, scores, -math.inf)
        order = np.argsort(-scores, kind="stable")[: self._search.count]
        return [
            CtcHypothesis(
                np.array([*self._certain, *self._prefixes[row].labels()], np.int64),
                float(total[row]),
                float(scores[row]),
            )
            for row in order.tolist()
            if scores[row] > -math.inf
        ]

    def _step(self, row: np.ndarray) -> None:
        """Read one frame, (V,): each prefix stays as it is, or gets one label more."""
        total = np.logaddexp(self._blank, self._label)
        least = math.log(self._search.least) if self._search.least else -math.inf
        tried = np.flatnonzero(row[1:] > least) + 1  # (K,)
        grown = total[:, None] + row[tried]  # (N, K)
        at, twice = np.nonzero(self._last[:, None] == tried)  # the same label again takes a blank between
        grown[at, twice] = self._blank[at] + row[tried[twice]]
        blank = total + row[BLANK]
        label = np.where(self._last == BLANK, -math.inf, self._label + row[self._last])
        self._merge(label, grown, tried, total, row)
        values = np.concatenate(
            [
                np.logaddexp(blank, label) + self._added,
                (grown + (self._added[:, None] + self._next[:, tried])).ravel(),
            ]
        )
        chosen = self._chosen(values)
        stays = chosen[chosen < len(total)]
        rows, columns = np.divmod(chosen[chosen >= len(total)] - len(total), max(1, len(tried)))
        self._keep(stays, blank, label, rows, tried[columns], grown[rows, columns])

    def _merge(
        self, label: np.ndarray, grown: np.ndarray, tried: np.ndarray, total: np.ndarray, row: np.ndarray
    ) -> None:
        """Where a prefix with one label more is one that is kept already, add the two up, and do not try it twice."""
        places = {id(prefix): place for place, prefix in enumerate(self._prefixes)}
        for place, prefix in enumerate(self._prefixes):
            parent = places.get(id(prefix.parent)) if prefix.parent is not None else None
            if parent is not None:
                last = self._last[place]
                before = self._blank[parent] if self._last[parent] == last else total[parent]
                label[place] = np.logaddexp(label[place], before + row[last])
                column = int(np.searchsorted(tried, last))
                if column < len(tried) and tried[column] == last:
                    grown[parent, column] = -math.inf

    def _chosen(self, values: np.ndarray) -> np.ndarray:
        """Give the places of the best of values, the best first; of equals the first ones."""
        width = self._search.width
        if len(values) > width:
            kept = np.flatnonzero(values >= np.partition(values, -width)[-width])
        else:
            kept = np.arange(len(values))
        order = kept[np.argsort(-values[kept], kind="stable")][:width]
        best = values[order[0]]
        if best == -math.inf:
            raise RunError("expected log-probabilities that allow some text, got none that do")
        order = order[values[order] > max(best - self._search.margin, np.finfo(float).min)]
        if self._lexicon is None:
            return order
        # One that may end is always kept, beside all others, so that there is a result whenever the frames end.
        complete = [place for place, prefix in enumerate(self._prefixes) if self._lexicon.may_end(prefix.words)]
        first = max(complete, key=lambda place: values[place])
        return order if first in order else np.append(order, first)

    def _keep(
        self,
        stays: np.ndarray,
        blank: np.ndarray,
        label: np.ndarray,
        rows: np.ndarray,
        labels: np.ndarray,
        grown: np.ndarray,
    ) -> None:
        new: list[Prefix] = []
        if len(rows):
            old = [self._prefixes[row] for row in rows.tolist()]
            new = [prefix.child(one) for prefix, one in zip(old, labels.tolist(), strict=True)]
            if self._language is not None:
                states = self._language.advance([prefix.state for prefix in old], labels.tolist())
                for prefix, state in zip(new, states, strict=True):
                    prefix.state = state
            if self._lexicon is not None:
                for prefix, before, one in zip(new, old, labels.tolist(), strict=True):
                    prefix.words = self._lexicon.advance(before.words, one)
        self._prefixes = [*(self._prefixes[row] for row in stays.tolist()), *new]
        self._blank = np.concatenate([blank[stays], np.full(len(new), -math.inf)])
        self._label = np.concatenate([label[stays], grown])
        self._last = np.concatenate([self._last[stays], labels])
        self._added = np.concatenate([self._added[stays], self._added[rows] + self._next[rows, labels]])
        kept = self._next[stays]
        self._next = np.concatenate([kept, self._next_of(new)]) if new else kept

    def _next_of(self, prefixes: Sequence[Prefix]) -> np.ndarray:
        """Give what each label adds to the score of each prefix, (N, V)."""
        found = np.full((len(prefixes), self._size or 0), self._search.bonus)
        if self._language is not None:
            found += self._search.language_weight * self._language.next([prefix.state for prefix in prefixes])
        if self._lexicon is not None:
            found[~self._lexicon.allowed[[prefix.words for prefix in prefixes]]] = -math.inf
        return found


def _checked(log_probs: np.ndarray) -> np.ndarray:
    values = np.asarray(log_probs, np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise UsageError(f"log_probs: expected (frames, labels), got {values.shape}")
    if np.isnan(values).any():
        raise RunError("expected log-probabilities, got some that are no numbers: the model's weights are damaged")
    return values
