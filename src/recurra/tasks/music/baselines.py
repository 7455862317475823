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
class PlayedByPlace:
    """A drum as hard and as early or late as it is on average at its place in the bar."""

    name, title = "drum-and-place", "mean of drum and place in the bar"

    def fit(self, pieces: Sequence[Piece]) -> PlayedByPlace:
        """Average velocities and offsets of hits; a place where a drum was never hit has the drum's own mean."""
        self._bar = max(piece.bar for piece in pieces)
        width = pieces[0].frames.shape[1]
        sums, counts = np.zeros((self._bar, 2 * width)), np.zeros((self._bar, 2 * width))
        for piece in pieces:
            places = np.arange(len(piece)) % piece.bar
            np.add.at(sums, places, np.concatenate([np.asarray(piece.velocities), np.asarray(piece.offsets)], 1))
            np.add.at(counts, places, np.tile(piece.frames, 2))
        whole = sums.sum(0) / np.maximum(counts.sum(0), 1)
        self._means = np.where(counts > 0, sums / np.maximum(counts, 1), whole)
        return self

    def predict(self, piece: Piece) -> np.ndarray:
        """Give velocities and offsets, (T, 2·W)."""
        return self._means[np.arange(len(piece)) % piece.bar % self._bar]


def playing_errors(predicted: Sequence[np.ndarray], pieces: Sequence[Piece]) -> dict[str, float]:
    """Give the mean absolute errors of hits: of velocities, from 0 to 1, and of offsets, in steps; predicted: (T, 2·W) each."""
    width = pieces[0].frames.shape[1]
    hits = [piece.frames > 0 for piece in pieces]
    errors = {}
    for name, part, true in (
        ("velocity_mae", slice(0, width), [piece.velocities for piece in pieces]),
        ("offset_mae", slice(width, None), [piece.offsets for piece in pieces]),
    ):
        found = [np.abs(own[:, part] - there)[hit] for own, there, hit in zip(predicted, true, hits, strict=True)]
        errors[name] = float(np.concatenate(found).mean()) if any(map(len, found)) else 0.0
    return errors


@register_baseline
class LastBar:
    """The same again as a bar before; in the first bar, as the step before."""

    name, title = "last-bar", "the last bar again"

    def right(self, piece: Piece) -> np.ndarray:
        """Tell of each step from the second on whether it is so, bool (T − 1,)."""
        steps = np.arange(1, len(piece))
        before = np.where(steps >= piece.bar, steps - piece.bar, steps - 1)
        return (piece.frames[steps] == piece.frames[before]).all(1)
