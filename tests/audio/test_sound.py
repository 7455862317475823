"""Sounds of every make are read, and what is none is one clear line."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.audio import Sound, is_sound, read_sound
from recurra.errors import DataError, RecurraError

TONE = (0.5 * np.sin(np.arange(1600) / 9)).astype(np.float32)
CODES = {"PCM_U8": 7, "PCM_16": 15, "PCM_24": 23, "PCM_32": 23, "FLOAT": 23, "DOUBLE": 23, "ULAW": 5, "ALAW": 5}
"""What soundfile calls a coding, and how many bits of a sound it keeps."""


def soundfile_bytes(samples: np.ndarray, kind: str, subtype: str | None = None, rate: int = 8_000) -> bytes:
    library = pytest.importorskip("soundfile")
    stream = io.BytesIO()
    library.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def wav(
    samples: bytes = b"\0\x40" * 160,
    *,
    code: int = 1,
    channels: int = 1,
    rate: int = 8_000,
    bits: int = 16,
    size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, bits)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + before
    chunks += b"data" + struct.pack("<I", len(samples) if size is None else size) + samples + after
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", CODES)
def test_every_coding_of_wav(kind: str, subtype: str) -> None:
    data = soundfile_bytes(TONE, kind, subtype)
    sound = read_sound(data, "tone.wav")
    library = pytest.importorskip("soundfile")
    theirs, rate = library.read(io.BytesIO(data), dtype="float32")
    assert (sound.rate, sound.notes) == (rate, ())
    assert np.array_equal(sound.samples, theirs)
    assert np.abs(sound.samples - TONE).max() <= 2.0 ** -CODES[subtype]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_whole_numbers_as_the_standard_library_has_them(width: int, channels: int) -> None:
    data = np.random.default_rng(width).bytes(width * channels * 100)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((channels, width, 16_000, 0, "NONE", ""))
        file.writeframes(data)
    sound = read_sound(stream.getvalue(), "a.wav")
    signed = [
        (data[at] - 128) / 128
        if width == 1
        else int.from_bytes(data[at : at + width], "little", signed=True) / 2 ** (8 * width - 1)
        for at in range(0, len(data), width)
    ]
    wanted = np.array(signed, np.float32).reshape(-1, channels).mean(1)
    assert sound.rate == 16_000 and np.allclose(sound.samples, wanted, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "name", "error"), [("FLAC", "a.flac", 1e-4), ("OGG", "a.ogg", 0.05), ("MP3", "a.mp3", 0.05)]
)
def test_coded_sounds(kind: str, name: str, error: float) -> None:
    data = soundfile_bytes(TONE, kind)
    sound = read_sound(data, name)
    assert sound.rate == 8_000
    assert np.abs(sound.samples[: len(TONE)] - TONE)[200:-200].max() < error


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_coded_sounds_that_are_damaged(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    whole, random = soundfile_bytes(TONE, kind), np.random.default_rng(3)
    for number in range(60):
        data = bytearray(whole[: random.integers(1, len(whole))] if number % 2 else whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(256)
        try:
            assert np.isfinite(read_sound(bytes(data), "odd").samples).all()
        except DataError as error:
            assert str(error).startswith("odd: ") and "\n" not in str(error)
    assert capfd.readouterr().err == ""


def test_raw_samples_need_a_rate() -> None:
    sound = read_sound(b"\0\x40" * 160 + b"\0", "standard input", rate=16_000)
    assert (sound.rate, len(sound.samples), sound.samples[0]) == (16_000, 160, 0.5)
    assert sound.notes == ("its last sample is not whole, and is left out",)
    with pytest.raises(DataError, match=r"^a.raw: is no sound that can be read; .*--rate"):
        read_sound(b"\0\x40", "a.raw")
    with pytest.raises(DataError, match="expected a rate of 1,000 to 768,000"):
        read_sound(b"\0\x40", "a.raw", rate=5)


def test_a_rate_is_for_raw_samples_alone() -> None:
    assert read_sound(wav(), "a.wav", rate=44_100).rate == 8_000
    with pytest.raises(DataError, match="is no sound"):
        read_sound(b"\0\x40", "a.wav", rate=44_100)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_lengths_that_recorders_do_not_know(size: int) -> None:
    sound = read_sound(wav(size=size), "a.wav")
    assert len(sound.samples) == 160
    assert sound.notes == ("its header does not say how long it is: it is read to its end",)


def test_chunks_around_the_samples() -> None:
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert len(read_sound(wav(before=odd, after=odd), "a.wav").samples) == 160


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (wav()[:30], "byte 12: is cut off: the chunk 'fmt ' should have 16 bytes, and 10 follow"),
        (wav()[:36], "byte 36: is cut off: it ends before its samples"),
        (wav()[:12], "byte 12: is cut off: it ends before its format and samples"),
        (wav()[:100], "byte 100: is cut off: its header says 320 bytes of sound, and 56 follow"),
        (wav(b""), "holds no samples"),
        (wav(b"", after=b"LIST" + struct.pack("<I", 4) + b"abcd"), "holds no samples"),
        (wav(code=2, bits=4), "byte 20: holds Microsoft's ADPCM, which is not read"),
        (wav(code=0x1234), "byte 20: holds the coding 0x1234"),
        (wav(bits=12), "byte 34: expected samples of 8, 16, 24, 32 bits, got 12"),
        (wav(channels=0), "byte 22: expected 1 to 64 channels of 16 bits, got 0"),
        (wav(rate=0), "byte 24: expected a rate of 1,000 to 768,000 samples a second, got 0"),
        (wav(struct.pack("<3f", 0.5, float("nan"), 1), code=3, bits=32), "byte 48: expected numbers within ±1,000,000, got nan in sample 2"),
        (wav(struct.pack("<2f", 3e38, 3e38), code=3, bits=32, channels=2), "byte 44: expected numbers within ±1,000,000, got 3e+38 in sample 1"),
        (wav(struct.pack("<2d", 0.5, 1e300), code=3, bits=64), "byte 52: expected numbers within ±1,000,000, got inf in sample 2"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "byte 12: expected a chunk that says the format before the samples"),
        (b"\0" * 100, "is no sound that can be read"),
        (b"fLaC" + b"\0" * 100, "cannot be decoded"),
    ],
)  # fmt: skip
def test_what_is_no_sound(data: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_sound(data, "a.wav")
    assert str(caught.value).startswith(f"a.wav: {message}")


def stereo(left: np.ndarray, right: np.ndarray) -> Sound:
    values = np.stack([left, right], 1)
    return read_sound(wav((values * 32767).astype("<i2").tobytes(), channels=2), "a.wav")


def test_channels_become_one() -> None:
    sound = stereo(TONE, TONE * 0.5)
    assert np.abs(sound.samples - TONE * 0.75).max() < 1e-4
    assert sound.notes == ("its 2 channels became one, their mean",)


def test_channels_that_cancel_each_other_out() -> None:
    sound = stereo(TONE, -TONE * 0.99)
    assert np.abs(sound.samples - TONE).max() < 1e-4
    assert sound.notes == ("the mean of its 2 channels is nearly silent: the loudest alone is read",)


def test_silence_and_clipping() -> None:
    assert read_sound(wav(bytes(320)), "a.wav").notes == ("is silent",)
    loud = (np.clip(TONE * 4, -1, 1) * 32767).astype("<i2").tobytes()
    assert read_sound(wav(loud), "a.wav").notes == ("is clipped: many samples are as loud as can be",)


def test_some_kilobytes_that_hold_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.audio.sound.MAX_SAMPLES", 50_000)
    with pytest.raises(DataError, match="expected a sound of at most 50,000 samples, got more; cut it"):
        read_sound(soundfile_bytes(np.zeros(60_000, np.float32), "FLAC"), "a.flac")


def test_names() -> None:
    assert [is_sound(name) for name in ("a.wav", "a.flac", "a.mp3", "a.txt", "wav")] == [True, True, True, False, False]


@given(st.binary(max_size=200), st.booleans(), st.integers(0, 250))
def test_any_bytes_are_read_or_refused(data: bytes, headed: bool, at: int) -> None:
    whole = wav()
    data = whole[:at] + data + whole[at + len(data) :] if headed else data
    for name, rate in (("a.wav", None), ("a.raw", 8_000), ("standard input", None)):
        try:
            sound = read_sound(data, name, rate=rate)
        except RecurraError as error:
            assert str(error).startswith(f"{name}: ")
        else:
            assert sound.samples.dtype == np.float32 and sound.samples.ndim == 1 and np.isfinite(sound.samples).all()
