"""What can be counted of pieces, and how far two sets of them are apart in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from recurra.music.piece import DRUMS, LOWEST, PITCHES, Piece

MAX_COUNTED_AT_ONCE, MAX_INTERVAL, MAX_COUNTED_LENGTH = 16, 12, 32


def top_line(piece: Piece) -> np.ndarray:
    """Give the highest key at each step at which something sounds, (n,)."""
    sounding = piece.sounding
    there = sounding[sounding.any(1)]
    return PITCHES - 1 - there[:, ::-1].argmax(1)


def histograms(pieces: Sequence[Piece]) -> dict[str, np.ndarray]:
    """Give what can be counted of pieces as shares: how much sounds at a step, which pitch classes or drums, and of the highest
    line by how many semitones it moves and how many steps it stays; of drums at which places of the bar there is a hit."""
    sounding = [piece.frames > 0 if piece.kind == "drums" else piece.sounding for piece in pieces]
    at_once = _counted((np.minimum(held.sum(1), MAX_COUNTED_AT_ONCE) for held in sounding), MAX_COUNTED_AT_ONCE + 1)
    if pieces[0].kind == "drums":
        bar = pieces[0].bar
        places = (np.flatnonzero(piece.frames.any(1)) % bar for piece in pieces if piece.bar == bar)
        drums = (np.nonzero(held)[1] for held in sounding)
        found = {
            "hits of a step": at_once,
            "drums": _counted(drums, len(DRUMS)),
            "places in the bar": _counted(places, bar),
        }
    else:
        lines = [top_line(piece) for piece in pieces]
        moves = [np.diff(line) for line in lines]
        clipped = (np.clip(move[move != 0], -MAX_INTERVAL, MAX_INTERVAL) + MAX_INTERVAL for move in moves)
        lengths = (np.minimum(_run_lengths(line), MAX_COUNTED_LENGTH) for line in lines)
        found = {
            "notes of a step": at_once,
            "pitch classes": _counted(((np.nonzero(held)[1] + LOWEST) % 12 for held in sounding), 12),
            "intervals": _counted(clipped, 2 * MAX_INTERVAL + 1),
            "lengths": _counted(lengths, MAX_COUNTED_LENGTH + 1),
        }
    return {name: counts / max(counts.sum(), 1.0) for name, counts in found.items()}


def _counted(values: Iterable[np.ndarray], size: int) -> np.ndarray:
    total = np.zeros(size)
    for each in values:
        total += np.bincount(each, minlength=size)
    return total


def _run_lengths(line: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(line)) + 1
    return np.diff(np.concatenate([[0], edges, [len(line)]]))


def histogram_distances(pieces: Sequence[Piece], others: Sequence[Piece]) -> dict[str, float]:
    """Give how far two sets of pieces are apart in each histogram: half the sum of the differences, from 0 to 1.

    >>> one = Piece("voices", np.array([[40], [42]], np.uint8), "a")
    >>> histogram_distances([one], [one])["intervals"]
    0.0
    """
    one, other = histograms(pieces), histograms(others)
    return {
        name: float(np.abs(one[name] - other[name]).sum() / 2) for name in one if one[name].shape == other[name].shape
    }
