"""What a grammar is: after each beginning of a string, which symbols may follow, and whether it may end there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

END = ""
"""What stands for the end of a string among the symbols that may follow."""
State = Hashable


@dataclass(frozen=True)
class Sizes:
    """The least and the largest size of strings, both inclusive.

    >>> Sizes.parse("2-50"), str(Sizes(7, 7))
    (Sizes(least=2, most=50), '7')
    """

    least: int
    most: int

    @classmethod
    def parse(cls, text: str) -> Sizes:
        """Read "2-50", or one size; raises `ValueError` for what is neither."""
        first, dash, last = text.partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ValueError(f"expected sizes as in 2-50, got {text!r}")
        least, most = int(first), int(last or first)
        if least > most:
            raise ValueError(f"expected the smaller size first, as in {most}-{least}, got {text!r}")
        return cls(least, most)

    def __str__(self) -> str:
        return f"{self.least}-{self.most}" if self.most > self.least else str(self.least)


@dataclass(frozen=True)
class Protocol:
    """How strings of a grammar are drawn, where the user says nothing else.

    train, valid, test: sizes of the strings of each part; the held-out ones are longer, so that only who has learnt the rule is right.
    None: strings have no size, and are drawn by the probabilities.  strings: how many to train on.
    """

    train: Sizes | None = None
    valid: Sizes | None = None
    test: Sizes | None = None
    strings: int = 1000


class Grammar(ABC):
    """A language over single symbols, with a state for each beginning of a string, as an automaton or counters keep it."""

    name: str
    title: str
    symbols: tuple[str, ...]
    start: State
    protocol: Protocol = Protocol()
    size_name: str = "length"
    """What the size of a string is called, where strings have one."""

    @abstractmethod
    def step(self, state: State, symbol: str) -> State | None:
        """Give the state after one more symbol; None where it may not follow."""

    @abstractmethod
    def legal(self, state: State) -> frozenset[str]:
        """Give the symbols that may follow, `END` among them where the string may end."""

    @abstractmethod
    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:
        """Draw a string; size: None where strings have none."""

    def sizes(self, within: Sizes) -> list[int]:
        """List the sizes that there are strings of."""
        return list(range(within.least, within.most + 1))

    def all_of(self, size: int) -> list[str] | None:  # noqa: ARG002
        """Give the only string of a size; None where there are several."""
        return None

    def size(self, string: Sequence[str]) -> int:
        """Give the size of a string of the language."""
        return len(string)

    def probabilities(self, state: State) -> Mapping[str, float] | None:  # noqa: ARG002
        """Give how likely each symbol follows, `END` among them; None where the grammar says only what is legal."""
        return None

    def counters(self, state: State) -> Mapping[str, int]:  # noqa: ARG002
        """Give what has to be counted by this state, by what it is called; nothing where nothing is."""
        return {}

    def recalled_place(self, string: Sequence[str]) -> int | None:  # noqa: ARG002
        """Give where the symbol stands that follows from what came long before it; None where a grammar has none such."""
        return None

    def states(self, string: Sequence[str]) -> Iterator[State]:
        """Give the state before each symbol, and the last one; ends early after a symbol that may not follow."""
        state: State | None = self.start
        yield state
        for symbol in string:
            state = self.step(state, symbol)
            if state is None:
                return
            yield state

    def first_fault(self, string: Sequence[str]) -> int | None:
        """Give the place of the first symbol that may not follow, the string's length where it may not end; None where all is legal.

        >>> from recurra.grammar import get_grammar
        >>> reber = get_grammar("reber")
        >>> reber.first_fault("BTXSE"), reber.first_fault("BTT"), reber.first_fault("BTX")
        (None, 2, 3)
        """
        states = list(self.states(string))
        if len(states) <= len(string):
            return len(states) - 1
        return None if END in self.legal(states[-1]) else len(string)

    def legal_sets(self, string: Sequence[str]) -> list[frozenset[str]]:
        """Give what may follow each beginning of a legal string, from none of it to all of it, (T + 1)."""
        return [self.legal(state) for state in self.states(string)]
