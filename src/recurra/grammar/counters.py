"""Languages that need counters, or a stack: aⁿbⁿ, aⁿbⁿcⁿ, Dyck languages and shuffles of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from recurra.grammar.base import END, Grammar, Protocol, Sizes, State

Counts = tuple[int, ...]


class EqualBlocks(Grammar):
    """aⁿbⁿ, aⁿbⁿcⁿ …: blocks of as many of each letter, one after the other; n is at least 1.

    The state is how many of each letter there were.

    >>> counted = EqualBlocks("ab")
    >>> counted.first_fault("aabb"), counted.first_fault("aabbb"), sorted(counted.legal((2, 0)))
    (None, 4, ['a', 'b'])
    """

    size_name = "n"

    def __init__(self, letters: str, protocol: Protocol | None = None) -> None:
        self.name, self.title = "".join(f"{letter}n" for letter in letters), "".join(f"{letter}ⁿ" for letter in letters)
        self.symbols = tuple(letters)
        self.start = (0,) * len(letters)
        self.protocol = protocol or Protocol()

    def legal(self, state: State) -> frozenset[str]:
        counts = _counts(state)
        n, block = counts[0], max((place for place, count in enumerate(counts) if count), default=0)
        if not n:
            return frozenset(self.symbols[0])
        if block == 0:
            return frozenset(self.symbols[:2])
        if counts[block] < n:
            return frozenset(self.symbols[block])
        return frozenset({END} if block == len(counts) - 1 else {self.symbols[block + 1]})

    def step(self, state: State, symbol: str) -> State | None:
        if symbol == END or symbol not in self.legal(state):
            return None
        block = self.symbols.index(symbol)
        return tuple(count + (place == block) for place, count in enumerate(_counts(state)))

    def all_of(self, size: int) -> list[str]:
        return [letter for letter in self.symbols for _ in range(size)]

    def legal_sets(self, string: Sequence[str]) -> list[frozenset[str]]:
        n = self.size(string)  # written down at once: strings of thousands of symbols are measured by them
        if list(string) != self.all_of(n) or not n:
            return super().legal_sets(string)
        either, later = frozenset(self.symbols[:2]), [frozenset({letter}) for letter in self.symbols[1:]]
        found = [frozenset({self.symbols[0]}), *([either] * n)]
        for place, letter in enumerate(later):
            following = later[place + 1] if place + 1 < len(later) else frozenset({END})
            found += [letter] * (n - 1) + [following]
        return found

    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:  # noqa: ARG002
        return self.all_of(size or 1)

    def size(self, string: Sequence[str]) -> int:
        return len(string) // len(self.symbols)

    def counters(self, state: State) -> Mapping[str, int]:
        counts = _counts(state)
        pairs = list(zip(counts, counts[1:], self.symbols, self.symbols[1:], strict=False))
        return {f"{one} − {other}": more - less for more, less, one, other in pairs}


class Dyck(Grammar):
    """Brackets of one or several kinds that are closed in the order that they ask for; the state is the stack of those that are open.

    Strings of a length are drawn evenly from all there are.

    >>> Dyck(2).first_fault("([])"), Dyck(2).first_fault("([)]")
    (None, 2)
    """

    BRACKETS = ("()", "[]", "{}", "<>")

    def __init__(self, kinds: int = 1, protocol: Protocol | None = None) -> None:
        self.kinds = self.BRACKETS[:kinds]
        self.name, self.title = f"dyck-{kinds}", f"Dyck-{kinds}"
        self.symbols = tuple("".join(self.kinds))
        self.start = ""
        self.protocol = protocol or Protocol()

    def legal(self, state: State) -> frozenset[str]:
        opening = {kind[0] for kind in self.kinds}
        open_ones = str(state)
        return frozenset(opening | ({self._closing(open_ones[-1])} if open_ones else {END}))

    def _closing(self, opening: str) -> str:
        return next(kind[1] for kind in self.kinds if kind[0] == opening)

    def step(self, state: State, symbol: str) -> State | None:
        if symbol == END or symbol not in self.legal(state):
            return None
        return f"{state}{symbol}" if any(kind[0] == symbol for kind in self.kinds) else str(state)[:-1]

    def sizes(self, within: Sizes) -> list[int]:
        return [size for size in super().sizes(within) if size % 2 == 0]

    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:
        string, stack = [], []
        for step in balanced((size or 2) // 2, generator):
            if step > 0:
                stack.append(self.kinds[int(generator.integers(len(self.kinds)))])
                string.append(stack[-1][0])
            else:
                string.append(stack.pop()[1])
        return string

    def counters(self, state: State) -> Mapping[str, int]:
        return {"open brackets": len(str(state))}


class Shuffle(Grammar):
    """Brackets of several kinds, each kind balanced by itself, whatever the others do: a counter for each kind is enough.

    Strings of a length are drawn evenly from all there are.

    >>> Shuffle(2).first_fault("([)]"), Shuffle(2).first_fault("(])")
    (None, 1)
    """

    def __init__(self, kinds: int = 2, protocol: Protocol | None = None) -> None:
        self.kinds = Dyck.BRACKETS[:kinds]
        self.name, self.title = f"shuffle-{kinds}", f"shuffle of {kinds} Dyck languages"
        self.symbols = tuple("".join(self.kinds))
        self.start = (0,) * kinds
        self.protocol = protocol or Protocol()

    def legal(self, state: State) -> frozenset[str]:
        counts = _counts(state)
        closing = {kind[1] for kind, count in zip(self.kinds, counts, strict=True) if count}
        return frozenset({kind[0] for kind in self.kinds} | (closing or {END}))

    def step(self, state: State, symbol: str) -> State | None:
        if symbol == END or symbol not in self.legal(state):
            return None
        steps = [(kind[0] == symbol) - (kind[1] == symbol) for kind in self.kinds]
        return tuple(count + step for count, step in zip(_counts(state), steps, strict=True))

    def sizes(self, within: Sizes) -> list[int]:
        return [size for size in super().sizes(within) if size % 2 == 0]

    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:
        left = (size or 2) // 2
        kinds = np.zeros(2 * left, np.int64)
        free = np.arange(2 * left)
        for kind in range(len(self.kinds) - 1):
            pairs = self._pairs(left, len(self.kinds) - 1 - kind, generator)
            chosen = np.sort(generator.permutation(len(free))[: 2 * pairs])
            rest = np.delete(free, chosen)
            kinds[rest] = kind + 1
            free, left = rest, left - pairs
        string = np.empty(len(kinds), object)
        for kind, brackets in enumerate(self.kinds):
            places = np.flatnonzero(kinds == kind)
            string[places] = [brackets[step < 0] for step in balanced(len(places) // 2, generator)]
        return string.tolist()

    @staticmethod
    def _pairs(left: int, others: int, generator: np.random.Generator) -> int:
        """Choose how many of the pairs that are left are of the next kind: by how many strings there are with each number."""
        logs = np.array(
            [_log_catalan(k) + _log_shuffles(left - k, others) + _log_choose(2 * left, 2 * k) for k in range(left + 1)]
        )
        shares = np.exp(logs - logs.max())
        return int(generator.choice(left + 1, p=shares / shares.sum()))

    def counters(self, state: State) -> Mapping[str, int]:
        return {f"open {kind[0]}": count for kind, count in zip(self.kinds, _counts(state), strict=True)}


def balanced(pairs: int, generator: np.random.Generator) -> list[int]:
    """Draw +1 (open) and −1 (close) for so many pairs of brackets, evenly from all balanced strings.

    A shuffled row of n ups and n + 1 downs has one rotation that stays above 0 until its last down (the cycle lemma, Dvoretzky & Motzkin 1947).

    >>> balanced(1, np.random.default_rng(0))
    [1, -1]
    """
    steps = generator.permutation(np.repeat([1, -1], [pairs, pairs + 1]))
    turn = int(np.argmin(np.cumsum(steps))) + 1
    return np.roll(steps, -turn)[:-1].tolist()


def _counts(state: State) -> Counts:
    assert isinstance(state, tuple)
    return state


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_catalan(pairs: int) -> float:
    return _log_choose(2 * pairs, pairs) - math.log(pairs + 1)


def _log_shuffles(pairs: int, kinds: int) -> float:
    """Give the logarithm of how many shuffles of so many kinds of brackets there are with so many pairs."""
    if kinds == 1:
        return _log_catalan(pairs)
    logs = [
        _log_catalan(k) + _log_shuffles(pairs - k, kinds - 1) + _log_choose(2 * pairs, 2 * k) for k in range(pairs + 1)
    ]
    return float(np.logaddexp.reduce(logs))
