"""Notes as sound: a small additive synthesiser, for listening to what a model writes."""

from __future__ import annotations

import io
import wave

import numpy as np

from recurra.music.grid import USUAL_TEMPO
from recurra.music.midi import DRUM_CHANNEL, Song

RATE = 22_050
MAX_SECONDS = 3_600
_PARTIALS = ((1, 1.0), (2, 0.5), (3, 0.28), (4, 0.14), (5, 0.08), (6, 0.04))
"""Multiples of a note's frequency, and how loud each is."""
_ATTACK, _RELEASE, _RING = 0.008, 0.05, 0.4
_DECAY = 1.3
"""Of a note that is held: how much of e it loses in a second, at middle C."""
_DRUM_SECONDS = {36: 0.25, 38: 0.18, 42: 0.05, 46: 0.3, 43: 0.3, 47: 0.25, 50: 0.2, 49: 0.9, 51: 0.5}
_LOUDEST = 0.89


def render(song: Song, rate: int = RATE) -> np.ndarray:
    """Give the sound of all notes, float32 (n,) within -1 and 1: as loud as it may be, whatever there is of it.

    >>> song = Song(np.array([[0, 480, 69, 80, 0]]), 480, 120.0)
    >>> sound = render(song)
    >>> len(sound) / RATE > 0.5, round(float(np.abs(sound).max()), 2)
    (True, 0.89)
    """
    second = song.ticks * (song.tempo or USUAL_TEMPO) / 60
    end = min(float(song.notes[:, 1].max()) / second if len(song.notes) else 0.0, MAX_SECONDS)
    sound = np.zeros(int((end + 1.0) * rate), np.float32)
    cached: dict[tuple[int, int, bool], np.ndarray] = {}
    for start, stop, pitch, velocity, channel in song.notes.tolist():
        length, drum = max(1, int((stop - start) / second * rate)), channel == DRUM_CHANNEL
        key = (pitch, 0 if drum else length, drum)
        if key not in cached:
            cached[key] = _drum(pitch, rate) if drum else _tone(pitch, length, rate)
        at = int(start / second * rate)
        made = cached[key][: max(0, len(sound) - at)]
        sound[at : at + len(made)] += (velocity / 127) ** 1.5 * made
    peak = float(np.abs(sound).max()) if len(sound) else 0.0
    return sound * np.float32(_LOUDEST / peak) if peak else sound


def _tone(pitch: int, length: int, rate: int) -> np.ndarray:
    """Make a note that is held for so many samples and then let go."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    time = np.arange(length + int(_RING * rate)) / rate
    decay = _DECAY * 2 ** ((pitch - 60) / 24)
    made = np.zeros(len(time))
    for multiple, loudness in _PARTIALS:
        if multiple * frequency < rate / 2:
            made += loudness * np.exp(-decay * multiple**0.7 * time) * np.sin(2 * np.pi * multiple * frequency * time)
    released = np.minimum(1, np.exp(-(time - length / rate) / _RELEASE))
    return (made * np.minimum(1, time / _ATTACK) * released).astype(np.float32)


def _drum(pitch: int, rate: int) -> np.ndarray:
    """Make a hit: a falling tone for kick and toms, noise for the rest, bright for cymbals."""
    seconds = _DRUM_SECONDS.get(pitch, 0.2)
    time = np.arange(int(seconds * rate)) / rate
    fall = np.exp(-5 * time / seconds)
    noise = np.random.Generator(np.random.PCG64(pitch)).standard_normal(len(time))
    bright = np.diff(noise, prepend=0.0)
    if pitch in (36, 43, 47, 50):
        low = {36: 50, 43: 90, 47: 130, 50: 170}[pitch]
        made = np.sin(2 * np.pi * np.cumsum(low * (1 + 2 * np.exp(-40 * time))) / rate) * 1.6
    elif pitch == 38:
        made = 0.5 * noise + 0.6 * np.sin(2 * np.pi * 190 * time)
    else:
        made = 0.35 * bright
    return (made * fall).astype(np.float32)


def wav_bytes(sound: np.ndarray, rate: int = RATE) -> bytes:
    """Write a sound, float (n,), as a WAV file of 16 bits.

    >>> wav_bytes(np.zeros(3, np.float32))[:4]
    b'RIFF'
    """
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())
    return stream.getvalue()
