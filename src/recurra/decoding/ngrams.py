"""N-gram models as the language of a search: of the labels themselves, or of the words that they spell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from recurra.baselines import BackoffModel
from recurra.decoding.language import PrefixLanguage
from recurra.errors import DataError

BLANK_SIGN = "▁"
"""How a blank is written in the tokens of an ARPA file, whose tokens stand apart by blanks."""
_BLANKS = (BLANK_SIGN, "<space>", "|", "_")
"""How others write it, in the order in which it is looked for."""
UNKNOWN = math.log(1e-9)
"""Log-probability of a label or word that a model without `<unk>` does not know."""
MAX_CACHED = 20_000


def to_token(label: str) -> str:
    """Write a label as a token of an ARPA file.

    >>> to_token(" a")
    '▁a'
    """
    return label.replace(" ", BLANK_SIGN)


class LabelNgrams(PrefixLanguage):
    """An n-gram model whose tokens are the labels; labels: the text of each, of the blank ""."""

    def __init__(self, model: BackoffModel, labels: Sequence[str]) -> None:
        self._model = model
        columns = [model.eos, *(_token_id(model, label) for label in labels[1:])]
        unknown = -1 if model.unknown is None else model.unknown
        self._columns = np.array([unknown if id is None else id for id in columns], np.int64)
        self._rows: dict[tuple[int, ...], np.ndarray] = {}

    def start(self) -> tuple[int, ...]:
        return () if self._model.bos is None else (self._model.bos,)

    def advance(self, states: Sequence[tuple[int, ...]], labels: Sequence[int]) -> list[tuple[int, ...]]:
        kept = self._model.order - 1
        added = ((*state, int(self._columns[label])) for state, label in zip(states, labels, strict=True))
        return [state[max(0, len(state) - kept) :] for state in added]

    def next(self, states: Sequence[tuple[int, ...]]) -> np.ndarray:
        return np.stack([self._row(state) for state in states])

    def _row(self, state: tuple[int, ...]) -> np.ndarray:
        found = self._rows.get(state)
        if found is None:
            values = self._model.log_probs(state)
            found = np.where(self._columns < 0, UNKNOWN, values[self._columns])
            if len(self._rows) >= MAX_CACHED:
                self._rows.clear()
            self._rows[state] = found
        return found


class WordNgrams(PrefixLanguage):
    """An n-gram model of words over labels that spell them: a word counts when the label between words comes, or the end.

    labels: the text of each, of the blank "".  separator: the label between words.
    """

    def __init__(self, model: BackoffModel, labels: Sequence[str], separator: int) -> None:
        self._model, self._labels, self._separator = model, list(labels), separator

    def start(self) -> tuple[str, tuple[int, ...]]:
        return "", () if self._model.bos is None else (self._model.bos,)

    def advance(
        self, states: Sequence[tuple[str, tuple[int, ...]]], labels: Sequence[int]
    ) -> list[tuple[str, tuple[int, ...]]]:
        return [
            ("", self._after(*state)) if label == self._separator else (state[0] + self._labels[label], state[1])
            for state, label in zip(states, labels, strict=True)
        ]

    def next(self, states: Sequence[tuple[str, tuple[int, ...]]]) -> np.ndarray:
        found = np.zeros((len(states), len(self._labels)))
        for row, (word, context) in zip(found, states, strict=True):
            value = self._log_prob(word, context) if word else 0.0
            row[self._separator] = value if word else -math.inf
            end = self._model.eos
            after = self._after(word, context) if word else context
            row[0] = value + (0.0 if end is None else float(self._model.log_probs(after)[end]))
        return found

    def _id(self, word: str) -> int | None:
        return self._model.ids.get(word, self._model.unknown)

    def _log_prob(self, word: str, context: tuple[int, ...]) -> float:
        id = self._id(word)
        return UNKNOWN if id is None else float(self._model.log_probs(context)[id])

    def _after(self, word: str, context: tuple[int, ...]) -> tuple[int, ...]:
        id = self._id(word)
        whole = (*context, -1 if id is None else id)
        return whole[max(0, len(whole) - self._model.order + 1) :]


def ngram_language(model: BackoffModel, labels: Sequence[str], separator: int | None, source: str) -> PrefixLanguage:
    """Give a model as the language of a search: by labels where most of its tokens are labels, else by words.

    Raises `DataError` for a model of something else than what is written.
    """
    texts = {to_token(label) for label in labels[1:]} | {*_BLANKS}
    known = sum(token in texts for token in model.tokens)
    if 2 * known >= len(model.tokens) - len([model.bos, model.eos, model.unknown]):
        return LabelNgrams(model, labels)
    if separator is None:
        raise DataError(
            f"expected a model of the units that are written, such as {' '.join(map(to_token, labels[1:6]))}; of {len(model.tokens):,} tokens "
            f"{known:,} are",
            source=source,
        )
    return WordNgrams(model, labels, separator)


def _token_id(model: BackoffModel, label: str) -> int | None:
    if label == " ":
        return next((model.ids[sign] for sign in _BLANKS if sign in model.ids), None)
    return model.ids.get(to_token(label))
