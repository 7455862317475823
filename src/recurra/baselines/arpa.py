"""N-gram models with back-off, as ARPA files hold them: those of other tools (KenLM, SRILM), and our own Kneser–Ney."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from recurra.baselines.ngram import KneserNey
from recurra.errors import DataError
from recurra.files import write_whole

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
MIN_LOG10 = -99.0
"""log₁₀ of what never comes, as ARPA files write it."""
FLOOR = math.log(1e-9)
"""Log-probability of what a model without `<unk>` does not know."""
MAX_CACHED = 20_000
"""Contexts whose distributions are kept."""
Order = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of M n-grams: ids (M, n), natural log-probabilities (M,), and those of backing off (M,)."""


class BackoffModel:
    """The probability of every token after any context; where an n-gram is not there, the shorter context's, times a back-off.

    tokens: by their ids.  orders: from single tokens up.

    >>> model = BackoffModel.of(KneserNey(2).fit([np.array([2, 3])], size=4, bos_id=0, eos_id=1), ["<s>", "</s>", "a", "b"])
    >>> round(float(np.exp(model.log_probs([2])).sum()), 12), model.ids["b"]
    (1.0, 3)
    """

    def __init__(self, tokens: Sequence[str], orders: Sequence[Order]) -> None:
        self.tokens, self.order = list(tokens), len(orders)
        self.ids = {token: id for id, token in enumerate(self.tokens)}
        self.bos, self.eos, self.unknown = (self.ids.get(mark) for mark in (BOS, EOS, UNKNOWN))
        self._orders = list(orders)
        single, values, _ = orders[0]
        floor = FLOOR if self.unknown is None else -math.inf
        self._single = np.full(len(self.tokens), floor)
        self._single[single[:, 0]] = values
        self._followers: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
        self._backoff: dict[tuple[int, ...], float] = {}
        for ids, values, backoff in orders:
            self._backoff |= {tuple(ids[row].tolist()): float(backoff[row]) for row in np.flatnonzero(backoff).tolist()}
            if ids.shape[1] > 1:
                self._followers |= _by_context(ids, values)
        self._cached: dict[tuple[int, ...], np.ndarray] = {}

    @classmethod
    def of(cls, model: KneserNey, tokens: Sequence[str]) -> Self:
        """Make it of a Kneser–Ney that has counted; tokens: of its ids, the marks among them."""
        return cls(tokens, model.ngrams())

    def log_probs(self, context: Sequence[int]) -> np.ndarray:
        """Give the natural log-probability of each token to come next, (W,), which is not to be changed; context: ids, the last one last."""
        key = tuple(context)[max(0, len(context) - self.order + 1) :]
        if not key:
            return self._single
        found = self._cached.get(key)
        if found is None:
            found = self.log_probs(key[1:]) + self._backoff.get(key, 0.0)
            if key in self._followers:
                ids, values = self._followers[key]
                found[ids] = values
            if len(self._cached) >= MAX_CACHED:
                self._cached.clear()
            self._cached[key] = found
        return found

    def write(self, path: Path) -> None:
        """Write it as an ARPA file."""
        write_whole(path, "\n".join(self._lines()) + "\n")

    def _lines(self) -> Iterator[str]:
        yield "\\data\\"
        for number, (ids, _, _) in enumerate(self._orders, 1):
            yield f"ngram {number}={len(ids)}"
        for number, (ids, values, backoff) in enumerate(self._orders, 1):
            yield f"\n\\{number}-grams:"
            last = number == self.order
            for row, value, back in zip(ids.tolist(), _log10(values), _log10(backoff), strict=True):
                yield f"{value}\t{' '.join(self.tokens[id] for id in row)}" + ("" if last else f"\t{back}")
        yield "\n\\end\\"


def _log10(values: np.ndarray) -> list[str]:
    return [f"{max(MIN_LOG10, value / math.log(10)) + 0.0:.7g}" for value in values.tolist()]


def _by_context(ids: np.ndarray, values: np.ndarray) -> dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]]:
    """Put n-grams together by all of their ids but the last."""
    if not len(ids):
        return {}
    order = np.lexsort(ids.T[::-1])
    ids, values = ids[order], values[order]
    starts = np.flatnonzero(np.append(True, (ids[1:, :-1] != ids[:-1, :-1]).any(1)))
    return {
        tuple(ids[start, :-1].tolist()): (ids[start:stop, -1], values[start:stop])
        for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True)
    }


def read_arpa(path: str | Path) -> BackoffModel:
    """Read an ARPA file; raises `DataError`, with the line, for one that is damaged."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            return _parse(file, str(path))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", source=path) from None
    except UnicodeDecodeError as error:
        raise DataError("expected UTF-8 text", source=path, byte=error.start) from None


def _parse(lines: Iterable[str], source: str) -> BackoffModel:
    tokens: dict[str, int] = {}
    orders: list[tuple[list[list[int]], list[float], list[float]]] = []
    is_data = ended = False
    for number, raw in enumerate(lines, 1):
        line = raw.strip(" \t\r\n")
        if not is_data or not line or line.startswith("ngram "):
            is_data = is_data or line == "\\data\\"
        elif line == "\\end\\":
            ended = True
            break
        elif line.startswith("\\"):
            if line != f"\\{len(orders) + 1}-grams:":
                raise DataError(f"expected \\{len(orders) + 1}-grams:, got {line[:40]}", source=source, line=number)
            orders.append(([], [], []))
        else:
            _parse_ngram(line, tokens, orders, source, number)
    if not is_data or not orders or not orders[0][0]:
        raise DataError("expected an ARPA file, which has a line \\data\\ and n-grams", source=source)
    if not ended:
        raise DataError("ends before the line \\end\\: it is cut off", source=source)
    whole = [
        (np.array(ids, np.int64).reshape(len(ids), size), np.array(values), np.array(backoff))
        for size, (ids, values, backoff) in enumerate(orders, 1)
    ]
    return BackoffModel(list(tokens), whole)


def _parse_ngram(
    line: str,
    tokens: dict[str, int],
    orders: list[tuple[list[list[int]], list[float], list[float]]],
    source: str,
    number: int,
) -> None:
    size = len(orders)
    parts = line.replace("\t", " ").split(" ")
    parts = [part for part in parts if part]
    try:
        value = float(parts[0])
        backoff = float(parts[size + 1]) if len(parts) == size + 2 else 0.0
        if not size or len(parts) not in (size + 1, size + 2) or not value <= 0 or not math.isfinite(backoff):
            raise ValueError
    except (ValueError, IndexError):
        raise DataError(
            f"expected a log-probability, {size} tokens and perhaps a back-off, got {line[:60]!r}",
            source=source,
            line=number,
        ) from None
    words = parts[1 : size + 1]
    if size == 1:
        tokens.setdefault(words[0], len(tokens))
    unknown = [word for word in words if word not in tokens]
    if unknown:
        raise DataError(f"{unknown[0]!r} is not among the single tokens", source=source, line=number)
    ids, values, backoffs = orders[-1]
    ids.append([tokens[word] for word in words])
    values.append(-math.inf if value <= MIN_LOG10 else value * math.log(10))
    backoffs.append(backoff * math.log(10))
