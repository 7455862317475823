"""Sounds and their log-mel energies changed by chance, as another voice, room or microphone would have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.audio.resample import resample

SPEEDS = (0.9, 1.0, 1.1)
"""Ko et al., Audio Augmentation for Speech Recognition, Interspeech 2015."""
_SPEED_PARTS = 100


def change_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play samples (n,) so many times as fast, which makes them as much higher: (n / speed,) float32.

    >>> change_speed(np.zeros(1100, np.float32), 1.1).shape
    (1000,)
    """
    return resample(samples, round(speed * _SPEED_PARTS), _SPEED_PARTS)


def add_noise(samples: np.ndarray, chance: np.random.Generator, ratio: tuple[float, float] = (10, 40)) -> np.ndarray:
    """Add noise to samples (n,), white or falling by 3 dB an octave; ratio: decibels that the sound is louder, drawn between these.

    >>> add_noise(np.ones(100, np.float32), np.random.default_rng(1)).dtype
    dtype('float32')
    """
    noise = chance.normal(size=len(samples))
    if chance.random() < 0.5 and len(samples) > 1:
        spectrum = np.fft.rfft(noise)
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(samples))
    power = float(np.square(samples, dtype=np.float64).mean())
    wanted = power / 10 ** (chance.uniform(*ratio) / 10)
    noise *= np.sqrt(wanted / max(float(np.square(noise).mean()), 1e-30))
    return (samples + noise).astype(np.float32)


def change_loudness(samples: np.ndarray, chance: np.random.Generator, decibels: float = 6) -> np.ndarray:
    """Make samples louder or quieter by chance, within so many decibels."""
    return (samples * np.float32(10 ** (chance.uniform(-decibels, decibels) / 20))).astype(np.float32)


def join_sounds(sounds: Sequence[np.ndarray], chance: np.random.Generator, gap: tuple[int, int]) -> np.ndarray:
    """Join samples, with silence between them; gap: how many samples of it, drawn between these.

    >>> join_sounds([np.ones(2, np.float32)] * 2, np.random.default_rng(1), (1, 1)).tolist()
    [1.0, 1.0, 0.0, 1.0, 1.0]
    """
    parts: list[np.ndarray] = []
    for sound in sounds:
        parts += [np.zeros(int(chance.integers(gap[0], gap[1] + 1)), np.float32), sound] if parts else [sound]
    return np.concatenate(parts)


def spec_augment(
    frames: np.ndarray,
    chance: np.random.Generator,
    *,
    bands: int = 2,
    band: float = 0.15,
    gaps: int = 2,
    gap: float = 0.1,
    fill: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Hide bands of mels and stretches of time in frames (T, mels), as SpecAugment does (Park et al. 2019, without its warp); gives a copy.

    Args:
        frames: log-mel energies; normalised, 0 is their mean.
        chance: says what.
        bands: how many bands of mels.
        band: how wide one is at most, of all mels.
        gaps: how many stretches of time.
        gap: how long one is at most, of all frames.
        fill: what stands there then: a number, or one for each mel.

    >>> int((spec_augment(np.ones((100, 40), np.float32), np.random.default_rng(1)) == 0).any())
    1
    """
    hidden = np.zeros(frames.shape, bool)
    for _ in range(bands):
        start, end = _stretch(frames.shape[1], band, chance)
        hidden[:, start:end] = True
    for _ in range(gaps):
        start, end = _stretch(frames.shape[0], gap, chance)
        hidden[start:end] = True
    return np.where(hidden, np.asarray(fill, frames.dtype), frames)


def _stretch(count: int, share: float, chance: np.random.Generator) -> tuple[int, int]:
    length = int(chance.integers(0, int(share * count) + 1))
    start = int(chance.integers(0, count - length + 1))
    return start, start + length
