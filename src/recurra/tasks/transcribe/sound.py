"""Sounds: log-mel energies of frames of 25 ms, 100 a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.audio import LogMel, LogMelStream, ResampleStream, Sound, excerpt, is_sound, resample, spec_augment
from recurra.errors import DataError
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.signals import Facts, SignalKind, at_places, register_signal, stretched

USUAL_RATE = 16_000
"""Samples a second, of which more hold nothing of a voice that log-mel energies would show."""
SPEED = 0.12
"""By how much a voice is slower or faster in training, at most."""
TRACT = 0.12
"""By how much a throat is longer or shorter (Jaitly & Hinton 2013): the scale of mels is stretched."""
LOUDNESS = 1.5
"""By how much energies are higher or lower, in natural logarithms."""
TONE, TONE_WAVES = 0.6, 4
"""By how much each of so many waves over the mels is louder or softer, in natural logarithms (standard deviation)."""
NOISE_SHARE, NOISE_DEPTH = 0.5, (1.5, 6.0)
"""How often noise is added, and by how much, in natural logarithms, it is below the loudest energies."""
GAP_FRAMES = (3, 200)
"""Of silence: short ones often, and now and then one as long as those at which an utterance ends."""


LIVE_TAIL = 12
"""Frames of quiet behind a sound that is read in one direction: many recordings end with the word, and what is in its last sounds is written a
little later. In a stream these come by themselves, but for its end."""


@register_signal
class SoundKind(SignalKind):
    """Log-mel energies at one rate; sounds of others are brought to it. tail: frames of quiet that are read behind the last."""

    kind, frame_stack, streams = "sound", 3, True

    def __init__(self, rate: int, mels: int, tail: int = 0) -> None:
        self.rate, self._mel, self._tail = rate, LogMel(rate, mels), tail

    @classmethod
    def of(cls, signals: Sequence[Sound], data: Data, *, live: bool) -> SoundKind:
        if data.sample_rate is None:
            data.sample_rate = min(USUAL_RATE, signals[0].rate)
        return cls(data.sample_rate, data.mels, LIVE_TAIL if live else 0)

    @classmethod
    def from_facts(cls, facts: Facts) -> SoundKind:
        return cls(facts["rate"], facts["mels"], facts.get("tail", 0))

    @property
    def facts(self) -> Facts:
        return {"rate": self.rate, "mels": self._mel.mels, "tail": self._tail}

    @property
    def size(self) -> int:
        return self._mel.mels

    @property
    def seconds(self) -> float:
        return self._mel.step / self.rate

    def prepare(self, signal: Sound, name: str) -> np.ndarray:
        samples = signal.samples
        if signal.rate != self.rate:
            samples = resample(samples, signal.rate, self.rate)
        found = self._mel(samples)
        if not len(found):
            raise DataError(f"is shorter than a frame: {signal.seconds:.3f} s", source=name or None)
        return found

    def frames(self, kept: np.ndarray) -> np.ndarray:
        return with_tail(kept, self._tail)

    def note(self, signal: Sound) -> str | None:
        return None if signal.rate == self.rate else f"brought from {signal.rate:,} samples a second to {self.rate:,}"

    def excerpt(self, signal: Sound) -> bytes:
        return excerpt(signal)

    def vary(self, kept: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        # Of energies and not of samples: as good for training, and twenty times as fast.
        found = stretched(kept, 1 + SPEED * chance.uniform(-1, 1))
        places = np.arange(self.size) * (1 + TRACT * chance.uniform(-1, 1))
        found = at_places(found.T, np.clip(places, 0, self.size - 1)).T
        found = found + np.float32(LOUDNESS * chance.uniform(-1, 1)) + self._tone(chance)
        if chance.random() < NOISE_SHARE:
            level = np.percentile(found, 95) - chance.uniform(*NOISE_DEPTH)
            slope = chance.uniform(-1.5, 1.5) * np.linspace(-1, 1, self.size)
            noise = level + slope + np.log(chance.gamma(3.0, 1 / 3.0, found.shape) + 1e-3)
            found = np.logaddexp(found, noise)
        found = found.clip(0).astype(np.float32)
        return with_tail(spec_augment(found, chance, fill=found.mean(0)), self._tail)

    def _tone(self, chance: np.random.Generator) -> np.ndarray:
        """Give what another microphone, room or voice would make of each mel, (F,): a smooth curve."""
        places = (np.arange(self.size) + 0.5) / self.size
        waves = np.cos(np.pi * np.outer(np.arange(1, TONE_WAVES + 1), places))
        return (TONE * chance.standard_normal(TONE_WAVES) @ waves).astype(np.float32)

    def gap(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        count = int(np.exp(chance.uniform(*np.log(GAP_FRAMES))))
        quiet = np.percentile(frames, 10, axis=0)
        return (quiet + 0.5 * chance.standard_normal((count, self.size))).clip(0).astype(np.float32)

    blank_name = "the mean of the recording"

    def span(self, first: int, last: int) -> str:
        return f"{first * self.seconds:.2f} to {last * self.seconds:.2f} s"

    def blank(self, frames: np.ndarray) -> np.ndarray:
        return frames.mean(0)  # as in training, where pieces are covered with it

    def is_one(self, item: Any) -> bool:
        return isinstance(item, Sound)

    def holds(self, name: str) -> bool:
        return is_sound(name)

    def stream(self, rate: int | None) -> SoundStream:
        return SoundStream(self._mel, rate or self.rate, self._tail)


def with_tail(frames: np.ndarray, count: int) -> np.ndarray:
    """Give frames (T, F) with the quietest of them so many times behind."""
    if not count:
        return frames
    return np.concatenate([frames, np.repeat(quietest(frames), count, 0)])


def quietest(frames: np.ndarray) -> np.ndarray:
    """Give the frame with the least energy, (1, F); the first of several."""
    return frames[frames.sum(1).argmin()][None]


class SoundStream:
    """Makes frames of samples as they come, at any rate; behind the last of them a tail, as `with_tail` does."""

    def __init__(self, mel: LogMel, rate: int, tail: int) -> None:
        self._log_mel, self._rate, self._tail = mel, rate, tail
        self._start()

    def _start(self) -> None:
        self._resampler = ResampleStream(self._rate, self._log_mel.rate)
        self._mel = LogMelStream(self._log_mel)
        self._quietest: np.ndarray | None = None

    def push(self, piece: np.ndarray) -> np.ndarray:
        return self._listen(self._mel.push(self._resampler.push(piece)))

    def finish(self) -> np.ndarray:
        found = self._listen(self._mel.push(self._resampler.finish()))
        if self._quietest is not None:
            found = np.concatenate([found, np.repeat(self._quietest, self._tail, 0)])
        self._start()
        return found

    def _listen(self, frames: np.ndarray) -> np.ndarray:
        if self._tail and len(frames):
            before = [] if self._quietest is None else [self._quietest]
            self._quietest = quietest(np.concatenate([*before, frames]))
        return frames
