"""Strings as the numbers of their symbols, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.formatting import abbreviate, visible
from recurra.grammar import END, Automaton, Grammar, get_grammar, grammar_names, looks_like_automaton, parse_automaton
from recurra.tasks.base.labels import load_labels, save_labels
from recurra.tasks.grammar.config import MAX_SIZE, Data
from recurra.text import base_name

AUTOMATON = "automaton.txt"
MARK = 0
"""What is read before a string, and predicted at its end."""
END_LABEL, BEGIN_LABEL, OTHER_LABEL = "<end>", "<begin>", "<other>"


@dataclass(frozen=True)
class StringPreprocessor:
    """symbols: in the order of their numbers, from 1.  words: whether a symbol is what stands between spaces.

    grammar: whose strings they are, where that is known; else a symbol that training had not is one more number, the last.

    >>> made = StringPreprocessor(("a", "b"))
    >>> made.encode("ba?").tolist(), made.size, made.label(2), made.label(MARK)
    ([2, 1, 3], 4, 'b', '<end>')
    """

    symbols: tuple[str, ...]
    words: bool = False
    grammar: Grammar | None = None
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)
    _rows: dict[frozenset[str], np.ndarray] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {symbol: place for place, symbol in enumerate(self.symbols, 1)})

    @property
    def size(self) -> int:
        """How many numbers there are: of symbols, the mark, and what stands for any other symbol."""
        return 1 + len(self.symbols) + (self.grammar is None)

    @property
    def forbidden(self) -> list[int]:
        """What is never written."""
        return [] if self.grammar is not None else [self.size - 1]

    def split(self, line: str) -> list[str]:
        """Give the symbols of a line; raises `DataError` for a line that is too long."""
        symbols = line.split() if self.words else list(line)
        if len(symbols) > MAX_SIZE:
            raise DataError(f"expected at most {MAX_SIZE:,} symbols, got {len(symbols):,}")
        return symbols

    def join(self, symbols: Sequence[str]) -> str:
        """Give a line with these symbols."""
        return (" " if self.words else "").join(symbols)

    def encode(self, string: Sequence[str]) -> np.ndarray:
        """Give the numbers of symbols, (T,) int64; raises `DataError` for one that the grammar has not."""
        other = self.size - 1
        if self.grammar is not None:
            unknown = next((symbol for symbol in string if symbol not in self._numbers), None)
            if unknown is not None:
                known = " ".join(self.symbols)
                raise DataError(f"expected symbols of the grammar, {known}; got {abbreviate(unknown)}")
        return np.array([self._numbers.get(symbol, other) for symbol in string], np.int64)

    def label(self, number: int) -> str:
        """Name a number as it is shown after a string."""
        if number == MARK:
            return END_LABEL
        return self.symbols[number - 1] if number <= len(self.symbols) else OTHER_LABEL

    def unknown(self, string: Sequence[str]) -> list[str]:
        """List the symbols, each once, that training had not."""
        return list(dict.fromkeys(symbol for symbol in string if symbol not in self._numbers))

    def legal(self, string: Sequence[str]) -> np.ndarray:
        """Mark what may follow each beginning of a string of the grammar, bool (T + 1, V)."""
        assert self.grammar is not None
        return np.stack([self._row(each) for each in self.grammar.legal_sets(string)])

    def _row(self, symbols: frozenset[str]) -> np.ndarray:
        row = self._rows.get(symbols)
        if row is None:
            row = np.zeros(self.size, bool)
            row[[MARK if symbol == END else self._numbers[symbol] for symbol in symbols]] = True
            self._rows[symbols] = row
        return row

    def probabilities(self, string: Sequence[str]) -> np.ndarray | None:
        """Give how likely each number follows each beginning of a string, (T + 1, V); None where the grammar does not say."""
        assert self.grammar is not None
        found = np.zeros((len(string) + 1, self.size))
        for place, state in enumerate(self.grammar.states(string)):
            shares = self.grammar.probabilities(state)
            if shares is None:
                return None
            for symbol, share in shares.items():
                found[place, MARK if symbol == END else self._numbers[symbol]] = share
        return found

    def shown(self, string: Sequence[str], most: int = 60) -> str:
        """Give a string as people see it, cut where it is long."""
        return visible(abbreviate(self.join(string), most))

    def save(self, folder: Path) -> list[str]:
        """Write the symbols, and an automaton of one's own, into a run folder, and give the names of the files."""
        names = [save_labels(folder, list(self.symbols))]
        if isinstance(self.grammar, Automaton) and self.grammar.name not in grammar_names():
            write_whole(folder / AUTOMATON, self.grammar.to_text())
            names.append(AUTOMATON)
        return names

    @classmethod
    def load(cls, folder: Path, data: Data) -> StringPreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        symbols, grammar, path = load_labels(folder), named_grammar(data), folder / AUTOMATON
        if path.is_file():
            try:
                grammar = parse_automaton(path.read_text(encoding="utf-8"), AUTOMATON)
            except (DataError, UnicodeDecodeError, OSError) as error:
                raise RunError(f"{path}: is damaged: {error}") from None
        if grammar is not None and set(symbols) != set(grammar.symbols):
            raise RunError(
                f"{folder}: is damaged: expected the symbols {' '.join(grammar.symbols)}, got {len(symbols)}"
            )
        return cls(tuple(symbols), has_words(data, symbols), grammar)


def named_grammar(data: Data) -> Grammar | None:
    """Give the grammar that the data name, where they do."""
    named = data.data[0] if len(data.data) == 1 else ""
    return get_grammar(named) if named in grammar_names() else None


def has_words(data: Data, symbols: Sequence[str]) -> bool:
    """Tell whether symbols stand between spaces: where that is set, or one of them is longer than a character."""
    return data.unit == "word" or any(len(symbol) > 1 for symbol in symbols)


def is_automaton_file(name: str, lines: Sequence[str]) -> bool:
    """Tell whether a file is an automaton, by its name or by what is in it."""
    return base_name(name).endswith(".automaton") or looks_like_automaton(lines)
