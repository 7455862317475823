"""How near transcripts come to what was said or written, and which characters are confused with which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recurra.metrics.base import Metric, register_metric
from recurra.metrics.translation import edit_distance

register_metric(
    Metric("error_free", "without an error", lower_is_better=False, percent=True, versus="difference"),
)
MAX_CELLS = 4_000_000
"""Cells of a table of edits that is gone through for confusions; of longer texts, none are counted."""


class Edits(NamedTuple):
    """Of N texts: the edits of characters, the characters of the references, and both of words; each (N,) float64."""

    characters: np.ndarray
    character_count: np.ndarray
    words: np.ndarray
    word_count: np.ndarray

    def scores(self, rows: np.ndarray | slice = slice(None)) -> dict[str, float]:
        """Give the rates over some of the texts, all by default: the edits of all by the units of all."""
        characters, words = self.characters[rows], self.words[rows]
        return {
            "character_error_rate": float(characters.sum() / max(1.0, self.character_count[rows].sum())),
            "word_error_rate": float(words.sum() / max(1.0, self.word_count[rows].sum())),
            "error_free": float((characters == 0).mean()) if len(characters) else 0.0,
        }


def count_edits(hypotheses: Sequence[str], references: Sequence[str]) -> Edits:
    """Count what would make each text its reference; a reference may be empty: all that is written there is put in.

    >>> count_edits(["a men", "x"], ["a man", ""]).scores()
    {'character_error_rate': 0.4, 'word_error_rate': 1.0, 'error_free': 0.0}
    """
    pairs = list(zip(hypotheses, references, strict=True))
    words = [(one.split(), other.split()) for one, other in pairs]
    columns = (
        [edit_distance(one, other) for one, other in pairs],
        [len(other) for _, other in pairs],
        [edit_distance(one, other) for one, other in words],
        [len(other) for _, other in words],
    )
    return Edits(*(np.array(column, float) for column in columns))


def edit_pairs(hypothesis: Sequence[str], reference: Sequence[str]) -> list[tuple[str, str]]:
    """Set a text, or its words, beside the reference by the fewest edits: (unit of the reference, unit of the text), "" for none.

    >>> edit_pairs("cot", "cats")
    [('c', 'c'), ('a', 'o'), ('t', 't'), ('s', '')]
    """
    rows, columns = len(reference), len(hypothesis)
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(unit, len(numbers)) for unit in hypothesis], np.int64)
    table = np.empty((rows + 1, columns + 1), np.int64)
    table[0] = steps = np.arange(columns + 1)
    for row, unit in enumerate(reference, 1):
        best = np.minimum(table[row - 1, :-1] + (codes != numbers.get(unit, -1)), table[row - 1, 1:] + 1)
        table[row] = np.minimum.accumulate(np.concatenate([[row], best]) - steps) + steps
    found: list[tuple[str, str]] = []
    row, column = rows, columns
    while row or column:
        same = (
            row
            and column
            and table[row, column] == table[row - 1, column - 1] + (reference[row - 1] != hypothesis[column - 1])
        )
        if same:
            row, column = row - 1, column - 1
            found.append((reference[row], hypothesis[column]))
        elif row and table[row, column] == table[row - 1, column] + 1:
            row -= 1
            found.append((reference[row], ""))
        else:
            column -= 1
            found.append(("", hypothesis[column]))
    return found[::-1]


def character_confusions(hypotheses: Sequence[str], references: Sequence[str]) -> Counter[tuple[str, str]]:
    """Count how often each character of the references was written as each other one, left out ("") or put in.

    >>> character_confusions(["cot", "hot"], ["cat", "hat"]).most_common(1)
    [(('a', 'o'), 2)]
    """
    found: Counter[tuple[str, str]] = Counter()
    for one, other in zip(hypotheses, references, strict=True):
        if one != other and (len(one) + 1) * (len(other) + 1) <= MAX_CELLS:
            found.update(pair for pair in edit_pairs(one, other) if pair[0] != pair[1])
    return found
