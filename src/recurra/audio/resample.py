"""Sounds brought to another rate, whole or piece by piece, with the same bits."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

_ZEROS = 24
"""Zero crossings of the filter on each side, at the lower of the two rates: 3 ms at 8 kHz."""
_CUTOFF = 0.93
"""Of half the lower rate: what is above is taken out."""
_KAISER = 9.0
"""The window's β: what is folded back is 90 dB below what it came from."""
_ROWS = 4096
"""Samples made at a time."""


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Bring samples (n,) to another rate: (⌈n · to / from⌉,) float32, by a sinc under a Kaiser window (Smith, Digital Audio Resampling).

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000).astype(np.float32)
    >>> half = resample(tone, 16_000, 8_000)
    >>> half.shape, bool(np.abs(half - tone[::2])[50:-50].max() < 1e-4)
    ((800,), True)
    """
    stream = ResampleStream(from_rate, to_rate)
    return np.concatenate([stream.push(samples), stream.finish()])


@lru_cache(maxsize=16)
def _filters(up: int, down: int) -> np.ndarray:
    """Give the filter of each phase (up, 2 · half): what the samples around a new one are multiplied by."""
    scale = min(1.0, up / down) * _CUTOFF
    half = math.ceil(_ZEROS / scale)
    # A new sample of phase p lies p / up behind the sample half - 1.
    distance = np.arange(1 - half, half + 1)[None] - np.arange(up)[:, None] / up
    inside = np.clip(1 - (distance / half) ** 2, 0, None)
    window = np.i0(_KAISER * np.sqrt(inside)) / np.i0(_KAISER) * (np.abs(distance) < half)
    filters = scale * np.sinc(scale * distance) * window
    return filters / filters.sum(1, keepdims=True)


class ResampleStream:
    """Brings samples to another rate as they come; what it gives in all is what `resample` gives, bit by bit, for any pieces.

    >>> stream = ResampleStream(16_000, 8_000)
    >>> len(stream.push(np.zeros(160, np.float32))) + len(stream.finish())
    80
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        common = math.gcd(from_rate, to_rate)
        self.from_rate, self.to_rate = from_rate, to_rate
        self._up, self._down = to_rate // common, from_rate // common
        self._bank = np.ones((1, 1)) if self._up == self._down else _filters(self._up, self._down)
        self._half = self._bank.shape[1] // 2
        self._start()

    def _start(self) -> None:
        # Before the first sample there is silence.
        self._kept = np.zeros(max(self._half - 1, 0), np.float32)
        self._first = -len(self._kept)
        self._read = self._given = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples (n,), and give those of the new rate (m,) float32 that nothing to come can change."""
        samples = np.asarray(samples, np.float32)
        if self._up == self._down:
            return samples
        self._read += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        return self._make(-(-(self._read - self._half) * self._up // self._down))

    def finish(self) -> np.ndarray:
        """Give the rest, behind which there is silence; the stream is then as new."""
        if self._up == self._down:
            return np.zeros(0, np.float32)
        total = -(-self._read * self._up // self._down)
        self._kept = np.concatenate([self._kept, np.zeros(2 * self._half, np.float32)])
        rest = self._make(total)
        self._start()
        return rest

    def _make(self, end: int) -> np.ndarray:
        """Make the samples up to number `end` of the new rate, and forget what they alone needed."""
        pieces = [np.zeros(0, np.float32)]
        for start in range(self._given, end, _ROWS):
            numbers = np.arange(start, min(start + _ROWS, end), dtype=np.int64)
            phases, middles = numbers * self._down % self._up, numbers * self._down // self._up
            windows = np.lib.stride_tricks.sliding_window_view(self._kept, self._bank.shape[1])
            chosen = windows[middles - (self._half - 1) - self._first]
            # A row's sum depends on the row alone; that of a matrix product may depend on its neighbours.
            pieces.append((chosen * self._bank[phases]).sum(1).astype(np.float32))
        self._given = max(self._given, end)
        needed = self._given * self._down // self._up - (self._half - 1)
        if needed > self._first:
            self._kept = self._kept[needed - self._first :].copy()
            self._first = needed
        return np.concatenate(pieces)
