"""Log-mel energies of a sound, whole or piece by piece, with the same bits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recurra.errors import UsageError

_LOWEST = 20.0
"""Hertz: nothing of a voice is below."""
_PREEMPHASIS = 0.97
_FULL_SCALE = 32768.0
_FLOOR = 1.0
"""Of an energy: about what rounding to 16 bits makes. Without it digital silence would lie far below any that a microphone gives."""
_ROWS = 512
"""Frames made at a time."""


class LogMel:
    """Makes log-mel energies (frames, mels) float32 of samples (n,): those of Kaldi (`compute-fbank-feats`, without dither), from 0 up.

    Each frame is 25 ms long, 10 ms after the one before: its mean is taken out, its high tones are raised by 0.97, it lies under
    Povey's window, and the power of its Fourier transform is summed by triangles on the scale of mels,

        mel(f) = 1127 · ln(1 + f / 700).

    What is shorter than a window has no frame. A frame's bits depend on its own samples alone: not on how many frames are made with it,
    which is why its sums are taken row by row and not as a matrix product, and by NumPy's transform and not by torch's.

    Args:
        rate: samples a second.
        mels: how many energies.
        window: seconds of a frame.
        hop: seconds from one frame to the next.

    >>> mel = LogMel(8000)
    >>> mel(np.zeros(8000, np.float32)).shape
    (98, 40)
    """

    def __init__(self, rate: int, mels: int = 40, window: float = 0.025, hop: float = 0.010) -> None:
        self.rate, self.mels = rate, mels
        self.length, self.step = int(rate * window), int(rate * hop)
        """Samples of a frame, and from one frame to the next."""
        if self.length < 2 or self.step < 1:
            raise UsageError(f"window {window}, hop {hop}: too short at {rate} samples a second")
        self._size = 1 << (self.length - 1).bit_length()
        self._taper = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.length) / (self.length - 1))) ** 0.85
        self._places, self._weights = _triangles(rate, self._size, mels)

    def count(self, samples: int) -> int:
        """Give how many frames so many samples have.

        >>> LogMel(8000).count(199), LogMel(8000).count(200)
        (0, 1)
        """
        return 0 if samples < self.length else 1 + (samples - self.length) // self.step

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Give the log-mel energies (frames, mels) float32."""
        made = np.empty((self.count(len(samples)), self.mels), np.float32)
        if len(made):
            frames = np.lib.stride_tricks.sliding_window_view(samples, self.length)[:: self.step]
            for start in range(0, len(made), _ROWS):
                made[start : start + _ROWS] = self._energies(frames[start : min(start + _ROWS, len(made))])
        return made

    def _energies(self, frames: np.ndarray) -> np.ndarray:
        values = frames.astype(np.float64) * _FULL_SCALE
        values -= values.mean(1, keepdims=True)
        values[:, 1:] -= _PREEMPHASIS * values[:, :-1]
        values[:, 0] -= _PREEMPHASIS * values[:, 0]
        spectrum = np.fft.rfft(values * self._taper, self._size)
        power = spectrum.real**2 + spectrum.imag**2
        energies = (power[:, self._places] * self._weights).sum(2)
        return np.log(np.maximum(energies, _FLOOR))


def _triangles(rate: int, size: int, mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Give for each mel the places of its triangle in the spectrum and their weights (mels, width); behind its end the weights are 0."""
    edges = np.linspace(_to_mel(_LOWEST), _to_mel(rate / 2), mels + 2)
    tones = _to_mel(np.arange(size // 2) * rate / size)
    rising = (tones[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - tones[None]) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.clip(np.minimum(rising, falling), 0, None)
    if not weights.any(1).all():
        raise UsageError(
            f"mels: {mels} are too many for frames of {size} samples, where some have no tone; take fewer, or a longer window"
        )
    first, width = (weights > 0).argmax(1), int((weights > 0).sum(1).max())
    places = np.minimum(first[:, None] + np.arange(width), size // 2 - 1)
    kept = np.take_along_axis(weights, places, 1)
    kept[first[:, None] + np.arange(width) >= size // 2] = 0
    return places, kept


def _to_mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)


@dataclass
class LogMelStream:
    """Makes log-mel energies of samples as they come: those that `LogMel` makes of all, bit by bit, for any pieces.

    >>> stream = LogMelStream(LogMel(8000))
    >>> stream.push(np.zeros(199, np.float32)).shape, stream.push(np.zeros(1, np.float32)).shape
    ((0, 40), (1, 40))
    """

    mel: LogMel
    _kept: np.ndarray = field(init=False, repr=False, default_factory=lambda: np.zeros(0, np.float32))

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples (n,), and give the frames (m, mels) float32 that are whole now."""
        self._kept = np.concatenate([self._kept, np.asarray(samples, np.float32)])
        frames = self.mel(self._kept)
        self._kept = self._kept[len(frames) * self.mel.step :].copy()
        return frames
