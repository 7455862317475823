"""What a model has copied: the longest run that stands in the training data too, in any key, and the nearest piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.music import PITCHES, Piece

_GRAM = 4
_BASE = np.uint64(0x9E3779B97F4A7C15)


def step_symbols(piece: Piece, known: dict[bytes, int]) -> np.ndarray:
    """Give a number for each step but the first: what sounds below its highest key, and how far that is from the one before.

    Two runs have the same numbers where one is the other, transposed.  known: numbers by what they stand for; new ones are added.
    """
    if piece.kind == "drums":
        rows = piece.frames[1:]
        return np.array([known.setdefault(row.tobytes(), len(known) + 1) for row in rows], np.uint64)
    sounding = piece.sounding
    tops = np.where(sounding.any(1), PITCHES - 1 - sounding[:, ::-1].argmax(1), -1)
    found = []
    for step in range(1, len(piece)):
        below = np.roll(sounding[step], PITCHES - 1 - tops[step])
        both = min(tops[step], tops[step - 1]) >= 0
        move = int(tops[step] - tops[step - 1]) if both else 1_000 + int(tops[step] >= 0) + 2 * int(tops[step - 1] >= 0)
        key = np.packbits(below).tobytes() + move.to_bytes(4, "little", signed=True)
        found.append(known.setdefault(key, len(known) + 1))
    return np.array(found, np.uint64)


def _hashes(symbols: np.ndarray, length: int) -> np.ndarray:
    """Give a number for each run of so many symbols, (n − length + 1,)."""
    if len(symbols) < length:
        return np.zeros(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(symbols, length)
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(length, _BASE))
        return windows @ powers


class KnownMusic:
    """The training pieces as runs, to be looked up."""

    def __init__(self, train: Sequence[Piece]) -> None:
        self._known: dict[bytes, int] = {}
        self._names = [piece.name for piece in train]
        self._symbols = [step_symbols(piece, self._known) for piece in train]
        self._grams = [np.unique(_hashes(symbols, _GRAM)) for symbols in self._symbols]

    def longest_run(self, piece: Piece) -> int:
        """Give how many steps in a row stand in one training piece, in any key."""
        symbols = step_symbols(piece, self._known)
        shortest, longest = 0, len(symbols)
        while shortest < longest:  # of a run that is known every part is
            length = (shortest + longest + 1) // 2
            wanted = _hashes(symbols, length)
            if any(np.isin(wanted, _hashes(own, length)).any() for own in self._symbols):
                shortest = length
            else:
                longest = length - 1
        return shortest + 1 if shortest else 0

    def nearest(self, piece: Piece) -> tuple[str, float]:
        """Give the training piece that has most of a piece's runs of five steps, and which share it has."""
        wanted = np.unique(_hashes(step_symbols(piece, self._known), _GRAM))
        if not len(wanted):
            return self._names[0], 0.0
        shares = [float(np.isin(wanted, grams).mean()) for grams in self._grams]
        best = int(np.argmax(shares))
        return self._names[best], shares[best]
