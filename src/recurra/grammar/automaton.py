"""Finite automata: states, and arrows with a symbol and a probability each."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.grammar.base import END, Grammar, Protocol, State

MAX_STATES, MAX_DRAWN = 10_000, 100_000
"""States of an automaton that is read, and symbols of a string that is drawn."""
_ARROW = re.compile(r"(\S+)\s+-(\S+)->\s+(\S+)(?:\s+(\S+))?")
_MARK = re.compile(r"(start|end)\s+(\S+)(?:\s+(\S+))?")
_HINT = "write STATE -SYMBOL-> STATE, with a weight behind it or none; start STATE; end STATE; # before a remark"
_NONE: frozenset[str] = frozenset()


@dataclass
class _Draft:
    """An automaton as it is read: arrows by state and symbol, each with its line, its weight and where it leads."""

    start: str | None = None
    arrows: dict[str, dict[str, tuple[int, float, str]]] = field(default_factory=dict)
    ends: dict[str, tuple[int, float]] = field(default_factory=dict)


class Automaton(Grammar):
    """A deterministic finite automaton whose arrows have probabilities.

    arrows: state → symbol → (probability, state it leads to).  ends: state → the probability that a string ends there.

    >>> coin = Automaton("coin", {"s": {"h": (0.5, "s"), "t": (0.25, "s")}}, {"s": 0.25}, "s")
    >>> coin.first_fault("hth"), sorted(coin.legal("s")), round(coin.entropy(), 4), coin.count(3)
    (None, ['', 'h', 't'], 4.1589, 8)
    """

    def __init__(
        self,
        name: str,
        arrows: Mapping[str, Mapping[str, tuple[float, str]]],
        ends: Mapping[str, float],
        start: str,
        *,
        title: str = "",
        protocol: Protocol | None = None,
    ) -> None:
        self.name, self.title, self.start = name, title or name, start
        self.arrows, self.ends = arrows, ends
        self.symbols = tuple(sorted({symbol for each in arrows.values() for symbol in each}))
        self.protocol = protocol or Protocol(strings=256)

    def step(self, state: State, symbol: str) -> State | None:
        found = self.arrows.get(str(state), {}).get(symbol)
        return None if found is None else found[1]

    def legal(self, state: State) -> frozenset[str]:
        known = frozenset(self.arrows.get(str(state), ()))
        return known | {END} if str(state) in self.ends else known

    def probabilities(self, state: State) -> Mapping[str, float]:
        known = {symbol: share for symbol, (share, _) in self.arrows.get(str(state), {}).items()}
        return known | {END: self.ends[str(state)]} if str(state) in self.ends else known

    def draw(self, size: int | None, generator: np.random.Generator) -> list[str]:  # noqa: ARG002
        state, string = str(self.start), []
        while True:
            shares = self.probabilities(state)
            symbol = list(shares)[int(generator.choice(len(shares), p=list(shares.values())))]
            if symbol == END:
                return string
            if len(string) == MAX_DRAWN:
                raise DataError(
                    f"a string of more than {MAX_DRAWN:,} symbols was drawn; give ends more weight", source=self.name
                )
            string.append(symbol)
            state = self.arrows[state][symbol][1]

    def visits(self) -> dict[str, float]:
        """Give how often a string is in each state, on average: the solution of v = start + v P."""
        names = sorted({*self.arrows, *self.ends, *(to for each in self.arrows.values() for _, to in each.values())})
        places = {name: place for place, name in enumerate(names)}
        moves = np.zeros((len(names), len(names)))
        for state, arrows in self.arrows.items():
            for share, to in arrows.values():
                moves[places[state], places[to]] += share
        start = np.zeros(len(names))
        start[places[str(self.start)]] = 1
        found = np.linalg.solve((np.eye(len(names)) - moves).T, start)
        return dict(zip(names, found.tolist(), strict=True))

    def entropy(self) -> float:
        """Give the entropy of a string, nats: the least that a model's log-probabilities can cost on average."""
        total = 0.0
        for state, often in self.visits().items():
            shares = self.probabilities(state).values()
            total -= often * math.fsum(share * math.log(share) for share in shares if share)
        return total

    def mean_length(self) -> float:
        """Give how many symbols a string has on average, its end not counted."""
        return sum(self.visits().values()) - 1

    def count(self, length: int) -> int:
        """Count the strings of a length, exactly."""
        ways: dict[str, int] = {str(self.start): 1}
        for _ in range(length):
            after: dict[str, int] = {}
            for state, count in ways.items():
                for _, to in self.arrows.get(state, {}).values():
                    after[to] = after.get(to, 0) + count
            ways = after
        return sum(count for state, count in ways.items() if state in self.ends)

    def to_text(self) -> str:
        """Write it as `parse_automaton` reads it.

        >>> text = "start s\\ns -h-> s 0.5\\nend s 0.5\\n"
        >>> parse_automaton(text).to_text() == text
        True
        """
        lines = [f"start {self.start}"]
        for state, arrows in self.arrows.items():
            lines += [f"{state} -{symbol}-> {to} {share!r}" for symbol, (share, to) in arrows.items()]
        return "\n".join([*lines, *(f"end {state} {share!r}" for state, share in self.ends.items())]) + "\n"


def parse_automaton(text: str, source: str = "automaton") -> Automaton:
    """Read an automaton: an arrow a line, as in `0 -B-> 1`; `start 0`, else the first line's state; `end 5`.

    A number behind an arrow or an end is its weight, 1 where there is none: what leaves a state, ends included, is as likely as its share of their sum.
    Raises `DataError`, with the line, for what is no such line, two arrows of one symbol from a state, and states that lead to no end.

    >>> parse_automaton("0 -a-> 0\\n0 -b-> 1 3\\nend 1").probabilities("0")
    {'a': 0.25, 'b': 0.75}
    """
    draft = _Draft()
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip() if line.lstrip().startswith("#") or " #" in line else line.strip()
        if content:
            _read_line(draft, content, number, source)
    if not draft.arrows or draft.start is None:
        raise DataError("holds no arrows", source=source, hint=_HINT)
    _check(draft, source)
    arrows: dict[str, dict[str, tuple[float, str]]] = {}
    ends: dict[str, float] = {}
    for state in {**draft.arrows, **draft.ends}:
        leaving = draft.arrows.get(state, {})
        whole = sum(weight for _, weight, _ in leaving.values()) + draft.ends.get(state, (0, 0.0))[1]
        if leaving:
            arrows[state] = {symbol: (weight / whole, to) for symbol, (_, weight, to) in leaving.items()}
        if state in draft.ends:
            ends[state] = draft.ends[state][1] / whole
    return Automaton(source, arrows, ends, draft.start)


def _read_line(draft: _Draft, content: str, number: int, source: str) -> None:
    if mark := _MARK.fullmatch(content):
        word, state, weight = mark.groups()
        if word == "end":
            draft.ends[state] = number, _weight(weight, number, source)
        elif weight is not None:
            raise DataError(f"expected one state to start in, got {abbreviate(content)}", source=source, line=number)
        else:
            draft.start = state
        return
    arrow = _ARROW.fullmatch(content)
    if arrow is None:
        raise DataError(f"expected an arrow, got {abbreviate(content)}", source=source, line=number, hint=_HINT)
    state, symbol, to, weight = arrow.groups()
    leaving = draft.arrows.setdefault(state, {})
    if symbol in leaving:
        raise DataError(
            f"a second arrow leaves {state} with {symbol}, after that in line {leaving[symbol][0]}",
            source=source, line=number, hint="an automaton is deterministic: give each symbol one arrow from a state",
        )  # fmt: skip
    leaving[symbol] = number, _weight(weight, number, source), to
    draft.start = state if draft.start is None else draft.start
    if len(draft.arrows) > MAX_STATES:
        raise DataError(f"expected at most {MAX_STATES:,} states", source=source, line=number)


def _weight(text: str | None, number: int, source: str) -> float:
    try:
        weight = 1.0 if text is None else float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < 1e30:
        raise DataError(f"weight: expected a number above 0, got {text}", source=source, line=number)
    return weight


def _check(draft: _Draft, source: str) -> None:
    """Raise `DataError` unless every state that can be reached leads to an end."""
    if not draft.ends:
        raise DataError("no state is an end", source=source, hint="write end STATE for those in which a string may end")
    reached, todo = {draft.start}, [draft.start]
    while todo:
        for _, _, to in draft.arrows.get(str(todo.pop()), {}).values():
            if to not in reached:
                reached.add(to)
                todo.append(to)
    ending, grown = set(draft.ends), True
    while grown:
        more = {state for state, each in draft.arrows.items() if any(to in ending for _, _, to in each.values())}
        grown, ending = not more <= ending, ending | more
    for state in sorted(map(str, reached - ending)):
        line = next((n for each in draft.arrows.values() for n, _, to in each.values() if to == state), None)
        raise DataError(f"no end can be reached from state {state}", source=source, line=line, hint=f"write end {state}, or an arrow that leads on")  # fmt: skip


def looks_like_automaton(lines: Sequence[str]) -> bool:
    """Tell whether lines of a file are those of an automaton: each that is no remark is an arrow or a mark, and there is an arrow.

    >>> looks_like_automaton(["# mine", "0 -a-> 1", "end 1"]), looks_like_automaton(["abba", "start now"])
    (True, False)
    """
    content = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    arrows = [_ARROW.fullmatch(line.split(" #", 1)[0].strip()) is not None for line in content]
    return any(arrows) and all(
        arrow or _MARK.fullmatch(line.split(" #", 1)[0].strip()) for arrow, line in zip(arrows, content, strict=True)
    )
