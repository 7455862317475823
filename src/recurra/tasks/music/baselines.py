"""Plain models of music: keys by what they were before, chains of notes in all keys, and the last bar again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.baselines import KneserNey, register_baseline
from recurra.music import PITCHES, Kind, Piece, shift_frames

_START = 0
ORDER = 6
"""Ids that a chain reads, the one that it predicts among them."""


@register_baseline
class KeysByThemselves:
    """Each key by whether it sounded at the step before, whatever the others do."""

    name, title = "per-note", "each key by itself (Markov)"

    def fit(self, pieces: Sequence[Piece]) -> KeysByThemselves:
        """Count; with half a time more for each (Krichevsky and Trofimov 1981)."""
        counts = np.full((2, 2, PITCHES), 0.5)
        for piece in pieces:
            held = piece.sounding.astype(np.int64)
            for before in (0, 1):
                for after in (0, 1):
                    counts[before, after] += ((held[:-1] == before) & (held[1:] == after)).sum(0)
        self._logs = np.log(counts / counts.sum(1, keepdims=True))
        return self

    def log_probs(self, piece: Piece) -> np.ndarray:
        """Give log p of each step from the second on, (T − 1,)."""
        held = piece.sounding.astype(np.int64)
        return self._logs[held[:-1], held[1:], np.arange(PITCHES)].sum(1)


def to_ids(kind: Kind, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give a piece as ids, and how many each step has: of notes the keys from the highest and an end, of voices the key of
    each, of drums one for each subset.

    >>> ids, counts = to_ids("voices", np.array([[3, 0]]))
    >>> ids.tolist(), counts.tolist()
    ([4, 90], [2])
    """
    if kind == "drums":
        return 1 + frames.astype(np.int64) @ (1 << np.arange(frames.shape[1])), np.ones(len(frames), np.int64)
    if kind == "voices":
        slots = 1 + np.arange(frames.shape[1]) * (PITCHES + 1)
        return (frames + slots).ravel(), np.full(len(frames), frames.shape[1])
    padded = np.concatenate([frames[:, ::-1] > 0, np.ones((len(frames), 1), bool)], 1)  # the last is the end
    rows, choices = np.nonzero(padded)
    return 1 + choices, np.bincount(rows, minlength=len(frames))


@register_baseline
class NoteChain:
    """Note by note as the model goes, by counts of the ids before: Kneser–Ney, with the training pieces in all keys that are drawn."""

    name, title = "markov", "chain of notes (Kneser–Ney, all keys)"

    def fit(self, pieces: Sequence[Piece], transpositions: int) -> NoteChain:
        """Count the pieces, each in as many keys as training has drawn from."""
        kind, width = pieces[0].kind, pieces[0].frames.shape[1]
        sequences = []
        for piece in pieces:
            lowest, highest = piece.range
            down, up = (0, 0) if kind == "drums" else (-((transpositions - 1) // 2), transpositions // 2)
            for semitones in range(down, up + 1):
                if lowest + semitones >= 0 and highest + semitones < PITCHES:
                    sequences.append(to_ids(kind, shift_frames(kind, piece.frames, semitones))[0])
        size = {"notes": PITCHES + 1, "voices": width * (PITCHES + 1), "drums": 1 << width}[kind] + 1
        self._model = KneserNey(ORDER).fit(sequences, size, _START, None)
        return self

    def decide(self, piece: Piece) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give of each step from the second on log p, how many decisions made it, and how many the likeliest id has right."""
        ids, counts = to_ids(piece.kind, piece.frames)
        steps = np.repeat(np.arange(len(counts)), counts)
        log_probs = np.bincount(steps, self._model.log_probs(ids), len(counts))
        right = np.bincount(steps, self._model.top1(ids), len(counts))
        return log_probs[1:], counts[1:], right[1:]


@register_baseline
class LastBar:
    """The same again as a bar before; in the first bar, as the step before."""

    name, title = "last-bar", "the last bar again"

    def right(self, piece: Piece) -> np.ndarray:
        """Tell of each step from the second on whether it is so, bool (T − 1,)."""
        steps = np.arange(1, len(piece))
        before = np.where(steps >= piece.bar, steps - piece.bar, steps - 1)
        return (piece.frames[steps] == piece.frames[before]).all(1)
