"""Raw samples as they come from a pipe, to log-mel energies."""

from __future__ import annotations

import numpy as np

from recurra.audio.mel import LogMel, LogMelStream
from recurra.audio.resample import ResampleStream
from recurra.audio.wav import check_rate, decode_samples

_SAMPLE_BYTES = 2


class SoundStream:
    """Makes log-mel energies of the bytes of raw samples, of 16 bits with the lower byte first, as they come.

    What it gives in all is what `read_sound`, `resample` and `LogMel` make of the whole, bit by bit, for any pieces.

    Args:
        mel: makes the energies, at its own rate.
        rate: samples a second of what comes; others than the mel's are brought to that.
        name: what messages call it.

    >>> stream = SoundStream(LogMel(8000), 16_000)
    >>> sum(len(frames) for frames in (stream.push(bytes(6401)), stream.push(bytes(25_599)), stream.finish()))
    98
    """

    def __init__(self, mel: LogMel, rate: int, name: str = "standard input") -> None:
        check_rate(rate, name)
        self.rate = rate
        self._mel, self._resampled = mel, ResampleStream(rate, mel.rate)
        self._start()

    def _start(self) -> None:
        self._left = b""
        self._frames = LogMelStream(self._mel)
        self.samples = 0
        """How many have come, at their own rate."""

    @property
    def seconds(self) -> float:
        """How long the sound is so far."""
        return self.samples / self.rate

    def push(self, data: bytes) -> np.ndarray:
        """Take bytes, any number of them, and give the frames (m, mels) float32 that are whole now."""
        data = self._left + data
        whole = len(data) // _SAMPLE_BYTES * _SAMPLE_BYTES
        self._left = data[whole:]
        self.samples += whole // _SAMPLE_BYTES
        return self._frames.push(self._resampled.push(decode_samples(data[:whole])))

    def finish(self) -> np.ndarray:
        """Give the frames that only wait for what would have followed; the stream is then as new."""
        frames = self._frames.push(self._resampled.finish())
        self._start()
        return frames
