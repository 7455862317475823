"""Reber's grammar, and the one that holds two of it: what each new kind of recurrent network was tried on."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.grammar.automaton import Automaton
from recurra.grammar.base import Protocol

_ARROWS = {
    "0": {"B": "1"},
    "1": {"T": "2", "P": "3"},
    "2": {"S": "2", "X": "4"},
    "3": {"T": "3", "V": "5"},
    "4": {"X": "3", "S": "6"},
    "5": {"P": "4", "V": "6"},
    "6": {"E": "7"},
}
_LAST = "7"
STRINGS = Protocol(strings=256)


def reber() -> Automaton:
    """Give the grammar of Reber 1967: seven symbols, and everywhere two ways on, of which either is taken by the throw of a coin."""
    return Automaton("reber", _even(_ARROWS), {_LAST: 1.0}, "0", title="Reber grammar", protocol=STRINGS)


class EmbeddedReber(Automaton):
    """B, then T or P, then a string of Reber's grammar, then the same T or P again, then E (Hochreiter & Schmidhuber 1997, section 5.1).

    What has to be remembered all along is the second symbol, and nothing within says which it was.
    """

    def recalled_place(self, string: Sequence[str]) -> int | None:
        return len(string) - 2


def embedded_reber() -> EmbeddedReber:
    """Give the embedded Reber grammar."""
    arrows = {"begin": {"B": "choice"}, "choice": {outer: f"{outer}0" for outer in "TP"}, "close": {"E": "end"}}
    for outer in "TP":
        for state, leaving in _ARROWS.items():
            arrows[outer + state] = {symbol: outer + to for symbol, to in leaving.items()}
        arrows[outer + _LAST] = {outer: "close"}
    return EmbeddedReber(
        "embedded-reber", _even(arrows), {"end": 1.0}, "begin", title="embedded Reber grammar", protocol=STRINGS
    )


def _even(arrows: dict[str, dict[str, str]]) -> dict[str, dict[str, tuple[float, str]]]:
    return {
        state: {symbol: (1 / len(leaving), to) for symbol, to in leaving.items()} for state, leaving in arrows.items()
    }
