"""The grammars by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from recurra.errors import UsageError
from recurra.formatting import closest
from recurra.grammar.base import Grammar, Protocol, Sizes
from recurra.grammar.counters import Dyck, EqualBlocks, Shuffle
from recurra.grammar.questions import CycleNavigation, EvenPairs, ModularArithmetic, Parity
from recurra.grammar.reber import embedded_reber, reber

_BRACKETS = Protocol(Sizes(2, 50), Sizes(52, 60), Sizes(52, 100), 10_000)
_QUESTIONS = Protocol(Sizes(1, 40), Sizes(41, 60), Sizes(61, 200), 10_000)
"""The lengths of Delétang et al. 2022 are 1 to 40 in training, and 41 to 500 in the test; these go up to 200."""
_GRAMMARS: dict[str, Callable[[], Grammar]] = {
    "reber": reber,
    "embedded-reber": embedded_reber,
    "anbn": lambda: EqualBlocks("ab", Protocol(Sizes(1, 100), Sizes(101, 200), Sizes(1, 1000), 100)),
    "anbncn": lambda: EqualBlocks("abc", Protocol(Sizes(1, 50), Sizes(51, 100), Sizes(1, 1000), 1000)),
    "dyck-1": lambda: Dyck(1, _BRACKETS),
    "dyck-2": lambda: Dyck(2, _BRACKETS),
    "shuffle-2": lambda: Shuffle(2, _BRACKETS),
    "parity": lambda: Parity(_QUESTIONS),
    "even-pairs": lambda: EvenPairs(_QUESTIONS),
    "cycle-navigation": lambda: CycleNavigation(_QUESTIONS),
    "modular-arithmetic": lambda: ModularArithmetic(_QUESTIONS),
}


def grammar_names() -> list[str]:
    """List the names of the grammars."""
    return list(_GRAMMARS)


@cache
def get_grammar(name: str) -> Grammar:
    """Find a grammar by its name; raises `UsageError` for an unknown one.

    >>> get_grammar("anbn").legal_sets("ab")[-1] == {""}
    True
    """
    if name not in _GRAMMARS:
        close = closest(name, _GRAMMARS)
        hint = f"; did you mean {close}?" if close else ""
        raise UsageError(f"grammar: expected one of {', '.join(_GRAMMARS)}; got {name!r}{hint}")
    return _GRAMMARS[name]()
