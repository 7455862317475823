"""The n-grams of a text that comes piece by piece: sums that change with each, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recurra.linear.ngrams import MAX_WORD_LENGTH, NgramFamily, characters, hash_word, ngram_keys, split_words

State = tuple[Tensor, ...]
_SPACE = ord(" ")


class NgramStream:
    """The logits of n-gram weights for the text read so far; equal to those of the whole text up to rounding in float64.

    The state of a family is the count of each of its n-grams, (F,) float32; the weighted sum and the sum of squares, (C + 1,) float64; the
    last units, (longest,) int64 with their number first. Then come the characters of a word that may go on, (65,) int64 with their number first, and
    whether a space is due. A step changes the counts in place.
    """

    def __init__(self, families: Sequence[NgramFamily], weights: Sequence[np.ndarray], columns: int) -> None:
        self.families, self.weights, self.columns = families, weights, columns

    def initial_state(self) -> State:
        """Give the state before the first character."""
        parts: list[Tensor] = []
        for family in self.families:
            parts += [
                torch.zeros(len(family.vocabulary)),
                torch.zeros(self.columns + 1, dtype=torch.float64),
                torch.zeros(family.longest, dtype=torch.int64),
            ]
        return (*parts, torch.zeros(MAX_WORD_LENGTH + 1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))

    def step(self, piece: str, state: State) -> tuple[np.ndarray, State]:
        """Read some characters more, and give the weighted sum, (C,) float64."""
        text = piece.casefold()
        *parts, partial, due = state
        word = "".join(map(chr, partial[1 : 1 + int(partial[0])].tolist()))
        finished, word = _finish(word + text)
        spaced, due_now = _collapse(text, started=bool(due[0]), due=int(due[0]) == 2)
        total = np.zeros(self.columns)
        kept: list[Tensor] = []
        for number, (family, weights) in enumerate(zip(self.families, self.weights, strict=True)):
            counts, sums, last = parts[3 * number : 3 * number + 3]
            if family.unit == "word":
                units, provisional = _hashes(finished), _hashes([word] if word else [])
            else:
                units = characters(spaced)
                provisional = characters(" " if due_now else "")
            sums, last = _add(family, weights, (counts, sums, last), units, keep=True)
            shown, _ = _add(family, weights, (counts, sums, last), provisional, keep=False)
            if shown[-1] > 0:
                total += shown[:-1].numpy() / np.sqrt(float(shown[-1]))
            kept += [counts, sums, last]
        partial = torch.zeros_like(partial)
        partial[0] = len(word)
        partial[1 : 1 + len(word)] = torch.tensor([ord(character) for character in word], dtype=torch.int64)
        return total, (*kept, partial, torch.tensor([due_now]))


def _finish(text: str) -> tuple[list[str], str]:
    """Give the words that what follows cannot change, and the one that it may: letters without a space behind them."""
    words = split_words(text)
    if (
        words
        and text.endswith(words[-1])
        and words[-1][-1].isalnum() | (words[-1][-1] == "_")
        and len(words[-1]) < MAX_WORD_LENGTH
    ):
        return words[:-1], words[-1]
    return words, ""


def _collapse(text: str, *, started: bool, due: bool) -> tuple[str, int]:
    """Write white space as single spaces; gives what is certain, and 0 at the beginning, 1 within a word, 2 where a space is due.

    started: whether characters came before.  due: whether white space came last.
    """
    words = text.split()
    if not words:
        return "", 2 if started and (due or text) else int(started)
    before = " " if not started or due or text[0].isspace() else ""
    return before + " ".join(words), 2 if text[-1].isspace() else 1


def _hashes(words: Sequence[str]) -> np.ndarray:
    return np.array([hash_word(word) for word in words], np.uint64)


def _add(
    family: NgramFamily, weights: np.ndarray, state: tuple[Tensor, Tensor, Tensor], units: np.ndarray, *, keep: bool
) -> tuple[Tensor, Tensor]:
    """Add the n-grams that end in new units to the sums; keep: to the counts as well.  Gives the sums and the last units."""
    counts, sums, last = state
    if not len(units):
        return sums, last
    context = last[1 : 1 + int(last[0])].numpy().view(np.uint64)
    together = np.concatenate([context, units])
    keys = _ending_in(together, len(context), family.longest)
    place = np.minimum(np.searchsorted(family.vocabulary, keys), max(0, len(family.vocabulary) - 1))
    columns, more = np.unique(place[family.vocabulary[place] == keys], return_counts=True)
    before = counts.numpy()[columns].astype(np.float64)
    idf = family.idf[columns].astype(np.float64)
    old = np.where(before > 0, 1 + np.log(np.maximum(before, 1)), 0.0) * idf
    new = (1 + np.log(before + more)) * idf
    change = np.concatenate([(new - old) @ weights[columns].astype(np.float64), [np.sum(new**2 - old**2)]])
    if keep:
        counts.numpy()[columns] += more.astype(np.float32)
    tail = together[-(family.longest - 1) :] if family.longest > 1 else together[:0]
    kept = torch.zeros_like(last)
    kept[0] = len(tail)
    kept[1 : 1 + len(tail)] = torch.from_numpy(tail.view(np.int64).copy())
    return sums + torch.from_numpy(change), kept


def _ending_in(units: np.ndarray, context: int, longest: int) -> np.ndarray:
    """Give the n-grams of units that end behind the first `context` of them."""
    keys, _ = ngram_keys(units, np.array([len(units)]), longest)
    ends = np.concatenate([np.arange(count - 1, len(units)) for count in range(1, min(longest, len(units)) + 1)])
    return keys[ends >= context]
