"""Sounds in µ-law are what the reader and others read, and excerpts are what was heard."""

from __future__ import annotations

import io

import numpy as np
import pytest

from recurra.audio import Sound, decode_samples, encode_mu_law, excerpt, mu_law_wav, read_sound, resample

MU_LAW, MU_STEP = 7, 32 * 32
"""The code of WAV for µ-law; of whole numbers of 16 bits, the widest step is so wide."""


def test_each_value_of_the_table_is_written_as_itself() -> None:
    values = decode_samples(bytes(range(256)), MU_LAW, 8)
    again = encode_mu_law(values)
    assert np.array_equal(decode_samples(again, MU_LAW, 8), values)
    assert sum(one == other for one, other in zip(again, range(256), strict=True)) == 255  # 0 has two bytes


def test_every_number_of_16_bits_is_written_as_the_nearest_value() -> None:
    numbers = np.arange(-(2**15), 2**15)
    found = decode_samples(encode_mu_law((numbers / 2**15).astype(np.float32)), MU_LAW, 8) * 2**15
    table = decode_samples(bytes(range(256)), MU_LAW, 8) * 2**15
    nearest = np.abs(numbers[:, None] - table[None]).min(1)
    assert np.array_equal(np.abs(found - numbers), nearest) and nearest[1000:-1000].max() <= MU_STEP / 2


@pytest.mark.parametrize("count", [0, 1, 801])
def test_a_file_is_read_by_others_too(count: int) -> None:
    library = pytest.importorskip("soundfile")
    samples = 0.4 * np.sin(np.arange(count) / 5).astype(np.float32)
    data = mu_law_wav(encode_mu_law(samples), 8_000)
    theirs, rate = library.read(io.BytesIO(data), dtype="float32")
    assert (library.info(io.BytesIO(data)).subtype, rate, len(theirs)) == ("ULAW", 8_000, count)
    assert count == 0 or np.array_equal(theirs, read_sound(data, "a.wav").samples)


@pytest.mark.parametrize("rate", [1_000, 6_000, 8_000, 11_025, 16_000, 44_100, 48_000])
def test_an_excerpt_sounds_as_the_sound_does_at_its_rate(rate: int) -> None:
    times = np.arange(int(0.517 * rate)) / rate
    fade = np.sin(np.pi * np.arange(len(times)) / len(times))
    sound = Sound((0.6 * fade * np.sin(2 * np.pi * 300 * times)).astype(np.float32), rate)
    found = read_sound(mu_law_wav(excerpt(sound), 8_000), "a.wav")
    wanted = resample(sound.samples, rate, 8_000)
    assert (found.rate, len(found.samples)) == (8_000, len(wanted))
    middle = slice(200, -200)
    assert np.abs(found.samples - wanted)[middle].max() < MU_STEP / 2**15


def test_what_is_above_half_the_rate_is_not_folded_back() -> None:
    high = Sound(np.sin(2 * np.pi * 6_000 * np.arange(16_000) / 16_000).astype(np.float32), 16_000)
    assert np.abs(decode_samples(excerpt(high), MU_LAW, 8)).max() < 0.01


def test_a_long_sound_is_cut() -> None:
    assert len(excerpt(Sound(np.zeros(25 * 44_100, np.float32), 44_100))) == 80_000
