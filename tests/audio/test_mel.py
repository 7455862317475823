"""Log-mel energies are Kaldi's, and a stream's are those of the whole, bit by bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.audio import LogMel, LogMelStream, ResampleStream, SoundStream, read_sound, resample
from recurra.errors import UsageError

RATES = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000]


def noise(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.normal(0, 0.1, count) * np.sin(np.arange(count) / 900)).astype(np.float32)


def kaldi(samples: np.ndarray, rate: int, mels: int) -> np.ndarray:
    library = pytest.importorskip("kaldi_native_fbank")
    options = library.FbankOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = rate, 0
    options.mel_opts.num_bins = mels
    bank = library.OnlineFbank(options)
    bank.accept_waveform(rate, (samples * 32768).tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(at) for at in range(bank.num_frames_ready)])


@pytest.mark.parametrize(("rate", "mels"), [(8_000, 40), (16_000, 40), (16_000, 80), (44_100, 64)])
def test_it_is_kaldis(rate: int, mels: int) -> None:
    samples = noise(rate)
    ours, theirs = LogMel(rate, mels)(samples), np.maximum(kaldi(samples, rate, mels), 0)
    assert ours.shape == theirs.shape
    # Kaldi works in float32: the quietest energies differ most.
    assert np.abs(ours - theirs).max() < 5e-3
    assert np.abs(ours - theirs).mean() < 1e-5


@pytest.mark.parametrize("piece", [1, 7, 80, 199, 1000, 100_000])
@pytest.mark.parametrize("rate", [8_000, 11_025])
def test_a_stream_gives_the_bits_of_the_whole(piece: int, rate: int) -> None:
    samples, mel = noise(3_000), LogMel(rate)
    stream = LogMelStream(mel)
    parts = [stream.push(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    assert np.array_equal(np.concatenate(parts), mel(samples))


def test_a_frame_is_the_same_among_any_number_of_others() -> None:
    samples, mel = noise(90_000), LogMel(8_000)
    whole = mel(samples)
    for at in (0, 1, 511, 512, 900):
        assert np.array_equal(mel(samples[at * 80 : at * 80 + 200])[0], whole[at])


def test_what_is_shorter_than_a_window_has_no_frame() -> None:
    assert LogMel(8_000)(noise(199)).shape == (0, 40)


def test_digital_silence_is_as_quiet_as_can_be() -> None:
    assert not LogMel(8_000)(np.zeros(800, np.float32)).any()


@pytest.mark.parametrize(
    ("rate", "options"), [(8_000, {"mels": 300}), (8_000, {"window": 0.0001}), (1_000, {"hop": 1e-4})]
)
def test_settings_that_make_no_sense(rate: int, options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        LogMel(rate, **options)


@pytest.mark.parametrize("to_rate", RATES)
@pytest.mark.parametrize("from_rate", RATES)
def test_tones_stay_and_no_others_come(from_rate: int, to_rate: int) -> None:
    times = np.arange(from_rate // 2) / from_rate
    low = np.sin(2 * np.pi * 440 * times).astype(np.float32)
    made = resample(low, from_rate, to_rate)
    assert len(made) == -(-len(low) * to_rate // from_rate)
    wanted = np.sin(2 * np.pi * 440 * np.arange(len(made)) / to_rate)
    edge = to_rate // 100
    assert np.abs(made - wanted)[edge:-edge].max() < 1e-4
    if to_rate < from_rate:
        high = np.sin(2 * np.pi * (to_rate * 0.53) * times).astype(np.float32)
        assert np.abs(resample(high, from_rate, to_rate))[edge:-edge].max() < 1e-3


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44_100, 16_000), (16_000, 8_000), (8_000, 11_025)])
def test_it_is_as_soxr_has_it(from_rate: int, to_rate: int) -> None:
    soxr = pytest.importorskip("soxr")
    spectrum = np.fft.rfft(noise(from_rate))
    spectrum[int(min(from_rate, to_rate) * 0.4) :] = 0  # both leave this alone
    samples = np.fft.irfft(spectrum, from_rate).astype(np.float32)
    ours, theirs = resample(samples, from_rate, to_rate), soxr.resample(samples, from_rate, to_rate, "VHQ")
    edge = to_rate // 50
    assert np.abs(ours[: len(theirs)] - theirs)[edge:-edge].max() < 1e-4


@given(st.lists(st.integers(0, 900), max_size=8), st.sampled_from(RATES), st.sampled_from(RATES))
def test_a_stream_brings_to_a_rate_as_the_whole(sizes: list[int], from_rate: int, to_rate: int) -> None:
    samples = noise(sum(sizes))
    stream = ResampleStream(from_rate, to_rate)
    cuts = np.cumsum([0, *sizes])
    parts = [stream.push(samples[start:end]) for start, end in pairwise(cuts)]
    assert np.array_equal(np.concatenate([*parts, stream.finish()]), resample(samples, from_rate, to_rate))
    assert np.array_equal(
        np.concatenate([stream.push(samples), stream.finish()]), resample(samples, from_rate, to_rate)
    )


@given(st.lists(st.integers(0, 5_000), max_size=6), st.sampled_from([8_000, 16_000, 44_100]))
def test_bytes_of_a_pipe_give_the_bits_of_the_whole(sizes: list[int], rate: int) -> None:
    data, mel = (noise(4_000) * 32_767).astype("<i2").tobytes(), LogMel(8_000)
    cuts = [0, *np.minimum(np.cumsum(sizes), len(data)).tolist(), len(data)]
    stream = SoundStream(mel, rate)
    parts = [stream.push(data[start:end]) for start, end in pairwise(cuts)]
    assert stream.seconds == 4_000 / rate
    parts.append(stream.finish())
    assert np.array_equal(np.concatenate(parts), mel(read_sound(data, "-", rate=rate).at_rate(8_000).samples))
    assert stream.seconds == 0
