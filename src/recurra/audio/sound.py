"""One sound from a file: WAV, what soundfile reads, or raw samples; in one channel, with what is odd about it in words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from recurra.audio.resample import resample
from recurra.audio.wav import MAX_AMPLITUDE, check_rate, decode_samples, is_wav, read_wav
from recurra.errors import DataError, as_data_error, require
from recurra.files import without_stderr

MAX_SAMPLES = 2**29
"""Of a sound, in all its channels: 2 GiB as they are held. Some kilobytes of FLAC can hold hours of silence."""
_RAW = frozenset({".raw", ".pcm", ".s16", ".sw"})
_CODED = frozenset({".flac", ".ogg", ".oga", ".opus", ".mp3"})
_SUFFIXES = frozenset({".wav", ".wave", *_CODED, *_RAW})
_SIGNATURES = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3")
_EXPECTED = "expected WAV, FLAC, Ogg or MP3; raw samples need their rate (--rate)"
_BLOCK = 1 << 18
_CANCELLED = 0.05
"""Of the loudest channel's power: where the mean of all has less, they cancel each other out."""
_FULL_SCALE, _CLIPPED = 0.999, 0.001
_SILENCE = 1 / 32768


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound: its samples (n,) float32 about within -1 and 1, how many there are to a second, and what there is to say of the file."""

    samples: np.ndarray
    rate: int
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    def at_rate(self, rate: int) -> Sound:
        """Give the same sound at another rate, with a note; itself where it is at that rate.

        >>> Sound(np.zeros(160, np.float32), 16_000).at_rate(8_000).notes
        ('its 16,000 samples a second became 8,000',)
        """
        if rate == self.rate:
            return self
        note = f"its {self.rate:,} samples a second became {rate:,}"
        return Sound(resample(self.samples, self.rate, rate), rate, (*self.notes, note))


def is_sound(name: str) -> bool:
    """Tell by its name in small letters whether a file is a sound.

    >>> is_sound("seven.wav"), is_sound("seven.txt")
    (True, False)
    """
    return PurePosixPath(name).suffix in _SUFFIXES


def read_sound(data: bytes, name: str, *, rate: int | None = None) -> Sound:
    """Read a sound from the bytes of a file: WAV, or with the extra `speech` FLAC, Ogg (Vorbis, Opus) and MP3.

    Several channels become one, their mean, or the loudest where that is nearly silent, as of channels that are out of phase.

    Raises `DataError`, with the byte where that is known, for what is no sound, is cut off, empty, damaged, too long or holds numbers
    that are none.

    Args:
        data: the bytes.
        name: what messages call it.
        rate: samples a second of raw ones, which are of 16 bits, the lower byte first; other files say it themselves.

    >>> read_sound(b"\\x00\\x40" * 160, "-", rate=16_000).seconds
    0.01
    >>> read_sound(b"no sound", "notes.wav")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: notes.wav: is no sound that can be read; expected WAV, FLAC, Ogg or MP3; raw samples need their rate (--rate)
    """
    if not data:
        raise DataError("is empty", source=name)
    suffix = PurePosixPath(name.lower()).suffix
    if is_wav(data):
        values, rate, notes = read_wav(data, name)
    elif data.startswith(_SIGNATURES) and suffix not in _RAW:
        values, rate, notes = _read_coded(data, name)
    elif rate is not None and (suffix in _RAW or suffix not in _SUFFIXES):
        values, notes = _read_raw(data, name, rate)
    else:
        raise DataError("is no sound that can be read", source=name, hint=_EXPECTED)
    if not len(values):
        raise DataError("holds no samples", source=name, hint="record it again, or leave it out (--on-error skip)")
    if values.size > MAX_SAMPLES:
        raise _too_long(name)
    samples, mixed = to_mono(values)
    return Sound(samples, rate, (*notes, *mixed, *_oddities(samples)))


def _read_raw(data: bytes, name: str, rate: int) -> tuple[np.ndarray, list[str]]:
    check_rate(rate, name)
    notes = ["its last sample is not whole, and is left out"] if len(data) % 2 else []
    return decode_samples(data[: len(data) // 2 * 2])[:, None], notes


def _too_long(name: str) -> DataError:
    return DataError(f"expected a sound of at most {MAX_SAMPLES:,} samples, got more", source=name, hint="cut it")


def _read_coded(data: bytes, name: str) -> tuple[np.ndarray, int, list[str]]:
    library = require("soundfile", "speech", "a sound that is no WAV")
    problem, hint = "cannot be decoded", "write it as WAV: ffmpeg -i IN OUT.wav"
    with (
        without_stderr(),
        as_data_error(problem, source=name, hint=hint),
        library.SoundFile(io.BytesIO(data)) as file,
    ):
        if file.frames * file.channels > MAX_SAMPLES:
            raise _too_long(name)
        rate, stated = int(file.samplerate), int(file.frames)
        blocks, count = [], 0  # memory goes by what is there, and not by what a header says
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            count += block.size
            if count > MAX_SAMPLES:
                raise _too_long(name)
            blocks.append(block)
        values = np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)
    check_rate(rate, name)
    if not (np.abs(values) <= MAX_AMPLITUDE).all():
        raise DataError(f"expected numbers within ±{MAX_AMPLITUDE:,}, got others", source=name)
    if len(values) < stated:
        raise DataError(f"is cut off: {stated:,} samples should follow, and {len(values):,} do", source=name, hint=hint)
    return values, rate, []


def to_mono(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Make one channel (n,) of several (n, c), with a note where there is something to say.

    >>> left = np.array([0.5, -0.5], np.float32)
    >>> to_mono(np.stack([left, -left], 1))[0].tolist()
    [0.5, -0.5]
    """
    count = values.shape[1]
    if count == 1:
        return np.ascontiguousarray(values[:, 0]), []
    mean = values.mean(1, dtype=np.float32)
    power = np.square(values, dtype=np.float64).mean(0)
    if np.square(mean, dtype=np.float64).mean() < _CANCELLED * power.max():
        return np.ascontiguousarray(values[:, int(power.argmax())]), [
            f"the mean of its {count} channels is nearly silent: the loudest alone is read"
        ]
    return mean, [f"its {count} channels became one, their mean"]


def _oddities(samples: np.ndarray) -> list[str]:
    size = np.abs(samples)
    if size.max() < _SILENCE:
        return ["is silent"]
    return ["is clipped: many samples are as loud as can be"] if (size >= _FULL_SCALE).mean() > _CLIPPED else []
