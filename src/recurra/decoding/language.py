"""What a search knows of a language: which label comes next, by a language model or by a list of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from recurra.errors import DataError

State = Any
"""What a language keeps of the labels before; it is never changed in place."""


class PrefixLanguage(Protocol):
    """A language model over the labels of a search, of which 0 is the blank; what it says of 0 is said of the end.

    Each state is of one prefix. All that are asked about come together, so that a network can compute them side by side.
    """

    def start(self) -> State:
        """Give the state in which nothing was written."""
        ...

    def advance(self, states: Sequence[State], labels: Sequence[int]) -> list[State]:
        """Give the state of each prefix with one label more."""
        ...

    def next(self, states: Sequence[State]) -> np.ndarray:
        """Give of each prefix the natural log-probability of every label to come next, and of the end: (N, V) float64."""
        ...


class Lexicon:
    """The words that may be written, as a tree of their labels; several words stand with the separator between them.

    words: the labels of each word.  size: V.  separator: the label between words; None: only one word is written.
    Nothing at all may be written too. Raises `DataError` where there is no word.

    >>> lexicon = Lexicon([[1, 2], [1, 3]], size=5, separator=4)
    >>> state = lexicon.advance(lexicon.start, 1)
    >>> lexicon.allowed[lexicon.start].nonzero()[0].tolist(), lexicon.allowed[state].nonzero()[0].tolist(), lexicon.may_end(state)
    ([1], [2, 3], False)
    """

    def __init__(self, words: Iterable[Sequence[int]], size: int, separator: int | None) -> None:
        self._children: list[dict[int, int]] = [{}]
        complete = [False]
        for word in words:
            at = 0
            for label in word:
                if label not in self._children[at]:
                    self._children[at][label] = len(self._children)
                    self._children.append({})
                    complete.append(False)
                at = self._children[at][label]
            complete[at] = complete[at] or at > 0
        if not any(complete):
            raise DataError("the list of words holds none that can be written")
        self._initial = 0
        if separator is not None:
            # Behind a separator a word has to come: the tree's root, but not the beginning, at which the text may end.
            self._initial = len(self._children)
            self._children.append(self._children[0])
            complete.append(True)
            for state in range(self._initial):
                if complete[state] and separator not in self._children[state]:
                    self._children[state][separator] = 0
        else:
            complete[0] = True
        self._complete = np.array(complete)
        self.allowed = np.zeros((len(self._children), size), bool)
        """Which labels may come next in each state, (states, V)."""
        for state, children in enumerate(self._children):
            self.allowed[state, list(children)] = True

    @property
    def start(self) -> int:
        """The state in which nothing was written."""
        return self._initial

    def advance(self, state: int, label: int) -> int:
        """Give the state with one label more, which has to be allowed."""
        return self._children[state][label]

    def may_end(self, state: int) -> bool:
        """Tell whether the text may end here: at a word's end, or where nothing was written."""
        return bool(self._complete[state])
