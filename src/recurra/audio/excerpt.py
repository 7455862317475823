"""A small copy of a sound to listen to: its first seconds, as a telephone has them."""

from __future__ import annotations

import math

import numpy as np

from recurra.audio.sound import Sound
from recurra.audio.wav import encode_mu_law

EXCERPT_RATE = 8_000
"""Samples a second of an excerpt, and bytes."""
MAX_EXCERPT_SECONDS = 10
_BLOCK_SECONDS = 0.1


def excerpt(sound: Sound) -> bytes:
    """Give the first 10 seconds of a sound in µ-law, 8,000 samples a second; `mu_law_wav` makes a file of them.

    Brought to that rate by leaving out what of the spectrum is above it, which is for the ear alone: of every sound that is read for
    training there is an excerpt, and `resample` would take as long as all else.

    >>> len(excerpt(Sound(np.zeros(32_000, np.float32), 16_000))), len(excerpt(Sound(np.zeros(960_000, np.float32), 48_000)))
    (16000, 80000)
    """
    samples = sound.samples[: MAX_EXCERPT_SECONDS * sound.rate]
    return encode_mu_law(samples if sound.rate == EXCERPT_RATE else _at_rate(samples, sound.rate))


def _at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    common = math.gcd(rate, EXCERPT_RATE)
    up, down = EXCERPT_RATE // common, rate // common
    # In whole blocks, whose lengths have small factors alone: a transform of a prime length takes several times as long.
    block = max(1, round(_BLOCK_SECONDS * common))
    blocks = -(-len(samples) // (block * down))
    before, after = blocks * block * down, blocks * block * up
    spectrum = np.fft.rfft(samples, before)[: after // 2 + 1]
    found = np.fft.irfft(spectrum, after) * (after / before)
    return found[: -(-len(samples) * up // down)].astype(np.float32)
