"""Regular languages of a question, = and its answer: what Delétang et al. 2022 (arXiv:2207.02098) ask of a network, symbol by symbol."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from recurra.grammar.base import END, Grammar, Protocol, Sizes, State

MODULUS = 5
_ASKED, _ANSWERED = "asked", "answered"


class Question(Grammar):
    """Strings w=f(w): any w of the alphabet, and what an automaton computes of it; the size is the length of w.

    The state is what the automaton knows of w; then what the answer must be; then that it was given.
    """

    letters: str
    initial: State

    def __init__(self, protocol: Protocol | None = None) -> None:
        self.start = self.initial
        self.symbols = tuple(dict.fromkeys([*self.letters, "=", *self.results()]))
        self.protocol = protocol or Protocol()

    @abstractmethod
    def read(self, state: State, letter: str) -> State:
        """Give what is known after one more letter."""

    @abstractmethod
    def result(self, state: State) -> str:
        """Give the answer that follows from what is known."""

    @abstractmethod
    def results(self) -> Sequence[str]:
        """List the answers there are."""

    def may_read(self, state: State) -> Sequence[str]:  # noqa: ARG002
        """List the letters that may follow within w."""
        return self.letters

    def may_ask(self, state: State) -> bool:
        """Tell whether w may be over."""
        return state != self.initial

    def legal(self, state: State) -> frozenset[str]:
        if state == (_ANSWERED,):
            return frozenset({END})
        if isinstance(state, tuple) and state[0] == _ASKED:
            return frozenset({str(state[1])})
        return frozenset([*self.may_read(state), *("=" * self.may_ask(state))])

    def step(self, state: State, symbol: str) -> State | None:
        if symbol == END or symbol not in self.legal(state):
            return None
        if isinstance(state, tuple) and state[0] == _ASKED:
            return (_ANSWERED,)
        return (_ASKED, self.result(state)) if symbol == "=" else self.read(state, symbol)

    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:
        state, string = self.initial, []
        for _ in range(size or 1):
            letters = self.may_read(state)
            string.append(letters[int(generator.integers(len(letters)))])
            state = self.read(state, string[-1])
        return [*string, "=", self.result(state)]

    def size(self, string: Sequence[str]) -> int:
        return len(string) - 2

    def recalled_place(self, string: Sequence[str]) -> int:
        return len(string) - 1


class Parity(Question):
    """Whether b comes an odd number of times.

    >>> Parity().first_fault("abb=0"), Parity().first_fault("abb=1")
    (None, 4)
    """

    name, title, letters, initial = "parity", "parity of the b's", "ab", ("known", -1)

    def read(self, state: State, letter: str) -> State:
        assert isinstance(state, tuple)
        return ("known", max(0, state[1]) ^ (letter == "b"))

    def result(self, state: State) -> str:
        assert isinstance(state, tuple)
        return str(state[1])

    def results(self) -> Sequence[str]:
        return "01"


class EvenPairs(Question):
    """Whether ab and ba together come an even number of times (1): whether the last letter is the first."""

    name, title, letters, initial = "even-pairs", "even pairs", "ab", ("known", "", "")

    def read(self, state: State, letter: str) -> State:
        assert isinstance(state, tuple)
        return ("known", state[1] or letter, letter)

    def result(self, state: State) -> str:
        assert isinstance(state, tuple)
        return str(int(state[1] == state[2]))

    def results(self) -> Sequence[str]:
        return "01"


class CycleNavigation(Question):
    """Where one is on a cycle of five places after steps forward (+), back (-) and none (.).

    >>> CycleNavigation().first_fault("--.=3")
    """

    name, title, letters, initial = "cycle-navigation", "cycle navigation", "+-.", ("known", -1)

    def read(self, state: State, letter: str) -> State:
        assert isinstance(state, tuple)
        return ("known", (max(0, state[1]) + {"+": 1, "-": -1, ".": 0}[letter]) % MODULUS)

    def result(self, state: State) -> str:
        assert isinstance(state, tuple)
        return str(state[1])

    def results(self) -> Sequence[str]:
        return [str(place) for place in range(MODULUS)]


class ModularArithmetic(Question):
    """Sums, differences and products of digits modulo 5, products first, without brackets.

    The state: the sum of what is over, the sign and the product of what is not, and what is to be done with the next digit.

    >>> ModularArithmetic().first_fault("1+2*4-3=1")
    """

    name, title, letters = "modular-arithmetic", "modular arithmetic", "01234+-*"
    initial = ("known", 0, 1, "first")

    def may_read(self, state: State) -> Sequence[str]:
        assert isinstance(state, tuple)
        return "+-*" if state[3] == "over" else "01234"

    def may_ask(self, state: State) -> bool:
        assert isinstance(state, tuple)
        return state[3] == "over"

    def read(self, state: State, letter: str) -> State:
        assert isinstance(state, tuple)
        _, total, factor, what = state
        if letter.isdecimal():
            return ("known", total, factor * int(letter) % MODULUS, "over")
        if letter == "*":
            return ("known", total, factor, "times")
        assert what == "over"
        return ("known", (total + factor) % MODULUS, 1 if letter == "+" else MODULUS - 1, "term")

    def result(self, state: State) -> str:
        assert isinstance(state, tuple)
        return str((state[1] + state[2]) % MODULUS)

    def results(self) -> Sequence[str]:
        return "01234"

    def sizes(self, within: Sizes) -> list[int]:
        return [size for size in super().sizes(within) if size % 2]
